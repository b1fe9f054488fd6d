# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs mx.hadamard, mx.quantize, mx.dequantize and mx.stats lowered to linalg and compares with lib/Formats.

    compare.py FOLDER CASES.txt

What lib/Formats gives is what mx-quantize writes; codes, scales, zero points and dequantised values have to be the
same bytes. A line of CASES.txt is `input; format; options`: the name of an input below; the text of a #mx.format;
options `sr=SEED,OFFSET`, `sr=SEED,OFFSET,BITS`, `axis=0`, `dynamic`, `packed`, `transform=N` (plain), `transform=te`, `transform=N,SEED`.
All cases of one input are one module. Prints the number of cases and one line for each that differs.
"""
import collections
import os
import random
import re
import struct
import subprocess
import sys

ELEMENTS = {"e2m1": "f4E2M1FN", "e2m3": "f6E2M3FN", "e3m2": "f6E3M2FN", "e4m3": "f8E4M3FN", "e5m2": "f8E5M2",
            "mxint8": "i8", "int8": "i8", "int4": "i4", "nf4": "i4", "ternary": "i2", "mxfp4": "f4E2M1FN",
            "nvfp4": "f4E2M1FN", "fp8": "f8E4M3FN"}
SCALES = {"e8m0": "f8E8M0FNU", "e4m3": "f8E4M3FN", "f32": "f32", "f16": "f16", "bf16": "bf16"}


def bits(value):
    return struct.unpack("<I", struct.pack("<f", value))[0]


def value(pattern):
    return struct.unpack("<f", struct.pack("<I", pattern))[0]


def normal(rows, cols, seed=0, scale=1.0):
    rng = random.Random(seed)
    return [[rng.gauss(0, 1) * scale * 2.0 ** (r % 5 - 2) for _ in range(cols)] for r in range(rows)]


def ties(rows, cols):
    """Halfway points of small grids, the amax of each row such that scales are powers of two."""
    rng = random.Random(1)
    grid = [n / 8 for n in range(-64, 65)]
    return [[(6.0 if c % 16 == 0 else rng.choice(grid)) * 2.0 ** (r % 3) for c in range(cols)] for r in range(rows)]


def edges(rows, cols):
    """Zeros of both signs, subnormals, the largest numbers, powers of two and their neighbours."""
    rng = random.Random(2)
    zero, tiny, top = [0.0, -0.0], [1e-40, -3e-41, 1.4e-45], [3.0e38, -3.4028234e38, 1.0]
    near = [value(bits(2.0 ** e) + d) for e in (-126, -60, 0, 7, 60, 120) for d in (-1, 0, 1)]
    pools = [zero, zero + tiny, top, near, [448.0, 449.0, -6.0, 0.25], [2.0 ** -140, 2.0 ** -9]]
    return [[rng.choice(pools[(r + c // 48) % len(pools)]) for c in range(cols)] for r in range(rows)]


def specials(rows, cols):
    """NaN and infinity in some blocks."""
    x = normal(rows, cols, 3)
    x[0][5], x[1][40], x[2][70] = float("nan"), float("inf"), float("-inf")
    x[3][1], x[3][2] = float("nan"), float("inf")
    return x


# Rows and type; a shape where it is not that of the rows.
INPUTS = {
    "normal": (normal(48, 256), "f32"), "ragged": (normal(35, 200, 7), "f32"), "ties": (ties(32, 256), "f32"),
    "edges": (edges(33, 200), "f32"), "specials": (specials(16, 96), "f32"), "zeros": ([[0.0] * 64] * 16, "f32"),
    "bf16": (normal(32, 200, 8), "bf16"), "f16": (normal(32, 256, 9, 0.01), "f16"), "row": (normal(1, 40, 10), "f32"),
    "empty": ([[]] * 3, "f32"), "long": (normal(80, 320, 11), "f32"),
    "vector": (normal(1, 200, 12), "f32", (200,)), "cube": (normal(60, 40, 13), "f32", (3, 20, 40)),
}


def write_npy(path, rows, dtype, shape):
    flat = [v for row in rows for v in row]
    if dtype == "f32":
        descr, data = "<f4", struct.pack(f"<{len(flat)}f", *flat)
    elif dtype == "f16":
        descr, data = "<f2", struct.pack(f"<{len(flat)}e", *flat)
    else:
        descr, data = "|V2", b"".join(struct.pack("<H", bits(v) >> 16) for v in flat)
    header = repr({"descr": descr, "fortran_order": False, "shape": shape})
    header = header.ljust(117) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def read_npy(path):
    """Shape, type and bytes."""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<H", data[8:10])[0]
    header = eval(data[10:10 + size])  # a literal
    return header["shape"], header["descr"], data[10 + size:]


def widen(descr, data):
    """bf16 and f16 as the bytes of f32."""
    if descr.endswith("V2"):
        return b"".join(b"\0\0" + data[i:i + 2] for i in range(0, len(data), 2))
    if descr.endswith("f2"):
        values = struct.unpack(f"<{len(data) // 2}e", data)
        return struct.pack(f"<{len(values)}f", *values)
    return data


def without_nan(data):
    """f32 bytes with one NaN instead of many."""
    words = struct.unpack(f"<{len(data) // 4}I", data)
    return [0x7FC00000 if w & 0x7FFFFFFF > 0x7F800000 else w for w in words]


class Case:
    def __init__(self, index, line):
        self.input, self.format, options = [part.strip() for part in (line + ";").split(";")[:3]]
        self.index = index
        self.options = dict((o + "=").split("=")[:2] for o in options.split())
        self.axis = int(self.options.get("axis", 1))
        fields = dict(f.strip().split(" = ") for f in self.format.split(",") if "=" in f)
        preset = self.format.split(",")[0]
        names = [n for n in ELEMENTS if n in preset] if "=" not in preset else []
        self.element = ELEMENTS[fields.get("element") or max(names, key=lambda n: (n in ("e5m2", "e2m3", "e3m2"), len(n)))]
        self.scale = SCALES[fields.get("scale") or ("e8m0" if preset.startswith("mx") else
                                                    "e4m3" if preset.startswith("nvfp4") else "f32")]
        self.second = preset.startswith("nvfp4") and fields.get("second_level") != "false"
        self.zero_point = fields.get("zero_point") == "true"

    def add_transform(self, command, lines, x):
        """The transform's arguments and op; gives the name of the transformed input."""
        name = self.options.get("transform")
        if not name:
            return "%x"
        if name == "te":
            command += ["--transform", "rht16"]
            signs = "1, 1, 1, -1, 1, -1, -1, -1, -1, -1, -1, 1, -1, 1, -1, -1"
            text = f"<16, signs = [{signs}]>"
        elif "," in name:
            size, seed = name.split(",")
            command += ["--transform", f"rht{size}", "--transform-seed", seed]
            text = f"<{size}, seed = {seed}>"
        else:
            command += ["--transform", f"h{name}"]
            text = f"<{name}>"
        lines += [f"  %t = tensor.empty() : {x}",
                  f"  %h = mx.hadamard {text} axis = {self.axis} ins(%x : {x}) outs(%t : {x}) -> {x}"]
        return "%h"

    def quantize(self, folder, path):
        """The reference's results."""
        self.prefix = f"{folder}/{self.index}"
        command = ["mx-quantize", path, "--format", f"#mx.format<{self.format}>", "--axis", str(self.axis), "-o",
                   self.prefix]
        if "sr" in self.options:
            seed, offset, random_bits = (self.options["sr"] + ",24").split(",")[:3]
            command += ["--rounding", "sr", "--seed", seed, "--offset", offset, "--random-bits", random_bits]
        self.add_transform(command, [], "")
        if "packed" in self.options:
            subprocess.run(command[:-1] + [self.prefix + ".packed", "--pack"], check=True, stdout=subprocess.DEVNULL)
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        self.stats = [re.search(pattern, printed).group(1)
                      for pattern in (r"SNR: (\S+)", r"underflow: .*\((\S+)%", r"saturation: .*\((\S+)%", r"unused codes: (\S+)")]
        self.shape = read_npy(self.prefix + ".scales.npy")[0]

    def build(self, shape, dtype):
        """A function (input) -> (elements, scales, zero points, dequantised)."""
        dynamic = "dynamic" in self.options
        text = lambda extents: "x".join("?" if dynamic else str(e) for e in extents)
        x, full = f"tensor<{text(shape)}x{dtype}>", f"tensor<{'x'.join(map(str, shape))}x{dtype}>"
        stored, element = list(shape), self.element
        if "packed" in self.options:
            per_byte, element = {"f4E2M1FN": 2, "i4": 2, "i2": 4}.get(element, 1), "i8"
            stored[-1] = -(-stored[-1] // per_byte)
        types = [f"tensor<{text(stored)}x{element}>", f"tensor<{text(self.shape)}x{self.scale}>"]
        shapes = [stored, self.shape]
        if self.zero_point:
            types.append(f"tensor<{text(self.shape)}xi8>")
            shapes.append(self.shape)
        types.append(f"tensor<{text(shape)}xf32>")
        shapes.append(shape)
        types.append("tensor<4xf32>")
        lines = [f"  %x = tensor.cast %full : {full} to {x}"] if dynamic else []
        sizes = sorted({e for s in shapes for e in s})
        for size in sizes if dynamic else []:
            lines.append(f"  %c{size} = arith.constant {size} : index")
        for i, (t, s) in enumerate(zip(types[:-1], shapes)):
            extents = ", ".join(f"%c{e}" for e in s) if dynamic else ""
            lines.append(f"  %e{i} = tensor.empty({extents}) : {t}")
        lines.append("  %none = tensor.empty() : tensor<4xf32>")
        source = self.add_transform([], lines, x)
        amax, amax_type, amax_operand = "", "", ""
        if self.second:
            lines += ["  %zero = arith.constant dense<0.0> : tensor<f32>",
                      f"  %amax = mx.amax ins({source} : {x}) outs(%zero : tensor<f32>) -> tensor<f32>"]
            amax, amax_operand, amax_type = "amax(%amax : tensor<f32>)", ", %amax", ", tensor<f32>"
        rounding, rand, attributes = "", "", ""
        if "sr" in self.options:
            seed, offset, random_bits = (self.options["sr"] + ",24").split(",")[:3]
            attributes = f"{{random_bits = {random_bits}}}"
            lines += [f"  %seed = arith.constant {seed} : i64", f"  %offset = arith.constant {offset} : i64"]
            rounding, rand = "rounding = <sr>", "random(%seed, %offset)"
        n, quantized = len(types) - 2, ", ".join(types[:-2])
        inits = ", ".join(f"%e{i}" for i in range(n))
        parts = [f"%q#{i}" for i in range(n)]
        lines += [f"  %q:{n} = mx.quantize <{self.format}> axis = {self.axis} {rounding} ins({source} : {x}) {amax} {rand} "
                  f"outs({inits} : {quantized}) {attributes} -> {quantized}",
                  f"  %d = mx.dequantize <{self.format}> axis = {self.axis} ins({', '.join(parts)}{amax_operand} : "
                  f"{quantized}{amax_type}) outs(%e{n} : {types[-2]}) -> {types[-2]}",
                  f"  %s = mx.stats <{self.format}> axis = {self.axis} ins({source} : {x}) quantized({', '.join(parts)}"
                  f"{amax_operand} : {quantized}{amax_type}) outs(%none : {types[-1]}) -> {types[-1]}",
                  f"  return {', '.join(parts)}, %d, %s : {', '.join(types)}"]
        self.types = types
        return (f"func.func private @case{self.index}({'%full' if dynamic else '%x'}: {full}) -> ({', '.join(types)}) {{\n"
                + "\n".join(lines) + "\n}\n")

    def compare(self, results):
        """Counts of differing elements by kind."""
        codes = "packed.codes" if "packed" in self.options else "codes"
        names = [codes, "scales"] + (["zero_points"] if self.zero_point else []) + ["dequant"]
        differences = []
        for name, path in zip(names, results):
            if name == "scales" and "double_quant = true" in self.format:
                continue  # written as codes; the dequantised values show them
            _, descr, got = read_npy(path)
            want = read_npy(f"{self.prefix}.{name}.npy")[2]
            if name == "packed.codes" and self.format.startswith("nf4"):  # written high nibble first
                want = bytes(b >> 4 | (b & 15) << 4 for b in want)
            if name == "scales" and self.scale not in ("f8E8M0FNU", "f8E4M3FN") or name == "dequant":
                got, want = without_nan(widen(descr, got)), without_nan(want)
            count = sum(a != b for a, b in zip(got, want)) + abs(len(got) - len(want))
            if count:
                differences.append(f"{name} {count} of {len(want)}")
        stats = struct.unpack("<4f", read_npy(results[-1])[2])
        shown = f"{stats[0]:.2f}", f"{stats[1] * 100:.4g}", f"{stats[2] * 100:.4g}", f"{stats[3]:.0f}"
        # Printed digits may round otherwise.
        if any(abs(float(a) - float(b)) > max(0.011, 2e-3 * abs(float(b))) for a, b in zip(shown, self.stats)
               if a != b):
            differences.append(f"stats {shown} for {self.stats}")
        return differences


def main():
    folder, cases_path = sys.argv[1:3]
    os.makedirs(folder, exist_ok=True)
    with open(cases_path) as file:
        lines = [line.strip() for line in file]
    cases = [Case(i, line) for i, line in enumerate(lines) if line and not line.startswith("#")]
    groups = collections.defaultdict(list)
    for case in cases:
        groups[case.input].append(case)
    differing = 0
    for name, group in groups.items():
        rows, dtype, shape = (INPUTS[name] + ((len(INPUTS[name][0]), len(INPUTS[name][0][0])),))[:3]
        path, module = f"{folder}/{name}.npy", f"{folder}/{name}.mlir"
        write_npy(path, rows, dtype, shape)
        full = f"tensor<{'x'.join(map(str, shape))}x{dtype}>"
        text, calls, values, types = "", "", [], []
        for case in group:
            case.quantize(folder, path)
            text += case.build(shape, dtype)
            n = len(case.types)
            calls += f"  %r{case.index}:{n} = call @case{case.index}(%x) : ({full}) -> ({', '.join(case.types)})\n"
            values += [f"%r{case.index}#{i}" for i in range(n)]
            types += case.types
        text += (f"func.func @main(%x: {full}) -> ({', '.join(types)}) {{\n{calls}"
                 f"  return {', '.join(values)} : {', '.join(types)}\n}}\n")
        with open(module, "w") as file:
            file.write(text)
        lowered = f"{folder}/{name}.linalg.mlir"
        subprocess.run(["mx-opt", module, "--convert-mx-to-linalg", "-o", lowered], check=True)
        out = f"{folder}/{name}.out"
        subprocess.run(["mx-run", lowered, "--inputs", path, "--out", out], check=True, stdout=subprocess.DEVNULL)
        first = 0
        for case in group:
            paths = [f"{out}/result{first + i}.npy" for i in range(len(case.types))]
            first += len(paths)
            differences = case.compare(paths)
            differing += bool(differences)
            if differences:
                print(f"{case.input}; {case.format}; {case.options}: {', '.join(differences)}")
    print(f"{len(cases)} cases, {differing} differ")


main()
