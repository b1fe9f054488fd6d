// RUN: mx-opt %s | mx-opt | FileCheck %s
// RUN: mx-opt %s -mlir-print-op-generic | mx-opt | FileCheck %s
// RUN: mx-opt %s -emit-bytecode | mx-opt | FileCheck %s

// CHECK-LABEL: func @quantize_matmul
func.func @quantize_matmul(%x: tensor<4x64xf32>, %w: tensor<8x64xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  // CHECK: %[[AX:.*]] = mx.amax ins(%{{.*}} : tensor<4x64xf32>) outs(%{{.*}} : tensor<f32>) -> tensor<f32>
  %ax = mx.amax ins(%x : tensor<4x64xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %aw = mx.amax ins(%w : tensor<8x64xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %e0 = tensor.empty() : tensor<4x64xf4E2M1FN>
  %e1 = tensor.empty() : tensor<4x4xf8E4M3FN>
  %e2 = tensor.empty() : tensor<8x64xf4E2M1FN>
  %e3 = tensor.empty() : tensor<8x4xf8E4M3FN>
  // CHECK: mx.quantize <nvfp4> axis = 1 ins(%{{.*}} : tensor<4x64xf32>) amax(%[[AX]] : tensor<f32>)
  // CHECK-SAME: outs(%{{.*}}, %{{.*}} : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>)
  %qx:2 = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<4x64xf32>) amax(%ax : tensor<f32>)
      outs(%e0, %e1 : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>)
      -> tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>
  %qw:2 = mx.quantize <nvfp4> axis = 1 ins(%w : tensor<8x64xf32>) amax(%aw : tensor<f32>)
      outs(%e2, %e3 : tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>)
      -> tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>
  // CHECK: mx.matmul lhs(%{{.*}}, %{{.*}}, %{{.*}} : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
  // CHECK-SAME: rhs(
  %d = mx.matmul
      lhs(%qx#0, %qx#1, %ax : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
      rhs(%qw#0, %qw#1, %aw : tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
      outs(%c : tensor<4x8xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                       affine_map<(m, n, k) -> (m, n)>] -> tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}

// CHECK-LABEL: func @dequantize
func.func @dequantize(%q: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>, %init: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: mx.dequantize <mxfp4> axis = 1 ins(%{{.*}}, %{{.*}} : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) outs(%{{.*}} : tensor<4x64xf32>) -> tensor<4x64xf32>
  %x = mx.dequantize <mxfp4> axis = 1
      ins(%q, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>)
      outs(%init : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %x : tensor<4x64xf32>
}

// CHECK-LABEL: func @amax
func.func @amax(%x: tensor<4x64xbf16>, %zero: tensor<f32>) -> tensor<f32> {
  // CHECK: mx.amax ins(%{{.*}} : tensor<4x64xbf16>) outs(%{{.*}} : tensor<f32>) -> tensor<f32>
  %a = mx.amax ins(%x : tensor<4x64xbf16>) outs(%zero : tensor<f32>) -> tensor<f32>
  return %a : tensor<f32>
}

// CHECK-LABEL: func @hadamard
func.func @hadamard(%x: tensor<4x64xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: mx.hadamard <rht16> axis = 1 ins(%{{.*}} : tensor<4x64xf32>) outs(%{{.*}} : tensor<4x64xf32>) -> tensor<4x64xf32>
  %y = mx.hadamard <rht16> axis = 1 ins(%x : tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}

// The layout is the order in memory; the shape stays, whole tiles or not.
// CHECK-LABEL: func @relayout
func.func @relayout(%s: tensor<100x6xf8E8M0FNU>, %e: tensor<100x6xf8E8M0FNU, #mx.layout<tile_128x4>>)
    -> tensor<100x6xf8E8M0FNU, #mx.layout<tile_128x4>> {
  // CHECK: mx.relayout ins(%{{.*}} : tensor<100x6xf8E8M0FNU>) outs(%{{.*}} : tensor<100x6xf8E8M0FNU, #mx.layout<tile_128x4>>) -> tensor<100x6xf8E8M0FNU, #mx.layout<tile_128x4>>
  %t = mx.relayout ins(%s : tensor<100x6xf8E8M0FNU>)
      outs(%e : tensor<100x6xf8E8M0FNU, #mx.layout<tile_128x4>>)
      -> tensor<100x6xf8E8M0FNU, #mx.layout<tile_128x4>>
  return %t : tensor<100x6xf8E8M0FNU, #mx.layout<tile_128x4>>
}

// CHECK-LABEL: func @stats
func.func @stats(%x: tensor<4x64xf32>, %q: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>, %e: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: mx.stats <mxfp4> axis = 1 ins(%{{.*}} : tensor<4x64xf32>) quantized(%{{.*}}, %{{.*}} : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) outs(%{{.*}} : tensor<4xf32>) -> tensor<4xf32>
  %r = mx.stats <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
      quantized(%q, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>)
      outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// Zero points; a ragged K; blocks along the first dimension.
// CHECK-LABEL: func @zero_points
func.func @zero_points(%x: tensor<70x8xf32>, %e: tensor<70x8xi4>, %s: tensor<3x8xf32>, %z: tensor<3x8xi8>)
    -> (tensor<70x8xi4>, tensor<3x8xf32>, tensor<3x8xi8>) {
  // CHECK: mx.quantize <int4_g32, zero_point = true> axis = 0 ins(%{{.*}} : tensor<70x8xf32>)
  %q:3 = mx.quantize <int4_g32, zero_point = true> axis = 0 ins(%x : tensor<70x8xf32>)
      outs(%e, %s, %z : tensor<70x8xi4>, tensor<3x8xf32>, tensor<3x8xi8>)
      -> tensor<70x8xi4>, tensor<3x8xf32>, tensor<3x8xi8>
  return %q#0, %q#1, %q#2 : tensor<70x8xi4>, tensor<3x8xf32>, tensor<3x8xi8>
}

// CHECK-LABEL: func @stochastic
func.func @stochastic(%x: tensor<4x64xf32>, %seed: i64, %offset: i64, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>)
    -> tensor<4x64xf4E2M1FN> {
  // CHECK: mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%{{.*}} : tensor<4x64xf32>) random(%{{.*}}, %{{.*}}) outs(%{{.*}}) {random_bits = 8 : i64} ->
  %q:2 = mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%x : tensor<4x64xf32>) random(%seed, %offset)
      outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) {random_bits = 8 : i64} -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  return %q#0 : tensor<4x64xf4E2M1FN>
}

// A scale a tensor has one entry, of every batch.
// CHECK-LABEL: func @whole_tensor
func.func @whole_tensor(%x: tensor<2x?x64xf16>, %e: tensor<2x?x64xf8E4M3FN>, %s: tensor<1x1x1xf32>) -> tensor<1x1x1xf32> {
  // CHECK: mx.quantize <fp8_tensor> axis = 2
  %q:2 = mx.quantize <fp8_tensor> axis = 2 ins(%x : tensor<2x?x64xf16>)
      outs(%e, %s : tensor<2x?x64xf8E4M3FN>, tensor<1x1x1xf32>) -> tensor<2x?x64xf8E4M3FN>, tensor<1x1x1xf32>
  return %q#1 : tensor<1x1x1xf32>
}

// Formats may be spelled by an alias, in every place.
#q = #mx.format<nvfp4>
#h = #mx.hadamard<16, seed = 3>
// A batch, a weight without one whose K is its first dimension (16x16 blocks
// of K and N), a bias, swizzled scales, a high-precision lhs in bf16.
// CHECK-LABEL: func @batch
func.func @batch(%x: tensor<2x?x64xbf16>, %w: tensor<64x8xf4E2M1FN>, %s: tensor<4x1xf8E4M3FN, #mx.layout<tile_128x4>>,
                 %g: tensor<f32>, %bias: tensor<8xf32>, %c: tensor<2x?x8xbf16>, %y: tensor<2x?x64xbf16>) -> tensor<2x?x8xbf16> {
  // CHECK: mx.hadamard <16, seed = 3> axis = 2
  %h = mx.hadamard #h axis = 2 ins(%x : tensor<2x?x64xbf16>) outs(%y : tensor<2x?x64xbf16>) -> tensor<2x?x64xbf16>
  // CHECK: mx.matmul lhs(%{{.*}} : tensor<2x?x64xbf16>) rhs(%{{.*}}, %{{.*}}, %{{.*}} : {{.*}}) as <nvfp4_2d> bias(%{{.*}} : tensor<8xf32>) outs(
  %d = mx.matmul lhs(%h : tensor<2x?x64xbf16>)
      rhs(%w, %s, %g : tensor<64x8xf4E2M1FN>, tensor<4x1xf8E4M3FN, #mx.layout<tile_128x4>>, tensor<f32>) as <nvfp4_2d>
      bias(%bias : tensor<8xf32>) outs(%c : tensor<2x?x8xbf16>)
      indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (k, n)>,
                       affine_map<(b, m, n, k) -> (n)>, affine_map<(b, m, n, k) -> (b, m, n)>]
      -> tensor<2x?x8xbf16>
  return %d : tensor<2x?x8xbf16>
}

// On buffers, elements packed two a byte along the last dimension; K is 33.
// CHECK-LABEL: func @packed
func.func @packed(%x: memref<4x33xf32>, %w: memref<8x33xf32>, %a: memref<f32>, %qx: memref<4x17xi8>, %sx: memref<4x3xf8E4M3FN>,
                  %qw: memref<8x17xi8>, %sw: memref<8x3xf8E4M3FN>, %c: memref<4x8xf32>) {
  // CHECK: mx.amax ins(%{{.*}} : memref<4x33xf32>) outs(%{{.*}} : memref<f32>)
  mx.amax ins(%x : memref<4x33xf32>) outs(%a : memref<f32>)
  // CHECK: mx.quantize <nvfp4> axis = 1 ins(%{{.*}} : memref<4x33xf32>) amax(%{{.*}} : memref<f32>) outs(%{{.*}}, %{{.*}} : memref<4x17xi8>, memref<4x3xf8E4M3FN>)
  mx.quantize #q axis = 1 ins(%x : memref<4x33xf32>) amax(%a : memref<f32>) outs(%qx, %sx : memref<4x17xi8>, memref<4x3xf8E4M3FN>)
  mx.quantize #q axis = 1 ins(%w : memref<8x33xf32>) amax(%a : memref<f32>) outs(%qw, %sw : memref<8x17xi8>, memref<8x3xf8E4M3FN>)
  // CHECK: mx.matmul lhs({{.*}}) as <nvfp4> rhs({{.*}}) as <nvfp4> outs(%{{.*}} : memref<4x8xf32>)
  mx.matmul lhs(%qx, %sx, %a : memref<4x17xi8>, memref<4x3xf8E4M3FN>, memref<f32>) as #q
      rhs(%qw, %sw, %a : memref<8x17xi8>, memref<8x3xf8E4M3FN>, memref<f32>) as #q
      outs(%c : memref<4x8xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
  // CHECK: mx.dequantize <nvfp4> axis = 1 ins(%{{.*}}, %{{.*}}, %{{.*}} : memref<4x17xi8>, memref<4x3xf8E4M3FN>, memref<f32>) outs(%{{.*}} : memref<4x33xf32>)
  mx.dequantize #q axis = 1 ins(%qx, %sx, %a : memref<4x17xi8>, memref<4x3xf8E4M3FN>, memref<f32>) outs(%x : memref<4x33xf32>)
  return
}
