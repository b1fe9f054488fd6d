// RUN: mx-opt %s --mx-share-operands --split-input-file | FileCheck %s

// What is not the same stays apart.

// Neither branch dominates the other; what is before both does.

// CHECK-LABEL: func.func @branches(
// CHECK:         mx.hadamard <16
// CHECK:         scf.if
// CHECK:           mx.quantize
// CHECK:         else
// CHECK:           mx.quantize
// CHECK-NOT:     mx.hadamard
// CHECK:         return
func.func @branches(%p: i1, %x: tensor<4x64xf32>) -> (tensor<4x64xf8E4M3FN>, tensor<4x64xf32>) {
  %i = tensor.empty() : tensor<4x64xf32>
  %h = mx.hadamard <16> axis = 1 ins(%x : tensor<4x64xf32>) outs(%i : tensor<4x64xf32>) -> tensor<4x64xf32>
  %e = tensor.empty() : tensor<4x64xf8E4M3FN>
  %s = tensor.empty() : tensor<4x2xf8E8M0FNU>
  %0:2 = scf.if %p -> (tensor<4x64xf8E4M3FN>, tensor<4x64xf32>) {
    %g = mx.hadamard <16> axis = 1 ins(%x : tensor<4x64xf32>) outs(%i : tensor<4x64xf32>) -> tensor<4x64xf32>
    %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%g : tensor<4x64xf32>)
        outs(%e, %s : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>
    scf.yield %q#0, %h : tensor<4x64xf8E4M3FN>, tensor<4x64xf32>
  } else {
    %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%h : tensor<4x64xf32>)
        outs(%e, %s : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>
    scf.yield %q#0, %x : tensor<4x64xf8E4M3FN>, tensor<4x64xf32>
  }
  return %0#0, %0#1 : tensor<4x64xf8E4M3FN>, tensor<4x64xf32>
}

// -----

// An init of amax is read; random bits differ by seed and by position; squares
// of a 4 over 6 are sums, whose order differs; a block of rows sees how rows
// are ordered.

// CHECK-LABEL: func.func @differ(
// CHECK-COUNT-2: mx.amax
// CHECK-COUNT-2: rounding = <sr>
// CHECK-COUNT-2: four_over_six
// CHECK-COUNT-2: block = 2x32
// CHECK:         return
func.func @differ(%x: tensor<64x64xf32>, %y: tensor<2x32x64xf32>, %one: i64, %two: i64)
    -> (tensor<f32>, tensor<f32>, tensor<64x64xf8E4M3FN>, tensor<64x64xf8E4M3FN>, tensor<64x64xf4E2M1FN>, tensor<64x64xf4E2M1FN>, tensor<64x64xf8E4M3FN>, tensor<2x32x64xf8E4M3FN>) {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %five = arith.constant dense<5.0> : tensor<f32>
  %a = mx.amax ins(%x : tensor<64x64xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %b = mx.amax ins(%x : tensor<64x64xf32>) outs(%five : tensor<f32>) -> tensor<f32>
  %e = tensor.empty() : tensor<64x64xf8E4M3FN>
  %s = tensor.empty() : tensor<64x2xf8E8M0FNU>
  %c:2 = mx.quantize <mxfp8_e4m3> axis = 1 rounding = <sr> ins(%x : tensor<64x64xf32>) random(%one, %one)
      outs(%e, %s : tensor<64x64xf8E4M3FN>, tensor<64x2xf8E8M0FNU>) -> tensor<64x64xf8E4M3FN>, tensor<64x2xf8E8M0FNU>
  %d:2 = mx.quantize <mxfp8_e4m3> axis = 1 rounding = <sr> ins(%x : tensor<64x64xf32>) random(%two, %one)
      outs(%e, %s : tensor<64x64xf8E4M3FN>, tensor<64x2xf8E8M0FNU>) -> tensor<64x64xf8E4M3FN>, tensor<64x2xf8E8M0FNU>
  %e4 = tensor.empty() : tensor<64x64xf4E2M1FN>
  %s4 = tensor.empty() : tensor<4x4xf8E4M3FN>
  %f:2 = mx.quantize <nvfp4, block = 16x16, four_over_six = mse> axis = 1 ins(%x : tensor<64x64xf32>) amax(%a : tensor<f32>)
      outs(%e4, %s4 : tensor<64x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>) -> tensor<64x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>
  %g:2 = mx.quantize <nvfp4, block = 16x16, four_over_six = mse> axis = 0 ins(%x : tensor<64x64xf32>) amax(%a : tensor<f32>)
      outs(%e4, %s4 : tensor<64x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>) -> tensor<64x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>
  %y2 = tensor.collapse_shape %y [[0, 1], [2]] : tensor<2x32x64xf32> into tensor<64x64xf32>
  %s2 = tensor.empty() : tensor<32x2xf8E8M0FNU>
  %e3 = tensor.empty() : tensor<2x32x64xf8E4M3FN>
  %s3 = tensor.empty() : tensor<2x16x2xf8E8M0FNU>
  %h:2 = mx.quantize <mxfp8_e4m3, block = 2x32> axis = 1 ins(%y2 : tensor<64x64xf32>)
      outs(%e, %s2 : tensor<64x64xf8E4M3FN>, tensor<32x2xf8E8M0FNU>) -> tensor<64x64xf8E4M3FN>, tensor<32x2xf8E8M0FNU>
  %i:2 = mx.quantize <mxfp8_e4m3, block = 2x32> axis = 2 ins(%y : tensor<2x32x64xf32>)
      outs(%e3, %s3 : tensor<2x32x64xf8E4M3FN>, tensor<2x16x2xf8E8M0FNU>) -> tensor<2x32x64xf8E4M3FN>, tensor<2x16x2xf8E8M0FNU>
  return %a, %b, %c#0, %d#0, %f#0, %g#0, %h#0, %i#0 : tensor<f32>, tensor<f32>, tensor<64x64xf8E4M3FN>, tensor<64x64xf8E4M3FN>, tensor<64x64xf4E2M1FN>, tensor<64x64xf4E2M1FN>, tensor<64x64xf8E4M3FN>, tensor<2x32x64xf8E4M3FN>
}

// -----

// A transpose of what others than products read; buffers.

// CHECK-LABEL: func.func @transposed(
// CHECK-COUNT-2: mx.quantize
// CHECK:         return
func.func @transposed(%w: tensor<8x64xf32>) -> (tensor<8x64xf8E4M3FN>, tensor<64x8xf8E4M3FN>) {
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
  return %q#0, %r#0 : tensor<8x64xf8E4M3FN>, tensor<64x8xf8E4M3FN>
}

// CHECK-LABEL: func.func @buffers(
// CHECK-COUNT-2: mx.quantize
// CHECK:         return
func.func @buffers(%x: memref<4x64xf32>, %e: memref<4x64xf8E4M3FN>, %s: memref<4x2xf8E8M0FNU>, %f: memref<4x64xf8E4M3FN>) {
  mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : memref<4x64xf32>) outs(%e, %s : memref<4x64xf8E4M3FN>, memref<4x2xf8E8M0FNU>)
  mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : memref<4x64xf32>) outs(%f, %s : memref<4x64xf8E4M3FN>, memref<4x2xf8E8M0FNU>)
  return
}
