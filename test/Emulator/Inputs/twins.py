# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs kernels in pairs: one is wrong and has to give its message, its twin is
right and has to run to its end, in random orders too.

twins.py TEST MX_PTX_RUN DIRECTORY

A case of TEST begins with `=== name`. Lines with a - or + in front belong to
the wrong or the right kernel only, others to both. `! text` is a part of the
message. `@ key value` changes the launch: block and cluster (threads, blocks),
directives (of the entry), options (of the tool), map (JSON, on top of the
default tensor map). `EXPECT r7 5` stops a kernel whose register has another
value. A case without a message has no wrong kernel.

Every kernel finds: d0 and d1, buffers of 4096 bytes, `out` unwritten, `in` with
byte i = i mod 251; d2, a tensor map of `in`; r0, shared memory of 16 KiB,
aligned to 1024; r1, %tid.x; p0: r1 is 0; d9, 128 bytes with that map's
contents unset in `scratch`.
"""
import json
import os
import subprocess
import sys

HEAD = """.version 8.8
.target sm_100a
.address_size 64
.shared .align 1024 .b8 s[16384];
.visible .entry k(.param .u64 out, .param .u64 in, .param .u64 scratch,
                  .param .align 64 .b8 map[128]) %s
{
  .reg .pred p<8>;
  .reg .b16 h<8>;
  .reg .b32 r<32>;
  .reg .b64 d<16>;
  ld.param.u64 d0, [out];
  ld.param.u64 d1, [in];
  ld.param.u64 d9, [scratch];
  mov.b64 d2, map;
  cvta.param.u64 d2, d2;
  mov.b32 r0, s;
  mov.u32 r1, %%tid.x;
  setp.eq.u32 p0, r1, 0;
"""
MAP = {"kind": "tensormap", "name": "map", "buffer": "in", "element": "u8", "dims": [64, 64], "strides_bytes": [64],
       "box": [64, 8], "element_strides": [1, 1], "swizzle": "none", "interleave": "none", "oob_fill": "zero"}


def parse(path):
    cases = []
    for line in open(path):
        line = line.rstrip("\n")
        if line.startswith("==="):
            cases.append({"name": line[3:].strip(), "message": None, "body": [], "keys": {}})
        elif not cases or not line or line.startswith("#"):
            continue
        elif line.startswith("!"):
            cases[-1]["message"] = line[1:].strip()
        elif line.startswith("@ "):
            key, _, value = line[2:].partition(" ")
            cases[-1]["keys"][key] = value
        else:
            cases[-1]["body"].append(line)
    return cases


def expand(line):
    words = line.split()
    if words[:1] != ["EXPECT"]:
        return line
    return "{ .reg .pred q; setp.ne.u32 q, %s, %s; @q st.global.b32 [0], %s; }" % (words[1], words[2], words[1])


def run(case, is_wrong, tool, directory, options=""):
    keys = case["keys"]
    kept = "-" if is_wrong else "+"
    body = [line[1:] if line[0] in "-+" else line for line in case["body"] if line[0] not in "-+" or line[0] == kept]
    stem = os.path.join(directory, case["name"] + ("-wrong" if is_wrong else "-right"))
    with open(stem + ".ptx", "w") as f:
        f.write(HEAD % keys.get("directives", "") + "\n".join(expand(line) for line in body) + "\n  ret;\n}\n")
    cluster = int(keys.get("cluster", 1))
    launch = {
        "entry": "k", "grid": [cluster, 1, 1], "block": [int(keys.get("block", 32)), 1, 1], "cluster": [cluster, 1, 1],
        "args": [{"kind": "buffer", "name": "out"}, {"kind": "buffer", "name": "in"},
                 {"kind": "buffer", "name": "scratch"}, dict(MAP, **json.loads(keys.get("map", "{}")))],
        "buffers": [{"name": "out", "dtype": "u8", "shape": [4096], "init": {"gen": "undefined"}},
                    {"name": "in", "dtype": "u8", "shape": [4096],
                     "init": {"gen": "list", "values": [i % 251 for i in range(4096)]}},
                    {"name": "scratch", "dtype": "u8", "shape": [128], "init": {"gen": "undefined"}}]}
    with open(stem + ".json", "w") as f:
        json.dump(launch, f)
    return subprocess.run([tool, stem + ".ptx", "--launch", stem + ".json", "--max-instructions", "1000000"]
                          + (options or keys.get("options", "")).split(), capture_output=True, text=True)


def main():
    test, tool, directory = sys.argv[1:]
    os.makedirs(directory, exist_ok=True)
    failures = 0
    for case in parse(test):
        text = ""
        # Whatever the order of what is asynchronous, if the case does not say.
        for seed in (0, 1, 2):
            order = "--completion random --seed %d" % seed if seed and "options" not in case["keys"] else ""
            right = run(case, False, tool, directory, order)
            text += "%s\n%s" % (order, right.stderr) if right.returncode else ""
        if case["message"]:
            wrong = run(case, True, tool, directory)
            if wrong.returncode != 1 or case["message"] not in wrong.stderr:
                text += "the wrong kernel gives status %d and not '%s':\n%s" % (
                    wrong.returncode, case["message"], wrong.stderr)
        if text:
            failures += 1
            print("%s: %s" % (case["name"], text))
    return failures != 0


sys.exit(main())
