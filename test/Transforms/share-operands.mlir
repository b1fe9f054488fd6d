// RUN: mx-opt %s --mx-share-operands --split-input-file | FileCheck %s

// Destinations are not read, attributes that passes noted do not matter.

// CHECK-LABEL: func.func @destinations(
// CHECK:         %[[Q:.*]]:2 = mx.quantize
// CHECK-NOT:     mx.quantize
// CHECK:         return %[[Q]]#0, %[[Q]]#1, %[[Q]]#0, %[[Q]]#1
func.func @destinations(%x: tensor<4x64xf32>, %e: tensor<4x64xf8E4M3FN>, %s: tensor<4x2xf8E8M0FNU>)
    -> (tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>, tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) {
  %f = tensor.empty() : tensor<4x64xf8E4M3FN>
  %t = tensor.empty() : tensor<4x2xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) {note = 1} -> tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>
  %r:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%f, %t : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) {note = 2} -> tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>
  return %q#0, %q#1, %r#0, %r#1 : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>, tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>
}

// -----

// Two copies that say the same, one named and one not; they go with the second.

// CHECK-LABEL: func.func @copies(
// CHECK:         linalg.transpose
// CHECK:         %[[Q:.*]]:2 = mx.quantize
// CHECK-NOT:     linalg
// CHECK-NOT:     mx.quantize
// CHECK:         return %[[Q]]#0, %[[Q]]#0
func.func @copies(%x: tensor<64x4xf32>) -> (tensor<4x64xf8E4M3FN>, tensor<4x64xf8E4M3FN>) {
  %i = tensor.empty() : tensor<4x64xf32>
  %e = tensor.empty() : tensor<4x64xf8E4M3FN>
  %s = tensor.empty() : tensor<4x2xf8E8M0FNU>
  %a = linalg.transpose ins(%x : tensor<64x4xf32>) outs(%i : tensor<4x64xf32>) permutation = [1, 0]
  %b = linalg.generic {indexing_maps = [affine_map<(m, n) -> (n, m)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<64x4xf32>) outs(%i : tensor<4x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<4x64xf32>
  %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%a : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>
  %r:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%b : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>
  return %q#0, %r#0 : tensor<4x64xf8E4M3FN>, tensor<4x64xf8E4M3FN>
}

// -----

// q/k/v read a matrix, another product the batch of them: one maximum, one
// quantisation, reshaped.

// CHECK-LABEL: func.func @reshaped(
// CHECK-SAME:    %[[X:.*]]: tensor<2x4x64xbf16>
// CHECK:         %[[A:.*]] = mx.amax ins(%[[X]]
// CHECK:         %[[Q:.*]]:2 = mx.quantize <nvfp4> axis = 2 ins(%[[X]] {{.*}} amax(%[[A]]
// CHECK-NOT:     mx.
// CHECK:         %[[E:.*]] = tensor.collapse_shape %[[Q]]#0 {{\[\[}}0, 1], [2]] : tensor<2x4x64xf4E2M1FN> into tensor<8x64xf4E2M1FN>
// CHECK:         %[[S:.*]] = tensor.collapse_shape %[[Q]]#1 {{\[\[}}0, 1], [2]] : tensor<2x4x4xf8E4M3FN> into tensor<8x4xf8E4M3FN>
// CHECK:         return %[[Q]]#0, %[[Q]]#1, %[[E]], %[[S]], %[[A]]
func.func @reshaped(%x: tensor<2x4x64xbf16>)
    -> (tensor<2x4x64xf4E2M1FN>, tensor<2x4x4xf8E4M3FN>, tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>, tensor<f32>) {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %zero2 = arith.constant dense<0.0> : tensor<f32>
  %c = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x4x64xbf16> into tensor<8x64xbf16>
  %e3 = tensor.empty() : tensor<2x4x64xf4E2M1FN>
  %s3 = tensor.empty() : tensor<2x4x4xf8E4M3FN>
  %e2 = tensor.empty() : tensor<8x64xf4E2M1FN>
  %s2 = tensor.empty() : tensor<8x4xf8E4M3FN>
  %a = mx.amax ins(%x : tensor<2x4x64xbf16>) outs(%zero : tensor<f32>) -> tensor<f32>
  %q:2 = mx.quantize <nvfp4> axis = 2 ins(%x : tensor<2x4x64xbf16>) amax(%a : tensor<f32>)
      outs(%e3, %s3 : tensor<2x4x64xf4E2M1FN>, tensor<2x4x4xf8E4M3FN>) -> tensor<2x4x64xf4E2M1FN>, tensor<2x4x4xf8E4M3FN>
  %b = mx.amax ins(%c : tensor<8x64xbf16>) outs(%zero2 : tensor<f32>) -> tensor<f32>
  %r:2 = mx.quantize <nvfp4> axis = 1 ins(%c : tensor<8x64xbf16>) amax(%b : tensor<f32>)
      outs(%e2, %s2 : tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>) -> tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>
  return %q#0, %q#1, %r#0, %r#1, %b : tensor<2x4x64xf4E2M1FN>, tensor<2x4x4xf8E4M3FN>, tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>, tensor<f32>
}

// -----

// The other way, with extents that are not known.

// CHECK-LABEL: func.func @dynamic(
// CHECK:         %[[Q:.*]]:2 = mx.quantize <mxfp8_e4m3> axis = 1
// CHECK-NOT:     mx.
// CHECK:         %[[E:.*]] = tensor.expand_shape %[[Q]]#0 {{\[\[}}0, 1], [2]] output_shape [%{{.*}}, %{{.*}}, 64] : tensor<?x64xf8E4M3FN> into tensor<?x?x64xf8E4M3FN>
// CHECK:         %[[S:.*]] = tensor.expand_shape %[[Q]]#1 {{\[\[}}0, 1], [2]] output_shape [%{{.*}}, %{{.*}}, 2] : tensor<?x2xf8E8M0FNU> into tensor<?x?x2xf8E8M0FNU>
// CHECK:         return %[[Q]]#0, %[[E]], %[[S]]
func.func @dynamic(%x: tensor<?x?x64xf32>, %e2: tensor<?x64xf8E4M3FN>, %s2: tensor<?x2xf8E8M0FNU>, %e3: tensor<?x?x64xf8E4M3FN>, %s3: tensor<?x?x2xf8E8M0FNU>)
    -> (tensor<?x64xf8E4M3FN>, tensor<?x?x64xf8E4M3FN>, tensor<?x?x2xf8E8M0FNU>) {
  %c = tensor.collapse_shape %x [[0, 1], [2]] : tensor<?x?x64xf32> into tensor<?x64xf32>
  %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%c : tensor<?x64xf32>)
      outs(%e2, %s2 : tensor<?x64xf8E4M3FN>, tensor<?x2xf8E8M0FNU>) -> tensor<?x64xf8E4M3FN>, tensor<?x2xf8E8M0FNU>
  %r:2 = mx.quantize <mxfp8_e4m3> axis = 2 ins(%x : tensor<?x?x64xf32>)
      outs(%e3, %s3 : tensor<?x?x64xf8E4M3FN>, tensor<?x?x2xf8E8M0FNU>) -> tensor<?x?x64xf8E4M3FN>, tensor<?x?x2xf8E8M0FNU>
  return %q#0, %r#0, %r#1 : tensor<?x64xf8E4M3FN>, tensor<?x?x64xf8E4M3FN>, tensor<?x?x2xf8E8M0FNU>
}

// -----

// A static view of the same rows.

// CHECK-LABEL: func.func @cast(
// CHECK:         %[[Q:.*]]:2 = mx.quantize
// CHECK-NOT:     mx.
// CHECK:         %[[E:.*]] = tensor.cast %[[Q]]#0 : tensor<?x64xf8E4M3FN> to tensor<4x64xf8E4M3FN>
// CHECK:         return %[[Q]]#0, %[[E]]
func.func @cast(%x: tensor<?x64xf32>, %e: tensor<?x64xf8E4M3FN>, %s: tensor<?x2xf8E8M0FNU>)
    -> (tensor<?x64xf8E4M3FN>, tensor<4x64xf8E4M3FN>) {
  %c = tensor.cast %x : tensor<?x64xf32> to tensor<4x64xf32>
  %f = tensor.empty() : tensor<4x64xf8E4M3FN>
  %t = tensor.empty() : tensor<4x2xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : tensor<?x64xf32>)
      outs(%e, %s : tensor<?x64xf8E4M3FN>, tensor<?x2xf8E8M0FNU>) -> tensor<?x64xf8E4M3FN>, tensor<?x2xf8E8M0FNU>
  %r:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%c : tensor<4x64xf32>)
      outs(%f, %t : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>
  return %q#0, %r#0 : tensor<?x64xf8E4M3FN>, tensor<4x64xf8E4M3FN>
}

