#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs mx-run and mx-quantize on mutants of the files that they read.

    fuzz_inputs.py --count N --work DIR [--seed S] [--limit SECONDS] [--memory MIB]

Mutants of a .npy, of a .safetensors and of an argument sidecar: bits flipped, text cut, inserted and repeated, numbers
replaced by those that overflow. A tool has to succeed silently, or to print exactly one error and exit with 1. Exit
status 1 if one of them did anything else; the mutant is kept in DIR. Needs Python only.
"""
import argparse
import json
import pathlib
import random
import re
import resource
import struct
import subprocess
import sys

MODULE = """
func.func @main(%w: tensor<16x32xf32>, %x: tensor<?x32xf32>) -> tensor<?x16xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x32xf32>
  %te = tensor.empty() : tensor<32x16xf32>
  %t = linalg.transpose ins(%w : tensor<16x32xf32>) outs(%te : tensor<32x16xf32>) permutation = [1, 0]
  %e = tensor.empty(%n) : tensor<?x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x16xf32>) -> tensor<?x16xf32>
  %r = linalg.matmul ins(%x, %t : tensor<?x32xf32>, tensor<32x16xf32>) outs(%f : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %r : tensor<?x16xf32>
}
"""
SIDECAR = {"version": 1, "entry": "main", "arguments": [
    {"index": 0, "name": "w", "kind": "parameter", "shape": [16, 32], "dtype": "f32"},
    {"index": 1, "name": "x", "kind": "input", "shape": ["?", 32], "dtype": "f32"}],
    "results": [{"index": 0, "shape": [4, 16], "dtype": "f32"}]}
NUMBERS = [b"0", b"-1", b"4294967296", b"9223372036854775807", b"18446744073709551616", b"1e400", b"1.5", b"null", b'"x"']
WORDS = [b"", b"f64", b"F4", b"bf16", b"[]", b"{}", b'"', b"1000000000000"]
FORMATS = ["mxfp8_e4m3", "nvfp4", "nvfp4_2d", "mxfp4", "mxint8", "fp8_row", "fp8_block", "int4_g32", "nf4"]


def originals(rng):
    """{file name: (content, bytes of its header)}."""
    def floats(count):
        return struct.pack(f"<{count}f", *(rng.random() for _ in range(count)))

    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (4, 32), }".ljust(117) + b"\n"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + floats(4 * 32)
    text = json.dumps({"w": {"dtype": "F32", "shape": [16, 32], "data_offsets": [0, 2048]}}).encode()
    safetensors = struct.pack("<Q", len(text)) + text + floats(16 * 32)
    sidecar = json.dumps(SIDECAR, indent=1).encode()
    return {"x.npy": (npy, 128), "w.safetensors": (safetensors, 8 + len(text)), "m.json": (sidecar, len(sidecar))}


def mutate(rng, content, head):
    data, kind = bytearray(content), rng.randrange(7)
    at = rng.randrange(head)
    if kind == 0:
        return bytes(data[:rng.randrange(len(data))])
    if kind == 1:
        data[at] ^= 1 << rng.randrange(8)
    elif kind == 2:
        data[at] = rng.choice(b"0123456789{}[]():,\"'-?x \x00\xff\x80")
    elif kind == 3:
        del data[at:at + rng.randrange(1, 12)]
    elif kind == 4:
        data[at:at] = data[at:at + rng.randrange(1, 20)]
    elif kind == 5:
        number = rng.choice(list(re.finditer(rb"\d+", bytes(data[:head]))))
        data[number.start():number.end()] = rng.choice(NUMBERS)
    else:
        word = rng.choice(list(re.finditer(rb"[A-Za-z_]+", bytes(data[:head]))))
        data[word.start():word.end()] = rng.choice(WORDS)
    return bytes(data)


def fault(command, options):
    """What is wrong with how the command ended; nothing if it ended well."""
    def limit():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if options.memory:
            resource.setrlimit(resource.RLIMIT_AS, (options.memory << 20, options.memory << 20))

    try:
        done = subprocess.run(command, capture_output=True, timeout=options.limit, preexec_fn=limit)
    except subprocess.TimeoutExpired:
        return f"ran for more than {options.limit} s"
    said = done.stderr.decode(errors="replace")
    if done.returncode not in (0, 1):
        return f"exit status {done.returncode}: {said[-500:]}"
    errors = said.count("error:")
    return "" if errors == done.returncode else f"{errors} errors and exit status {done.returncode}: {said[-500:]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=120)
    parser.add_argument("--memory", type=int, default=0, help="MiB of address space; 0: no limit")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    rng = random.Random(options.seed)
    files = originals(rng)
    module = options.work / "m.mlir"
    module.write_text(MODULE)
    for name, (content, _) in files.items():
        (options.work / name).write_bytes(content)

    faults = 0
    for i in range(options.count):
        name = rng.choice(list(files))
        mutant = options.work / f"mutant.{name}"
        mutant.write_bytes(mutate(rng, *files[name]))
        path = {other: mutant if other == name else options.work / other for other in files}
        command = ["mx-run", module, "--args", path["m.json"], "--weights", path["w.safetensors"], "--inputs",
                   path["x.npy"], "--threads", "1"]
        if rng.random() < 0.5:
            command += ["--scheme", "nvfp4"]
        commands = [command]
        if name == "x.npy":
            commands.append(["mx-quantize", mutant, "--format", rng.choice(FORMATS), "-o", options.work / "quantized"])
        for command in commands:
            problem = fault([str(word) for word in command], options)
            if problem:
                faults += 1
                kept = mutant.with_name(f"fault.{options.seed}.{i}.{name}")
                kept.write_bytes(mutant.read_bytes())
                print(f"{kept}: {command[0]}: {problem}", flush=True)
    print(f"{options.count} mutants, {faults} faults")
    return int(faults != 0)


if __name__ == "__main__":
    sys.exit(main())
