# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes one thing that synchronises out of a kernel at a time, and looks whether that is noticed.

mutate.py MX_PTX_RUN KERNEL.ptx... [--harmless FILE] [--seeds N]

A mutant is a kernel without one barrier, wait, commit or fence; a wait for an mbarrier becomes one that is always over.
It is caught if the run stops with an error or gives a wrong result: with what is asynchronous as late as possible, or
in a random order for one of N seeds. FILE lists those that change nothing, `KERNEL LINE reason` each; one that is
caught all the same is an error. Prints caught / total of each kind, and fails under 95 % of what is not harmless for
barriers, waits and commits.
"""
import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile

KINDS = [
    ("wait", re.compile(r"(cp\.async\.(bulk\.)?wait_|wgmma\.wait_group|tcgen05\.wait|mbarrier\.(try|test)_wait)")),
    ("commit", re.compile(r"(cp\.async\.(bulk\.)?commit_group|wgmma\.commit_group|tcgen05\.commit)")),
    ("barrier", re.compile(r"(bar|barrier)\.")),
    ("fence", re.compile(r"(fence\.|membar|wgmma\.fence|tcgen05\.fence)")),
]
INSTRUCTION = re.compile(r"^(\s*(?:\$?[\w$]+:\s*)?)((?:@!?%?\w+\s+)?)([a-z][\w.:]*)\s*([^;]*);")
LEAST = 0.95


def find(lines):
    for number, line in enumerate(lines):
        match = INSTRUCTION.match(line)
        if not match:
            continue
        for kind, pattern in KINDS:
            if pattern.match(match[3]):
                yield number, kind, match
                break


def remove(lines, number, match):
    """The text without the instruction; who waited for an mbarrier goes on."""
    rest = lines[number][match.end():]
    instead = ""
    if match[3].startswith("mbarrier"):
        instead = "%ssetp.eq.u32 %s, 0, 0;" % (match[2], match[4].split(",")[0])
    return "\n".join(lines[:number] + [match[1] + instead + rest] + lines[number + 1:])


def is_caught(tool, path, launch, seeds):
    for options in [[]] + [["--completion", "random", "--seed", str(seed)] for seed in range(seeds)]:
        try:
            result = subprocess.run([tool, path, "--launch", launch, "--max-instructions", "3000000"] + options,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            return "timeout"
        if result.returncode < 0 or result.returncode > 1:
            sys.exit("%s: exit status %d" % (path, result.returncode))
        if result.returncode:
            return result.stderr
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool")
    parser.add_argument("kernels", nargs="+")
    parser.add_argument("--harmless")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    harmless = {}
    if args.harmless:
        for line in open(args.harmless):
            if line.strip() and not line.startswith("#"):
                kernel, number, reason = line.split(None, 2)
                harmless[kernel, int(number)] = reason.strip()
    counts = collections.defaultdict(collections.Counter)
    failed = False
    for path in args.kernels:
        stem = path[:-len(".ptx")]
        kernel = os.path.basename(stem)
        lines = open(path).read().split("\n")
        with tempfile.TemporaryDirectory() as folder:
            for number, kind, match in find(lines):
                mutant = os.path.join(folder, kernel + ".ptx")
                with open(mutant, "w") as f:
                    f.write(remove(lines, number, match))
                problem = is_caught(args.tool, mutant, stem + ".json", args.seeds)
                is_harmless = (kernel, number + 1) in harmless
                if problem and is_harmless:
                    print("%s:%d: caught, though it is listed as harmless:\n%s" % (kernel, number + 1, problem))
                    failed = True
                result = "caught" if problem else "harmless" if is_harmless else "missed"
                counts[kind][result] += 1
                if result == "missed" or args.verbose:
                    print("%s:%d: %s: %s %s" % (kernel, number + 1, result, lines[number].strip(),
                                                (problem or "").split("\n")[0][-200:]))
    for kind, count in sorted(counts.items()):
        total = count["caught"] + count["missed"]
        print("%ss: caught %d / %d, harmless %d" % (kind, count["caught"], total, count["harmless"]))
        if kind != "fence" and count["caught"] < LEAST * total:
            failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main())
