// RUN: mx-opt %s --convert-mx-to-linalg --split-input-file | FileCheck %s

// Each quantised operand: one parallel op from codes and scales to f32. Then
// one contraction, on the accumulator itself where it is f32.

// CHECK-LABEL: func.func @nvfp4(
// CHECK-SAME: %[[A:[a-z0-9]+]]: tensor<4x64xi8>, %[[SA:[a-z0-9]+]]: tensor<4x4xi8>, %[[GA:[a-z0-9]+]]: tensor<f32>, %[[B:[a-z0-9]+]]: tensor<8x64xi8>, %[[SB:[a-z0-9]+]]: tensor<8x4xi8>, %[[GB:[a-z0-9]+]]: tensor<f32>, %[[C:[a-z0-9]+]]: tensor<4x8xf32>)
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
// CHECK-SAME: %[[A:[a-z0-9]+]]: tensor<2x4x64xbf16>, %{{.*}}: tensor<8x64xi8>, %{{.*}}: tensor<8x2xi8>, %[[BIAS:[a-z0-9]+]]: tensor<8xbf16>, %[[C:[a-z0-9]+]]: tensor<2x4x8xbf16>)
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

// -----

// Maps are the op's: a weight with K first, a transposed result, a bias along
// both dimensions. The sum is in f32 and so promoted at every step.

// CHECK-DAG: #[[LHS:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[RHS:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG: #[[OUT:.*]] = affine_map<(d0, d1, d2) -> (d1, d0)>
// CHECK-DAG: #[[SAME:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[SWAPPED:.*]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-LABEL: func.func @transposed(
// CHECK-SAME: %[[BIAS:[a-z0-9]+]]: tensor<4x128xf32>, %[[C:[a-z0-9]+]]: tensor<128x4xf32>)
func.func @transposed(%a: tensor<4x256xf8E4M3FN>, %sa: tensor<4x2xf32>, %b: tensor<256x128xf8E4M3FN>, %sb: tensor<2x1xf32>,
                      %bias: tensor<4x128xf32>, %c: tensor<128x4xf32>) -> tensor<128x4xf32> {
  // CHECK: %[[INIT:.*]] = linalg.generic {indexing_maps = [#[[SAME]], #[[SWAPPED]], #[[SAME]]], {{.*}} ins(%[[C]], %[[BIAS]] : tensor<128x4xf32>, tensor<4x128xf32>)
  // CHECK: arith.addf
  // CHECK: %[[D:.*]] = linalg.generic {indexing_maps = [#[[LHS]], #[[RHS]], #[[OUT]]], iterator_types = ["parallel", "parallel", "reduction"]} ins(%{{.*}}, %{{.*}} : tensor<4x256xf32>, tensor<256x128xf32>) outs(%[[INIT]] : tensor<128x4xf32>)
  // CHECK: arith.mulf %{{.*}} : f32
  // CHECK: arith.addf %{{.*}} : f32
  // CHECK: return %[[D]]
  %d = mx.matmul lhs(%a, %sa : tensor<4x256xf8E4M3FN>, tensor<4x2xf32>) as <fp8_block_act>
      rhs(%b, %sb : tensor<256x128xf8E4M3FN>, tensor<2x1xf32>) as <fp8_block_weight>
      bias(%bias : tensor<4x128xf32>) outs(%c : tensor<128x4xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                       affine_map<(m, n, k) -> (m, n)>, affine_map<(m, n, k) -> (n, m)>]
      {promote_every = 128 : i64} -> tensor<128x4xf32>
  return %d : tensor<128x4xf32>
}
