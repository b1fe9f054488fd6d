#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How far torchao's own figure for SmolLM2-135M moves with the order of the sums.

    smollm2_torchao.py model.safetensors [--schemes nvfp4,fp8_row,...] [--windows 8]

Runs the model in torch, linear layers quantised by torchao, once per instruction set that
MKL and ATen can be told to keep to, and prints each mean negative log-likelihood (nats).
Everything but the order of summation is the same in all columns, so no agreement closer
than their spread can be asked of anybody. Needs torch, torchao and transformers.
"""
import argparse
import os
import pathlib
import subprocess
import sys

MODEL = pathlib.Path(__file__).resolve().parent.parent / "Inputs/models/smollm2"
SETTINGS = {"native": {}, "ATen avx2": {"ATEN_CPU_CAPABILITY": "avx2"},
            "ATen default": {"ATEN_CPU_CAPABILITY": "default"},
            "MKL AVX2": {"MKL_CBWR": "AVX2"}, "MKL SSE4.2": {"MKL_CBWR": "SSE4_2"}}


def quantizers():
    """{scheme: (weights, inputs)}: functions of an f32 tensor that quantise and dequantise it along its last dim."""
    import torch
    from torchao.prototype.mx_formats.config import ScaleCalculationMode
    from torchao.prototype.mx_formats.mx_tensor import to_dtype, to_mx
    from torchao.prototype.mx_formats.nvfp4_tensor import NVFP4Tensor, per_tensor_amax_to_scale
    from torchao.quantization import Float8Tensor, PerRow

    def nvfp4(x):
        flat = x.reshape(-1, x.shape[-1]).contiguous()
        scale = per_tensor_amax_to_scale(flat.abs().max())
        return NVFP4Tensor.to_nvfp4(flat, per_tensor_scale=scale).dequantize(torch.float32).reshape(x.shape)

    def fp8_row(x):
        return Float8Tensor.from_hp(x.contiguous(), float8_dtype=torch.float8_e4m3fn,
                                    granularity=PerRow()).dequantize().float()

    def mx(element, mode):
        def quantize(x):
            scales, codes = to_mx(x.contiguous(), element, 32, mode)
            return to_dtype(codes, scales, element, 32, torch.float32).reshape(x.shape)
        return quantize

    known = {"f32": (None, None), "nvfp4": (nvfp4, nvfp4), "nvfp4a16": (nvfp4, None), "fp8_row": (fp8_row, fp8_row)}
    for name, element in ("mxfp8", torch.float8_e4m3fn), ("mxfp4", torch.float4_e2m1fn_x2):
        for mode in ScaleCalculationMode:
            known[f"{name}:{mode.name.lower()}"] = (mx(element, mode),) * 2
    return known


def measure(weights_file, scheme, windows):
    """The mean negative log-likelihood over the windows, in nats."""
    import numpy
    import torch
    from safetensors.torch import load_file
    from transformers import LlamaConfig, LlamaForCausalLM
    config = LlamaConfig(vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
                         num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True, rms_norm_eps=1e-5,
                         rope_parameters={"rope_type": "default", "rope_theta": 100000.0}, attn_implementation="eager")
    model = LlamaForCausalLM(config).eval().requires_grad_(False)
    missing, unexpected = model.load_state_dict(load_file(weights_file), strict=False)
    if set(missing) - {"lm_head.weight"} or unexpected:
        sys.exit(f"error: {weights_file} is not SmolLM2-135M: {missing} missing, {unexpected} unexpected")
    weight, activation = quantizers()[scheme]
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and name != "lm_head":
            if weight:
                module.weight.data = weight(module.weight.data)
            if activation:
                module.register_forward_pre_hook(lambda _, inputs: (activation(inputs[0]),))
    losses = []
    for window in range(windows):
        ids = torch.from_numpy(numpy.load(MODEL / f"tokens.{window}.npy")).reshape(1, -1)
        logits = model(input_ids=ids, use_cache=False).logits
        losses.append(torch.nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2), ids[:, 1:], reduction="none"))
    return torch.cat(losses).mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights")
    parser.add_argument("--schemes", default="f32,fp8_row,mxfp8:rceil,nvfp4a16,nvfp4")
    parser.add_argument("--windows", type=int, default=8)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(measure(args.weights, args.schemes, args.windows))
        return
    print(f"{'scheme':14}" + "".join(f"{name:>14}" for name in SETTINGS) + f"{'spread':>10}")
    for scheme in args.schemes.split(","):
        figures = []
        print(f"{scheme:14}", end="", flush=True)
        for variables in SETTINGS.values():
            done = subprocess.run([sys.executable, __file__, args.weights, "--one", "--schemes", scheme, "--windows",
                                   str(args.windows)], env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
                                  capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            figures.append(float(done.stdout.split()[-1]))
            print(f"{figures[-1]:14.6f}", end="", flush=True)
        print(f"{max(figures) - min(figures):10.6f}", flush=True)


if __name__ == "__main__":
    main()
