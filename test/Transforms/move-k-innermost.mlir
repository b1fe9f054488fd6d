// RUN: mx-opt %s -split-input-file -mx-move-k-innermost | FileCheck %s

// A weight as linalg.matmul has it, quantised here: its transpose is quantised.
// The activations stay.
// CHECK-LABEL: func @weight(
// CHECK-SAME: %[[X:.*]]: tensor<4x64xf32>, %[[W:.*]]: tensor<64x8xf32>, %[[C:.*]]: tensor<4x8xf32>)
func.func @weight(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: %[[T:.*]] = linalg.transpose ins(%[[W]] : tensor<64x8xf32>) outs(%{{.*}} : tensor<8x64xf32>) permutation = [1, 0]
  // CHECK: %[[Q:.*]]:2 = mx.quantize <mxfp4> axis = 1 ins(%[[T]] : tensor<8x64xf32>) {{.*}} {mx.role = #mx.role<linear>} -> tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>
  // CHECK-NOT: mx.quantize
  %e = tensor.empty() : tensor<64x8xf4E2M1FN>
  %f = tensor.empty() : tensor<2x8xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp4> axis = 0 ins(%w : tensor<64x8xf32>)
      outs(%e, %f : tensor<64x8xf4E2M1FN>, tensor<2x8xf8E8M0FNU>) {mx.role = #mx.role<linear>}
      -> tensor<64x8xf4E2M1FN>, tensor<2x8xf8E8M0FNU>
  // CHECK: mx.matmul lhs(%[[X]] : tensor<4x64xf32>) rhs(%[[Q]]#0, %[[Q]]#1 : tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) as <mxfp4>
  // CHECK-SAME: indexing_maps = [#[[LHS:.*]], #[[RHS:.*]], #{{.*}}]
  %d = mx.matmul lhs(%x : tensor<4x64xf32>)
      rhs(%q#0, %q#1 : tensor<64x8xf4E2M1FN>, tensor<2x8xf8E8M0FNU>) as <mxfp4>
      outs(%c : tensor<4x8xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                       affine_map<(m, n, k) -> (m, n)>] -> tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}

// -----

// Two products share what is quantised; a third use keeps the original.
// CHECK-LABEL: func @shared
func.func @shared(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>)
    -> (tensor<4x8xf32>, tensor<4x8xf32>, tensor<64x8xf8E4M3FN>) {
  // CHECK-COUNT-2: mx.quantize
  // CHECK-NOT: mx.quantize
  %e = tensor.empty() : tensor<64x8xf8E4M3FN>
  %f = tensor.empty() : tensor<2x8xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp8_e4m3> axis = 0 ins(%w : tensor<64x8xf32>)
      outs(%e, %f : tensor<64x8xf8E4M3FN>, tensor<2x8xf8E8M0FNU>) -> tensor<64x8xf8E4M3FN>, tensor<2x8xf8E8M0FNU>
  %d0 = mx.matmul lhs(%x : tensor<4x64xf32>)
      rhs(%q#0, %q#1 : tensor<64x8xf8E4M3FN>, tensor<2x8xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<4x8xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                       affine_map<(m, n, k) -> (m, n)>] -> tensor<4x8xf32>
  %d1 = mx.matmul lhs(%x : tensor<4x64xf32>)
      rhs(%q#0, %q#1 : tensor<64x8xf8E4M3FN>, tensor<2x8xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%d0 : tensor<4x8xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                       affine_map<(m, n, k) -> (m, n)>] -> tensor<4x8xf32>
  return %d0, %d1, %q#0 : tensor<4x8xf32>, tensor<4x8xf32>, tensor<64x8xf8E4M3FN>
}

// -----

// Operands from outside, batched, with dynamic extents: transposed as they are.
// CHECK-DAG: #[[LHS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK-DAG: #[[RHS:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
// CHECK-LABEL: func @outside(
// CHECK-SAME: %[[A:.*]]: tensor<2x?x8xf32>
func.func @outside(%a: tensor<2x?x8xf32>, %b: tensor<2x?x16xf8E4M3FN>, %s: tensor<2x?x16xf8E8M0FNU>, %c: tensor<2x8x16xf32>) -> tensor<2x8x16xf32> {
  // CHECK: linalg.transpose ins(%[[A]] : tensor<2x?x8xf32>) outs(%{{.*}} : tensor<2x8x?xf32>) permutation = [0, 2, 1]
  // CHECK: linalg.transpose ins(%{{.*}} : tensor<2x?x16xf8E4M3FN>) outs(%{{.*}} : tensor<2x16x?xf8E4M3FN>) permutation = [0, 2, 1]
  // CHECK: linalg.transpose ins(%{{.*}} : tensor<2x?x16xf8E8M0FNU>)
  // CHECK: mx.matmul {{.*}} indexing_maps = [#[[LHS]], #[[RHS]], #{{.*}}]
  %d = mx.matmul lhs(%a : tensor<2x?x8xf32>)
      rhs(%b, %s : tensor<2x?x16xf8E4M3FN>, tensor<2x?x16xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<2x8x16xf32>)
      indexing_maps = [affine_map<(b, m, n, k) -> (b, k, m)>, affine_map<(b, m, n, k) -> (b, k, n)>,
                       affine_map<(b, m, n, k) -> (b, m, n)>] -> tensor<2x8x16xf32>
  return %d : tensor<2x8x16xf32>
}
