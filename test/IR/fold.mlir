// RUN: mx-opt %s -canonicalize -split-input-file | FileCheck %s

// Constants are folded by the reference quantiser, whose own tests are in
// test/Unit/Formats. Codes are in hexadecimal, one a byte.

// Ties to even; a sign of zero; a block of zeros.
// CHECK-LABEL: func @quantize
func.func @quantize() -> (tensor<1x8xf4E2M1FN>, tensor<1x2xf8E8M0FNU>) {
  // CHECK-DAG: %[[E:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00, -0.000000e+00, 6.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00]]> : tensor<1x8xf4E2M1FN>
  // CHECK-DAG: %[[S:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, 5.877470e-39]]> : tensor<1x2xf8E8M0FNU>
  // CHECK: return %[[E]], %[[S]]
  %x = arith.constant dense<[[1.0, 2.5, -0.25, 6.0, 0.0, 0.0, 0.0, 0.0]]> : tensor<1x8xf32>
  %e = tensor.empty() : tensor<1x8xf4E2M1FN>
  %s = tensor.empty() : tensor<1x2xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp4, block = 1x4> axis = 1 ins(%x : tensor<1x8xf32>)
      outs(%e, %s : tensor<1x8xf4E2M1FN>, tensor<1x2xf8E8M0FNU>) -> tensor<1x8xf4E2M1FN>, tensor<1x2xf8E8M0FNU>
  return %q#0, %q#1 : tensor<1x8xf4E2M1FN>, tensor<1x2xf8E8M0FNU>
}

// -----

