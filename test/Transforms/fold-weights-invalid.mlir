// RUN: mx-opt %s --mx-fold-weights --split-input-file --verify-diagnostics | FileCheck %s

// A missing blob is no weight of zeros. One remark for all of a module.

// CHECK-LABEL: func.func @elided
// CHECK:         dense_resource<__elided__>
// CHECK:         mx.quantize
func.func @elided() -> (tensor<4x64xf8E4M3FN>, tensor<4x64xf8E4M3FN>) {
  %w = arith.constant dense_resource<__elided__> : tensor<64x4xf32>
  %i = tensor.empty() : tensor<4x64xf32>
  %t = linalg.transpose ins(%w : tensor<64x4xf32>) outs(%i : tensor<4x64xf32>) permutation = [1, 0]
  %e = tensor.empty() : tensor<4x64xf8E4M3FN>
  %s = tensor.empty() : tensor<4x2xf8E8M0FNU>
  // expected-remark@+1 {{not folded: resource '__elided__' has no data here; nor 1 more such weights}}
  %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%t : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>
  %v = arith.constant dense_resource<__elided__> : tensor<4x64xf32>
  %r:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%v : tensor<4x64xf32>)
      outs(%e, %s : tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf8E4M3FN>, tensor<4x2xf8E8M0FNU>
  return %q#0, %r#0 : tensor<4x64xf8E4M3FN>, tensor<4x64xf8E4M3FN>
}

// -----

// Nor is one of another size.

// CHECK-LABEL: func.func @short
// CHECK:         mx.amax
// CHECK:         mx.quantize
func.func @short() -> tensor<2x4xf4E2M1FN> {
  %w = arith.constant dense_resource<short> : tensor<2x4xf32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %a = mx.amax ins(%w : tensor<2x4xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %e = tensor.empty() : tensor<2x4xf4E2M1FN>
  %s = tensor.empty() : tensor<2x1xf8E4M3FN>
  // expected-remark@+1 {{not folded: resource 'short' of 4 bytes is no 'tensor<2x4xf32>'}}
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%w : tensor<2x4xf32>) amax(%a : tensor<f32>)
      outs(%e, %s : tensor<2x4xf4E2M1FN>, tensor<2x1xf8E4M3FN>) -> tensor<2x4xf4E2M1FN>, tensor<2x1xf8E4M3FN>
  return %q#0 : tensor<2x4xf4E2M1FN>
}
{-# dialect_resources: { builtin: { short: "0x040000000000803F" } } #-}

// -----

// A calibrated maximum that is not known yet.

// CHECK-LABEL: func.func @maximum
// CHECK:         mx.quantize
func.func @maximum(%a: tensor<f32>) -> tensor<1x4xf4E2M1FN> {
  %w = arith.constant dense<[[1.0, 2.0, 3.0, 6.0]]> : tensor<1x4xf32>
  %e = tensor.empty() : tensor<1x4xf4E2M1FN>
  %s = tensor.empty() : tensor<1x1xf8E4M3FN>
  // expected-remark@+1 {{not folded: another operand is not constant}}
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%w : tensor<1x4xf32>) amax(%a : tensor<f32>)
      outs(%e, %s : tensor<1x4xf4E2M1FN>, tensor<1x1xf8E4M3FN>) -> tensor<1x4xf4E2M1FN>, tensor<1x1xf8E4M3FN>
  return %q#0 : tensor<1x4xf4E2M1FN>
}
