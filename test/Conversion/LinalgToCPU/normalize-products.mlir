// RUN: mx-opt %s --mx-cpu-normalize-products --canonicalize | FileCheck %s

// CHECK-DAG: #[[MK:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[NK:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[MN:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>

// The weight is read as it is stored.
// CHECK-LABEL: func.func @transposed_weight
// CHECK-SAME: %[[X:.+]]: tensor<4x8xf32>, %[[W:.+]]: tensor<16x8xf32>
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic {indexing_maps = [#[[MK]], #[[NK]], #[[MN]]]
// CHECK-SAME: ins(%[[X]], %[[W]] : tensor<4x8xf32>, tensor<16x8xf32>)
func.func @transposed_weight(%x: tensor<4x8xf32>, %w: tensor<16x8xf32>, %c: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %e = tensor.empty() : tensor<8x16xf32>
  %t = linalg.transpose ins(%w : tensor<16x8xf32>) outs(%e : tensor<8x16xf32>) permutation = [1, 0]
  %0 = linalg.matmul ins(%x, %t : tensor<4x8xf32>, tensor<8x16xf32>) outs(%c : tensor<4x16xf32>) -> tensor<4x16xf32>
  return %0 : tensor<4x16xf32>
}

// A weight that is repeated for each batch makes the batch one more dimension
// of rows.
// CHECK-LABEL: func.func @broadcast_weight
// CHECK-NOT: linalg.broadcast
// CHECK: linalg.generic
// CHECK-SAME: ins(%{{.+}}, %{{.+}} : tensor<2x4x8xf32>, tensor<8x16xf32>)
func.func @broadcast_weight(%x: tensor<2x4x8xf32>, %w: tensor<8x16xf32>, %c: tensor<2x4x16xf32>) -> tensor<2x4x16xf32> {
  %e = tensor.empty() : tensor<2x8x16xf32>
  %b = linalg.broadcast ins(%w : tensor<8x16xf32>) outs(%e : tensor<2x8x16xf32>) dimensions = [0]
  %0 = linalg.batch_matmul ins(%x, %b : tensor<2x4x8xf32>, tensor<2x8x16xf32>) outs(%c : tensor<2x4x16xf32>) -> tensor<2x4x16xf32>
  return %0 : tensor<2x4x16xf32>
}

// One extension of the left operand, one for each right operand.
// CHECK-LABEL: func.func @narrow
// CHECK-COUNT-3: arith.extf
// CHECK-NOT: arith.extf
func.func @narrow(%x: tensor<4x8xbf16>, %v: tensor<8x16xbf16>, %w: tensor<8x16xbf16>, %c: tensor<4x16xf32>)
    -> (tensor<4x16xf32>, tensor<4x16xf32>) {
  %0 = linalg.matmul ins(%x, %v : tensor<4x8xbf16>, tensor<8x16xbf16>) outs(%c : tensor<4x16xf32>) -> tensor<4x16xf32>
  %1 = linalg.matmul ins(%x, %w : tensor<4x8xbf16>, tensor<8x16xbf16>) outs(%c : tensor<4x16xf32>) -> tensor<4x16xf32>
  return %0, %1 : tensor<4x16xf32>, tensor<4x16xf32>
}

// CHECK-LABEL: func.func @unit_dimensions
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "reduction"]
func.func @unit_dimensions(%x: tensor<1x1x8xf32>, %w: tensor<1x8x16xf32>, %c: tensor<1x1x16xf32>) -> tensor<1x1x16xf32> {
  %0 = linalg.batch_matmul ins(%x, %w : tensor<1x1x8xf32>, tensor<1x8x16xf32>) outs(%c : tensor<1x1x16xf32>) -> tensor<1x1x16xf32>
  return %0 : tensor<1x1x16xf32>
}

// Sums in bf16 are rounded at each step: not a product of this kind.
// CHECK-LABEL: func.func @narrow_sum
// CHECK: linalg.matmul
func.func @narrow_sum(%x: tensor<4x8xbf16>, %w: tensor<8x16xbf16>, %c: tensor<4x16xbf16>) -> tensor<4x16xbf16> {
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xbf16>, tensor<8x16xbf16>) outs(%c : tensor<4x16xbf16>) -> tensor<4x16xbf16>
  return %0 : tensor<4x16xbf16>
}

// A fill is no copy of the scalar that it takes.
// CHECK-LABEL: func.func @filled
// CHECK: %[[FILL:.*]] = linalg.fill
// CHECK: linalg.generic {{.*}} ins(%[[FILL]],
func.func @filled(%w: tensor<64x64xf32>) -> tensor<8x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x64xf32>) -> tensor<8x64xf32>
  %0 = linalg.matmul ins(%f, %w : tensor<8x64xf32>, tensor<64x64xf32>) outs(%f : tensor<8x64xf32>) -> tensor<8x64xf32>
  return %0 : tensor<8x64xf32>
}
