#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Time and memory of SmolLM2-135M on one thread, beside torch eager, and what each scheme takes to compile.

    smollm2_speed.py model.safetensors [--mx-run build/bin/mx-run] [--repeat 5] [--rounds 2] [SCHEME ...]

A window is 256 tokens. Each time is the best of all calls in all rounds; a round runs every contender once, so that a
machine that is busy for a while slows all of them. Seconds are those of the processor, which on a quiet machine are the
clock's: one thread runs. The clock's stand beside them. Exit status 1 past a limit of the project. Needs Python only;
with torch installed (and one thread, like ours) its eager mode runs on the same weights.
"""
import argparse
import ast
import json
import math
import mmap
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = None

MODELS = pathlib.Path(__file__).resolve().parent.parent / "Inputs/models"
SMOLLM2 = MODELS / "smollm2/smollm2"
BYTES = MODELS / "llama_bytes"
SCHEMES = ["f32", "nvfp4", "mxfp4", "mxfp8", "fp8_block", "fp8_row", "nvfp4a16", "mxfp4a16", "int4", "nf4"]
LAYERS, HEADS, KEY_HEADS, HEAD_SIZE, THETA, EPSILON = 30, 9, 3, 64, 1e5, 1e-5

# What the project promises: times of a window, peak memory over the bytes of the weights, seconds.
MAX_F32_OVER_TORCH, MAX_NVFP4_OVER_F32 = 1.0, 1.5
MAX_MEMORY = {"f32": 1.75, "nvfp4": 2.0}
MAX_COMPILE = {"llama_bytes": 4, "smollm2": 15}


def run(mx_run, scheme, model, weights, inputs, *more):
    """The --stats of mx-run."""
    command = [mx_run, f"{model}.mlir", "--args", f"{model}.args.json", "--weights", weights, "--inputs",
               ",".join(map(str, inputs)), *more]
    if scheme != "f32":
        command += ["--scheme", scheme]
    with tempfile.TemporaryDirectory() as folder:
        stats = pathlib.Path(folder) / "stats.json"
        subprocess.run([*map(str, command), "--stats", str(stats)], check=True, stdout=subprocess.DEVNULL)
        return json.loads(stats.read_text())


def run_window(mx_run, scheme, weights, repeat):
    return run(mx_run, scheme, SMOLLM2, weights, [SMOLLM2.with_name("tokens.0.npy")], "--threads", 1, "--repeat", repeat)


class Eager:
    """The model as a user of torch writes it."""

    def __init__(self, path):
        self.file = open(path, "rb")
        data = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_COPY)
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8:8 + size])
        header.pop("__metadata__", None)
        self.weights = {
            name: torch.frombuffer(data, dtype=torch.float32, count=math.prod(entry["shape"]),
                                   offset=8 + size + entry["data_offsets"][0]).view(entry["shape"]).clone()
            for name, entry in header.items()}
        raw = SMOLLM2.with_name("tokens.0.npy").read_bytes()
        end = raw.index(b"\n") + 1
        shape = ast.literal_eval(raw[10:end].decode())["shape"]
        self.tokens = torch.frombuffer(bytearray(raw[end:]), dtype=torch.int64).view(shape)

    def linear(self, x, name):
        return F.linear(x, self.weights[name + ".weight"])

    def norm(self, x, name):
        return self.weights[name + ".weight"] * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPSILON))

    def attention(self, x, name, cosine, sine, mask):
        length = x.shape[1]

        def split(kind, heads):
            return self.linear(x, f"{name}.{kind}_proj").view(1, length, heads, HEAD_SIZE).transpose(1, 2)

        def rotate(y):
            first, second = y.chunk(2, dim=-1)
            return y * cosine + torch.cat((-second, first), dim=-1) * sine

        query, key = rotate(split("q", HEADS)), rotate(split("k", KEY_HEADS))
        key, value = (y.repeat_interleave(HEADS // KEY_HEADS, dim=1) for y in (key, split("v", KEY_HEADS)))
        scores = query @ key.transpose(2, 3) / math.sqrt(HEAD_SIZE) + mask
        context = (F.softmax(scores, dim=-1) @ value).transpose(1, 2).reshape(1, length, -1)
        return self.linear(context, f"{name}.o_proj")

    def negative_log_likelihood(self):
        length = self.tokens.shape[1]
        frequencies = THETA ** (-torch.arange(0, HEAD_SIZE, 2).float() / HEAD_SIZE)
        angles = torch.outer(torch.arange(length).float(), frequencies).repeat(1, 2)
        cosine, sine = angles.cos(), angles.sin()
        mask = torch.full((length, length), -math.inf).triu(1)
        x = F.embedding(self.tokens, self.weights["model.embed_tokens.weight"])
        for i in range(LAYERS):
            layer = f"model.layers.{i}"
            x = x + self.attention(self.norm(x, f"{layer}.input_layernorm"), f"{layer}.self_attn", cosine, sine, mask)
            y = self.norm(x, f"{layer}.post_attention_layernorm")
            y = F.silu(self.linear(y, f"{layer}.mlp.gate_proj")) * self.linear(y, f"{layer}.mlp.up_proj")
            x = x + self.linear(y, f"{layer}.mlp.down_proj")
        logits = self.linear(self.norm(x, "model.norm"), "model.embed_tokens")
        return F.cross_entropy(logits[0, :-1], self.tokens[0, 1:], reduction="none")

    def run(self, repeat):
        """(Processor's, clock's) seconds of each call, and the mean negative log-likelihood."""
        seconds = []
        with torch.no_grad():
            for _ in range(repeat):
                start = time.process_time(), time.perf_counter()
                losses = self.negative_log_likelihood()
                seconds.append((time.process_time() - start[0], time.perf_counter() - start[1]))
        return seconds, losses.mean().item()


class Report:
    """Lines of `what: value unit (limit)`."""

    past_a_limit = False

    def line(self, what, value, unit, limit=None, clock=None):
        compared = "" if clock is None else f"  (clock {clock:.3f})"
        if limit is not None:
            compared += f"  (at most {limit})"
            if value > limit:
                compared += " OVER"
                self.past_a_limit = True
        print(f"{what:44} {value:9.3f} {unit}{compared}", flush=True)


def measure_windows(args, report):
    seconds = {"f32": [], "nvfp4": []}
    peak = dict.fromkeys(seconds, 0)
    eager = None
    if torch:
        torch.set_num_threads(1)
        eager, seconds["torch"] = Eager(args.weights), []
    for _ in range(args.rounds):
        for scheme in peak:
            stats = run_window(args.mx_run, scheme, args.weights, args.repeat)
            seconds[scheme] += zip(stats["call_cpu_seconds"], stats["call_seconds"])
            peak[scheme] = max(peak[scheme], stats["peak_mib"])
        if eager:
            calls, loss = eager.run(args.repeat)
            seconds["torch"] += calls
    best = {name: min(processor for processor, _ in calls) for name, calls in seconds.items()}
    clock = {name: min(clock for _, clock in calls) for name, calls in seconds.items()}
    report.line("window, f32", best["f32"], "s", clock=clock["f32"])
    if eager:
        report.line(f"window, torch {torch.__version__} eager", best["torch"], "s", clock=clock["torch"])
        report.line("its mean negative log-likelihood", loss, "nats")
        report.line("f32 over torch eager", best["f32"] / best["torch"], "x", MAX_F32_OVER_TORCH)
    report.line("window, nvfp4", best["nvfp4"], "s", clock=clock["nvfp4"])
    report.line("nvfp4 over f32", best["nvfp4"] / best["f32"], "x", MAX_NVFP4_OVER_F32)
    # The header of the file is a few KiB.
    weights_mib = args.weights.stat().st_size / 2**20
    report.line("weights in f32", weights_mib, "MiB")
    for scheme, mib in peak.items():
        report.line(f"peak memory of the process, {scheme}", mib, "MiB")
        report.line(f"peak memory over weights, {scheme}", mib / weights_mib, "x", MAX_MEMORY[scheme])


def measure_compilation(args, report):
    inputs = [f"{BYTES}.{name}.npy" for name in ("input_ids", "attention_mask")]
    for scheme in args.schemes:
        for name, stats in (("llama_bytes", run(args.mx_run, scheme, BYTES, f"{BYTES}.safetensors", inputs)),
                            ("smollm2", run_window(args.mx_run, scheme, args.weights, 1))):
            report.line(f"compile {name}, {scheme}", stats["compile_cpu_seconds"], "s", MAX_COMPILE[name],
                        sum(stats["compile_seconds"].values()))


def processor():
    """Its name where the system says one."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=pathlib.Path)
    parser.add_argument("schemes", nargs="*", default=SCHEMES, metavar="SCHEME", help="to compile")
    parser.add_argument("--mx-run", default="build/bin/mx-run")
    parser.add_argument("--repeat", type=int, default=5, help="calls a round")
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()

    version = subprocess.run([args.mx_run, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    print(f"# {version}; {os.cpu_count()} x {processor()}; load {os.getloadavg()[0]:.1f} of {os.cpu_count()}")
    print("# " + " ".join(sys.argv))
    report = Report()
    measure_windows(args, report)
    measure_compilation(args, report)
    print(f"# load {os.getloadavg()[0]:.1f} of {os.cpu_count()} at the end")
    return int(report.past_a_limit)


if __name__ == "__main__":
    sys.exit(main())
