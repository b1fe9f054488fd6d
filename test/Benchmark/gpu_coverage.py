#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every model x scheme x chip through mx-lower-precision and mx-to-gpu: kernels, or the reason why not.

    gpu_coverage.py [--bin build/bin] [--chip sm_120a ...] [--scheme nvfp4 ...] [--fallback silent] [MODEL.mlir ...]

A cell is the number of kernels that ptxas took, with their largest register count; `spills` or `warns` where
ptxas did not like one; `refused` where mx-opt says why, in the list below the table; `DIED` for anything else.
Without models: those of test/Inputs/models. Exit status 1 if a cell is `spills`, `warns` or `DIED`.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

MODELS = pathlib.Path(__file__).parent.parent / "Inputs" / "models"
SCHEMES = ["nvfp4", "mxfp4", "mxfp8", "fp8_block", "fp8_row", "nvfp4a16", "mxfp4a16", "int4", "nf4"]


def compile_model(mx_opt, model, scheme, chip, fallback):
    """(cell, reason or None)."""
    sidecar = model.with_suffix(".args.json")
    args = f" args={sidecar}" if sidecar.exists() else ""
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(
            [mx_opt, model, "--allow-unregistered-dialect", f"--mx-lower-precision=scheme={scheme}{args}",
             f"--mx-to-gpu=chip={chip} emit=cubin fallback={fallback} dump={folder}", "-o", os.devnull],
            capture_output=True, text=True, errors="replace")
    errors = re.findall(r"error: (.*)", result.stderr)
    if result.returncode:
        return ("refused", errors[0]) if result.returncode == 1 and errors else ("DIED", result.stderr[-200:])
    warnings = re.findall(r"warning: (.*)", result.stderr)
    rows = [line.split() for line in result.stderr.splitlines() if re.match(r"(gemm|quantize)_\S+ +sm_", line)]
    if any(int(row[6]) for row in rows):
        return "spills", None
    if warnings:
        return "warns", warnings[0]
    return f"{len(rows)}/{max((int(row[4]) for row in rows), default=0)}", None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", type=pathlib.Path)
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/bin"))
    parser.add_argument("--chip", action="append")
    parser.add_argument("--scheme", action="append")
    parser.add_argument("--fallback", default="silent")
    args = parser.parse_args()
    models = args.models or sorted(MODELS.glob("**/*.mlir"))
    chips, schemes = args.chip or ["sm_120a", "sm_80"], args.scheme or SCHEMES
    width = max(len(model.stem) for model in models)
    reasons, bad = {}, False
    print(f"# kernels/registers; fallback={args.fallback}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for chip in chips:
            print(f"\n{chip:{width}} " + " ".join(f"{scheme:>9}" for scheme in schemes))
            for model in models:
                cells = list(pool.map(
                    lambda scheme: compile_model(args.bin / "mx-opt", model, scheme, chip, args.fallback), schemes))
                print(f"{model.stem:{width}} " + " ".join(f"{cell:>9}" for cell, _ in cells), flush=True)
                for scheme, (cell, reason) in zip(schemes, cells):
                    bad |= cell in ("spills", "warns", "DIED")
                    if reason:
                        reasons.setdefault(reason, []).append(f"{model.stem} {scheme} {chip}")
    for reason, where in reasons.items():
        print(f"\n{reason}\n    {len(where)} times, first: {where[0]}")
    return bad


if __name__ == "__main__":
    sys.exit(main())
