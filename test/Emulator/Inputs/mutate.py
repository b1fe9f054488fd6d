# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes one thing that synchronises out of a kernel at a time, and looks whether that is noticed.

mutate.py MX_PTX_RUN LAUNCH.json... [--harmless FILE] [--seeds N] [--strict]

A mutant is a kernel without one barrier, wait, commit or fence; a wait for an mbarrier becomes one that is always over.
It is caught if the run stops with an error, or gives other results than the whole kernel: with what is asynchronous as
late as possible, or in a random order for one of N seeds.

FILE lists those that change nothing, `LAUNCH LINE reason` each; one that is caught all the same is an error, and so is
one that does not exist. In texts that are made anew each time, LINE is INSTRUCTION#FIRST:LAST, a slice as in Python of
the places where that stands. --strict is mx-ptx-run's.

Prints caught / total of each launch and kind, and fails under 95 % of what is not harmless for barriers, waits and
commits.
"""
import argparse
import collections
import concurrent.futures
import json
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


class Kernel:
    """A launch with its kernel's text, and what the whole kernel gives."""

    def __init__(self, tool, launch, seeds, options):
        self.tool, self.launch, self.options = tool, launch, options
        self.name = os.path.basename(launch)[:-len(".json")]
        with open(launch) as f:
            self.path = os.path.join(os.path.dirname(launch), json.load(f).get("ptx", self.name + ".ptx"))
        with open(self.path) as f:
            self.lines = f.read().split("\n")
        self.schedules = [[]] + [["--completion", "random", "--seed", str(seed)] for seed in range(seeds)]
        self.expected = []
        for schedule in self.schedules:
            problem, results = self.run(self.path, schedule)
            if problem:
                sys.exit("%s: the whole kernel fails:\n%s" % (self.name, problem))
            self.expected.append(results)

    def run(self, path, schedule):
        """An error or None, and the bytes of each buffer."""
        with tempfile.TemporaryDirectory() as out:
            result = subprocess.run([self.tool, path, "--launch", self.launch, "--max-instructions", "3000000",
                                     "--out", out] + self.options + schedule,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=600)
            if result.returncode not in (0, 1):
                sys.exit("%s: exit status %d" % (path, result.returncode))
            results = {}
            for name in os.listdir(out):
                with open(os.path.join(out, name), "rb") as f:
                    results[name] = f.read()
            return (result.stderr if result.returncode else None), results

    def find(self):
        """Number, kind and match of each line that synchronises."""
        for number, line in enumerate(self.lines):
            match = INSTRUCTION.match(line)
            kind = match and next((kind for kind, pattern in KINDS if pattern.match(match[3])), None)
            if kind:
                yield number, kind, match

    def remove(self, number, match):
        """The text without the instruction; who waited for an mbarrier goes on."""
        rest = self.lines[number][match.end():]
        instead = ""
        if match[3].startswith("mbarrier"):
            instead = "%ssetp.eq.u32 %s, 0, 0;" % (match[2], match[4].split(",")[0])
        return "\n".join(self.lines[:number] + [match[1] + instead + rest] + self.lines[number + 1:])

    def find_problem(self, number, match):
        """How the mutant is caught, or None."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, self.name + ".ptx")
            with open(path, "w") as f:
                f.write(self.remove(number, match))
            for schedule, expected in zip(self.schedules, self.expected):
                problem, results = self.run(path, schedule)
                if problem or results != expected:
                    return problem or "other results"
        return None


def read_harmless(path):
    """For each launch the places of mutants that change nothing."""
    harmless = collections.defaultdict(list)
    with open(path) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                launch, place, _ = line.split(None, 2)
                harmless[launch].append(place)
    return harmless


def find_lines(places, mutants):
    """The numbers of lines that `places` name, all of them mutants."""
    numbers = set()
    for place in places:
        instruction, _, part = place.partition("#")
        if part:
            first, last = (int(end) if end else None for end in part.split(":"))
            found = [number for number, _, match in mutants if match[3] == instruction][first:last]
        else:
            found = [number for number, _, _ in mutants if number == int(place) - 1]
        if not found:
            sys.exit("no mutant is at %s" % place)
        numbers.update(found)
    return numbers


def show(name, counts):
    for kind, count in sorted(counts.items()):
        print("%s %ss: caught %d / %d, harmless %d" % (name, kind, count["caught"], count["caught"] + count["missed"],
                                                      count["harmless"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool")
    parser.add_argument("launches", nargs="+")
    parser.add_argument("--harmless")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    harmless = read_harmless(args.harmless) if args.harmless else collections.defaultdict(list)
    total = collections.defaultdict(collections.Counter)
    failed = False
    for launch in args.launches:
        kernel = Kernel(args.tool, launch, args.seeds, ["--strict"] if args.strict else [])
        counts = collections.defaultdict(collections.Counter)
        mutants = list(kernel.find())
        unchanged = find_lines(harmless[kernel.name], mutants)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            problems = list(pool.map(lambda mutant: kernel.find_problem(mutant[0], mutant[2]), mutants))
        for (number, kind, _), problem in zip(mutants, problems):
            is_harmless = number in unchanged
            if problem and is_harmless:
                print("%s:%d: caught, though it is listed as harmless:\n%s" % (kernel.name, number + 1, problem))
                failed = True
            result = "caught" if problem else "harmless" if is_harmless else "missed"
            counts[kind][result] += 1
            total[kind][result] += 1
            if result == "missed" or args.verbose:
                print("%s:%d: %s: %s %s" % (kernel.name, number + 1, result, kernel.lines[number].strip(),
                                            (problem or "").split("\n")[0][-200:]))
        show(kernel.name, counts)
    show("all", total)
    for kind, count in total.items():
        if kind != "fence" and count["caught"] < LEAST * (count["caught"] + count["missed"]):
            failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main())
