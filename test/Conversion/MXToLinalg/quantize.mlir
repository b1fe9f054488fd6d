// RUN: mx-opt %s --convert-mx-to-linalg --split-input-file | FileCheck %s

// Blocks along K are a view; amax as integers, one op for the scales and the
// factors, one for the codes.

// CHECK: #[[BLOCKS:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK: #[[SCALES:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @mxfp4(
// CHECK-SAME: %[[X:.*]]: tensor<4x64xf32>) -> (tensor<4x64xi8>, tensor<4x2xi8>)
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
// CHECK-SAME: %[[X:.*]]: tensor<?x40xbf16>, %{{.*}}: tensor<?x40xi8>, %{{.*}}: tensor<?x2xi8>)
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
