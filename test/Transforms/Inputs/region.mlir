// A quantisation along another than the last dimension, with a prologue.
func.func @main(%x: tensor<64x4xf32>, %a: tensor<8x64xf32>, %e: tensor<64x4xf4E2M1FN>, %s: tensor<2x4xf8E8M0FNU>, %c: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %q:2 = mx.quantize <mxfp4> axis = 0 ins(%x : tensor<64x4xf32>) outs(%e, %s : tensor<64x4xf4E2M1FN>, tensor<2x4xf8E8M0FNU>)
      -> tensor<64x4xf4E2M1FN>, tensor<2x4xf8E8M0FNU> prologue {
  ^bb0(%in: f32):
    %0 = math.tanh %in : f32
    mx.yield %0 : f32
  }
  %d = mx.matmul lhs(%a : tensor<8x64xf32>) rhs(%q#0, %q#1 : tensor<64x4xf4E2M1FN>, tensor<2x4xf8E8M0FNU>) as <mxfp4>
      outs(%c : tensor<8x4xf32>) indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
      -> tensor<8x4xf32>
  return %d : tensor<8x4xf32>
}
