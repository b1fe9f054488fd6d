#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Perplexity of SmolLM2-135M under each scheme, beside torch's and torchao's.

    smollm2_perplexity.py model.safetensors [--mx-run build/bin/mx-run] [--windows 8] [SCHEME[:RULE] ...]

Prints the mean negative log-likelihood (nats) over windows of 256 tokens and, where
Inputs/models/smollm2/REFERENCE.md has a figure (8 windows), how far it is from ours
and the bound that the project keeps: from the range of torchao's own figures, where
these move with the order of the sums. Exit status 1 past a bound. Needs Python only.
"""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

MODEL = pathlib.Path(__file__).resolve().parent.parent / "Inputs/models/smollm2"
RULES = ("floor", "ceil", "even", "rceil")
SCHEMES = (["f32", "fp8_row", "fp8_block"] + [f"mxfp8:{rule}" for rule in RULES] + ["nvfp4a16", "nvfp4"]
           + ["mxfp4a16:even"] + [f"mxfp4:{rule}" for rule in RULES] + ["int4", "nf4"])
# Nats. The schemes that are not here have no independent figure to agree with.
BOUNDS = {"f32": 0.01, "fp8_row": 0.01, "mxfp8": 0.01, "nvfp4": 0.01, "nvfp4a16": 0.01, "mxfp4": 0.05, "mxfp4a16": 0.05}
# Smallest and largest figure of the same torchao model over five instruction sets, by smollm2_torchao.py (torch 2.15,
# torchao 0.18): a code next to a tie flips with the last bit of a sum, and the difference grows from layer to layer.
RANGES = {"fp8_row": (2.966614, 2.972996), "mxfp8:rceil": (2.972540, 2.978657), "nvfp4": (3.281358, 3.331711),
          "mxfp4:even": (4.147069, 4.163198)}


def references():
    """{scheme[:rule]: mean negative log-likelihood} from the table of REFERENCE.md."""
    figures = {}
    for line in (MODEL / "REFERENCE.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[2].replace(".", "").isdigit():
            figures[cells[0].replace(" ", ":")] = float(cells[2])
    return figures


def run(mx_run, weights, scheme, windows):
    """What mx-run says of all windows: its --stats; None if it failed."""
    name, _, rule = scheme.partition(":")
    command = [mx_run, MODEL / "smollm2.mlir", "--args", MODEL / "smollm2.args.json", "--weights", weights,
               "--perplexity", "0"]
    for window in range(windows):
        command += ["--inputs", MODEL / f"tokens.{window}.npy"]
    if name != "f32":
        command += ["--scheme", name]
    if rule:
        command += ["--scale-rule", rule]
    with tempfile.TemporaryDirectory() as folder:
        stats = pathlib.Path(folder) / "stats.json"
        done = subprocess.run([*map(str, command), "--stats", str(stats)], stdout=subprocess.DEVNULL)
        return json.loads(stats.read_text()) if done.returncode == 0 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights")
    parser.add_argument("schemes", nargs="*", default=SCHEMES, metavar="SCHEME[:RULE]")
    parser.add_argument("--mx-run", default="build/bin/mx-run")
    parser.add_argument("--windows", type=int, default=8)
    args = parser.parse_args()

    version = subprocess.run([args.mx_run, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    print(f"# {version}; {os.cpu_count()} {platform.machine()} processors, load {os.getloadavg()[0]:.1f}")
    print("# " + " ".join(sys.argv))
    print(f"{'scheme':16} {'perplexity':>10} {'mean nll':>9} {'reference':>9} {'difference':>10} {'bound':>6}"
          f" {'compile s':>9} {'call s':>7} {'peak MiB':>8}")
    reference = references() if args.windows == 8 else {}
    worst = 0
    for scheme in args.schemes:
        stats = run(args.mx_run, args.weights, scheme, args.windows)
        if stats is None:
            print(f"{scheme:16} FAILED", flush=True)
            worst = 1
            continue
        nll, known = stats["mean_nll"], reference.get(scheme)
        compared = " " * 27
        if known is not None:
            bound = BOUNDS[scheme.partition(":")[0]]
            lowest, highest = RANGES.get(scheme, (known, known))
            is_off = not min(lowest, known) - bound <= nll <= max(highest, known) + bound
            worst |= is_off
            compared = f" {known:9.6f} {nll - known:+10.6f} {bound:6.2f}" + (" OFF" if is_off else "")
        print(f"{scheme:16} {stats['perplexity']:10.4f} {nll:9.6f}{compared} {sum(stats['compile_seconds'].values()):9.2f}"
              f" {min(stats['call_seconds']):7.3f} {stats['peak_mib']:8.0f}", flush=True)
    return worst


if __name__ == "__main__":
    sys.exit(main())
