# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Counts the layers of a plan by what was decided, one line each."""
import collections
import json
import sys

with open(sys.argv[1]) as file:
    ops = json.load(file)["ops"]
counts = collections.Counter(
    f"{op['role']} {op['decision']} {op['policy']} {op['lhs']} x {op['rhs']} {op['rule']}"
    for op in ops
    if op["role"] in ("linear", "expert", "lm_head", "router")
)
for line in sorted(counts):
    print(counts[line], line)
