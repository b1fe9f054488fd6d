// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 --mx-quantize-matmuls=fallback=error --mx-verify-untouched \
// RUN:   --mx-report-plan=output=- -o /dev/null | FileCheck %s

// Weights through tosa.transpose and tosa.reshape, on either side; a stack of
// them, one for each product.

// CHECK-LABEL: Precision plan of @layers
// CHECK:       tosa.matmul up linear 4x32x64 mxfp8_e4m3 mxfp8_e4m3
// CHECK-NEXT:  tosa.matmul left linear 8x4x32 mxfp8_e4m3 mxfp8_e4m3
func.func @layers(%x: tensor<1x4x64xf32>, %w: tensor<32x64xf32> {mx.parameter = "up.weight"}, %v: tensor<8x32xf32> {mx.parameter = "left.weight"})
    -> tensor<1x8x4xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %s0 = tosa.const_shape {values = dense<[1, 64, 32]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %s1 = tosa.const_shape {values = dense<[1, 8, 32]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %t = tosa.transpose %w {perms = array<i32: 1, 0>} : (tensor<32x64xf32>) -> tensor<64x32xf32>
  %r = tosa.reshape %t, %s0 : (tensor<64x32xf32>, !tosa.shape<3>) -> tensor<1x64x32xf32>
  %0 = tosa.matmul %x, %r, %zp, %zp : (tensor<1x4x64xf32>, tensor<1x64x32xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x32xf32>
  %1 = tosa.transpose %0 {perms = array<i32: 0, 2, 1>} : (tensor<1x4x32xf32>) -> tensor<1x32x4xf32>
  %2 = tosa.reshape %v, %s1 : (tensor<8x32xf32>, !tosa.shape<3>) -> tensor<1x8x32xf32>
  %3 = tosa.matmul %2, %1, %zp, %zp : (tensor<1x8x32xf32>, tensor<1x32x4xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x8x4xf32>
  return %3 : tensor<1x8x4xf32>
}

// Grouped queries: keys and values repeated by an addition of zeros. The softmax
// is max, sub, exp, sum, reciprocal, mul; the mask passes through i8.

// CHECK-LABEL: Precision plan of @attention
// CHECK:       tosa.matmul attention_scores 8x8x16 (4 times) f32 f32
// CHECK-NEXT:  tosa.reduce_max softmax
// CHECK-NEXT:  tosa.matmul attention_context 8x16x8 (4 times) f32 f32
func.func @attention(%q: tensor<4x8x16xf32>, %k: tensor<2x1x16x8xf32>, %v: tensor<2x1x8x16xf32>, %mask: tensor<1x8x8xi8>) -> tensor<4x8x16xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %shift = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %z0 = "tosa.const"() <{values = dense<0.0> : tensor<2x2x16x8xf32>}> : () -> tensor<2x2x16x8xf32>
  %z1 = "tosa.const"() <{values = dense<0.0> : tensor<2x2x8x16xf32>}> : () -> tensor<2x2x8x16xf32>
  %low = "tosa.const"() <{values = dense<-1.0e+30> : tensor<1x1x1xf32>}> : () -> tensor<1x1x1xf32>
  %s0 = tosa.const_shape {values = dense<[4, 16, 8]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %s1 = tosa.const_shape {values = dense<[4, 8, 16]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %k0 = tosa.add %k, %z0 : (tensor<2x1x16x8xf32>, tensor<2x2x16x8xf32>) -> tensor<2x2x16x8xf32>
  %v0 = tosa.add %v, %z1 : (tensor<2x1x8x16xf32>, tensor<2x2x8x16xf32>) -> tensor<2x2x8x16xf32>
  %k1 = tosa.reshape %k0, %s0 : (tensor<2x2x16x8xf32>, !tosa.shape<3>) -> tensor<4x16x8xf32>
  %v1 = tosa.reshape %v0, %s1 : (tensor<2x2x8x16xf32>, !tosa.shape<3>) -> tensor<4x8x16xf32>
  %0 = tosa.matmul %q, %k1, %zp, %zp : (tensor<4x8x16xf32>, tensor<4x16x8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<4x8x8xf32>
  %keep = tosa.cast %mask : (tensor<1x8x8xi8>) -> tensor<1x8x8xi1>
  %1 = tosa.select %keep, %0, %low : (tensor<1x8x8xi1>, tensor<4x8x8xf32>, tensor<1x1x1xf32>) -> tensor<4x8x8xf32>
  %2 = tosa.reduce_max %1 {axis = 2 : i32} : (tensor<4x8x8xf32>) -> tensor<4x8x1xf32>
  %3 = tosa.sub %1, %2 : (tensor<4x8x8xf32>, tensor<4x8x1xf32>) -> tensor<4x8x8xf32>
  %4 = tosa.exp %3 : (tensor<4x8x8xf32>) -> tensor<4x8x8xf32>
  %5 = tosa.reduce_sum %4 {axis = 2 : i32} : (tensor<4x8x8xf32>) -> tensor<4x8x1xf32>
  %6 = tosa.reciprocal %5 : (tensor<4x8x1xf32>) -> tensor<4x8x1xf32>
  %7 = tosa.mul %4, %6, %shift : (tensor<4x8x8xf32>, tensor<4x8x1xf32>, tensor<1xi8>) -> tensor<4x8x8xf32>
  %8 = tosa.matmul %7, %v1, %zp, %zp : (tensor<4x8x8xf32>, tensor<4x8x16xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<4x8x16xf32>
  return %8 : tensor<4x8x16xf32>
}

// In low precision already, with zero points or blocks; a convolution.

// CHECK-LABEL: Precision plan of @kept
// CHECK:       tosa.matmul quantized 4x8x64 i8 i8
// CHECK-NEXT:  tosa.matmul_t_block_scaled quantized
// CHECK-NEXT:  tosa.conv2d conv
func.func @kept(%x: tensor<1x4x64xi8>, %w: tensor<1x64x8xi8>, %a: tensor<1x4x64xf8E4M3FN>, %as: tensor<1x4x2xf8E8M0FNU>,
                %b: tensor<1x8x64xf8E4M3FN>, %bs: tensor<1x8x2xf8E8M0FNU>, %image: tensor<1x8x8x3xf32>, %kernel: tensor<16x4x4x3xf32>, %bias: tensor<16xf32>)
    -> (tensor<1x4x8xi32>, tensor<1x4x8xf32>, tensor<1x2x2x16xf32>) {
  %zx = "tosa.const"() <{values = dense<3> : tensor<1xi8>}> : () -> tensor<1xi8>
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %0 = tosa.matmul %x, %w, %zx, %zx : (tensor<1x4x64xi8>, tensor<1x64x8xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x8xi32>
  %1 = tosa.matmul_t_block_scaled %a, %as, %b, %bs {block_size = BLOCK_SIZE_32}
      : (tensor<1x4x64xf8E4M3FN>, tensor<1x4x2xf8E8M0FNU>, tensor<1x8x64xf8E4M3FN>, tensor<1x8x2xf8E8M0FNU>) -> tensor<1x4x8xf32>
  %2 = tosa.conv2d %image, %kernel, %bias, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 4, 4>}
      : (tensor<1x8x8x3xf32>, tensor<16x4x4x3xf32>, tensor<16xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x2x2x16xf32>
  return %0, %1, %2 : tensor<1x4x8xi32>, tensor<1x4x8xf32>, tensor<1x2x2x16xf32>
}

// Extents that only the operands know, or only the result; a rank that nobody
// knows.

// CHECK-LABEL: Precision plan of @extents
// CHECK:       tosa.matmul w linear 4x8x64 mxfp8_e4m3 mxfp8_e4m3
// CHECK-NEXT:  tosa.matmul w linear ?x8x64 mxfp8_e4m3 mxfp8_e4m3
func.func @extents(%x: tensor<1x4x64xf32>, %w: tensor<1x64x8xf32> {mx.parameter = "w"}, %y: tensor<?x?x64xf32>, %u: tensor<*xf32>)
    -> (tensor<?x?x?xf32>, tensor<1x4x8xf32>, tensor<*xf32>) {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %0 = tosa.matmul %x, %w, %zp, %zp : (tensor<1x4x64xf32>, tensor<1x64x8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x?x?xf32>
  %1 = tosa.matmul %y, %w, %zp, %zp : (tensor<?x?x64xf32>, tensor<1x64x8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x8xf32>
  %2 = tosa.transpose %u {perms = array<i32: 1, 0>} : (tensor<*xf32>) -> tensor<*xf32>
  return %0, %1, %2 : tensor<?x?x?xf32>, tensor<1x4x8xf32>, tensor<*xf32>
}
