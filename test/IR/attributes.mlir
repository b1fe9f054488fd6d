// RUN: mx-opt %s | mx-opt | FileCheck %s
// RUN: mlir-opt --load-dialect-plugin=%mx_plugin %s | FileCheck %s

// CHECK-LABEL: func @policy
func.func @policy(%a: tensor<4x32xf32>, %b: tensor<32x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: mx.policy = #mx.policy<lhs = <format = <nvfp4>>, rhs = <format = <nvfp4>, rounding = sr>, accumulate = f32, rule = "default", reason = "weight x activation">
  // CHECK-SAME: mx.role = #mx.role<linear>
  %0 = linalg.matmul {mx.role = #mx.role<linear>,
      mx.policy = #mx.policy<lhs = <format = <nvfp4>>, rhs = <format = <nvfp4>, rounding = sr>,
                             accumulate = f32, rule = "default", reason = "weight x activation">}
      ins(%a, %b : tensor<4x32xf32>, tensor<32x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
