#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares a plan (mx-report-plan{format=json}) with what the source model contains.

compare_truth.py PLAN.json TRUTH.json [--names]

(a) entries with extents have, by role and gemm, exactly the counts of the truth's products;
(b) the multiset of (role, gemm, K, M*N*batch) agrees where all extents are known;
(c) norm, embedding, softmax and conv counts agree;
(d) linear and expert are quantised, their gradients and all else are kept;
(e) roles that the truth lacks are ignored (other, rotary, quantized);
(f) with --names: every linear, expert, router and head names a parameter, and a truth product of its role is a prefix;
(g) in a training graph, each layer has as many fprop, dgrad and wgrad under its name as the truth.
"""
import argparse
import collections
import json
import sys

CALLS = ("norm", "embedding", "softmax", "conv")


def kind(entry):
    gemm = entry.get("gemm", "fprop")
    return entry["role"] if gemm == "fprop" else f"{entry['role']}.{gemm}"


def volume(entry):
    return (kind(entry), entry["k"], entry["m"] * entry["n"] * entry["batch"])


def compare(plan, truth, names):
    """Yields what differs."""
    ops = plan["ops"]
    products = truth["products"]
    roles = {p["role"] for p in products}
    entries = [e for e in ops if "m" in e and (e["role"] in roles or e["role"] not in ("other", "rotary", "quantized"))]

    counted, expected = collections.Counter(map(kind, entries)), collections.Counter(map(kind, products))
    for role in sorted(counted | expected):
        if counted[role] != expected[role]:
            yield f"{role}: {counted[role]} products, {expected[role]} in the model"

    static = [e for e in entries if "?" not in (e["m"], e["n"], e["k"], e["batch"])]
    have, want = collections.Counter(map(volume, static)), collections.Counter(map(volume, products))
    if len(static) == len(entries):
        for key in sorted(have.keys() | want.keys()):
            if have[key] != want[key]:
                yield f"{key}: {have[key]} products, {want[key]} in the model"
    elif have - want:
        yield f"not in the model: {dict(have - want)}"

    calls = collections.Counter(c["role"] for c in truth["calls"])
    for role in CALLS:
        count = sum(e["role"] == role for e in ops)
        if count != calls[role]:
            yield f"{role}: {count} entries, {calls[role]} in the model"

    for e in ops:
        decision = "quantize" if kind(e) in ("linear", "expert") else "keep"
        if e["decision"] != decision:
            yield f"index {e['index']} ({e['role']}): {e['decision']}, expected {decision}: {e['reason']}"
        if not e["reason"] or not e["rule"]:
            yield f"index {e['index']}: no reason"

    for e in entries:
        known = [p["module"] for p in products if p["role"] == e["role"]]
        if e["location"]:
            if not any(e["location"].startswith(m) for m in known):
                yield f"index {e['index']}: no {e['role']} of the model is a prefix of '{e['location']}'"
        elif names and e["role"] in ("linear", "expert", "router", "lm_head"):
            yield f"index {e['index']} ({e['role']}): no name"
    gradients = [p for p in products if p["gemm"] != "fprop" and not p["role"].startswith("attention")]
    if names and gradients:
        have = collections.Counter((e["location"], kind(e)) for e in entries)
        for p in gradients:
            if have[p["module"], kind(p)] != 1:
                yield f"{p['module']}: {have[p['module'], kind(p)]} {kind(p)} under its name"

    for e in ops:
        modules = [c["module"] for c in truth["calls"] if c["role"] == e["role"]]
        if modules and e["location"] and not any(e["location"].startswith(m) for m in modules):
            yield f"index {e['index']}: no {e['role']} of the model is a prefix of '{e['location']}'"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan")
    parser.add_argument("truth")
    parser.add_argument("--names", action="store_true")
    args = parser.parse_args()
    with open(args.plan) as plan, open(args.truth) as truth:
        differences = list(compare(json.load(plan), json.load(truth), args.names))
    for difference in differences:
        print(f"{args.plan}: {difference}", file=sys.stderr)
    sys.exit(bool(differences))


if __name__ == "__main__":
    main()
