// RUN: mx-opt %s --convert-mx-to-linalg --split-input-file | FileCheck %s

// Row maxima first, so that rows can be shared out; the init is a maximum too.

// CHECK-LABEL: func.func @amax(
// CHECK-SAME: %[[X:.*]]: tensor<4x8x64xbf16>, %[[INIT:.*]]: tensor<f32>)
func.func @amax(%x: tensor<4x8x64xbf16>, %init: tensor<f32>) -> tensor<f32> {
  // CHECK: %[[ROWS:.*]] = linalg.generic {{.*}}["parallel", "reduction", "reduction"]} ins(%[[X]] : tensor<4x8x64xbf16>) outs(%{{.*}} : tensor<4xf32>)
  // CHECK: arith.maximumf
  // CHECK: linalg.generic {{.*}}["reduction"]} ins(%[[ROWS]] : tensor<4xf32>) outs(%[[INIT]] : tensor<f32>)
  %a = mx.amax ins(%x : tensor<4x8x64xbf16>) outs(%init : tensor<f32>) -> tensor<f32>
  return %a : tensor<f32>
}

// -----

// Groups of n times a matrix, the inner of the two new loops parallel; no
// addition that may be reordered.

// CHECK: #[[GROUP:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK: #[[MATRIX:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
// CHECK: #[[RESULT:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-LABEL: func.func @hadamard(
func.func @hadamard(%x: tensor<?x8xf32>, %e: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: dense<{{\[\[}}1.000000e+00, 1.000000e+00], [-1.000000e+00, 1.000000e+00]]> : tensor<2x2xf32>
  // CHECK: linalg.generic {indexing_maps = [#[[GROUP]], #[[MATRIX]], #[[RESULT]]], iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
  // CHECK: arith.negf
  // CHECK: arith.subf
  // CHECK-NOT: arith.addf
  %y = mx.hadamard <2, signs = [1, -1]> axis = 1 ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func.func @stats(
// CHECK-SAME: %[[X:.*]]: tensor<4x64xf32>, %[[Q:.*]]: tensor<4x64xi8>, %[[S:.*]]: tensor<4x2xi8>, %[[E:.*]]: tensor<4xf32>)
func.func @stats(%x: tensor<4x64xf32>, %q: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>, %e: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: %[[D:.*]] = tensor.collapse_shape
  // CHECK: linalg.generic {{.*}}["reduction", "reduction"]} ins(%[[X]], %[[D]], %[[Q]] :
  // CHECK: linalg.generic {{.*}}["reduction", "reduction"]} ins(%[[Q]] : tensor<4x64xi8>) outs(%{{.*}} : tensor<i64>)
  // CHECK: math.ctpop
  // CHECK: tensor.insert %{{.*}} into %[[E]]
  %r = mx.stats <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
      quantized(%q, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

// Packed on both sides along K: as many elements as the bytes hold. The
// weight's scales are swizzled.

// CHECK-LABEL: func.func @packed_matmul(
// CHECK-SAME: %[[A:.*]]: tensor<4x32xi8>, %{{.*}}: tensor<4x2xi8>, %[[B:.*]]: tensor<8x32xi8>, %[[SB:.*]]: tensor<1x1x32x4x4xi8>,
func.func @packed_matmul(%a: tensor<4x32xi8>, %sa: tensor<4x2xf8E8M0FNU>, %b: tensor<8x32xi8>,
                         %sb: tensor<8x2xf8E8M0FNU, #mx.layout<tile_128x4>>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: %[[AU:.*]] = linalg.generic {{.*}} ins(%[[A]] : tensor<4x32xi8>) outs(%{{.*}} : tensor<4x32x2xi8>)
  // CHECK: tensor.collapse_shape %[[AU]]
  // CHECK: linalg.generic {{.*}} ins(%[[B]] : tensor<8x32xi8>) outs(%{{.*}} : tensor<8x32x2xi8>)
  // CHECK: linalg.transpose ins(%[[SB]] :
  // CHECK: linalg.generic {{.*}}"reduction"]} ins(%{{.*}} : tensor<4x64xf32>, tensor<8x64xf32>)
  %d = mx.matmul lhs(%a, %sa : tensor<4x32xi8>, tensor<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%b, %sb : tensor<8x32xi8>, tensor<8x2xf8E8M0FNU, #mx.layout<tile_128x4>>) as <mxfp4>
      outs(%c : tensor<4x8xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                       affine_map<(m, n, k) -> (m, n)>] -> tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}
