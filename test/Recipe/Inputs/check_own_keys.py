# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_own_keys.py MX_OPT MODEL README DIR: rules for each key of mx_rules, and what mx-annotate makes of them."""

import json
import os
import re
import subprocess
import sys

mx_opt, model, readme, directory = sys.argv[1:]

# Key, a rule after BASE, the names of the ops that it changes (none: it changes nothing), what their decision then has.
BASE = "{scheme: mxfp4}"
TABLE = [
    ("targets", "{targets: 're:.*q_proj', scheme: mxfp8}", r"q_proj$", "lhs = <format = <mxfp8_e4m3>>, rhs = <format = <mxfp8_e4m3>>"),
    ("targets", "{targets: model.layers.1.mlp.up_proj, scheme: mxfp8}", r"layers\.1\.mlp\.up_proj$", "<mxfp8_e4m3>"),
    ("roles", "{roles: lm_head, scheme: mxfp8}", r"lm_head$", "<mxfp8_e4m3>"),
    ("roles", "{roles: attention_scores, activations: mxfp8}", r"scores$", "lhs = <format = <mxfp8_e4m3>>, rhs = <format = <mxfp8_e4m3>>"),
    ("layers", "{layers: {first: 1}, scheme: mxfp8}", r"layers\.0\..*_proj$", "<mxfp8_e4m3>"),
    ("layers", "{layers: {last: 1}, scheme: mxfp8}", r"layers\.2\..*_proj$", "<mxfp8_e4m3>"),
    ("layers", "{layers: [0, 2-2], scheme: mxfp8}", r"layers\.[02]\..*_proj$", "<mxfp8_e4m3>"),
    ("gemm", "{gemm: fprop, scheme: mxfp8}", r"_proj$", "<mxfp8_e4m3>"),
    ("gemm", "{gemm: [dgrad, wgrad], scheme: mxfp8}", None, None),
    ("shape", "{shape: {k: 192}, scheme: mxfp8}", r"down_proj$", "<mxfp8_e4m3>"),
    ("shape", "{shape: {n: {min: 100, multiple_of: 64}}, scheme: mxfp8}", r"(gate|up)_proj$", "<mxfp8_e4m3>"),
    ("shape", "{shape: {m: {max: 8}}, scheme: mxfp8}", None, None),
    ("ignore", "{targets: 're:.*q_proj', ignore: true}", r"q_proj$", "decision = <rule"),
    ("keep", "{targets: 're:.*q_proj', keep: true}", r"q_proj$", "decision = <rule"),
    ("scheme", "{scheme: nvfp4}", r"_proj$", "lhs = <format = <nvfp4>>, rhs = <format = <nvfp4>>"),
    ("weights", "{weights: nvfp4_2d, activations: nvfp4}", r"_proj$", "lhs = <format = <nvfp4>>, rhs = <format = <nvfp4_2d>>"),
    ("weights", "{weights: {format: mxfp4, rounding: sr, scale_rule: floor}}", r"_proj$",
     "lhs = <format = <mxfp4>>, rhs = <format = <mxfp4, rule = floor>, rounding = sr>"),
    ("activations", "{activations: high}", r"_proj$", "decision = <rhs = <format = <mxfp4>>"),
    ("activations", "{activations: {format: mxfp4, rounding: sr}}", r"_proj$",
     "lhs = <format = <mxfp4>, rounding = sr>, rhs = <format = <mxfp4>>"),
    ("rounding", "{scheme: mxfp4, rounding: sr}", r"_proj$", "lhs = <format = <mxfp4>, rounding = sr>, rhs = <format = <mxfp4>, rounding = sr>"),
    ("transform", "{scheme: mxfp4, transform: rht16}", r"_proj$",
     "lhs = <format = <mxfp4>, transform = <rht16>>, rhs = <format = <mxfp4>, transform = <rht16>>"),
    ("transform", "{scheme: mxfp4, transform: '32, seed = 7'}", r"_proj$", "transform = <32, seed = 7>>, rhs"),
    ("scale_rule", "{scheme: mxfp4, scale_rule: rceil}", r"_proj$",
     "lhs = <format = <mxfp4, rule = rceil>>, rhs = <format = <mxfp4, rule = rceil>>"),
    ("promote_every", "{promote_every: 64}", r"_proj$", "promote_every = 64"),
]


def annotate(rules):
    path = os.path.join(directory, "recipe.yaml")
    with open(path, "w") as file:
        file.write("mx_rules:\n" + "".join(f"  - {rule}\n" for rule in rules))
    run = subprocess.run([mx_opt, model + ".mlir", f"--mx-annotate=recipe={path} args={model}.args.json"],
                         capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{rules}: {run.stderr}")
    entries = []
    for entry in run.stdout.split("#mx.entry<")[1:]:
        name = re.search(r'location = "([^"]*)"', entry)
        role = re.search(r"role = (\w+)", entry).group(1)
        decision = entry[entry.index("decision = ") :]
        # The rule's name has the file's path and line in it.
        decision = re.sub(r'rule = "[^"]*"', "rule", decision)
        # Attention has no parameter that names it.
        name = name.group(1) if name else {"attention_scores": "scores", "attention_context": "context"}.get(role, "")
        entries.append((name, role, decision.split(", fingerprint")[0]))
    return entries


os.makedirs(directory, exist_ok=True)
documented = set(re.findall(r"^\| ((?:`\w+(?:: true)?`(?:, )?)+) \|", open(readme).read().split("## Our own rules")[1], re.M))
documented = {key.split(":")[0] for group in documented for key in re.findall(r"`([^`]*)`", group)}
tested = {key for key, *_ in TABLE}
if documented != tested:
    sys.exit(f"keys that are documented and not tested, or the reverse: {sorted(documented ^ tested)}")

base = annotate([BASE])
failures = 0
for key, rule, pattern, expected in TABLE:
    changed = 0
    for before, after in zip(base, annotate([BASE, rule]), strict=True):
        name, _, decision = after
        if pattern and re.search(pattern, name):
            changed += 1
            ok = expected in decision and before != after
        else:
            ok = before == after
        if not ok:
            print(f"{key}: {rule}: {name}: {decision}")
            failures += 1
    if pattern and not changed:
        print(f"{key}: {rule}: matches nothing")
        failures += 1
sys.exit(1 if failures else 0)
