// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 --mx-quantize-matmuls | FileCheck %s
// RUN: mx-opt %s --mx-annotate=scheme=nvfp4 --mx-quantize-matmuls | FileCheck %s --check-prefix=LEVEL2
// RUN: mx-opt %s --mx-annotate=scheme=int4 --mx-quantize-matmuls | FileCheck %s --check-prefix=WEIGHT

// A transposition around the weight is looked through and goes; the weight is
// quantised in its own layout. The result's map is the original one.

// CHECK-DAG:   #[[A:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG:   #[[BT:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG:   #[[B:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG:   #[[C:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>

// CHECK-LABEL: func.func @transposed
// CHECK-SAME:    %[[X:.*]]: tensor<4x64xf32>, %[[W:.*]]: tensor<8x64xf32>, %[[ACC:.*]]: tensor<4x8xf32>
// CHECK-NOT:     linalg.transpose ins
// CHECK:         %[[Q:.*]]:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%[[X]] : tensor<4x64xf32>)
// CHECK:         %[[P:.*]]:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%[[W]] : tensor<8x64xf32>)
// CHECK:         %[[R:.*]] = mx.matmul lhs(%[[Q]]#0, %[[Q]]#1 : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) as <mxfp8_e4m3>
// CHECK-SAME:      rhs(%[[P]]#0, %[[P]]#1 : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
// CHECK-SAME:      outs(%[[ACC]] : tensor<4x8xf32>) indexing_maps = [#[[A]], #[[BT]], #[[C]]]
// CHECK-SAME:      mx.id = 0 : i64, mx.role = #mx.role<linear>
// CHECK:         return %[[R]]

// The second level is a maximum of the same value.

// LEVEL2-LABEL: func.func @transposed
// LEVEL2-SAME:    %[[X:.*]]: tensor<4x64xf32>, %[[W:.*]]: tensor<8x64xf32>
// LEVEL2:         %[[AX:.*]] = mx.amax ins(%[[X]] : tensor<4x64xf32>)
// LEVEL2:         mx.quantize <nvfp4> axis = 1 ins(%[[X]] : tensor<4x64xf32>) amax(%[[AX]] : tensor<f32>)
// LEVEL2:         %[[AW:.*]] = mx.amax ins(%[[W]] : tensor<8x64xf32>)
// LEVEL2:         mx.quantize <nvfp4> axis = 1 ins(%[[W]] : tensor<8x64xf32>) amax(%[[AW]] : tensor<f32>)
// LEVEL2:         mx.matmul lhs(%{{.*}}, %{{.*}}, %[[AX]] : {{.*}}) as <nvfp4> rhs(%{{.*}}, %{{.*}}, %[[AW]] : {{.*}}) as <nvfp4>

