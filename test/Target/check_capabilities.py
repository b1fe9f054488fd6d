# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Assembles every row of the capability table for every chip.

usage: check_capabilities.py TABLE.json     (llvm-tblgen --dump-json)

For each chip one PTX file holds the `Check` statement of every row, one kernel
a statement; ptxas reports each line that it refuses. Checked are: a row is
accepted, at its own PTX version, on exactly the chips that it names; and the
PTX version before is refused on at least one of them, unless no chip of the row
is known to that version (then the version cannot be tested alone).
"""

import itertools
import json
import re
import subprocess
import sys
import tempfile

REGISTERS = """  .reg .b8 b<8>;
  .reg .b16 h<8>;
  .reg .b32 r<8>;
  .reg .f32 f<8>;
  .reg .b64 d<8>;
  .reg .pred p<4>;
"""


def statements(row, types):
    """The row's `Check` for every pair of its types (A, B)."""
    if not row["Types"]:
        return [row["Check"]]
    names = [types[t["def"]]["Name"] for t in row["Types"]]
    pairs = itertools.product(names, names)
    return sorted({row["Check"].replace("{A}", a).replace("{B}", b) for a, b in pairs})


def refused(chip, version, checks):
    """Indices of the statements that ptxas does not take."""
    with tempfile.NamedTemporaryFile("w", suffix=".ptx") as file:
        text = f".version {version // 10}.{version % 10}\n.target {chip}\n.address_size 64\n"
        lines = {}
        for i, check in enumerate(checks):
            text += f".visible .entry k{i}() {{\n{REGISTERS}"
            lines[text.count("\n") + 1] = i
            text += f"  {check}\n  ret;\n}}\n"
        file.write(text)
        file.flush()
        run = subprocess.run(["ptxas", f"-arch={chip}", file.name, "-o", "/dev/null"],
                             capture_output=True, text=True)
    bad = set()
    for line in run.stderr.splitlines():
        match = re.search(r", line (\d+); error", line)
        if match and int(match[1]) in lines:
            bad.add(lines[int(match[1])])
        elif "error" in line and "aborted due to errors" not in line:
            sys.exit(f"{chip}, PTX {version}: unexpected: {line}")
    if run.returncode and not bad:
        sys.exit(f"{chip}, PTX {version}: ptxas failed:\n{run.stderr}")
    return bad


def main():
    records = json.load(open(sys.argv[1]))
    rows = [records[n] for n in records["!instanceof"]["Capability"] if records[n]["Check"]]
    has = lambda row, chip: value(row["Chips"]) >> value(chip["Index"]) & 1
    chips = [records[n] for n in records["!instanceof"]["Chip"]]
    versions = sorted(value(records[n]["Version"]) for n in records["!instanceof"]["PTXVersion"])
    failures = []
    tested = 0

    # What is refused at each (chip, version) in use: one run of ptxas each.
    cache = {}
    checks = [(row, text) for row in rows for text in statements(row, records)]

    def accepted(chip, version):
        key = chip["Name"], version
        if key not in cache:
            bad = refused(*key, [text for _, text in checks])
            cache[key] = [i not in bad for i in range(len(checks))]
        return cache[key]

    for i, (row, text) in enumerate(checks):
        older = [v for v in versions if v < value(row["PTX"])]
        versions_refuse = None
        for chip in chips:
            version = max(value(row["PTX"]), value(chip["PTX"]))
            got = accepted(chip, version)[i]
            tested += 1
            if got != bool(has(row, chip)):
                failures.append(f"{row['Name']}: ptxas {'takes' if got else 'refuses'} "
                                f"'{text}' for {chip['Name']} at PTX {version}")
            if has(row, chip) and older and older[-1] >= value(chip["PTX"]):
                took = accepted(chip, older[-1])[i]
                versions_refuse = bool(versions_refuse) or not took
        if versions_refuse is False:
            failures.append(f"{row['Name']}: PTX {older[-1]} is enough for '{text}'")
    for failure in failures:
        print(failure)
    print(f"{len(rows)} rows, {len(checks)} statements, {tested} pairs of statement and chip, "
          f"{len(failures)} failures")
    return 1 if failures else 0


def value(bits):
    """An integer of a `bits` field, which JSON has as a list, lowest first."""
    return sum(b << i for i, b in enumerate(bits)) if isinstance(bits, list) else bits


sys.exit(main())
