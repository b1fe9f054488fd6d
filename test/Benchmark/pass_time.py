#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the passes cost beside upstream's canonicalize and cse, on Llamas of 80 and 800 layers.

    pass_time.py [--bin build/bin] [--mlir-opt mlir-opt] [--repeat 3] [--scheme nvfp4]

Prints user seconds (the least of a few runs, parsing and printing included) and peak memory of
`mx-lower-precision` over those of `mlir-opt --canonicalize --cse` on the same file, how both grow
from 80 to 800 layers, and how `mx-to-cpu` grows from 30 to 60. Exit status 1 past a limit.
"""
import argparse
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

GENERATOR = pathlib.Path(__file__).with_name("layers.py")


def generate(folder, preset, layers, *options):
    """The file of a Llama with that many layers."""
    path = pathlib.Path(folder) / f"{preset}.{layers}.mlir"
    with path.open("w") as stream:
        subprocess.run([sys.executable, GENERATOR, f"--preset={preset}", f"--layers={layers}", *options], check=True,
                       stdout=stream)
    return path


def measure(repeat, *command):
    """(user seconds, peak MiB): the least of `repeat` runs."""
    seconds, peak = [], []
    for _ in range(repeat):
        process = subprocess.Popen([*map(str, command), "-o", os.devnull])
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"error: {' '.join(map(str, command))} failed")
        seconds.append(usage.ru_utime)
        peak.append(usage.ru_maxrss / 1024)
    return min(seconds), min(peak)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default="build/bin")
    parser.add_argument("--mlir-opt", default="mlir-opt")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--scheme", default="nvfp4")
    args = parser.parse_args()
    mx_opt, worst = args.bin / "mx-opt", 0

    def limit(what, figure, most):
        nonlocal worst
        worst |= figure > most
        print(f"{what:62} {figure:6.2f}  (at most {most:.2f}){' OFF' if figure > most else ''}", flush=True)

    print(f"# {os.cpu_count()} {platform.machine()} processors, load {os.getloadavg()[0]:.1f}; {' '.join(sys.argv)}")
    lower = f"--mx-lower-precision=scheme={args.scheme}"
    with tempfile.TemporaryDirectory() as folder:
        ours, stock = {}, {}
        for layers in (80, 800):
            model = generate(folder, "llama-70b", layers)
            stock[layers] = measure(args.repeat, args.mlir_opt, "--canonicalize", "--cse", model)
            ours[layers] = measure(args.repeat, mx_opt, lower, model)
            print(f"{layers} layers: canonicalize and cse {stock[layers][0]:.2f} s, {stock[layers][1]:.0f} MiB;"
                  f" mx-lower-precision {ours[layers][0]:.2f} s, {ours[layers][1]:.0f} MiB")
        limit("80 layers: user time over canonicalize and cse", ours[80][0] / stock[80][0], 3)
        limit("80 layers: peak memory over canonicalize and cse", ours[80][1] / stock[80][1], 1.5)
        growth = stock[800][0] / stock[80][0]
        limit("80 to 800 layers: growth of user time", ours[800][0] / ours[80][0], growth * 1.1)
        small, large = (measure(args.repeat, mx_opt, lower, "--mx-to-cpu", generate(folder, "tiny", n, "--weights=args"))
                        for n in (30, 60))
        print(f"mx-to-cpu: 30 layers {small[0]:.2f} s, 60 layers {large[0]:.2f} s")
        limit("30 to 60 layers: growth of user time of mx-to-cpu", large[0] / small[0], 2.2)
    return worst


if __name__ == "__main__":
    sys.exit(main())
