// RUN: mx-opt %s --convert-mx-to-linalg --split-input-file | FileCheck %s

// Each quantised operand: one parallel op from codes and scales to f32. Then
// one contraction, on the accumulator itself where it is f32.

// CHECK-LABEL: func.func @nvfp4(
// CHECK-SAME: %[[A:.*]]: tensor<4x64xi8>, %[[SA:.*]]: tensor<4x4xi8>, %[[GA:.*]]: tensor<f32>, %[[B:.*]]: tensor<8x64xi8>, %[[SB:.*]]: tensor<8x4xi8>, %[[GB:.*]]: tensor<f32>, %[[C:.*]]: tensor<4x8xf32>)
func.func @nvfp4(%a: tensor<4x64xf4E2M1FN>, %sa: tensor<4x4xf8E4M3FN>, %ga: tensor<f32>,
                 %b: tensor<8x64xf4E2M1FN>, %sb: tensor<8x4xf8E4M3FN>, %gb: tensor<f32>,
                 %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: %[[AV:.*]] = tensor.expand_shape %[[A]]
  // CHECK: %[[AD:.*]] = linalg.generic {{.*}}["parallel", "parallel", "parallel"]} ins(%[[AV]], %[[SA]], %[[GA]] : tensor<4x4x16xi8>, tensor<4x4xi8>, tensor<f32>) outs(%{{.*}} : tensor<4x4x16xf32>)
  // CHECK: %[[AF:.*]] = tensor.collapse_shape %[[AD]]
  // CHECK: %[[BV:.*]] = tensor.expand_shape %[[B]]
  // CHECK: %[[BD:.*]] = linalg.generic {{.*}}["parallel", "parallel", "parallel"]} ins(%[[BV]], %[[SB]], %[[GB]] :
  // CHECK: %[[BF:.*]] = tensor.collapse_shape %[[BD]]
  // CHECK: %[[D:.*]] = linalg.generic {{.*}}["parallel", "parallel", "reduction"]} ins(%[[AF]], %[[BF]] : tensor<4x64xf32>, tensor<8x64xf32>) outs(%[[C]] : tensor<4x8xf32>)
  // CHECK: return %[[D]]
  %d = mx.matmul lhs(%a, %sa, %ga : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
      rhs(%b, %sb, %gb : tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
      outs(%c : tensor<4x8xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                       affine_map<(m, n, k) -> (m, n)>] -> tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}

// -----

// A bf16 result with a bias: init + bias in f32, rounded once at the end. A
// batch, and a weight that has none.

// CHECK-LABEL: func.func @bias(
// CHECK-SAME: %[[A:.*]]: tensor<2x4x64xbf16>, %{{.*}}: tensor<8x64xi8>, %{{.*}}: tensor<8x2xi8>, %[[BIAS:.*]]: tensor<8xbf16>, %[[C:.*]]: tensor<2x4x8xbf16>)
func.func @bias(%a: tensor<2x4x64xbf16>, %b: tensor<8x64xf4E2M1FN>, %sb: tensor<8x2xf8E8M0FNU>,
                %bias: tensor<8xbf16>, %c: tensor<2x4x8xbf16>) -> tensor<2x4x8xbf16> {
  // CHECK: %[[AF:.*]] = linalg.generic {{.*}} ins(%[[A]] : tensor<2x4x64xbf16>) outs(%{{.*}} : tensor<2x4x64xf32>)
  // CHECK: %[[INIT:.*]] = linalg.generic {indexing_maps = [#[[MAP:.*]], #{{.*}}, #[[MAP]]], {{.*}} ins(%[[C]], %[[BIAS]] : tensor<2x4x8xbf16>, tensor<8xbf16>) outs(%{{.*}} : tensor<2x4x8xf32>)
  // CHECK: %[[SUM:.*]] = linalg.generic {{.*}}["parallel", "parallel", "parallel", "reduction"]} ins(%[[AF]], %{{.*}} : tensor<2x4x64xf32>, tensor<8x64xf32>) outs(%[[INIT]] : tensor<2x4x8xf32>) attrs = {mx.role = #mx.role<linear>}
  // CHECK: %[[D:.*]] = linalg.generic {{.*}} ins(%[[SUM]] : tensor<2x4x8xf32>) outs(%{{.*}} : tensor<2x4x8xbf16>)
  // CHECK: arith.truncf
  // CHECK: return %[[D]]
  %d = mx.matmul lhs(%a : tensor<2x4x64xbf16>)
      rhs(%b, %sb : tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) as <mxfp4>
      bias(%bias : tensor<8xbf16>) outs(%c : tensor<2x4x8xbf16>)
      indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (n, k)>,
                       affine_map<(b, m, n, k) -> (n)>, affine_map<(b, m, n, k) -> (b, m, n)>]
      {mx.role = #mx.role<linear>} -> tensor<2x4x8xbf16>
  return %d : tensor<2x4x8xbf16>
}
