// Weights that are parameters are quantised once, before the calls; the results
// are those of the same function that quantises its weights in each call.

// DEFINE: %{weights} = --weights %mx_test_root/Inputs/models/llama_bytes.safetensors
// DEFINE: %{w} = {"index": 0, "name": "model.layers.0.self_attn.k_proj.weight", "kind": "parameter", "shape": [32, 64], "dtype": "f32"}
// DEFINE: %{v} = {"index": 1, "name": "v", "tied_to": "model.layers.0.self_attn.v_proj.weight", "kind": "parameter", "shape": [32, 64], "dtype": "f32"}
// DEFINE: %{x} = {"index": 2, "name": "x", "kind": "input", "shape": ["?", 64], "dtype": "f32"}

// RUN: rm -rf %t && mkdir %t
// RUN: echo '{"version": 1, "entry": "weights", "arguments": [%{w}, %{v}]}' > %t/weights.json
// RUN: mx-run %s --args %t/weights.json %{weights} --out %t/weights
// RUN: mx-run %s --entry input --out %t/x
// RUN: echo '{"version": 1, "entry": "main", "arguments": [%{w}, %{v}, %{x}]}' > %t/main.json
// RUN: mx-run %s --args %t/main.json %{weights} --inputs %t/x/result0.npy --inputs %t/x/result0.npy --out %t/main
// RUN: mx-run %s --inputs %t/weights/result0.npy,%t/weights/result1.npy,%t/x/result0.npy \
// RUN:   --expect %t/main/inputs0.result0.npy --max-rel-error 0
// RUN: mx-run %s --inputs %t/weights/result0.npy,%t/weights/result1.npy,%t/x/result0.npy \
// RUN:   --expect %t/main/inputs1.result0.npy --max-rel-error 0

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]

func.func @main(%w: tensor<32x64xf32>, %v: tensor<32x64xf32>, %x: tensor<?x64xf32>) -> tensor<?x32xf32> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %c0 = arith.constant 0 : index
  %f0 = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty() : tensor<32x64xf4E2M1FN>
  %s = tensor.empty() : tensor<32x4xf8E4M3FN>
  %o = tensor.empty(%m) : tensor<?x32xf32>
  %c = linalg.fill ins(%f0 : f32) outs(%o : tensor<?x32xf32>) -> tensor<?x32xf32>

  %wa = mx.amax ins(%w : tensor<32x64xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %wq:2 = mx.quantize <nvfp4> axis = 1 ins(%w : tensor<32x64xf32>) amax(%wa : tensor<f32>)
      outs(%e, %s : tensor<32x64xf4E2M1FN>, tensor<32x4xf8E4M3FN>)
      -> tensor<32x64xf4E2M1FN>, tensor<32x4xf8E4M3FN>
  %va = mx.amax ins(%v : tensor<32x64xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %vq:2 = mx.quantize <nvfp4> axis = 1 ins(%v : tensor<32x64xf32>) amax(%va : tensor<f32>)
      outs(%e, %s : tensor<32x64xf4E2M1FN>, tensor<32x4xf8E4M3FN>)
      -> tensor<32x64xf4E2M1FN>, tensor<32x4xf8E4M3FN>
  %d = mx.matmul lhs(%x : tensor<?x64xf32>)
      rhs(%wq#0, %wq#1, %wa : tensor<32x64xf4E2M1FN>, tensor<32x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
      outs(%c : tensor<?x32xf32>) indexing_maps = #maps -> tensor<?x32xf32>
  %r = mx.matmul lhs(%x : tensor<?x64xf32>)
      rhs(%vq#0, %vq#1, %va : tensor<32x64xf4E2M1FN>, tensor<32x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
      outs(%d : tensor<?x32xf32>) indexing_maps = #maps -> tensor<?x32xf32>
  return %r : tensor<?x32xf32>
}

func.func @weights(%w: tensor<32x64xf32>, %v: tensor<32x64xf32>) -> (tensor<32x64xf32>, tensor<32x64xf32>) {
  return %w, %v : tensor<32x64xf32>, tensor<32x64xf32>
}

func.func @input() -> tensor<5x64xf32> {
  %e = tensor.empty() : tensor<5x64xf32>
  %x = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<5x64xf32>) {
  ^bb0(%unused: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = arith.subi %j, %i : index
    %n = arith.index_cast %k : index to i32
    %f = arith.sitofp %n : i32 to f32
    linalg.yield %f : f32
  } -> tensor<5x64xf32>
  return %x : tensor<5x64xf32>
}
