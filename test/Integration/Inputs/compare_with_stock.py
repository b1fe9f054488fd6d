#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares mx-run with what the stock passes of mlir-opt compute, run by the stock mlir-runner.

    compare_with_stock.py MODEL.mlir --bound X --work DIR [--extent N]

Arguments are seeded random numbers of the shapes in MODEL.args.json, each `?` being N; parameters reach mx-run as
safetensors, inputs as .npy. The stock side is the same module with one function more, which holds the arguments as
resources, calls the entry and prints the bits of its results. Exit status 1 unless all results agree within the bound
(relative Frobenius error). Needs Python only.
"""
import argparse
import array
import json
import math
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys

# Plain loops, nothing transformed; bf16 arithmetic is left to LLVM, which rounds after each op.
STOCK_PASSES = ",".join([
    "convert-elementwise-to-linalg",
    "one-shot-bufferize{bufferize-function-boundaries allow-return-allocs-from-loops "
    "function-boundary-type-conversion=identity-layout-map}",
    "canonicalize", "convert-linalg-to-loops", "fold-memref-alias-ops", "expand-strided-metadata", "lower-affine",
    "convert-scf-to-cf", "arith-expand{include-bf16=true}", "convert-math-to-llvm", "convert-math-to-libm",
    "finalize-memref-to-llvm", "convert-func-to-llvm", "convert-cf-to-llvm", "convert-arith-to-llvm",
    "convert-index-to-llvm", "reconcile-unrealized-casts"])
# float16_utils rounds to bf16 where the processor does not.
RUNNER_LIBRARIES = ("runner_utils", "c_runner_utils", "float16_utils")
NPY_TYPES = {"f32": "<f4", "bf16": "<V2", "i64": "<i8"}
SAFETENSORS_TYPES = {"f32": "F32", "bf16": "BF16", "i64": "I64"}
DRIVER = "mx_stock_driver"


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {' '.join(map(str, command))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def library_folder():
    return pathlib.Path(shutil.which("mlir-runner")).resolve().parent.parent / "lib"


def to_bf16(values):
    """Of f32 values the upper halves."""
    return array.array("H", array.array("f", values).tobytes())[1::2]


def random_floats(rng, argument, count):
    """Of a size that keeps activations in range: weights about 0.08, factors of norms about 1."""
    center, width = 0.0, 1.7
    if argument["kind"] == "parameter":
        width = 0.14
        if len(argument["shape"]) == 1 and not argument["name"].endswith("bias"):
            center = 1.0
    return [center + width * (2 * rng.random() - 1) for _ in range(count)]


def random_integers(rng, argument, shape, context):
    """Ids below the smallest vocabulary; a mask that hides the first tokens of a prompt; positions."""
    count, length = math.prod(shape), shape[-1]
    if "mask" in argument["name"]:
        hidden = min(3, length // 4) if length == context["tokens"] else 0
        return [int(i % length >= hidden) for i in range(count)]
    if "position" in argument["name"]:
        return [context["length"] - length + i % length for i in range(count)]
    return [rng.randrange(250) for _ in range(count)]


def make_arguments(sidecar, extent):
    """[(argument, shape, bytes)]."""
    rng = random.Random(1)
    shapes = [[extent if n == "?" else n for n in argument["shape"]] for argument in sidecar["arguments"]]
    by_name = {argument["name"]: shape for argument, shape in zip(sidecar["arguments"], shapes)}
    context = {"tokens": by_name.get("input_ids", [0])[-1], "length": by_name.get("attention_mask", [0])[-1]}
    made, data_of = [], {}
    for argument, shape in zip(sidecar["arguments"], shapes):
        dtype, count = argument["dtype"], math.prod(shape)
        if "tied_to" in argument:
            made.append((argument, shape, data_of[argument["tied_to"]]))
            continue
        if dtype == "i64":
            data = array.array("q", random_integers(rng, argument, shape, context))
        else:
            floats = random_floats(rng, argument, count)
            data = to_bf16(floats) if dtype == "bf16" else array.array("f", floats)
        data_of[argument["name"]] = data.tobytes()
        made.append((argument, shape, data_of[argument["name"]]))
    return made


def write_npy(path, dtype, shape, data):
    header = repr({"descr": NPY_TYPES[dtype], "fortran_order": False, "shape": tuple(shape)}).encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)


def write_safetensors(path, tensors):
    header, end = {}, 0
    for argument, shape, data in tensors:
        begin, end = end, end + len(data)
        header[argument["name"]] = {"dtype": SAFETENSORS_TYPES[argument["dtype"]], "shape": shape,
                                    "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors))


def tensor_type(shape, dtype):
    return "tensor<" + "".join(f"{n}x" for n in shape) + dtype + ">"


def driver(sidecar, arguments, result_types):
    """A function that calls the entry on the arguments and prints the bits of each result as integers."""
    lines, names, types = [], [], []
    for i, (argument, shape, _) in enumerate(arguments):
        known, declared = tensor_type(shape, argument["dtype"]), tensor_type(argument["shape"], argument["dtype"])
        lines += [f"%a{i} = arith.constant dense_resource<mx_stock_{i}> : {known}",
                  f"%c{i} = tensor.cast %a{i} : {known} to {declared}"]
        names.append(f"%c{i}")
        types.append(declared)
    lines.append(f"%r:{len(result_types)} = func.call @{sidecar['entry']}({', '.join(names)}) : "
                 f"({', '.join(types)}) -> ({', '.join(result_types)})")
    for i, result in enumerate(result_types):
        bits, value = result.replace("bf16", "i16").replace("f32", "i32"), f"%r#{i}"
        lines.append(f"%b{i} = arith.bitcast {value} : {result} to {bits}")
        wide = bits.replace("i16", "i32")
        if wide != bits:
            lines.append(f"%w{i} = arith.extui %b{i} : {bits} to {wide}")
        lines += [f"%u{i} = tensor.cast {'%w' if wide != bits else '%b'}{i} : {wide} to tensor<*xi32>",
                  f"func.call @printMemrefI32(%u{i}) : (tensor<*xi32>) -> ()"]
    body = "\n    ".join(lines)
    return (f"  func.func private @printMemrefI32(tensor<*xi32>) attributes {{llvm.emit_c_interface}}\n"
            f"  func.func @{DRIVER}() {{\n    {body}\n    return\n  }}\n")


def stock_results(options, sidecar, arguments):
    """[(shape, dtype, bytes)] of each result."""
    text = run("mlir-opt", options.model)
    signature = next(line for line in text.splitlines() if re.search(rf"func\.func .*@{sidecar['entry']}\(", line))
    result_types = re.findall(r"tensor<[^>]*>", signature.rpartition(") -> ")[2])
    # A printed module ends with a brace, behind which there may be resources.
    end = text.rindex("\n}\n") + 1
    module, rest = text[:end] + driver(sidecar, arguments, result_types) + "}\n", text[end + 2:]
    blobs = ",\n".join(f'      mx_stock_{i}: "0x08000000{data.hex()}"' for i, (_, _, data) in enumerate(arguments))
    section = "builtin: {\n"
    if section in rest:
        rest = rest.replace(section, section + blobs + ",\n", 1)
    else:
        rest = "\n{-#\n  dialect_resources: {\n    " + section + blobs + "\n    }\n  }\n#-}\n"
    source, lowered = options.work / "stock.mlir", options.work / "stock.llvm.mlir"
    source.write_text(module + rest)
    run("mlir-opt", source, f"--pass-pipeline=builtin.module({STOCK_PASSES})", "-o", lowered)
    libraries = ",".join(str(library_folder() / f"libmlir_{name}.so") for name in RUNNER_LIBRARIES)
    printed = run("mlir-runner", lowered, "-O1", "-e", DRIVER, "-entry-point-result=void", f"-shared-libs={libraries}")
    results = []
    for result, memref in zip(result_types, printed.split("Unranked Memref")[1:]):
        sizes, values = re.search(r"sizes = \[(.*?)\].*?data = *\n?(.*)", memref, re.DOTALL).groups()
        dtype = result[:-1].removeprefix("tensor<").split("x")[-1]
        bits = [int(word) for word in re.findall(r"-?\d+", values)]
        data = array.array("H" if dtype == "bf16" else "i", bits)
        results.append(([int(n) for n in sizes.split(",")], dtype, data.tobytes()))
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--bound", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for what is made")
    parser.add_argument("--extent", type=int, default=3, help="of each dynamic dimension")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    sidecar_path = options.model.with_suffix(".args.json")
    sidecar = json.loads(sidecar_path.read_text())
    arguments = make_arguments(sidecar, options.extent)

    expected = []
    for i, (shape, dtype, data) in enumerate(stock_results(options, sidecar, arguments)):
        expected.append(options.work / f"expected{i}.npy")
        write_npy(expected[i], dtype, shape, data)
    inputs = []
    for i, (argument, shape, data) in enumerate(arguments):
        if argument["kind"] == "input":
            inputs.append(options.work / f"input{i}.npy")
            write_npy(inputs[-1], argument["dtype"], shape, data)
    command = ["mx-run", options.model, "--args", sidecar_path, "--inputs", ",".join(map(str, inputs)), "--expect",
               ",".join(map(str, expected)), "--max-rel-error", options.bound]
    parameters = [entry for entry in arguments if entry[0]["kind"] == "parameter" and "tied_to" not in entry[0]]
    if parameters:
        weights = options.work / "weights.safetensors"
        write_safetensors(weights, parameters)
        command += ["--weights", weights]
    print(run(*command), end="")


if __name__ == "__main__":
    main()
