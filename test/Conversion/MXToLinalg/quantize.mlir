// RUN: mx-opt %s --convert-mx-to-linalg --split-input-file | FileCheck %s

// Blocks along K are a view; amax as integers, one op for the scales and the
// factors, one for the codes.

// CHECK: #[[BLOCKS:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK: #[[SCALES:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @mxfp4(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x64xf32>) -> (tensor<4x64xi8>, tensor<4x2xi8>)
func.func @mxfp4(%x: tensor<4x64xf32>) -> (tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) {
  // CHECK-DAG: %[[E:.*]] = tensor.empty() : tensor<4x64xi8>
  // CHECK-DAG: %[[S:.*]] = tensor.empty() : tensor<4x2xi8>
  %e = tensor.empty() : tensor<4x64xf4E2M1FN>
  %s = tensor.empty() : tensor<4x2xf8E8M0FNU>
  // CHECK: %[[V:.*]] = tensor.expand_shape %[[X]] {{\[\[}}0], [1, 2]] output_shape [4, 2, 32]
  // CHECK: %[[AMAX:.*]] = linalg.generic {indexing_maps = [#[[BLOCKS]], #[[SCALES]]], iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[V]] : tensor<4x2x32xf32>) outs(%{{.*}} : tensor<4x2xi32>)
  // CHECK: arith.maxsi
  // CHECK: %[[SCALE:.*]]:2 = linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]} ins(%[[AMAX]] : tensor<4x2xi32>) outs(%[[S]], %{{.*}} : tensor<4x2xi8>, tensor<4x2xf32>)
  // CHECK: %[[EV:.*]] = tensor.expand_shape %[[E]]
  // CHECK: %[[CODES:.*]] = linalg.generic {indexing_maps = [#[[BLOCKS]], #[[SCALES]], #[[BLOCKS]]], iterator_types = ["parallel", "parallel", "parallel"]} ins(%[[V]], %[[SCALE]]#1 : tensor<4x2x32xf32>, tensor<4x2xf32>) outs(%[[EV]] : tensor<4x2x32xi8>)
  // CHECK: %[[Q:.*]] = tensor.collapse_shape %[[CODES]] {{\[\[}}0], [1, 2]] : tensor<4x2x32xi8> into tensor<4x64xi8>
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>)
      -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  // CHECK: return %[[Q]], %[[SCALE]]#0 : tensor<4x64xi8>, tensor<4x2xi8>
  return %q#0, %q#1 : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
}

// -----

// A ragged K is padded with zeros, what was added sliced off.

// CHECK-LABEL: func.func @ragged(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x40xbf16>, %{{.*}}: tensor<?x40xi8>, %{{.*}}: tensor<?x2xi8>)
func.func @ragged(%x: tensor<?x40xbf16>, %e: tensor<?x40xf8E4M3FN>, %s: tensor<?x2xf8E8M0FNU>)
    -> (tensor<?x40xf8E4M3FN>, tensor<?x2xf8E8M0FNU>) {
  // CHECK: tensor.pad %[[X]] low[0, 0] high[0, 24]
  // CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0], [1, 2]] output_shape [%{{.*}}, 2, 32]
  // CHECK: linalg.generic {{.*}}"reduction"]} ins(%{{.*}} : tensor<?x2x32xbf16>)
  // CHECK: arith.extf
  // CHECK: tensor.extract_slice %{{.*}}[0, 0] [%{{.*}}, 40] [1, 1] : tensor<?x64xi8> to tensor<?x40xi8>
  // CHECK: linalg.copy
  %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : tensor<?x40xbf16>)
      outs(%e, %s : tensor<?x40xf8E4M3FN>, tensor<?x2xf8E8M0FNU>)
      -> tensor<?x40xf8E4M3FN>, tensor<?x2xf8E8M0FNU>
  return %q#0, %q#1 : tensor<?x40xf8E4M3FN>, tensor<?x2xf8E8M0FNU>
}

// -----

// The tensor's amax is an operand of the op that makes the scales, and of no
// other.

