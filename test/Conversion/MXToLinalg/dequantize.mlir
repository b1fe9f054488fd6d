// RUN: mx-opt %s --convert-mx-to-linalg --split-input-file | FileCheck %s

// One parallel op over codes, scales and the tensor's amax, rounded to the
// output's type.

// CHECK-DAG: #[[BLOCKS:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[SCALES:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[SCALAR:.*]] = affine_map<(d0, d1, d2) -> ()>
// CHECK-LABEL: func.func @nvfp4(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<4x64xi8>, %[[S:[a-z0-9]+]]: tensor<4x4xi8>, %[[A:[a-z0-9]+]]: tensor<f32>, %[[E:[a-z0-9]+]]: tensor<4x64xbf16>)
func.func @nvfp4(%q: tensor<4x64xf4E2M1FN>, %s: tensor<4x4xf8E4M3FN>, %a: tensor<f32>, %e: tensor<4x64xbf16>) -> tensor<4x64xbf16> {
  // CHECK: %[[QV:.*]] = tensor.expand_shape %[[Q]]
  // CHECK: %[[EV:.*]] = tensor.expand_shape %[[E]]
  // CHECK: %[[D:.*]] = linalg.generic {indexing_maps = [#[[BLOCKS]], #[[SCALES]], #[[SCALAR]], #[[BLOCKS]]], iterator_types = ["parallel", "parallel", "parallel"]} ins(%[[QV]], %[[S]], %[[A]] : tensor<4x4x16xi8>, tensor<4x4xi8>, tensor<f32>) outs(%[[EV]] : tensor<4x4x16xbf16>)
  // CHECK: arith.truncf %{{.*}} : f32 to bf16
  // CHECK: tensor.collapse_shape %[[D]]
  %d = mx.dequantize <nvfp4> axis = 1 ins(%q, %s, %a : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>, tensor<f32>)
      outs(%e : tensor<4x64xbf16>) -> tensor<4x64xbf16>
  return %d : tensor<4x64xbf16>
}

// -----

// The zero point is subtracted before the scale multiplies.

// CHECK-LABEL: func.func @zero_points(
// CHECK-SAME: %[[S:[a-z0-9]+]]: tensor<4x2xf32>, %[[Z:[a-z0-9]+]]: tensor<4x2xi8>, %{{.*}}: tensor<4x64xf32>)
func.func @zero_points(%q: tensor<4x64xi4>, %s: tensor<4x2xf32>, %z: tensor<4x2xi8>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[S]], %[[Z]] : tensor<4x2x32xi8>, tensor<4x2xf32>, tensor<4x2xi8>)
  // CHECK: %[[C:.*]] = arith.subf
  // CHECK: arith.mulf %[[C]],
  %d = mx.dequantize <int4_g32, zero_point = true> axis = 1
      ins(%q, %s, %z : tensor<4x64xi4>, tensor<4x2xf32>, tensor<4x2xi8>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %d : tensor<4x64xf32>
}

// -----

// No view and no padding for a scale a row, whatever the row's length.

// CHECK-LABEL: func.func @row(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<4x?xi8>, %[[S:[a-z0-9]+]]: tensor<4x1xf32>, %[[E:[a-z0-9]+]]: tensor<4x?xf32>)
func.func @row(%q: tensor<4x?xf8E4M3FN>, %s: tensor<4x1xf32>, %e: tensor<4x?xf32>) -> tensor<4x?xf32> {
  // CHECK-NOT: tensor.pad
  // CHECK: %[[V:.*]] = tensor.collapse_shape %[[S]]
  // CHECK: %[[D:.*]] = linalg.generic {{.*}} ins(%[[Q]], %[[V]] : tensor<4x?xi8>, tensor<4xf32>) outs(%[[E]] : tensor<4x?xf32>)
  // CHECK: return %[[D]]
  %d = mx.dequantize <fp8_row> axis = 1 ins(%q, %s : tensor<4x?xf8E4M3FN>, tensor<4x1xf32>)
      outs(%e : tensor<4x?xf32>) -> tensor<4x?xf32>
  return %d : tensor<4x?xf32>
}

// -----

// A ragged axis that is not the last.

// CHECK: #[[SCALES:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-LABEL: func.func @ragged(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<40x4xi8>, %[[S:[a-z0-9]+]]: tensor<2x4xi8>, %[[E:[a-z0-9]+]]: tensor<40x4xf32>)
func.func @ragged(%q: tensor<40x4xf8E4M3FN>, %s: tensor<2x4xf8E8M0FNU>, %e: tensor<40x4xf32>) -> tensor<40x4xf32> {
  // CHECK: tensor.pad %[[Q]] low[0, 0] high[24, 0]
  // CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[SCALES]], #{{.*}}], {{.*}} ins(%{{.*}}, %[[S]] : tensor<2x32x4xi8>, tensor<2x4xi8>)
  // CHECK: %[[V:.*]] = tensor.extract_slice %{{.*}}[0, 0] [40, 4] [1, 1]
  // CHECK: linalg.copy ins(%[[V]] : tensor<40x4xf32>) outs(%[[E]] : tensor<40x4xf32>)
  %d = mx.dequantize <mxfp8_e4m3> axis = 0 ins(%q, %s : tensor<40x4xf8E4M3FN>, tensor<2x4xf8E8M0FNU>)
      outs(%e : tensor<40x4xf32>) -> tensor<40x4xf32>
  return %d : tensor<40x4xf32>
}

// -----

// Nothing to unpack or to copy.

// CHECK-LABEL: func.func @empty(
func.func @empty(%q: tensor<0x?xi8>, %s: tensor<1x1xf32>, %e: tensor<0x?xf32>) -> tensor<0x?xf32> {
  // CHECK-NOT: tensor.extract_slice
  %d = mx.dequantize <ternary> axis = 1 ins(%q, %s : tensor<0x?xi8>, tensor<1x1xf32>) outs(%e : tensor<0x?xf32>) -> tensor<0x?xf32>
  return %d : tensor<0x?xf32>
}
