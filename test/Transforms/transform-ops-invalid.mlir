// RUN: mx-opt %s --transform-interpreter --split-input-file --verify-diagnostics

func.func @main(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // expected-note @+1 {{this op is none}}
  %0 = linalg.exp ins(%x : tensor<4x64xf32>) outs(%x : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %ops = transform.structured.match ops{["linalg.exp"]} in %root : (!transform.any_op) -> !transform.any_op
    // expected-error @+1 {{a policy is for a product of tensors}}
    transform.mx.set_policy %ops to <lhs = <format = <mxfp4>>, rule = "script", reason = "test"> : !transform.any_op
    transform.yield
  }
}

// -----

func.func @main(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-note @+1 {{this op}}
  %0 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %ops = transform.structured.match ops{["linalg.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    transform.mx.set_policy %ops to <lhs = <format = <mxfp4>, transform = <128>>, rhs = <format = <mxfp4>, transform = <128>>, rule = "script", reason = "test"> : !transform.any_op
    // expected-error @+1 {{cannot be quantised: K is 64, which a transform of size 128 must divide}}
    %q = transform.mx.quantize %ops : (!transform.any_op) -> !transform.any_op
    transform.yield
  }
}

// -----

// Without a policy there is nothing to do, also for buffers.
func.func @main(%x: memref<4x64xf32>, %w: memref<64x8xf32>, %c: memref<4x8xf32>) {
  linalg.matmul ins(%x, %w : memref<4x64xf32>, memref<64x8xf32>) outs(%c : memref<4x8xf32>)
  return
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %ops = transform.structured.match ops{["linalg.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %q = transform.mx.quantize %ops : (!transform.any_op) -> !transform.any_op
    transform.yield
  }
}
