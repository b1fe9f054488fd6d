// RUN: mx-opt %s --mx-fold-weights --split-input-file | FileCheck %s
// RUN: mx-opt %s --mx-fold-weights --split-input-file | mx-opt --split-input-file | FileCheck %s

// A resource: codes one a byte (1 2 3 6 -6 0 0 3), scales (448) and the maximum
// as test/IR/fold.mlir has them; the weight itself is gone.

// CHECK-LABEL: func.func @resource()
// CHECK-NOT:     mx.
// CHECK-NOT:     bf16
// CHECK-DAG:     %[[A:.*]] = arith.constant dense<6.000000e+00> : tensor<f32>
// CHECK-DAG:     %[[E:.*]] = arith.constant dense_resource<x.codes> : tensor<2x4xf4E2M1FN>
// CHECK-DAG:     %[[S:.*]] = arith.constant dense_resource<x.scales> : tensor<2x1xf8E4M3FN>
// CHECK:         return %[[E]], %[[S]], %[[A]]
// CHECK-NOT:     x:
// CHECK:         x.codes: "0x01000000020405070F000005"
// CHECK-NEXT:    x.scales: "0x010000007E7E"
func.func @resource() -> (tensor<2x4xf4E2M1FN>, tensor<2x1xf8E4M3FN>, tensor<f32>) {
  %x = arith.constant dense_resource<x> : tensor<2x4xbf16>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %a = mx.amax ins(%x : tensor<2x4xbf16>) outs(%zero : tensor<f32>) -> tensor<f32>
  %e = tensor.empty() : tensor<2x4xf4E2M1FN>
  %s = tensor.empty() : tensor<2x1xf8E4M3FN>
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<2x4xbf16>) amax(%a : tensor<f32>)
      outs(%e, %s : tensor<2x4xf4E2M1FN>, tensor<2x1xf8E4M3FN>) -> tensor<2x4xf4E2M1FN>, tensor<2x1xf8E4M3FN>
  return %q#0, %q#1, %a : tensor<2x4xf4E2M1FN>, tensor<2x1xf8E4M3FN>, tensor<f32>
}
{-# dialect_resources: { builtin: { x: "0x02000000803F00404040C040C0C0000000004040" } } #-}

// -----

// A literal in 16 bits, widened, transposed and reshaped: columns 1 2 (scale
// 0.5: 2 4) and 3 6 (scale 2: 1.5 3)
// are rows.

// CHECK-LABEL: func.func @copies()
// CHECK-NOT:     mx.
// CHECK-NOT:     linalg
// CHECK:         arith.constant dense_resource<weight.codes> : tensor<2x1x2xf4E2M1FN>
// CHECK:         weight.codes: "0x0100000004060305"
func.func @copies() -> tensor<2x1x2xf4E2M1FN> {
  %x = arith.constant dense<[[1.0, 3.0], [2.0, 6.0]]> : tensor<2x2xf16>
  %i = tensor.empty() : tensor<2x2xf32>
  %t = linalg.generic {indexing_maps = [affine_map<(m, n) -> (n, m)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x2xf16>) outs(%i : tensor<2x2xf32>) {
  ^bb0(%in: f16, %out: f32):
    %wide = arith.extf %in : f16 to f32
    linalg.yield %wide : f32
  } -> tensor<2x2xf32>
  %r = tensor.expand_shape %t [[0, 1], [2]] output_shape [2, 1, 2] : tensor<2x2xf32> into tensor<2x1x2xf32>
  %e = tensor.empty() : tensor<2x1x2xf4E2M1FN>
  %s = tensor.empty() : tensor<2x1x1xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp4, rule = ceil, block = 2x32> axis = 2 ins(%r : tensor<2x1x2xf32>)
      outs(%e, %s : tensor<2x1x2xf4E2M1FN>, tensor<2x1x1xf8E8M0FNU>) -> tensor<2x1x2xf4E2M1FN>, tensor<2x1x1xf8E8M0FNU>
  return %q#0 : tensor<2x1x2xf4E2M1FN>
}

// -----

// A product's weight gets K as its last dimension; its map says so.

// CHECK-DAG:   #[[A:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG:   #[[W:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG:   #[[R:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @product(
// CHECK-DAG:     %[[E:.*]] = arith.constant dense_resource<weight.codes> : tensor<3x2xf4E2M1FN>
// CHECK-DAG:     %[[S:.*]] = arith.constant dense_resource<weight.scales> : tensor<3x1xf8E8M0FNU>
// CHECK:         mx.matmul {{.*}} rhs(%[[E]], %[[S]] {{.*}} indexing_maps = [#[[A]], #[[W]], #[[R]]]
// CHECK:         weight.codes: "0x01000000060607070707"
func.func @product(%x: tensor<4x2xf32>, %c: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %w = arith.constant dense<[[1.0, 1.5, 1.5], [1.0, 1.5, 1.5]]> : tensor<2x3xf32>
  %e = tensor.empty() : tensor<2x3xf4E2M1FN>
  %s = tensor.empty() : tensor<1x3xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp4> axis = 0 ins(%w : tensor<2x3xf32>)
      outs(%e, %s : tensor<2x3xf4E2M1FN>, tensor<1x3xf8E8M0FNU>) -> tensor<2x3xf4E2M1FN>, tensor<1x3xf8E8M0FNU>
  %0 = mx.matmul lhs(%x : tensor<4x2xf32>)
      rhs(%q#0, %q#1 : tensor<2x3xf4E2M1FN>, tensor<1x3xf8E8M0FNU>) as <mxfp4> outs(%c : tensor<4x3xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// What is not constant stays, with what it needs; a large splat is no weight,
// nor is a constant that is broadcast to more than memory holds.

// CHECK-LABEL: func.func @stays(
// CHECK:         mx.quantize <mxfp8_e4m3> axis = 1 ins(%arg0
// CHECK:         mx.quantize <mxfp8_e4m3> axis = 1 ins(%cst
func.func @stays(%x: tensor<4x64xf32>) -> (tensor<4x64xf8E4M3FN>, tensor<4194304x4194304xf8E4M3FN>) {
  %w = arith.constant dense<1.0> : tensor<4194304x4194304xf32>
  %e = tensor.empty() : tensor<4x64xf8E4M3FN>
  %s = tensor.empty() : tensor<4x2xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>
  %f = tensor.empty() : tensor<4194304x4194304xf8E4M3FN>
  %t = tensor.empty() : tensor<4194304x131072xf8E8M0FNU>
  %r:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%w : tensor<4194304x4194304xf32>)
      outs(%f, %t : tensor<4194304x4194304xf8E4M3FN>, tensor<4194304x131072xf8E8M0FNU>) -> tensor<4194304x4194304xf8E4M3FN>, tensor<4194304x131072xf8E8M0FNU>
  return %q#0, %r#0 : tensor<4x64xf8E4M3FN>, tensor<4194304x4194304xf8E4M3FN>
}

// CHECK-LABEL: func.func @broadcast(
// CHECK:         mx.quantize
func.func @broadcast() -> tensor<4194304x4194304xf8E4M3FN> {
  %v = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %i = tensor.empty() : tensor<4194304x4194304x2xf32>
  %b = linalg.broadcast ins(%v : tensor<2xf32>) outs(%i : tensor<4194304x4194304x2xf32>) dimensions = [0, 1]
  %f = tensor.empty() : tensor<4194304x4194304x2xf8E4M3FN>
  %t = tensor.empty() : tensor<4194304x4194304x1xf8E8M0FNU>
  %r:2 = mx.quantize <mxfp8_e4m3> axis = 2 ins(%b : tensor<4194304x4194304x2xf32>)
      outs(%f, %t : tensor<4194304x4194304x2xf8E4M3FN>, tensor<4194304x4194304x1xf8E8M0FNU>) -> tensor<4194304x4194304x2xf8E4M3FN>, tensor<4194304x4194304x1xf8E8M0FNU>
  %s = tensor.extract_slice %r#0[0, 0, 0] [4194304, 4194304, 1] [1, 1, 1] : tensor<4194304x4194304x2xf8E4M3FN> to tensor<4194304x4194304xf8E4M3FN>
  return %s : tensor<4194304x4194304xf8E4M3FN>
}
