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


def main():
    mx_opt, directory = sys.argv[1:]
    os.makedirs(directory, exist_ok=True)
    failures = 0
    for named in (True, False):
        expected, text = {}, ""
        for architecture in ALL + VARIANTS + MODELS:
            for spelling in SPELLINGS:
                function = Function(f"{architecture.__name__}_{spelling}", spelling)
                text += function.text(architecture(function), named)
                expected[function.name] = function.roles
        module, plan = os.path.join(directory, f"named-{named}.mlir"), os.path.join(directory, f"named-{named}.json")
        with open(module, "w") as file:
            file.write(text)
        subprocess.run([mx_opt, module, "--allow-unregistered-dialect", "-o", os.devnull, "--mx-lower-precision=scheme=nvfp4 fallback=error",
                        f"--mx-report-plan=format=json output={plan}"], check=True)
        found = {name: [] for name in expected}
        with open(plan) as file:
            for entry in json.load(file)["ops"]:
                if "m" in entry:
                    found[entry["function"]].append(entry)
        for name, roles in expected.items():
            entries = found[name]
            if len(entries) != len(roles):
                print(f"{name}: {len(entries)} products of {len(roles)}")
                failures += 1
            for entry, role in zip(entries, roles):
                # What has one role with names and another without.
                role = role.split(" or ")[-1 if not named else 0]
                decision = "quantize" if role in ("linear", "expert") else "keep"
                if (entry["role"], entry["decision"]) != (role, decision):
                    print(f"{name}{' (named)' if named else ''}: {entry['op']} {entry['location']} at {entry['index']} is "
                          f"{entry['role']}, {entry['decision']}, and not {role}: {entry['reason']}")
                    failures += 1
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
