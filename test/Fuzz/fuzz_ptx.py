#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs mx-ptx-run on mutants of kernels.

    fuzz_ptx.py --tool TOOL --count N --work DIR [--seed S] KERNEL.ptx...

Mutants: lines and tokens taken out, repeated, swapped and moved from one kernel to another, numbers replaced by those
that overflow, text cut. Each runs with its kernel's launch file, for a bounded number of instructions. The tool has to
end with exit status 0 or 1, in time, within its memory, and with a message if it is 1. Exit status 1 if it did
anything else; the mutant is kept in DIR.
"""
import argparse
import pathlib
import random
import re
import resource
import subprocess
import sys

NUMBERS = ["0", "-1", "1", "31", "32", "255", "65536", "4294967295", "9223372036854775807", "18446744073709551616",
           "0x7fffffffffffffff", "0f7f800000", "0d0000000000000000", "99999999999"]
WORDS = [".b8", ".b16", ".b64", ".pred", ".f32", ".v4", ".shared", ".global", ".local", ".sync", "{", "}", "[", "]", ";",
         ",", "@", "!", "_", "bra", "ret", "call", "bar.sync", "%tid.x", "%r1", "%rd1", "%p1"]
SECONDS, MEMORY = 20, 4 << 30


def mutate(rng, text, other):
    lines = text.split("\n")
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(lines))
        kind = rng.randrange(9)
        if kind == 0:
            del lines[at:at + rng.randrange(1, 4)]
        elif kind == 1:
            lines[at:at] = lines[at:at + rng.randrange(1, 4)]
        elif kind == 2:
            to = rng.randrange(len(lines))
            lines[at], lines[to] = lines[to], lines[at]
        elif kind == 3:
            lines[at:at] = [rng.choice(other)]
        elif kind == 4:
            lines[at] = lines[at][:rng.randrange(len(lines[at]) + 1)]
        else:
            tokens = re.findall(r"\s+|[\w%$]+|.", lines[at]) or [""]
            token = rng.randrange(len(tokens))
            if kind == 5:
                tokens[token] = ""
            elif kind == 6:
                tokens[token] = rng.choice(NUMBERS)
            elif kind == 7:
                tokens[token] = rng.choice(WORDS)
            else:
                tokens[token] = rng.choice(re.findall(r"[\w%$]+|.", rng.choice(other)) or [""])
            lines[at] = "".join(tokens)
        lines = lines or [""]
    return "\n".join(lines)


def fault(command):
    """What is wrong with how the command ended; nothing if it ended well."""
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    try:
        result = subprocess.run(command, capture_output=True, timeout=SECONDS, preexec_fn=limit)
    except subprocess.TimeoutExpired:
        return "no end in %d seconds" % SECONDS
    if result.returncode not in (0, 1):
        return "exit status %d: %s" % (result.returncode, result.stderr.decode(errors="replace")[:2000])
    if result.returncode == 1 and not result.stderr.strip():
        return "exit status 1 without a message"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", default="mx-ptx-run")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("kernels", type=pathlib.Path, nargs="+")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    rng = random.Random(args.seed)
    texts = [path.read_text() for path in args.kernels]
    failed = 0
    for i in range(args.count):
        number = rng.randrange(len(texts))
        mutant = args.work / ("mutant%d.ptx" % i)
        mutant.write_text(mutate(rng, texts[number], rng.choice(texts).split("\n")))
        problem = fault([args.tool, mutant, "--launch", args.kernels[number].with_suffix(".json"), "--max-instructions", "20000",
                         "--check=%s" % rng.choice(("all", "none"))])
        if problem:
            failed += 1
            print("%s (of %s): %s" % (mutant, args.kernels[number].name, problem))
        else:
            mutant.unlink()
    print("%d mutants, %d faults" % (args.count, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