// CHECK-DAG: #[[SCALES:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[SCALAR:.*]] = affine_map<(d0, d1) -> ()>
// CHECK-LABEL: func.func @nvfp4(
// CHECK-SAME: %{{.*}}: tensor<4x64xf32>, %[[A:[a-z0-9]+]]: tensor<f32>, %{{.*}}: tensor<4x64xi8>, %[[S:[a-z0-9]+]]: tensor<4x4xi8>)
func.func @nvfp4(%x: tensor<4x64xf32>, %a: tensor<f32>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x4xf8E4M3FN>)
    -> (tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>) {
  // CHECK: linalg.generic {{.*}}"reduction"]} ins(%{{.*}} : tensor<4x4x16xf32>) outs(%{{.*}} : tensor<4x4xi32>)
  // CHECK: %[[SCALE:.*]]:2 = linalg.generic {indexing_maps = [#[[SCALES]], #[[SCALAR]], #[[SCALES]], #[[SCALES]]], {{.*}} ins(%{{.*}}, %[[A]] : tensor<4x4xi32>, tensor<f32>) outs(%[[S]], %{{.*}} : tensor<4x4xi8>, tensor<4x4xf32>)
  // CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[SCALE]]#1 : tensor<4x4x16xf32>, tensor<4x4xf32>) outs(%{{.*}} : tensor<4x4x16xi8>)
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<4x64xf32>) amax(%a : tensor<f32>)
      outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>) -> tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>
  return %q#0, %q#1 : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>
}

// -----

// Two candidates for each scale, the error of each in order, the smaller.

// CHECK-LABEL: func.func @four_over_six(
func.func @four_over_six(%x: tensor<4x64xf32>, %a: tensor<f32>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x4xf8E4M3FN>)
    -> (tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>) {
  // CHECK: %[[SCALE:.*]]:4 = linalg.generic {{.*}}["parallel", "parallel"]}
  // CHECK: %[[FOUR:.*]] = linalg.generic {{.*}}["parallel", "parallel", "reduction"]} ins(%{{.*}}, %[[SCALE]]#0, %[[SCALE]]#1, %{{.*}} :
  // CHECK-NOT: arith.addf {{.*}}%out
  // CHECK: %[[SIX:.*]] = linalg.generic {{.*}}["parallel", "parallel", "reduction"]} ins(%{{.*}}, %[[SCALE]]#2, %[[SCALE]]#3, %{{.*}} :
  // CHECK-NOT: arith.addf {{.*}}%out
  // CHECK: linalg.generic {{.*}} ins(%[[SCALE]]#0, %[[SCALE]]#2, %[[SCALE]]#1, %[[SCALE]]#3, %[[FOUR]], %[[SIX]] :
  %q:2 = mx.quantize <nvfp4, four_over_six = mse> axis = 1 ins(%x : tensor<4x64xf32>) amax(%a : tensor<f32>)
      outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>) -> tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>
  return %q#0, %q#1 : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>
}

// -----

// A block that is the whole dimension needs no view; scales lose the unit
// dimension and get it back.

// CHECK-LABEL: func.func @row(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4x64xf32>, %[[E:[a-z0-9]+]]: tensor<4x64xi8>, %[[S:[a-z0-9]+]]: tensor<4x1xf32>)
func.func @row(%x: tensor<4x64xf32>, %e: tensor<4x64xf8E4M3FN>, %s: tensor<4x1xf32>) -> (tensor<4x64xf8E4M3FN>, tensor<4x1xf32>) {
  // CHECK: linalg.generic {{.*}}["parallel", "reduction"]} ins(%[[X]] : tensor<4x64xf32>) outs(%{{.*}} : tensor<4xi32>)
  // CHECK: tensor.collapse_shape %[[S]] {{\[\[}}0, 1]] : tensor<4x1xf32> into tensor<4xf32>
  // CHECK: %[[SCALE:.*]]:2 = linalg.generic
  // CHECK: linalg.generic {{.*}} ins(%[[X]], %[[SCALE]]#1 : tensor<4x64xf32>, tensor<4xf32>) outs(%[[E]] : tensor<4x64xi8>)
  // CHECK: tensor.expand_shape %[[SCALE]]#0 {{\[\[}}0, 1]] output_shape [4, 1]
  %q:2 = mx.quantize <fp8_row> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xf8E4M3FN>, tensor<4x1xf32>) -> tensor<4x64xf8E4M3FN>, tensor<4x1xf32>
  return %q#0, %q#1 : tensor<4x64xf8E4M3FN>, tensor<4x1xf32>
}

// -----

// One scale for the tensor.

