# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""write_array.py FILE.npy EXTENT...: an array of f32 with some values."""
import math
import struct
import sys

shape = tuple(int(extent) for extent in sys.argv[2:])
header = str({"descr": "<f4", "fortran_order": False, "shape": shape}).ljust(117) + "\n"
values = [(i * 37 % 101 - 50) / 25 for i in range(math.prod(shape))]
with open(sys.argv[1], "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack(f"<{len(values)}f", *values))
