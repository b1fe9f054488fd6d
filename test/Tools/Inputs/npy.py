# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes and prints .npy files without numpy.

npy.py make FILE DESCR SHAPE VALUE...   SHAPE as 2x3 (or - for rank 0); values repeat as often as needed
npy.py show FILE...                     type, shape and values, one line a file
"""
import ast
import itertools
import math
import struct
import sys

# struct has no bf16: its bits are those of f32's upper half.
CODES = {"f4": "f", "f8": "d", "f2": "e", "u1": "B", "i1": "b", "u2": "H", "i4": "i", "V2": "H"}


def make(path, descr, shape, *values):
    extents = [] if shape == "-" else [int(n) for n in shape.split("x")]
    kind = descr[1:]
    convert = float if kind in ("f4", "f8", "f2") else int
    elements = list(itertools.islice(itertools.cycle(map(convert, values)), math.prod(extents)))
    header = str({"descr": descr, "fortran_order": False, "shape": tuple(extents)}).ljust(117) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        f.write(struct.pack(f"<{len(elements)}{CODES[kind]}", *elements))


def show(*paths):
    for path in paths:
        with open(path, "rb") as f:
            data = f.read()
        length = struct.unpack("<H", data[8:10])[0]
        header = ast.literal_eval(data[10:10 + length].decode())
        code = CODES[header["descr"][1:]]
        count = math.prod(header["shape"])
        values = struct.unpack(f"<{count}{code}", data[10 + length:])
        print(header["descr"], "x".join(map(str, header["shape"])), *(f"{v:.6g}" for v in values))


{"make": make, "show": show}[sys.argv[1]](*sys.argv[2:])
