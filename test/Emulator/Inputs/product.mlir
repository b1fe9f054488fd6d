// A product whose operands are quantised to the formats LHS and RHS; 64 x 64 with K = 1536, so that stages are used
// several times.
func.func @main(%a: tensor<64x1536xf32>, %b: tensor<1536x64xf32>) -> tensor<64x64xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<64x64xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<64x64xf32>) -> tensor<64x64xf32>
  %d = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <LHS>>, rhs = <format = <RHS>>,
      rule = "mutation", reason = "mutation">}
      ins(%a, %b : tensor<64x1536xf32>, tensor<1536x64xf32>) outs(%init : tensor<64x64xf32>) -> tensor<64x64xf32>
  return %d : tensor<64x64xf32>
}
