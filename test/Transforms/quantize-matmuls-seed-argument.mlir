// A seed that the caller gives, as a training step does with its number.

// RUN: mx-opt %s --mx-quantize-matmuls=seed-argument=0 --verify-diagnostics | FileCheck %s
// RUN: not mx-opt %s --mx-quantize-matmuls="seed-argument=0 fallback=error" 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: mx-opt %s --pass-pipeline="builtin.module(mx-lower-precision{recipe=%S/Inputs/random.yaml seed-argument=0})" 2>/dev/null | FileCheck %s --check-prefix=PIPELINE

// CHECK-LABEL: func.func private @layer(
// CHECK-SAME:      %[[SEED:[^:]*]]: i64
// CHECK:         random(%[[SEED]], %{{.*}})
// PIPELINE-LABEL: func.func private @layer(
// PIPELINE-SAME:      %[[SEED:[^:]*]]: i64
// PIPELINE:         random(%[[SEED]], %{{.*}})
func.func private @layer(%seed: i64, %x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp4>, rounding = sr>, rule = "mine", reason = "test">}
      ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: func.func @main(
// CHECK-SAME:      %[[ARGUMENT:[^:]*]]: tensor<i64>
// CHECK:         %[[SEED:.*]] = tensor.extract %[[ARGUMENT]][] : tensor<i64>
// CHECK:         random(%[[SEED]], %{{.*}})
func.func @main(%seed: tensor<i64>, %x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %s = tensor.extract %seed[] : tensor<i64>
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp4>, rounding = sr>, rule = "mine", reason = "test">}
      ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = call @layer(%s, %x, %w, %0) : (i64, tensor<4x64xf32>, tensor<64x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// CHECK-LABEL: func.func @without(
// CHECK-NOT:     mx.quantize
// ERROR: error: cannot be quantised: stochastic rounding takes its seed from argument 0 of the function, which is no i64
func.func @without(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-remark @+1 {{kept in high precision: stochastic rounding takes its seed from argument 0 of the function, which is no i64}}
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp4>, rounding = sr>, rule = "mine", reason = "test">}
      ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