// WEIGHT-LABEL: func.func @transposed
// WEIGHT-SAME:    %[[X:.*]]: tensor<4x64xf32>, %[[W:.*]]: tensor<8x64xf32>
// WEIGHT:         mx.quantize <int4_g128> axis = 1 ins(%[[W]] : tensor<8x64xf32>)
// WEIGHT-NOT:     mx.quantize
// WEIGHT:         mx.matmul lhs(%[[X]] : tensor<4x64xf32>) rhs(%{{.*}}, %{{.*}} : tensor<8x64xi4>, tensor<8x1xf32>) as <int4_g128>
func.func @transposed(%x: tensor<4x64xf32>, %w: tensor<8x64xf32>, %acc: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<64x8xf32>
  %t = linalg.transpose ins(%w : tensor<8x64xf32>) outs(%e : tensor<64x8xf32>) permutation = [1, 0]
  %0 = linalg.matmul ins(%x, %t : tensor<4x64xf32>, tensor<64x8xf32>) outs(%acc : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// Three layers on one value quantise it once. K of a weight may be its first
// dimension, and ragged.

// CHECK-LABEL: func.func @shared
// CHECK-SAME:    %[[X:.*]]: tensor<?x40xf32>
// CHECK-COUNT-1: mx.quantize <mxfp8_e4m3> axis = 1 ins(%[[X]] : tensor<?x40xf32>)
// CHECK:         mx.quantize <mxfp8_e4m3> axis = 0 ins(%{{.*}} : tensor<40x8xf32>) outs(%{{.*}}, %{{.*}} : tensor<40x8xf8E4M3FN>, tensor<2x8xf8E8M0FNU>)
// CHECK:         mx.matmul {{.*}} indexing_maps = [#[[A]], #[[B]], #[[C]]]
// CHECK-NOT:     ins(%[[X]]
// CHECK:         mx.matmul
// CHECK-NOT:     ins(%[[X]]
// CHECK:         mx.matmul
// CHECK:         return
func.func @shared(%x: tensor<?x40xf32>, %q: tensor<40x8xf32>, %k: tensor<40x8xf32>, %v: tensor<40x8xf32>, %c: tensor<?x8xf32>)
    -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) {
  %0 = linalg.matmul ins(%x, %q : tensor<?x40xf32>, tensor<40x8xf32>) outs(%c : tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = linalg.matmul ins(%x, %k : tensor<?x40xf32>, tensor<40x8xf32>) outs(%c : tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = linalg.matmul ins(%x, %v : tensor<?x40xf32>, tensor<40x8xf32>) outs(%c : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0, %1, %2 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
}

// A weight that is broadcast to a batch and converted is read as it is stored;
// the batch stays a loop of the product.

// CHECK-LABEL: func.func @broadcast
// CHECK-SAME:    %[[W:[a-z0-9]+]]: tensor<8x64xbf16>
// CHECK-NOT:     linalg.broadcast
// CHECK:         mx.quantize <mxfp8_e4m3> axis = 2 ins(%{{.*}} : tensor<3x4x64xf32>)
// CHECK:         mx.quantize <mxfp8_e4m3> axis = 1 ins(%[[W]] : tensor<8x64xbf16>)
// CHECK:         mx.matmul {{.*}} outs(%{{.*}} : tensor<3x4x8xf32>)
// CHECK-SAME:      indexing_maps = [#{{.*}}, #[[WMAP:.*]], #{{.*}}]
func.func @broadcast(%x: tensor<3x4x64xf32>, %w: tensor<8x64xbf16>, %c: tensor<3x4x8xf32>) -> tensor<3x4x8xf32> {
  %e = tensor.empty() : tensor<64x8xbf16>
  %t = linalg.transpose ins(%w : tensor<8x64xbf16>) outs(%e : tensor<64x8xbf16>) permutation = [1, 0]
  %u = arith.extf %t : tensor<64x8xbf16> to tensor<64x8xf32>
  %f = tensor.empty() : tensor<3x64x8xf32>
  %b = linalg.broadcast ins(%u : tensor<64x8xf32>) outs(%f : tensor<3x64x8xf32>) dimensions = [0]
  %0 = linalg.batch_matmul ins(%x, %b : tensor<3x4x64xf32>, tensor<3x64x8xf32>) outs(%c : tensor<3x4x8xf32>) -> tensor<3x4x8xf32>
  return %0 : tensor<3x4x8xf32>
}

// Sums in f32: a filled initial value is filled anew, another is extended, and
// the result is rounded to what it was.

// CHECK-LABEL: func.func @narrow_result
// CHECK-SAME:    %[[ACC:[a-z0-9]+]]: tensor<4x8xbf16>)
// CHECK:         %[[ZERO:.*]] = linalg.fill ins(%{{.*}} : f32) outs(%{{.*}} : tensor<4x8xf32>)
// CHECK:         %[[R:.*]] = mx.matmul {{.*}} outs(%[[ZERO]] : tensor<4x8xf32>)
// CHECK:         linalg.generic {{.*}} ins(%[[R]] : tensor<4x8xf32>) outs(%{{.*}} : tensor<4x8xbf16>) attrs =  {mx.id = 0 : i64}
// CHECK:           arith.truncf %{{.*}} : f32 to bf16
// CHECK:         linalg.generic {{.*}} ins(%[[ACC]] : tensor<4x8xbf16>)
// CHECK:           arith.extf %{{.*}} : bf16 to f32
// CHECK:         mx.matmul
// CHECK:           arith.truncf
func.func @narrow_result(%x: tensor<4x64xbf16>, %w: tensor<64x8xbf16>, %acc: tensor<4x8xbf16>) -> (tensor<4x8xbf16>, tensor<4x8xbf16>) {
  %zero = arith.constant 0.0 : bf16
  %e = tensor.empty() : tensor<4x8xbf16>
  %c = linalg.fill ins(%zero : bf16) outs(%e : tensor<4x8xbf16>) -> tensor<4x8xbf16>
  %0 = linalg.matmul ins(%x, %w : tensor<4x64xbf16>, tensor<64x8xbf16>) outs(%c : tensor<4x8xbf16>) -> tensor<4x8xbf16>
  %1 = linalg.matmul ins(%x, %w : tensor<4x64xbf16>, tensor<64x8xbf16>) outs(%acc : tensor<4x8xbf16>) -> tensor<4x8xbf16>
  return %0, %1 : tensor<4x8xbf16>, tensor<4x8xbf16>
}

// Two reduction dimensions that are neighbours are one; a unit dimension that
// is read at 0 is none.

// CHECK-LABEL: func.func @collapsed
// CHECK:         %[[X:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0], [1, 2]] : tensor<3x4x8xf32> into tensor<3x32xf32>
// CHECK:         mx.quantize <mxfp8_e4m3> axis = 1 ins(%[[X]]
// CHECK:         %[[W:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0, 1, 2], [3]] : tensor<1x4x8x16xf32> into tensor<32x16xf32>
// CHECK:         mx.quantize <mxfp8_e4m3> axis = 0 ins(%[[W]]
// CHECK:         mx.matmul {{.*}} indexing_maps = [#[[A]], #[[B]], #[[C]]]
func.func @collapsed(%x: tensor<3x4x8xf32>, %w: tensor<1x4x8x16xf32>, %c: tensor<3x16xf32>) -> tensor<3x16xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(s, e, h, d) -> (s, h, d)>, affine_map<(s, e, h, d) -> (0, h, d, e)>, affine_map<(s, e, h, d) -> (s, e)>],
                       iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<3x4x8xf32>, tensor<1x4x8x16xf32>) outs(%c : tensor<3x16xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = arith.mulf %in, %in_0 : f32
    %2 = arith.addf %out, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<3x16xf32>
  return %0 : tensor<3x16xf32>
}

// The order of the dimensions counts, not that of the loops.

// CHECK-LABEL: func.func @collapsed_in_other_order
// CHECK:         tensor.collapse_shape %{{.*}} {{\[\[}}0], [1, 2]] : tensor<3x4x8xf32> into tensor<3x32xf32>
// CHECK:         tensor.collapse_shape %{{.*}} {{\[\[}}0, 1], [2]] : tensor<4x8x16xf32> into tensor<32x16xf32>
// CHECK:         mx.matmul {{.*}} indexing_maps = [#[[A]], #[[B]], #[[C]]]
func.func @collapsed_in_other_order(%x: tensor<3x4x8xf32>, %w: tensor<4x8x16xf32>, %c: tensor<3x16xf32>) -> tensor<3x16xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(s, e, d, h) -> (s, h, d)>, affine_map<(s, e, d, h) -> (h, d, e)>, affine_map<(s, e, d, h) -> (s, e)>],
                       iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<3x4x8xf32>, tensor<4x8x16xf32>) outs(%c : tensor<3x16xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = arith.mulf %in, %in_0 : f32
    %2 = arith.addf %out, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<3x16xf32>
  return %0 : tensor<3x16xf32>
}

// One op with two products becomes two.

// CHECK-LABEL: func.func @fused
// CHECK:         %[[G:.*]] = mx.matmul {{.*}} mx.id = 0 : i64
// CHECK:         %[[U:.*]] = mx.matmul {{.*}} mx.id = 1 : i64
// CHECK:         return %[[G]], %[[U]]
func.func @fused(%x: tensor<4x64xf32>, %g: tensor<8x64xf32>, %u: tensor<8x64xf32>, %c: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %0:2 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, k)>,
                                          affine_map<(m, n, k) -> (m, n)>, affine_map<(m, n, k) -> (m, n)>],
                         iterator_types = ["parallel", "parallel", "reduction"]}
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
