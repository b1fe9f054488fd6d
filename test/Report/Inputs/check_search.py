# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Computes the effective bits of a plan again, from the JSON of mx-report-plan.

check_search.py PLAN.json SEARCH.txt

Prints the formats of the linear and expert layers, and fails if what mx-run
printed of its search (SEARCH.txt) is not the number of bits for each of their
weights, or not the number of layers that are quantised.
"""
import collections
import json
import math
import re
import sys

# Bits of an element; elements along K that share a scale; bits of a scale; of the tensor's.
FORMATS = {
    "nvfp4": (4, 16, 8, 32),
    "mxfp4": (4, 32, 8, 0),
    "mxfp6_e2m3": (6, 32, 8, 0),
    "mxfp8_e4m3": (8, 32, 8, 0),
}

with open(sys.argv[1]) as file:
    ops = json.load(file)["ops"]
with open(sys.argv[2]) as file:
    printed = re.search(r"effective_bits ([\d.]+) .* quantized (\d+) of (\d+) layers", file.read())

weights = {}
layers = {}
counts = collections.Counter()
for op in ops:
    if op["role"] not in ("linear", "expert"):
        continue
    format = op["rhs"] if op["decision"] == "quantize" else "kept"
    counts[format] += 1
    layers[op["location"]] = format
    k, n = op["k"], op["bytes_before"] // 4 // op["k"]
    element, block, scale, tensor = FORMATS.get(format, (32, k, 0, 0))
    weights[op["weight"]] = (n * k, n * k * element + n * math.ceil(k / block) * scale + tensor)
bits = sum(b for _, b in weights.values()) / sum(n for n, _ in weights.values())
quantized = sum(format != "kept" for format in layers.values())
for format in sorted(counts):
    print(counts[format], format)
if abs(bits - float(printed[1])) > 1e-4:
    sys.exit(f"error: {bits} effective bits, not {printed[1]}")
if (quantized, len(layers)) != (int(printed[2]), int(printed[3])):
    sys.exit(f"error: {quantized} of {len(layers)} layers are quantised, not {printed[2]} of {printed[3]}")
print(f"effective bits {bits:.4f}")
