# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each architecture in each spelling gets the roles that it was written with, with and without names of parameters.

check_architectures.py MX_OPT DIR: exit 1 and a line for each product that is taken for something else."""
import json
import os
import subprocess
import sys

from architectures import ALL, SPELLINGS
from builder import Function
from more_models import MODELS
from variants import VARIANTS


# What upstream's passes make of a module before ours see it. They may move products and fuse others into them.
FUSE = "func.func(linalg-fuse-elementwise-ops),canonicalize,cse"
RESPELLED = ["func.func(linalg-generalize-named-ops)", "func.func(linalg-fold-unit-extent-dims),canonicalize,cse",
             FUSE]
# Fusion changes what is a product: a weighted sum of experts becomes one, a gather or a decay in the body ends one.
OTHER_PRODUCTS = ("grouped_experts", "sigmoid_router", "state_duality")


def build(spellings, named):
    """A module with a function for each architecture and spelling; the roles of the products of each."""
    expected, text = {}, ""
    for architecture in ALL + VARIANTS + MODELS:
        for spelling in spellings:
            function = Function(f"{architecture.__name__}_{spelling}", spelling)
            text += function.text(architecture(function), named)
            # What has one role with names and another without.
            expected[function.name] = [role.split(" or ")[0 if named else -1] for role in function.roles]
    return text, expected


def find(mx_opt, text, expected, path, fallback, passes=""):
    """The products of the plan, by function."""
    with open(path + ".mlir", "w") as file:
        file.write(text)
    pipeline = [passes] if passes else []
    pipeline += [f"mx-lower-precision{{scheme=nvfp4 fallback={fallback}}}", f"mx-report-plan{{format=json output={path}.json}}"]
    subprocess.run([mx_opt, path + ".mlir", "--allow-unregistered-dialect", "-o", os.devnull,
                    f"--pass-pipeline=builtin.module({','.join(pipeline)})"], check=True)
    found = {name: [] for name in expected}
    with open(path + ".json") as file:
        for entry in json.load(file)["ops"]:
            if "m" in entry:
                found[entry["function"]].append(entry)
    return found


def main():
    mx_opt, directory = sys.argv[1:]
    os.makedirs(directory, exist_ok=True)
    failures = 0
    for named in (True, False):
        text, expected = build(SPELLINGS, named)
        found = find(mx_opt, text, expected, os.path.join(directory, f"named-{named}"), "error")
        for name, roles in expected.items():
            entries = found[name]
            if len(entries) != len(roles):
                print(f"{name}: {len(entries)} products of {len(roles)}")
                failures += 1
            for entry, role in zip(entries, roles):
                decision = "quantize" if role in ("linear", "expert") else "keep"
                if (entry["role"], entry["decision"]) != (role, decision):
                    print(f"{name}{' (named)' if named else ''}: {entry['op']} {entry['location']} at {entry['index']} is "
                          f"{entry['role']}, {entry['decision']}, and not {role}: {entry['reason']}")
                    failures += 1
        text, expected = build(["torch2d", "generic"], named)
        for number, passes in enumerate(RESPELLED):
            found = find(mx_opt, text, expected, os.path.join(directory, f"respelled-{number}-{named}"), "silent", passes)
            for name, roles in expected.items():
                if passes == FUSE and name.startswith(OTHER_PRODUCTS):
                    continue
                entries = sorted(entry["role"] for entry in found[name])
                if entries != sorted(roles):
                    print(f"{name}{' (named)' if named else ''} after {passes}: {entries}, and not {sorted(roles)}")
                    failures += 1
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
