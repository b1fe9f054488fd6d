# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A module of one product, and what its report has to say about it.

one_product.py make FOLDER    product.mlir (x an input, w a constant), x.npy, w.npy
one_product.py check FOLDER   x.dequant.npy and w.dequant.npy against page.html
"""
import json
import math
import pathlib
import random
import re
import struct
import sys

M, N, K = 8, 4, 32


def write(path, values, shape):
    header = str({"descr": "<f4", "fortran_order": False, "shape": shape}).ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack(f"<{len(values)}f", *values))


def read(path):
    data = path.read_bytes()
    data = data[10 + struct.unpack("<H", data[8:10])[0]:]
    return struct.unpack(f"<{len(data) // 4}f", data)


def make(folder):
    generator = random.Random(5)
    x = [generator.gauss(0, 1) for _ in range(M * K)]
    w = [generator.gauss(0, 0.1) for _ in range(K * N)]
    write(folder / "x.npy", x, (M, K))
    write(folder / "w.npy", w, (K, N))
    rows = ", ".join("[" + ", ".join(f"{v:.9e}" for v in read(folder / "w.npy")[k * N:(k + 1) * N]) + "]" for k in range(K))
    (folder / "product.mlir").write_text(f"""
func.func @main(%x: tensor<{M}x{K}xf32>) -> tensor<{M}x{N}xf32> {{
  %w = arith.constant dense<[{rows}]> : tensor<{K}x{N}xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<{M}x{N}xf32>
  %c = linalg.fill ins(%zero : f32) outs(%e : tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32>
  %y = linalg.matmul ins(%x, %w : tensor<{M}x{K}xf32>, tensor<{K}x{N}xf32>) outs(%c : tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32>
  return %y : tensor<{M}x{N}xf32>
}}
""")


def multiply(x, w):
    return [sum(x[m * K + k] * w[k * N + n] for k in range(K)) for m in range(M) for n in range(N)]


def check(folder):
    exact = multiply(read(folder / "x.npy"), read(folder / "w.npy"))
    quantized = multiply(read(folder / "x.dequant.npy"), read(folder / "w.dequant.npy"))
    error = math.dist(exact, quantized) / math.hypot(*exact)
    text = (folder / "page.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
    measured = next(op for op in data["ops"] if op["op"] == "linalg.matmul")["measured"]
    for found in (measured["relative_error"], data["results"][0]["relative_error"]):
        if not math.isclose(found, error, rel_tol=1e-4):
            sys.exit(f"error: relative error {found}, not {error}")
    for side, values, decoded in (("lhs", "x.npy", "x.dequant.npy"), ("rhs", "w.npy", "w.dequant.npy")):
        stats, values, decoded = measured[side], read(folder / values), read(folder / decoded)
        if sum(stats["bins"]) != len(values):
            sys.exit(f"error: {sum(stats['bins'])} of {len(values)} values of {side} in the histogram")
        snr = 20 * math.log10(math.hypot(*values) / math.dist(values, decoded))
        if not math.isclose(stats["snr"], snr, rel_tol=1e-4):
            sys.exit(f"error: SNR of {side} {stats['snr']}, not {snr}")
        zeros = sum(v != 0 and d == 0 for v, d in zip(values, decoded)) / sum(v != 0 for v in values)
        if not math.isclose(stats["underflow"], zeros, abs_tol=1e-12):
            sys.exit(f"error: underflow of {side} {stats['underflow']}, not {zeros}")
    print(f"errors agree: {error:.4f}")


{"make": make, "check": check}[sys.argv[1]](pathlib.Path(sys.argv[2]))