// CHECK-LABEL: func.func @tensor(
func.func @tensor(%x: tensor<64x4xf32>, %e: tensor<64x4xf8E4M3FN>, %s: tensor<1x1xf32>) -> tensor<64x4xf8E4M3FN> {
  // CHECK: linalg.generic {{.*}}["reduction", "reduction"]} ins(%{{.*}} : tensor<64x4xf32>) outs(%{{.*}} : tensor<i32>)
  // CHECK: %[[SCALE:.*]]:2 = linalg.generic {{.*}}iterator_types = []} ins(%{{.*}} : tensor<i32>)
  // CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[SCALE]]#1 : tensor<64x4xf32>, tensor<f32>)
  %q:2 = mx.quantize <fp8_tensor> axis = 0 ins(%x : tensor<64x4xf32>)
      outs(%e, %s : tensor<64x4xf8E4M3FN>, tensor<1x1xf32>) -> tensor<64x4xf8E4M3FN>, tensor<1x1xf32>
  return %q#0 : tensor<64x4xf8E4M3FN>
}

// -----

// Blocks of rows and columns.

// CHECK: #[[SCALES:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2)>
// CHECK-LABEL: func.func @block(
func.func @block(%x: tensor<256x384xf32>, %e: tensor<256x384xf8E4M3FN>, %s: tensor<2x3xf32>) -> tensor<256x384xf8E4M3FN> {
  // CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0, 1], [2, 3]] output_shape [2, 128, 3, 128]
  // CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[SCALES]]], iterator_types = ["parallel", "reduction", "parallel", "reduction"]}
  %q:2 = mx.quantize <fp8_block_weight> axis = 1 ins(%x : tensor<256x384xf32>)
      outs(%e, %s : tensor<256x384xf8E4M3FN>, tensor<2x3xf32>) -> tensor<256x384xf8E4M3FN>, tensor<2x3xf32>
  return %q#0 : tensor<256x384xf8E4M3FN>
}

// -----

// The range instead of the amax, and a zero point beside each scale.

// CHECK-LABEL: func.func @zero_points(
// CHECK-SAME: %[[S:[a-z0-9]+]]: tensor<4x2xf32>, %[[Z:[a-z0-9]+]]: tensor<4x2xi8>)
func.func @zero_points(%x: tensor<4x64xf32>, %e: tensor<4x64xi4>, %s: tensor<4x2xf32>, %z: tensor<4x2xi8>)
    -> (tensor<4x64xi4>, tensor<4x2xf32>, tensor<4x2xi8>) {
  // CHECK: %[[RANGE:.*]]:2 = linalg.generic
  // CHECK: arith.minimumf
  // CHECK: arith.maximumf
  // CHECK: %[[SCALE:.*]]:3 = linalg.generic {{.*}} ins(%[[RANGE]]#0, %[[RANGE]]#1 : {{.*}}) outs(%[[S]], %{{.*}}, %[[Z]] :
  // CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[SCALE]]#1, %[[SCALE]]#2 :
  %q:3 = mx.quantize <int4_g32, zero_point = true> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s, %z : tensor<4x64xi4>, tensor<4x2xf32>, tensor<4x2xi8>) -> tensor<4x64xi4>, tensor<4x2xf32>, tensor<4x2xi8>
  return %q#0, %q#1, %q#2 : tensor<4x64xi4>, tensor<4x2xf32>, tensor<4x2xi8>
}

// -----

// A table's codes by comparisons with the midpoints.

// CHECK-LABEL: func.func @nf4(
func.func @nf4(%x: tensor<4x128xf32>, %e: tensor<4x128xi4>, %s: tensor<4x2xf32>) -> tensor<4x128xi4> {
  // CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<4x2x64xf32>) outs(%{{.*}} : tensor<4x2xi32>)
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x2x64xi8>)
  // CHECK-COUNT-15: arith.cmpf
  %q:2 = mx.quantize <nf4> axis = 1 ins(%x : tensor<4x128xf32>)
      outs(%e, %s : tensor<4x128xi4>, tensor<4x2xf32>) -> tensor<4x128xi4>, tensor<4x2xf32>
  return %q#0 : tensor<4x128xi4>
}

// -----

// The mean of magnitudes: an f64 sum that may not be reordered.

