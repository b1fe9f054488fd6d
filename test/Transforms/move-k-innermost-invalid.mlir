// RUN: mx-opt %s -split-input-file -verify-diagnostics -mx-move-k-innermost

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
func.func @packed(%x: tensor<4x64xf32>, %q: tensor<64x8xf4E2M1FN>, %s: tensor<2x8xf8E8M0FNU>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error@below {{rhs has codes of fewer than 8 bits and K is not their last dimension; quantise the transpose}}
  %d = mx.matmul lhs(%x : tensor<4x64xf32>)
      rhs(%q, %s : tensor<64x8xf4E2M1FN>, tensor<2x8xf8E8M0FNU>) as <mxfp4>
      outs(%c : tensor<4x8xf32>) indexing_maps = #maps -> tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
func.func @stochastic(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %seed: i64, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<64x8xf4E2M1FN>
  %f = tensor.empty() : tensor<2x8xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp4> axis = 0 rounding = <sr> ins(%w : tensor<64x8xf32>) random(%seed, %seed)
      outs(%e, %f : tensor<64x8xf4E2M1FN>, tensor<2x8xf8E8M0FNU>) -> tensor<64x8xf4E2M1FN>, tensor<2x8xf8E8M0FNU>
  // expected-error@below {{rhs is rounded stochastically and K is not its last dimension; quantise its transpose}}
  %d = mx.matmul lhs(%x : tensor<4x64xf32>)
      rhs(%q#0, %q#1 : tensor<64x8xf4E2M1FN>, tensor<2x8xf8E8M0FNU>) as <mxfp4>
      outs(%c : tensor<4x8xf32>) indexing_maps = #maps -> tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
func.func @buffers(%x: memref<4x64xf32>, %w: memref<64x8xf8E4M3FN>, %s: memref<2x8xf8E8M0FNU>, %c: memref<4x8xf32>) {
  // expected-error@below {{on memrefs cannot be transposed}}
  mx.matmul lhs(%x : memref<4x64xf32>) rhs(%w, %s : memref<64x8xf8E4M3FN>, memref<2x8xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : memref<4x8xf32>) indexing_maps = #maps
  return
}
