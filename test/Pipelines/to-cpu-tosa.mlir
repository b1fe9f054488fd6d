// RUN: mx-opt %s --mx-lower-precision=scheme=mxfp8 --mx-strip --mx-to-cpu | FileCheck %s

// TOSA around a product that became mx ops; shapes that nobody reads any more.

// CHECK-LABEL: llvm.func @main
// CHECK-NOT:   tosa.
func.func @main(%x: tensor<1x4x64xf32>, %w: tensor<8x64xf32>) -> tensor<1x4x8xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %s = tosa.const_shape {values = dense<[1, 64, 8]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %t = tosa.transpose %w {perms = array<i32: 1, 0>} : (tensor<8x64xf32>) -> tensor<64x8xf32>
  %r = tosa.reshape %t, %s : (tensor<64x8xf32>, !tosa.shape<3>) -> tensor<1x64x8xf32>
  %0 = tosa.matmul %x, %r, %zp, %zp : (tensor<1x4x64xf32>, tensor<1x64x8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x8xf32>
  %1 = tosa.sigmoid %0 : (tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  return %1 : tensor<1x4x8xf32>
}
