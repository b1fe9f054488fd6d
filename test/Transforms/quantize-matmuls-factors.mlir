// Factors that fusion has put into a product: they are computed before it, by an
// op of their own, and quantised.

// RUN: mx-opt %s --mx-quantize-matmuls=fallback=error | FileCheck %s

#mk = affine_map<(m, n, k) -> (m, k)>
#m = affine_map<(m, n, k) -> (m)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#policy = #mx.policy<lhs = <format = <mxfp4>>, rhs = <format = <mxfp4>>, rule = "mine", reason = "by hand">

// A norm's scale of each row; an element type that the operand does not have.

// CHECK-DAG:   #[[ROWS:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG:   #[[ROW:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-LABEL: func.func @scaled_rows(
// CHECK-SAME:      %[[X:.*]]: tensor<?x64xbf16>, %[[S:.*]]: tensor<?xf32>, %[[W:.*]]: tensor<64x8xf32>
// CHECK:         %[[F:.*]] = linalg.generic {indexing_maps = [#[[ROW]], #[[ROWS]], #[[ROWS]]], iterator_types = ["parallel", "parallel"]} ins(%[[S]], %[[X]] :
// CHECK-NEXT:    ^bb0(%[[B:.*]]: f32, %[[A:.*]]: bf16, %{{.*}}: f32):
// CHECK-NEXT:      %[[WIDE:.*]] = arith.extf %[[A]] : bf16 to f32
// CHECK-NEXT:      %[[Y:.*]] = arith.mulf %[[WIDE]], %[[B]] : f32
// CHECK-NEXT:      linalg.yield %[[Y]] : f32
// CHECK:         mx.quantize <mxfp4> axis = 1 ins(%[[F]] : tensor<?x64xf32>)
// CHECK:         mx.quantize <mxfp4> axis = 0 ins(%[[W]]
// CHECK:         mx.matmul
func.func @scaled_rows(%x: tensor<?x64xbf16>, %s: tensor<?xf32>, %w: tensor<64x8xf32>, %c: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = linalg.generic {indexing_maps = [#mk, #m, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %s, %w : tensor<?x64xbf16>, tensor<?xf32>, tensor<64x8xf32>) outs(%c : tensor<?x8xf32>) attrs = {mx.policy = #policy} {
  ^bb0(%in: bf16, %scale: f32, %weight: f32, %out: f32):
    %1 = arith.extf %in : bf16 to f32
    %2 = arith.mulf %1, %scale : f32
    %3 = arith.mulf %2, %weight : f32
    %4 = arith.addf %out, %3 : f32
    linalg.yield %4 : f32
  } -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// Two reduction dimensions, an operand with a unit dimension, a number from
// outside.

// CHECK-LABEL: func.func @two_reductions(
// CHECK:         %[[F:.*]] = linalg.generic
// CHECK:           math.exp
// CHECK:         } -> tensor<3x4x8xf32>
// CHECK:         %[[K:.*]] = tensor.collapse_shape %[[F]] {{\[}}[0], [1, 2]] : tensor<3x4x8xf32> into tensor<3x32xf32>
// CHECK:         mx.quantize <mxfp4> axis = 1 ins(%[[K]]
func.func @two_reductions(%x: tensor<3x1x4x8xf32>, %w: tensor<4x8x16xf32>, %c: tensor<3x16xf32>, %factor: f32) -> tensor<3x16xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(s, e, h, d) -> (s, 0, h, d)>, affine_map<(s, e, h, d) -> (h, d, e)>, affine_map<(s, e, h, d) -> (s, e)>],
                       iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<3x1x4x8xf32>, tensor<4x8x16xf32>) outs(%c : tensor<3x16xf32>) attrs = {mx.policy = #policy} {
  ^bb0(%in: f32, %weight: f32, %out: f32):
    %1 = arith.mulf %in, %factor : f32
    %2 = math.exp %1 : f32
    %3 = arith.mulf %weight, %2 : f32
    %4 = arith.addf %3, %out : f32
    linalg.yield %4 : f32
  } -> tensor<3x16xf32>
  return %0 : tensor<3x16xf32>
}