// CHECK-LABEL: func.func @ternary(
func.func @ternary(%x: tensor<4x64xf32>, %e: tensor<4x64xi2>, %s: tensor<1x1xf32>) -> tensor<4x64xi2> {
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<f64>)
  // CHECK: math.absf
  // CHECK: arith.negf
  // CHECK: arith.subf
  // CHECK: arith.divf {{.*}} : f64
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x64xi8>)
  %q:2 = mx.quantize <ternary> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xi2>, tensor<1x1xf32>) -> tensor<4x64xi2>, tensor<1x1xf32>
  return %q#0 : tensor<4x64xi2>
}

// -----

// Random bits are a function of seed, offset and the element's place in the
// tensor: ten rounds of two products, and the first eight bits.

// CHECK-LABEL: func.func @stochastic(
// CHECK-SAME: %[[SEED:[a-z0-9]+]]: i64, %[[OFFSET:[a-z0-9]+]]: i64, %{{.*}}: tensor<4x64xi8>
func.func @stochastic(%x: tensor<4x64xf32>, %seed: i64, %offset: i64, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>)
    -> tensor<4x64xf4E2M1FN> {
  // CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}}, %[[SEED]], %[[OFFSET]], %{{.*}} : tensor<4x2x32xf32>, tensor<4x2xf32>, i64, i64, index)
  // CHECK: linalg.index 0
  // CHECK: linalg.index 1
  // CHECK: linalg.index 2
  // CHECK-COUNT-20: arith.mului_extended
  // CHECK-NOT: arith.mului_extended
  // CHECK: %[[DROPPED:.*]] = arith.constant 24 : i32
  // CHECK: arith.shrui %{{.*}}, %[[DROPPED]]
  %q:2 = mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%x : tensor<4x64xf32>) random(%seed, %offset)
      outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) {random_bits = 8 : i64}
      -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  return %q#0 : tensor<4x64xf4E2M1FN>
}

// -----

// Packed by an op of its own.

// CHECK-LABEL: func.func @packed(
// CHECK-SAME: %[[E:[a-z0-9]+]]: tensor<4x32xi8>, %{{.*}}: tensor<4x2xi8>)
func.func @packed(%x: tensor<4x64xf32>, %e: tensor<4x32xi8>, %s: tensor<4x2xf8E8M0FNU>) -> tensor<4x32xi8> {
  // CHECK: %[[CODES:.*]] = tensor.collapse_shape %{{.*}} : tensor<4x2x32xi8> into tensor<4x64xi8>
  // CHECK: %[[BYTES:.*]] = tensor.expand_shape %[[CODES]] {{.*}} output_shape [4, 32, 2]
  // CHECK: %[[INIT:.*]] = linalg.fill ins(%{{.*}} : i8) outs(%[[E]] : tensor<4x32xi8>)
  // CHECK: %[[P:.*]] = linalg.generic {{.*}} ins(%[[BYTES]] : tensor<4x32x2xi8>) outs(%[[INIT]] : tensor<4x32xi8>)
  // CHECK: return %[[P]]
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x32xi8>, tensor<4x2xf8E8M0FNU>) -> tensor<4x32xi8>, tensor<4x2xf8E8M0FNU>
  return %q#0 : tensor<4x32xi8>
}

// -----

// 256 scales share a number, across rows: the scales in one dimension, and
// back by their position, as tensor.expand_shape to two unknown extents has no
// lowering.

// CHECK-LABEL: func.func @double_quant(
func.func @double_quant(%x: tensor<?x?xf32>, %e: tensor<?x?xi4>, %s: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0, 1]] : tensor<?x?xf32> into tensor<?xf32>
  // CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0, 1]] output_shape [%{{.*}}, 256]
  // CHECK-NOT: into tensor<?x?xf32>
  // CHECK: linalg.generic {{.*}}["parallel", "parallel"]} ins(%{{.*}}, %{{.*}} : index, index) outs(%{{.*}} : tensor<?x?xf32>)
  // CHECK: tensor.extract %{{.*}} : tensor<?xf32>
  %q:2 = mx.quantize <nf4, double_quant = true> axis = 1 ins(%x : tensor<?x?xf32>)
      outs(%e, %s : tensor<?x?xi4>, tensor<?x?xf32>) -> tensor<?x?xi4>, tensor<?x?xf32>
  return %q#1 : tensor<?x?xf32>
}
