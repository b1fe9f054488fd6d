// Policies as attributes in the IR, without mx-annotate: any product may have
// one, whatever it is to the model.

// RUN: mx-opt %s --mx-quantize-matmuls | FileCheck %s
// RUN: mx-opt %s --mx-quantize-matmuls --mx-strip --convert-mx-to-linalg | FileCheck %s --check-prefix=LINALG

// CHECK:     mx.quantize <mxfp8_e4m3>
// CHECK:     mx.quantize <mxfp4, rule = floor>
// CHECK:     mx.matmul
// CHECK-NOT: linalg.matmul{{ }}
// CHECK:     linalg.batch_matmul
// LINALG-NOT: {{ mx\.}}
#weights = #mx.operand<format = <mxfp4, rule = floor>>
func.func @main(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>,
                %q: tensor<2x4x8xf32>, %k: tensor<2x8x4xf32>, %s: tensor<2x4x4xf32>) -> (tensor<4x8xf32>, tensor<2x4x4xf32>) {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp8_e4m3>>, rhs = #weights, rule = "by hand", reason = "an experiment">}
      ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = linalg.batch_matmul ins(%q, %k : tensor<2x4x8xf32>, tensor<2x8x4xf32>) outs(%s : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  return %0, %1 : tensor<4x8xf32>, tensor<2x4x4xf32>
}
