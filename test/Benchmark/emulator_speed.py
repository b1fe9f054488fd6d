#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How fast the PTX emulator is.

    emulator_speed.py [--bin build/bin] [--repeat 3]

Lane instructions a second of a loop of arithmetic on one core without checks; and the time of kernels that others
compiled and of our own for MXFP8 on sm_120a, with all checks and without, times what it takes to reach the work of a
product of 512 x 512 x 512. Exit status 1 past a limit: 100 million lane instructions, 10 s with checks and 3 s without.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

KERNELS = pathlib.Path(__file__).parent.parent / "Emulator" / "Inputs"
MOST_SECONDS = {"all": 10.0, "none": 3.0}
LEAST_RATE = 100e6

LOOP = """.version 8.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 out) {
  .reg .pred p;
  .reg .b32 r<8>;
  .reg .f32 f<4>;
  .reg .b64 d;
  ld.param.u64 d, [out];
  mov.u32 r0, 0;
  mov.u32 r1, %tid.x;
  mov.b32 r2, 1;
  mov.f32 f0, 0f3F800000;
  mov.f32 f1, 0f3F000000;
LOOP:
  mad.lo.u32 r2, r2, 1664525, r1;
  xor.b32 r3, r2, r1;
  shr.u32 r4, r3, 7;
  fma.rn.f32 f0, f0, f1, f1;
  add.u32 r2, r2, r4;
  add.f32 f2, f0, f1;
  add.u32 r0, r0, 1;
  setp.lt.u32 p, r0, 100000;
  @p bra LOOP;
  st.global.b32 [d], 1;
  ret;
}
"""
LOOP_LAUNCH = {"entry": "k", "grid": [1, 1, 1], "block": [32, 1, 1], "args": [{"kind": "buffer", "name": "out"}],
               "buffers": [{"name": "out", "dtype": "u32", "shape": [1], "init": {"gen": "undefined"}}]}
PRODUCT = """func.func @main(%a: tensor<512x512xf32>, %b: tensor<512x512xf32>) -> tensor<512x512xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<512x512xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<512x512xf32>) -> tensor<512x512xf32>
  %d = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp8_e4m3>>, rhs = <format = <mxfp8_e4m3>>,
      rule = "benchmark", reason = "benchmark">}
      ins(%a, %b : tensor<512x512xf32>, tensor<512x512xf32>) outs(%init : tensor<512x512xf32>) -> tensor<512x512xf32>
  return %d : tensor<512x512xf32>
}"""


def seconds(tool, kernel, launch, repeat, *options):
    """The least of a few runs, and what was printed."""
    best, text = float("inf"), ""
    for _ in range(repeat):
        start = time.perf_counter()
        result = subprocess.run([tool, kernel, "--launch", launch, "--stats", *options], capture_output=True, text=True)
        best = min(best, time.perf_counter() - start)
        if result.returncode:
            sys.exit(result.stderr)
        text = result.stdout
    return best, text


def get_extents(launch):
    """m, n, k of a launch file's product."""
    values = {arg["name"].lower(): arg.get("value") for arg in launch["args"]}
    if all(values.get(name) for name in "mnk"):
        return [values[name] for name in "mnk"]
    shapes = {buffer["name"]: buffer["shape"] for buffer in launch["buffers"]}
    (m, k), (_, n) = shapes["a"], shapes["c"]
    return m, n, k


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/bin"))
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    tool = args.bin / "mx-ptx-run"
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "loop.ptx").write_text(LOOP)
        (folder / "loop.json").write_text(json.dumps(LOOP_LAUNCH))
        best, text = seconds(tool, folder / "loop.ptx", folder / "loop.json", args.repeat, "--check=none")
        rate = int(text.split(" lane instructions")[0].split()[-1]) / best
        failed |= rate < LEAST_RATE
        print("%.0f million lane instructions a second (at least %.0f)" % (rate / 1e6, LEAST_RATE / 1e6))

        subprocess.run([args.bin / "mx-opt", "-", "--mx-quantize-matmuls",
                        f"--mx-to-gpu=chip=sm_120a emit=ptx dump={folder}", "-o", "/dev/null"],
                       input=PRODUCT, text=True, check=True)
        jobs = [(path, path.with_suffix(".json"), None) for path in
                (KERNELS / "tri_matmul_fp8_tma_sm90.ptx", KERNELS / "tri_mxfp8_tma_sm100.ptx")]
        jobs += [(path, path.with_suffix(".json"), 1) for path in sorted(folder.glob("gemm_*.ptx"))]
        print("%-44s %8s %12s %12s" % ("kernel", "times", "checked s", "unchecked s"))
        for kernel, launch, factor in jobs:
            if factor is None:
                m, n, k = get_extents(json.loads(launch.read_text()))
                factor = 512 ** 3 / (m * n * k)
            times = []
            for check, most in MOST_SECONDS.items():
                best, _ = seconds(tool, kernel, launch, args.repeat, "--check=" + check)
                times.append(best * factor)
                failed |= times[-1] > most
            print("%-44s %8.1f %12.2f %12.2f" % (kernel.stem, factor, *times), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