// -----

// A transpose that only a product reads is in its indexing map.

// CHECK-DAG:   #[[A:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG:   #[[R:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG:   #[[W:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: func.func @transposed(
// CHECK-NOT:     linalg.transpose
// CHECK:         %[[Q:.*]]:2 = mx.quantize {{.*}} axis = 1
// CHECK-NOT:     mx.quantize
// CHECK:         mx.matmul {{.*}} rhs(%[[Q]]#0, %[[Q]]#1 {{.*}} indexing_maps = [#[[A]], #[[W]], #[[R]]]
// CHECK:         mx.matmul {{.*}} rhs(%[[Q]]#0, %[[Q]]#1 {{.*}} indexing_maps = [#[[A]], #[[W]], #[[R]]]
func.func @transposed(%x: tensor<4x64xf32>, %w: tensor<8x64xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %i = tensor.empty() : tensor<64x8xf32>
  %e = tensor.empty() : tensor<8x64xf8E4M3FN>
  %s = tensor.empty() : tensor<8x2xf8E8M0FNU>
  %et = tensor.empty() : tensor<64x8xf8E4M3FN>
  %st = tensor.empty() : tensor<2x8xf8E8M0FNU>
  %t = linalg.transpose ins(%w : tensor<8x64xf32>) outs(%i : tensor<64x8xf32>) permutation = [1, 0]
  %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%w : tensor<8x64xf32>)
      outs(%e, %s : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) -> tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>
  %r:2 = mx.quantize <mxfp8_e4m3> axis = 0 ins(%t : tensor<64x8xf32>)
      outs(%et, %st : tensor<64x8xf8E4M3FN>, tensor<2x8xf8E8M0FNU>) -> tensor<64x8xf8E4M3FN>, tensor<2x8xf8E8M0FNU>
  %0 = mx.matmul lhs(%x : tensor<4x64xf32>)
      rhs(%q#0, %q#1 : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3> outs(%c : tensor<4x8xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] -> tensor<4x8xf32>
  %1 = mx.matmul lhs(%x : tensor<4x64xf32>)
      rhs(%r#0, %r#1 : tensor<64x8xf8E4M3FN>, tensor<2x8xf8E8M0FNU>) as <mxfp8_e4m3> outs(%0 : tensor<4x8xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// -----

// Both directions of a weight: square blocks are the same, rows are not.

// CHECK-LABEL: func.func @directions(
// CHECK:         %[[A:.*]] = mx.quantize <fp8_block_weight> axis = 1
// CHECK:         %[[B:.*]]:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%arg0
// CHECK:         %[[C:.*]]:2 = mx.quantize <mxfp8_e4m3> axis = 0 ins(%arg0
// CHECK-NOT:     mx.quantize
// CHECK:         return %{{.*}}#0, %{{.*}}#0, %[[B]]#0, %[[C]]#0
func.func @directions(%w: tensor<256x128xf32>)
    -> (tensor<256x128xf8E4M3FN>, tensor<256x128xf8E4M3FN>, tensor<256x128xf8E4M3FN>, tensor<256x128xf8E4M3FN>) {
  %e = tensor.empty() : tensor<256x128xf8E4M3FN>
  %s = tensor.empty() : tensor<2x1xf32>
  %sr = tensor.empty() : tensor<256x4xf8E8M0FNU>
  %sc = tensor.empty() : tensor<8x128xf8E8M0FNU>
  %a:2 = mx.quantize <fp8_block_weight> axis = 1 ins(%w : tensor<256x128xf32>)
      outs(%e, %s : tensor<256x128xf8E4M3FN>, tensor<2x1xf32>) -> tensor<256x128xf8E4M3FN>, tensor<2x1xf32>
  %b:2 = mx.quantize <fp8_block_weight> axis = 0 ins(%w : tensor<256x128xf32>)
      outs(%e, %s : tensor<256x128xf8E4M3FN>, tensor<2x1xf32>) -> tensor<256x128xf8E4M3FN>, tensor<2x1xf32>
  %c:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%w : tensor<256x128xf32>)
      outs(%e, %sr : tensor<256x128xf8E4M3FN>, tensor<256x4xf8E8M0FNU>) -> tensor<256x128xf8E4M3FN>, tensor<256x4xf8E8M0FNU>
  %d:2 = mx.quantize <mxfp8_e4m3> axis = 0 ins(%w : tensor<256x128xf32>)
      outs(%e, %sc : tensor<256x128xf8E4M3FN>, tensor<8x128xf8E8M0FNU>) -> tensor<256x128xf8E4M3FN>, tensor<8x128xf8E8M0FNU>
  return %a#0, %b#0, %c#0, %d#0 : tensor<256x128xf8E4M3FN>, tensor<256x128xf8E4M3FN>, tensor<256x128xf8E4M3FN>, tensor<256x128xf8E4M3FN>
}
