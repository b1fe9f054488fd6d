# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Loads and stores a tile with each swizzle and compares where its 16-byte
units lie with swizzle.tsv (mode, address, swizzled address; PTX ISA 5.5.7).

swizzles.py SWIZZLE_TSV MX_PTX_RUN DIRECTORY
"""
import json
import os
import subprocess
import sys

# The tile goes in by its map and out as it lies; and back through the map.
KERNEL = """.version 8.8
.target sm_90a
.address_size 64
.shared .align 1024 .b8 s[3072];
.visible .entry k(.param .align 64 .b8 in[128], .param .u64 raw, .param .align 64 .b8 out[128])
{
  .reg .pred p;
  .reg .b32 r<4>;
  .reg .b64 d<4>;
  mov.b64 d0, in;
  cvta.param.u64 d0, d0;
  ld.param.u64 d1, [raw];
  mov.b64 d2, out;
  cvta.param.u64 d2, d2;
  mov.b32 r0, s;
  mbarrier.init.shared::cta.b64 [r0+2048], 1;
  fence.proxy.async.shared::cta;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [r0+2048], 1024;
  cp.async.bulk.tensor.2d.shared::cta.global.mbarrier::complete_tx::bytes [r0], [d0, {0, 0}], [r0+2048];
W:
  mbarrier.try_wait.parity.shared::cta.b64 p, [r0+2048], 0;
  @!p bra W;
  cp.async.bulk.global.shared::cta.bulk_group [d1], [r0], 1024;
  cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [d2, {0, 0}], [r0];
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
  ret;
}
"""
VALUES = [(i * 7 + i // 256) % 256 for i in range(1024)]


def run(mode, tool, directory):
    span = 32 if mode == "32B" else 64 if mode == "64B" else 128
    tensor = {"kind": "tensormap", "element": "u8", "dims": [span, 1024 // span], "strides_bytes": [span],
              "box": [span, 1024 // span], "element_strides": [1, 1], "swizzle": mode}
    undefined = {"gen": "undefined"}
    launch = {
        "entry": "k", "grid": [1, 1, 1], "block": [1, 1, 1],
        "args": [dict(tensor, name="in", buffer="in"), {"kind": "buffer", "name": "raw"},
                 dict(tensor, name="out", buffer="out")],
        "buffers": [{"name": "in", "dtype": "u8", "shape": [1024], "init": {"gen": "list", "values": VALUES}},
                    {"name": "raw", "dtype": "u8", "shape": [1024], "init": undefined},
                    {"name": "out", "dtype": "u8", "shape": [1024], "init": undefined}]}
    path = os.path.join(directory, mode)
    os.makedirs(path, exist_ok=True)
    with open(path + "/k.ptx", "w") as f:
        f.write(KERNEL)
    with open(path + "/k.json", "w") as f:
        json.dump(launch, f)
    subprocess.run([tool, path + "/k.ptx", "--launch", path + "/k.json", "--out", path], check=True)
    read = lambda name: list(open(path + "/%s.npy" % name, "rb").read()[-1024:])
    return read("raw"), read("out")


def main():
    table, tool, directory = sys.argv[1:]
    places = {}
    for line in open(table).read().splitlines()[1:]:
        mode, address, swizzled = line.split("\t")
        if int(address) < 1024:
            places.setdefault(mode, {})[int(address)] = int(swizzled)
    assert len(places) == 5 and all(len(units) == 64 for units in places.values())
    failures = 0
    for mode, units in places.items():
        raw, out = run(mode, tool, directory)
        wrong = [a for a, b in units.items() if raw[b:b + 16] != VALUES[a:a + 16]]
        if wrong or out != VALUES:
            print("swizzle %s: units %s lie elsewhere, or the store is not the inverse" % (mode, wrong))
            failures += 1
    return failures != 0


sys.exit(main())
