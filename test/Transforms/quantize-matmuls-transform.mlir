// Hadamard transforms of both operands along K, before they are quantised.

// RUN: mx-opt %s --mx-quantize-matmuls -verify-diagnostics | FileCheck %s
// RUN: not mx-opt %s --mx-quantize-matmuls=fallback=error 2>&1 | FileCheck %s --check-prefix=ERROR

#both = #mx.policy<lhs = <format = <nvfp4>, transform = <rht16>>, rhs = <format = <nvfp4>, transform = <rht16>>, rule = "mine", reason = "test">

// The maximum is that of the transformed values; the transform of a widened
// value is in the type that it had.

// CHECK-LABEL: func.func @product(
// CHECK-SAME:      %[[X:.*]]: tensor<4x64xbf16>, %[[W:.*]]: tensor<64x8xf32>
// CHECK:         %[[HX:.*]] = mx.hadamard <rht16> axis = 1 ins(%[[X]] : tensor<4x64xbf16>) {{.*}} -> tensor<4x64xbf16>
// CHECK:         %[[AX:.*]] = mx.amax ins(%[[HX]]
// CHECK:         mx.quantize <nvfp4> axis = 1 ins(%[[HX]] : tensor<4x64xbf16>) amax(%[[AX]]
// CHECK:         %[[HW:.*]] = mx.hadamard <rht16> axis = 0 ins(%[[W]] : tensor<64x8xf32>) {{.*}} -> tensor<64x8xf32>
// CHECK:         %[[AW:.*]] = mx.amax ins(%[[HW]]
// CHECK:         mx.quantize <nvfp4> axis = 0 ins(%[[HW]] : tensor<64x8xf32>) amax(%[[AW]]
// CHECK:         mx.matmul
func.func @product(%x: tensor<4x64xbf16>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>, %i: tensor<4x64xf32>) -> tensor<4x8xf32> {
  %wide = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m, k)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x64xbf16>) outs(%i : tensor<4x64xf32>) {
  ^bb0(%in: bf16, %out: f32):
    %f = arith.extf %in : bf16 to f32
    linalg.yield %f : f32
  } -> tensor<4x64xf32>
  %0 = linalg.matmul {mx.policy = #both} ins(%wide, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// Two reduction dimensions are one; K is 4 x 8 = 2 groups of 16.

// CHECK-LABEL: func.func @two_reductions(
// CHECK:         mx.hadamard <rht16> axis = 1 ins(%{{.*}} : tensor<3x32xf32>)
// CHECK:         mx.hadamard <rht16> axis = 0 ins(%{{.*}} : tensor<32x16xf32>)
func.func @two_reductions(%x: tensor<3x4x8xf32>, %w: tensor<4x8x16xf32>, %c: tensor<3x16xf32>) -> tensor<3x16xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(s, e, h, d) -> (s, h, d)>, affine_map<(s, e, h, d) -> (h, d, e)>, affine_map<(s, e, h, d) -> (s, e)>],
                       iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<3x4x8xf32>, tensor<4x8x16xf32>) outs(%c : tensor<3x16xf32>) attrs = {mx.policy = #both} {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = arith.mulf %in, %in_0 : f32
    %2 = arith.addf %out, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<3x16xf32>
  return %0 : tensor<3x16xf32>
}

// ERROR: error: cannot be quantised: K is 40, which a transform of size 16 must divide
func.func @ragged(%x: tensor<4x40xf32>, %w: tensor<40x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-remark @+1 {{kept in high precision: K is 40, which a transform of size 16 must divide}}
  %0 = linalg.matmul {mx.policy = #both} ins(%x, %w : tensor<4x40xf32>, tensor<40x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// ERROR: error: cannot be quantised: K is dynamic, which a transform of size 16 must divide
func.func @dynamic(%x: tensor<4x?xf32>, %w: tensor<?x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-remark @+1 {{kept in high precision: K is dynamic, which a transform of size 16 must divide}}
  %0 = linalg.matmul {mx.policy = #both} ins(%x, %w : tensor<4x?xf32>, tensor<?x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
