// Inputs that are each of the right type and do not fit together are an error
// at the op that needs them to.

// RUN: rm -rf %t
// RUN: mx-run %s --entry three --out %t/three
// RUN: mx-run %s --entry five --out %t/five
// RUN: mx-run %s --inputs %t/three/result0.npy,%t/three/result0.npy --out %t/out
// RUN: not mx-run %s --inputs %t/three/result0.npy,%t/five/result0.npy 2>&1 | FileCheck %s --implicit-check-not=error:
// RUN: not mx-run %s --inputs %t/five/result0.npy,%t/three/result0.npy 2>&1 | FileCheck %s --implicit-check-not=error:

// CHECK: error: {{.*}}mx-run-extents.mlir:[[#@LINE+5]]:8: dimension 0 of operand 1 is not as long as dimension 0 of operand 0
func.func @main(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %0 = linalg.add ins(%x, %y : tensor<?x4xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
func.func @three() -> tensor<3x4xf32> {
  %0 = arith.constant dense<1.0> : tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}
func.func @five() -> tensor<5x4xf32> {
  %0 = arith.constant dense<1.0> : tensor<5x4xf32>
  return %0 : tensor<5x4xf32>
}
