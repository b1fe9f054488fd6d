#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What ptxas makes of the kernels, and what their inner loops cost beside the tensor core.

    gpu_kernels.py [--bin build/bin] [--m 4096] [--n 4096] [--k 4096] [--nvdisasm FILE] [--chip sm_120a ...]

One product a row: registers, spills, shared memory, PTX lines, ptxas' time; and, if there is nvdisasm
(on PATH, in $CUDA_HOME/bin or given), the tensor core instructions of one trip through the innermost
loop around them, all other instructions of the trip for each of these, and warp instructions a MFLOP; the last
two beside what a kernel is to stay below (BARS).
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# (lhs, rhs) formats; None: the lhs as it is, in bf16.
PRODUCTS = [("nvfp4", "nvfp4"), ("mxfp4", "mxfp4"), ("mxfp8_e4m3", "mxfp8_e4m3"), ("mxfp6_e2m3", "mxfp6_e2m3"),
            ("fp8_block_act", "fp8_block_weight"), ("fp8_row", "fp8_row"), (None, "nvfp4"), (None, "mxfp4"),
            (None, "int4_g128"), (None, "nf4")]

INSTRUCTION = re.compile(r"^\s+/\*([0-9a-f]+)\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)(.*)")
LABEL = re.compile(r"^(\.L\w+):")
TARGET = re.compile(r"`\((\.L\w+)\)")
MMA = re.compile(r"[A-Z]+MMA\b")
SHAPE = re.compile(r"\.(\d+)x(\d+)x(\d+)\b|\.(16)(8)(16|32|64)\b")

# (chip, a part of the kernel's name): instructions beside each tensor core instruction, and a MFLOP.
BARS = {("sm_90a", "fp8_block_weight_f32_256x128"): (20, 160), ("sm_90a", "fp8_row_f32_128x256"): (None, 25)}


def make_module(lhs, rhs, m, n, k):
    """A product whose weight is quantised and whose activation may be."""
    element = "f32" if lhs else "bf16"
    policy = (f"lhs = <format = <{lhs}>>, " if lhs else "") + f"rhs = <format = <{rhs}>>"
    a, b, c = f"tensor<{m}x{k}x{element}>", f"tensor<{k}x{n}x{element}>", f"tensor<{m}x{n}xf32>"
    return f"""func.func @main(%a: {a}, %b: {b}) -> {c} {{
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : {c}
  %init = linalg.fill ins(%zero : f32) outs(%empty : {c}) -> {c}
  %d = linalg.matmul {{mx.policy = #mx.policy<{policy}, rule = "benchmark", reason = "benchmark">}}
      ins(%a, %b : {a}, {b}) outs(%init : {c}) -> {c}
  return %d : {c}
}}"""


def count_loop(nvdisasm, cubin):
    """(tensor core instructions, others, warp instructions a MFLOP) of the loop that is densest in the first,
    by addresses; retries of waits, which ptxas puts behind the kernel, are not in it."""
    text = subprocess.run([nvdisasm, "-c", cubin], capture_output=True, text=True, check=True).stdout
    labels, pending, code = {}, [], []
    for line in text.splitlines():
        if label := LABEL.match(line):
            pending.append(label[1])
        elif instruction := INSTRUCTION.match(line):
            address = int(instruction[1], 16)
            labels.update((name, len(code)) for name in pending)
            pending = []
            code.append((address, instruction[2], instruction[3]))
    loops = []
    for end, (_, name, rest) in enumerate(code):
        target = TARGET.search(rest)
        if name.startswith("BRA") and target and labels.get(target[1], end + 1) <= end:
            body = [op for _, op, _ in code[labels[target[1]]:end + 1]]
            mma = [op for op in body if MMA.match(op)]
            if mma:
                loops.append((len(body), len(mma), mma[0]))
    if not loops:
        return None
    length, mma, name = max(loops, key=lambda loop: loop[1] / loop[0])
    shape = SHAPE.search(name)
    m, n, k = (int(extent) for extent in shape.groups() if extent)
    # A warpgroup's instruction is one of each of its four warps.
    warps = 4 if "GMMA" in name else 1
    return mma, length - mma, warps * length / (2e-6 * m * n * k * mma)


def find_nvdisasm(given):
    candidates = [given, shutil.which("nvdisasm"), os.path.join(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "bin/nvdisasm")]
    return next((path for path in candidates if path and os.access(path, os.X_OK)), None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/bin"))
    for name in ("m", "n", "k"):
        parser.add_argument(f"--{name}", type=int, default=4096)
    parser.add_argument("--nvdisasm")
    parser.add_argument("--chip", action="append")
    args = parser.parse_args()
    nvdisasm = find_nvdisasm(args.nvdisasm)
    if not nvdisasm:
        print("# no nvdisasm: loops are not counted")
    print(f"# {args.m}x{args.n}x{args.k}; {' '.join(sys.argv)}")
    print(f"{'kernel':48} {'chip':8} {'PTX lines':>9} {'registers':>9} {'shared':>7} {'spilled':>7} {'ptxas ms':>8} "
          f"{'mma':>4} {'other/mma':>9} {'/MFLOP':>7}  to stay below")
    spilled = False
    for chip in args.chip or ["sm_120a", "sm_90a", "sm_80"]:
        for lhs, rhs in PRODUCTS:
            with tempfile.TemporaryDirectory() as folder:
                result = subprocess.run(
                    [args.bin / "mx-opt", "-", "--mx-quantize-matmuls",
                     f"--mx-to-gpu=chip={chip} emit=cubin fallback=silent dump={folder}", "-o", os.devnull],
                    input=make_module(lhs, rhs, args.m, args.n, args.k), capture_output=True, text=True)
                if result.returncode:
                    sys.exit(result.stderr)
                for line in result.stderr.splitlines():
                    fields = line.split()
                    if not line.startswith("gemm_"):
                        continue
                    name, _, _, lines, registers, shared, spills, ms = fields
                    spilled |= int(spills) > 0
                    loop = nvdisasm and count_loop(nvdisasm, os.path.join(folder, name + ".cubin"))
                    counts = f"{loop[0]:4} {loop[1] / loop[0]:9.2f} {loop[2]:7.1f}" if loop else ""
                    for (bar_chip, part), bar in BARS.items():
                        if bar_chip == chip and part in name:
                            counts += "  " + " ".join("-" if figure is None else str(figure) for figure in bar)
                    print(f"{name:48} {chip:8} {lines:>9} {registers:>9} {shared:>7} {spills:>7} {ms:>8} {counts}",
                          flush=True)
    return spilled


if __name__ == "__main__":
    sys.exit(main())