// A resource, bf16; the amax of a constant; and back. Rows 1 2 3 6 and -6 0 0 3.
// CHECK-LABEL: func @resource
func.func @resource() -> (tensor<2x4xf4E2M1FN>, tensor<2x1xf8E4M3FN>, tensor<f32>, tensor<2x4xf16>) {
  // CHECK-DAG: %[[A:.*]] = arith.constant dense<6.000000e+00> : tensor<f32>
  // CHECK-DAG: %[[S:.*]] = arith.constant dense<4.480000e+02> : tensor<2x1xf8E4M3FN>
  // CHECK-DAG: %[[E:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00, 3.000000e+00, 6.000000e+00], [-6.000000e+00, 0.000000e+00, 0.000000e+00, 3.000000e+00]]> : tensor<2x4xf4E2M1FN>
  // CHECK-DAG: %[[D:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00, 3.000000e+00, 6.000000e+00], [-6.000000e+00, 0.000000e+00, 0.000000e+00, 3.000000e+00]]> : tensor<2x4xf16>
  // CHECK: return %[[E]], %[[S]], %[[A]], %[[D]]
  %x = arith.constant dense_resource<x> : tensor<2x4xbf16>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %a = mx.amax ins(%x : tensor<2x4xbf16>) outs(%zero : tensor<f32>) -> tensor<f32>
  %e = tensor.empty() : tensor<2x4xf4E2M1FN>
  %s = tensor.empty() : tensor<2x1xf8E4M3FN>
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<2x4xbf16>) amax(%a : tensor<f32>)
      outs(%e, %s : tensor<2x4xf4E2M1FN>, tensor<2x1xf8E4M3FN>) -> tensor<2x4xf4E2M1FN>, tensor<2x1xf8E4M3FN>
  %f = tensor.empty() : tensor<2x4xf16>
  %d = mx.dequantize <nvfp4> axis = 1 ins(%q#0, %q#1, %a : tensor<2x4xf4E2M1FN>, tensor<2x1xf8E4M3FN>, tensor<f32>)
      outs(%f : tensor<2x4xf16>) -> tensor<2x4xf16>
  return %q#0, %q#1, %a, %d : tensor<2x4xf4E2M1FN>, tensor<2x1xf8E4M3FN>, tensor<f32>, tensor<2x4xf16>
}
{-# dialect_resources: { builtin: { x: "0x02000000803F00404040C040C0C0000000004040" } } #-}

// -----

// A blob that is missing, or of another size than the tensor, is no value.
// CHECK-LABEL: func @elided
func.func @elided() -> (tensor<f32>, tensor<f32>) {
  // CHECK: mx.amax
  // CHECK: mx.amax
  %zero = arith.constant dense<0.0> : tensor<f32>
  %x = arith.constant dense_resource<__elided__> : tensor<2x4xf32>
  %a = mx.amax ins(%x : tensor<2x4xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %y = arith.constant dense_resource<short> : tensor<4xf32>
  %b = mx.amax ins(%y : tensor<4xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  return %a, %b : tensor<f32>, tensor<f32>
}
{-# dialect_resources: { builtin: { short: "0x040000000000803F" } } #-}

// -----

// A NaN of the input is ignored, one of the init is not.
// CHECK-LABEL: func @amax
func.func @amax() -> (tensor<f32>, tensor<f32>, tensor<f32>) {
  // CHECK-DAG: %[[A:.*]] = arith.constant dense<3.000000e+00> : tensor<f32>
  // CHECK-DAG: %[[B:.*]] = arith.constant dense<5.000000e+00> : tensor<f32>
  // CHECK-DAG: %[[C:.*]] = arith.constant dense<0x7FC00000> : tensor<f32>
  // CHECK: return %[[A]], %[[B]], %[[C]]
  %x = arith.constant dense<[1.0, -3.0, 0x7FC00000]> : tensor<3xf32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %five = arith.constant dense<5.0> : tensor<f32>
  %nan = arith.constant dense<0x7FC00000> : tensor<f32>
  %a = mx.amax ins(%x : tensor<3xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %b = mx.amax ins(%x : tensor<3xf32>) outs(%five : tensor<f32>) -> tensor<f32>
  %c = mx.amax ins(%x : tensor<3xf32>) outs(%nan : tensor<f32>) -> tensor<f32>
  return %a, %b, %c : tensor<f32>, tensor<f32>, tensor<f32>
}

// -----

// What a literal has above a code's bits does not count: 0xF2 is 0x2. Zero
// points are subtracted; scales in bf16.
// CHECK-LABEL: func @dequantize
func.func @dequantize() -> (tensor<1x4xf32>, tensor<1x4xf32>) {
  // CHECK-DAG: %[[A:.*]] = arith.constant dense<{{\[\[}}2.000000e+00, -1.000000e+00, 1.200000e+01, 0.000000e+00]]> : tensor<1x4xf32>
  // CHECK-DAG: %[[B:.*]] = arith.constant dense<{{\[\[}}0.000000e+00, 5.000000e-01, -4.500000e+00, 3.000000e+00]]> : tensor<1x4xf32>
  // CHECK: return %[[A]], %[[B]]
  %q = arith.constant dense<"0xF2090700"> : tensor<1x4xf4E2M1FN>
  %s = arith.constant dense<2.0> : tensor<1x1xf8E8M0FNU>
  %e = tensor.empty() : tensor<1x4xf32>
  %a = mx.dequantize <mxfp4> axis = 1 ins(%q, %s : tensor<1x4xf4E2M1FN>, tensor<1x1xf8E8M0FNU>) outs(%e : tensor<1x4xf32>) -> tensor<1x4xf32>
  %p = arith.constant dense<[[1, 2, -8, 7]]> : tensor<1x4xi4>
  %t = arith.constant dense<0.5> : tensor<1x1xbf16>
  %z = arith.constant dense<1> : tensor<1x1xi8>
  %b = mx.dequantize <int4_g32, scale = bf16, zero_point = true> axis = 1
      ins(%p, %t, %z : tensor<1x4xi4>, tensor<1x1xbf16>, tensor<1x1xi8>) outs(%e : tensor<1x4xf32>) -> tensor<1x4xf32>
  return %a, %b : tensor<1x4xf32>, tensor<1x4xf32>
}

// -----

// Along the first dimension, in groups of 4, with signs: each column is
// (1 - 2 + 3 - 4, 1 + 2 + 3 + 4, 1 - 2 - 3 + 4, 1 + 2 - 3 - 4) / 2. A quantise
// with zero points, whose range is 0 .. 15; stochastic, which rounds codes that
// are exact to themselves.
// CHECK-LABEL: func @hadamard
func.func @hadamard() -> (tensor<4x1xbf16>, tensor<1x4xi4>, tensor<1x1xf32>, tensor<1x1xi8>, tensor<1x4xf4E2M1FN>) {
  // CHECK-DAG: %[[Y:.*]] = arith.constant dense<{{\[\[}}-1.000000e+00], [5.000000e+00], [0.000000e+00], [-2.000000e+00]]> : tensor<4x1xbf16>
  // CHECK-DAG: %[[Q:.*]] = arith.constant dense<{{\[\[}}-8, -4, 0, 7]]> : tensor<1x4xi4>
  // CHECK-DAG: %[[S:.*]] = arith.constant dense<1.000000e+00> : tensor<1x1xf32>
  // CHECK-DAG: %[[Z:.*]] = arith.constant dense<-8> : tensor<1x1xi8>
  // CHECK-DAG: %[[R:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, -6.000000e+00, 5.000000e-01, 3.000000e+00]]> : tensor<1x4xf4E2M1FN>
  // CHECK: return %[[Y]], %[[Q]], %[[S]], %[[Z]], %[[R]]
  %x = arith.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %e = tensor.empty() : tensor<4x1xbf16>
  %y = mx.hadamard <4, signs = [1, -1, 1, -1]> axis = 0 ins(%x : tensor<4x1xf32>) outs(%e : tensor<4x1xbf16>) -> tensor<4x1xbf16>
  %u = arith.constant dense<[[0.0, 4.0, 8.0, 15.0]]> : tensor<1x4xf32>
  %qe = tensor.empty() : tensor<1x4xi4>
  %se = tensor.empty() : tensor<1x1xf32>
  %ze = tensor.empty() : tensor<1x1xi8>
  %q:3 = mx.quantize <int4_g32, zero_point = true> axis = 1 ins(%u : tensor<1x4xf32>)
      outs(%qe, %se, %ze : tensor<1x4xi4>, tensor<1x1xf32>, tensor<1x1xi8>) -> tensor<1x4xi4>, tensor<1x1xf32>, tensor<1x1xi8>
  %v = arith.constant dense<[[1.0, -6.0, 0.5, 3.0]]> : tensor<1x4xf32>
  %seed = arith.constant 7 : i64
  %fe = tensor.empty() : tensor<1x4xf4E2M1FN>
  %te = tensor.empty() : tensor<1x1xf8E8M0FNU>
  %r:2 = mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%v : tensor<1x4xf32>) random(%seed, %seed)
      outs(%fe, %te : tensor<1x4xf4E2M1FN>, tensor<1x1xf8E8M0FNU>) -> tensor<1x4xf4E2M1FN>, tensor<1x1xf8E8M0FNU>
  return %y, %q#0, %q#1, %q#2, %r#0 : tensor<4x1xbf16>, tensor<1x4xi4>, tensor<1x1xf32>, tensor<1x1xi8>, tensor<1x4xf4E2M1FN>
}

// -----

// Not folded: more elements than a folder takes, packed elements, random bits
// that are not constant, a double quantisation.
// CHECK-LABEL: func @not_folded
func.func @not_folded(%r: i64) -> (tensor<256x257xf8E4M3FN>, tensor<1x2xi8>, tensor<1x4xf4E2M1FN>, tensor<1x4xi4>) {
  // CHECK-COUNT-4: mx.quantize
  %big = arith.constant dense<1.0> : tensor<256x257xf32>
  %x = arith.constant dense<1.0> : tensor<1x4xf32>
  %e0 = tensor.empty() : tensor<256x257xf8E4M3FN>
  %s0 = tensor.empty() : tensor<256x1xf32>
  %e1 = tensor.empty() : tensor<1x2xi8>
  %s1 = tensor.empty() : tensor<1x1xf8E8M0FNU>
  %e2 = tensor.empty() : tensor<1x4xf4E2M1FN>
  %e3 = tensor.empty() : tensor<1x4xi4>
  %s3 = tensor.empty() : tensor<1x1xf32>
  %a:2 = mx.quantize <fp8_row> axis = 1 ins(%big : tensor<256x257xf32>) outs(%e0, %s0 : tensor<256x257xf8E4M3FN>, tensor<256x1xf32>) -> tensor<256x257xf8E4M3FN>, tensor<256x1xf32>
  %b:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<1x4xf32>) outs(%e1, %s1 : tensor<1x2xi8>, tensor<1x1xf8E8M0FNU>) -> tensor<1x2xi8>, tensor<1x1xf8E8M0FNU>
  %c:2 = mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%x : tensor<1x4xf32>) random(%r, %r) outs(%e2, %s1 : tensor<1x4xf4E2M1FN>, tensor<1x1xf8E8M0FNU>) -> tensor<1x4xf4E2M1FN>, tensor<1x1xf8E8M0FNU>
  %d:2 = mx.quantize <nf4, double_quant = true> axis = 1 ins(%x : tensor<1x4xf32>) outs(%e3, %s3 : tensor<1x4xi4>, tensor<1x1xf32>) -> tensor<1x4xi4>, tensor<1x1xf32>
  return %a#0, %b#0, %c#0, %d#0 : tensor<256x257xf8E4M3FN>, tensor<1x2xi8>, tensor<1x4xf4E2M1FN>, tensor<1x4xi4>
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// Empty: results that have no elements, the maximum of nothing, a sum over an
// empty K. A scale a row has elements though the row has none.
// CHECK-LABEL: func @empty
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<4x0xf32>, %[[E:[a-z0-9]*]]: tensor<4x0xf4E2M1FN>, %[[S:[a-z0-9]*]]: tensor<4x0xf8E8M0FNU>, %[[A:[a-z0-9]*]]: tensor<f32>, %[[C:[a-z0-9]*]]: tensor<4x8xf32>
func.func @empty(%x: tensor<4x0xf32>, %e: tensor<4x0xf4E2M1FN>, %s: tensor<4x0xf8E8M0FNU>, %a: tensor<f32>, %c: tensor<4x8xf32>,
                 %w: tensor<8x0xf32>, %f: tensor<4x0xf8E4M3FN>, %t: tensor<4x1xf32>)
    -> (tensor<4x0xf4E2M1FN>, tensor<4x0xf8E8M0FNU>, tensor<4x0xf32>, tensor<f32>, tensor<4x8xf32>, tensor<4x1xf32>) {
  // CHECK-NEXT: %[[R:.*]]:2 = mx.quantize <fp8_row>
  // CHECK-NEXT: return %[[E]], %[[S]], %[[X]], %[[A]], %[[C]], %[[R]]#1
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x0xf32>) outs(%e, %s : tensor<4x0xf4E2M1FN>, tensor<4x0xf8E8M0FNU>) -> tensor<4x0xf4E2M1FN>, tensor<4x0xf8E8M0FNU>
  %d = mx.dequantize <mxfp4> axis = 1 ins(%q#0, %q#1 : tensor<4x0xf4E2M1FN>, tensor<4x0xf8E8M0FNU>) outs(%x : tensor<4x0xf32>) -> tensor<4x0xf32>
  %h = mx.hadamard <16> axis = 1 ins(%d : tensor<4x0xf32>) outs(%x : tensor<4x0xf32>) -> tensor<4x0xf32>
  %m = mx.amax ins(%h : tensor<4x0xf32>) outs(%a : tensor<f32>) -> tensor<f32>
  %p = mx.matmul lhs(%q#0, %q#1 : tensor<4x0xf4E2M1FN>, tensor<4x0xf8E8M0FNU>) as <mxfp4> rhs(%w : tensor<8x0xf32>)
      outs(%c : tensor<4x8xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<4x8xf32>
  %r:2 = mx.quantize <fp8_row> axis = 1 ins(%x : tensor<4x0xf32>) outs(%f, %t : tensor<4x0xf8E4M3FN>, tensor<4x1xf32>) -> tensor<4x0xf8E4M3FN>, tensor<4x1xf32>
  return %q#0, %q#1, %h, %m, %p, %r#1 : tensor<4x0xf4E2M1FN>, tensor<4x0xf8E8M0FNU>, tensor<4x0xf32>, tensor<f32>, tensor<4x8xf32>, tensor<4x1xf32>
}

// -----

#tile = #mx.layout<tile_128x4>
// There and back.
// CHECK-LABEL: func @relayout
// CHECK-SAME: %[[S:[a-z0-9]*]]: tensor<128x4xf8E8M0FNU>
func.func @relayout(%s: tensor<128x4xf8E8M0FNU>, %e: tensor<128x4xf8E8M0FNU, #tile>, %f: tensor<128x4xf8E8M0FNU>) -> tensor<128x4xf8E8M0FNU> {
  // CHECK-NEXT: return %[[S]]
  %t = mx.relayout ins(%s : tensor<128x4xf8E8M0FNU>) outs(%e : tensor<128x4xf8E8M0FNU, #tile>) -> tensor<128x4xf8E8M0FNU, #tile>
  %u = mx.relayout ins(%t : tensor<128x4xf8E8M0FNU, #tile>) outs(%f : tensor<128x4xf8E8M0FNU>) -> tensor<128x4xf8E8M0FNU>
  return %u : tensor<128x4xf8E8M0FNU>
}

// -----

// A splat whose elements nobody can count, let alone fold.

// CHECK-LABEL: func.func @huge_splat
// CHECK:         mx.amax
func.func @huge_splat(%init: tensor<f32>) -> tensor<f32> {
  %x = arith.constant dense<0.5> : tensor<9223372036854775807x8xf32>
  %amax = mx.amax ins(%x : tensor<9223372036854775807x8xf32>) outs(%init : tensor<f32>) -> tensor<f32>
  return %amax : tensor<f32>
}
