# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Products on the CPU and, as the GPU kernels that mx makes of them, in the PTX emulator: the same numbers.

gpu_products.py DIRECTORY FORMAT CHIP...

Both operands are quantised by kernels, and multiplied by one. Once with shapes that the compiler knows, once with
those that it learns at run time.
"""
import os
import random
import struct
import subprocess
import sys

# m, n, k: whole tiles, and what sticks out of them.
SHAPES = [(128, 128, 128), (1, 64, 64), (33, 40, 96), (130, 17, 200), (64, 256, 160)]
# Sums are in another order than on the CPU; a wrong code or scale is at least a hundred times as much.
MOST_ERROR = "1e-5"


def make_module(form, extents):
    """A function of a product for each of `extents`, which may be '?'."""
    arguments, body, results = [], [], []
    for i, (m, n, k) in enumerate(extents):
        a, b, c = ("tensor<%sx%sxf32>" % pair for pair in ((m, k), (k, n), (m, n)))
        arguments += ["%%a%d: %s" % (i, a), "%%b%d: %s" % (i, b)]
        sizes = []
        if m == "?":
            body += ["%%m%d = tensor.dim %%a%d, %%c0 : %s" % (i, i, a), "%%n%d = tensor.dim %%b%d, %%c1 : %s" % (i, i, b)]
            sizes = ["%%m%d" % i, "%%n%d" % i]
        body += [
            "%%empty%d = tensor.empty(%s) : %s" % (i, ", ".join(sizes), c),
            "%%init%d = linalg.fill ins(%%zero : f32) outs(%%empty%d : %s) -> %s" % (i, i, c, c),
            "%%d%d = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <%s>>, rhs = <format = <%s>>, rule = \"test\", "
            "reason = \"test\">} ins(%%a%d, %%b%d : %s, %s) outs(%%init%d : %s) -> %s" % (i, form, form, i, i, a, b, i, c, c)]
        results.append(("%%d%d" % i, c))
    return "func.func @main(%s) -> (%s) {\n  %%zero = arith.constant 0.0 : f32\n  %%c0 = arith.constant 0 : index\n" \
           "  %%c1 = arith.constant 1 : index\n  %s\n  return %s : %s\n}\n" % (
               ", ".join(arguments), ", ".join(t for _, t in results), "\n  ".join(body),
               ", ".join(v for v, _ in results), ", ".join(t for _, t in results))


def write_npy(path, rows, columns, source):
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }" % (rows, columns)
    header += " " * (-(len(header) + 11) % 64) + "\n"
    values = [source.gauss(0, 1) * 2.0 ** source.randint(-2, 2) for _ in range(rows * columns)]
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        f.write(struct.pack("<%df" % len(values), *values))


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit("%s\n%s%s" % (" ".join(command), result.stdout, result.stderr))


def main():
    directory, form, chips = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(directory, exist_ok=True)
    source = random.Random(form)
    inputs = []
    for i, (m, n, k) in enumerate(SHAPES):
        pair = [os.path.join(directory, "%s%d.npy" % (name, i)) for name in "ab"]
        write_npy(pair[0], m, k, source)
        write_npy(pair[1], k, n, source)
        inputs.append(",".join(pair))
    for kind, extents in (("static", SHAPES), ("dynamic", [("?", "?", "?")])):
        module = os.path.join(directory, kind + ".mlir")
        with open(module + ".in", "w") as f:
            f.write(make_module(form, extents))
        run("mx-opt", module + ".in", "--mx-quantize-matmuls", "-o", module)
        if kind == "static":
            given = ["--inputs", ",".join(inputs)]
            results = [["result%d.npy" % i for i in range(len(SHAPES))]]
        else:
            given = [word for pair in inputs for word in ("--inputs", pair)]
            results = [["inputs%d.result0.npy" % i] for i in range(len(SHAPES))]
        out = os.path.join(directory, kind)
        run("mx-run", module, "--cpu", "generic", "--out", out, *given)
        expected = []
        for group in results:
            expected += ["--expect", ",".join(os.path.join(out, name) for name in group)]
        for chip in chips:
            run("mx-run", module, "--on", "emulator", "--chip", chip, "--max-rel-error", MOST_ERROR, *given, *expected)
            print("%s, %s, %s: as on the CPU" % (form, kind, chip))


main()
