// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 --mx-report-plan=output=- -o /dev/null | FileCheck %s

// Each spelling of a product of an activation with a weight.

// CHECK-LABEL: Precision plan of @named
// CHECK:       linalg.matmul linear 4x8x64 mxfp8_e4m3 mxfp8_e4m3
func.func @named(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: Precision plan of @transposed_map
// CHECK:       linalg.matmul linear 4x8x64
#a = affine_map<(m, n, k) -> (m, k)>
#bt = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
func.func @transposed_map(%x: tensor<4x64xf32>, %w: tensor<8x64xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = linalg.matmul indexing_maps = [#a, #bt, #c] ins(%x, %w : tensor<4x64xf32>, tensor<8x64xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: Precision plan of @contract
// CHECK:       linalg.contract linear 4x8x64
func.func @contract(%x: tensor<4x64xf16>, %w: tensor<8x64xf16>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = linalg.contract indexing_maps = [#a, #bt, #c] ins(%x, %w : tensor<4x64xf16>, tensor<8x64xf16>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: Precision plan of @generic_addend_first
// CHECK:       linalg.generic linear 4x8x64
func.func @generic_addend_first(%x: tensor<4x64xf32>, %w: tensor<8x64xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = linalg.generic {indexing_maps = [#a, #bt, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x64xf32>, tensor<8x64xf32>) outs(%c : tensor<4x8xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = arith.mulf %in_0, %in : f32
    %2 = arith.addf %1, %out : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// A conversion inside of the body; several batch dimensions of unknown extent.

// CHECK-LABEL: Precision plan of @generic_extends_inside
// CHECK:       linalg.generic linear ?x8x64 mxfp8_e4m3 mxfp8_e4m3
func.func @generic_extends_inside(%x: tensor<?x?x64xbf16>, %w: tensor<8x64xbf16>, %c: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(a, b, n, k) -> (a, b, k)>, affine_map<(a, b, n, k) -> (n, k)>,
                                        affine_map<(a, b, n, k) -> (a, b, n)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x?x64xbf16>, tensor<8x64xbf16>) outs(%c : tensor<?x?x8xf32>) {
  ^bb0(%in: bf16, %in_0: bf16, %out: f32):
    %1 = arith.extf %in : bf16 to f32
    %2 = arith.extf %in_0 : bf16 to f32
    %3 = arith.mulf %1, %2 : f32
    %4 = arith.addf %out, %3 : f32
    linalg.yield %4 : f32
  } -> tensor<?x?x8xf32>
  return %0 : tensor<?x?x8xf32>
}

// CHECK-LABEL: Precision plan of @multiply_add
// CHECK:       linalg.generic linear 4x8x64
func.func @multiply_add(%x: tensor<4x64xf32>, %w: tensor<8x64xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = linalg.generic {indexing_maps = [#a, #bt, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x64xf32>, tensor<8x64xf32>) outs(%c : tensor<4x8xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = math.fma %in, %in_0, %out : f32
    linalg.yield %1 : f32
  } -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// Rank 1.

// CHECK-LABEL: Precision plan of @vecmat
// CHECK:       linalg.vecmat linear 1x8x64
func.func @vecmat(%x: tensor<64xf32>, %w: tensor<64x8xf32>, %c: tensor<8xf32>) -> tensor<8xf32> {
  %0 = linalg.vecmat ins(%x, %w : tensor<64xf32>, tensor<64x8xf32>) outs(%c : tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// CHECK-LABEL: Precision plan of @matvec
// CHECK:       linalg.matvec w linear 8x1x64
func.func @matvec(%w: tensor<8x64xf32> {mx.parameter = "w"}, %x: tensor<64xf32>, %c: tensor<8xf32>) -> tensor<8xf32> {
  %0 = linalg.matvec ins(%w, %x : tensor<8x64xf32>, tensor<64xf32>) outs(%c : tensor<8xf32>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// Two reduction dimensions.

// CHECK-LABEL: Precision plan of @two_reductions
// CHECK:       linalg.generic linear 6x16x32
func.func @two_reductions(%x: tensor<2x3x4x8xf32>, %w: tensor<4x8x16xf32>, %c: tensor<2x3x16xf32>) -> tensor<2x3x16xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(b, s, e, h, d) -> (b, s, h, d)>, affine_map<(b, s, e, h, d) -> (h, d, e)>,
                                        affine_map<(b, s, e, h, d) -> (b, s, e)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<2x3x4x8xf32>, tensor<4x8x16xf32>) outs(%c : tensor<2x3x16xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = arith.mulf %in, %in_0 : f32
    %2 = arith.addf %out, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<2x3x16xf32>
  return %0 : tensor<2x3x16xf32>
}

// One op, two products: an entry for each.

// CHECK-LABEL: Precision plan of @gate_and_up
// CHECK:       linalg.generic linear 4x8x64
// CHECK-NEXT:  linalg.generic linear 4x8x64
func.func @gate_and_up(%x: tensor<4x64xf32>, %g: tensor<8x64xf32>, %u: tensor<8x64xf32>, %c: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %0:2 = linalg.generic {indexing_maps = [#a, #bt, #bt, #c, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %g, %u : tensor<4x64xf32>, tensor<8x64xf32>, tensor<8x64xf32>) outs(%c, %c : tensor<4x8xf32>, tensor<4x8xf32>) {
  ^bb0(%in: f32, %in_0: f32, %in_1: f32, %out: f32, %out_2: f32):
    %1 = arith.mulf %in, %in_0 : f32
    %2 = arith.addf %out, %1 : f32
    %3 = arith.mulf %in, %in_1 : f32
    %4 = arith.addf %3, %out_2 : f32
    linalg.yield %2, %4 : f32, f32
  } -> (tensor<4x8xf32>, tensor<4x8xf32>)
  return %0#0, %0#1 : tensor<4x8xf32>, tensor<4x8xf32>
}

// A unit dimension that is read at 0.

// CHECK-LABEL: Precision plan of @unit_read
// CHECK:       linalg.generic linear 4x8x64
func.func @unit_read(%x: tensor<4x64xf32>, %w: tensor<1x64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = linalg.generic {indexing_maps = [#a, affine_map<(m, n, k) -> (0, k, n)>, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x64xf32>, tensor<1x64x8xf32>) outs(%c : tensor<4x8xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = arith.mulf %in, %in_0 : f32
    %2 = arith.addf %out, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// No products: sums of squares, of products without rows or columns of their
// own, of plain values.

// CHECK-LABEL: Precision plan of @sums
// CHECK-NEXT:  index
// CHECK-NEXT:  linalg.matmul
// CHECK-NOT:   linalg.generic
func.func @sums(%x: tensor<4x64xf32>, %y: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4xf32>, %d: tensor<4x8xf32>)
    -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>) {
  %0 = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x64xf32>) outs(%c : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %5 = arith.mulf %in, %in : f32
    %6 = arith.addf %out, %5 : f32
    linalg.yield %6 : f32
  } -> tensor<4xf32>
  %1 = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>], iterator_types = ["parallel", "reduction"]}
      ins(%x, %y : tensor<4x64xf32>, tensor<4x64xf32>) outs(%c : tensor<4xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %5 = arith.mulf %in, %in_0 : f32
    %6 = arith.addf %out, %5 : f32
    linalg.yield %6 : f32
  } -> tensor<4xf32>
  %2 = linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x64xf32>) outs(%c : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %6 = arith.addf %out, %in : f32
    linalg.yield %6 : f32
  } -> tensor<4xf32>
  %3 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%d : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0, %1, %2, %3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4x8xf32>
}
