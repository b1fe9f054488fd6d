// An assertion that fails while the module runs is an error at its location,
// and nothing is written.

// RUN: rm -rf %t
// RUN: mx-run %s --entry three --out %t/three
// RUN: mx-run %s --entry nine --out %t/nine
// RUN: mx-run %s --inputs %t/three/result0.npy --expect %t/three/result0.npy --max-rel-error 0
// RUN: not mx-run %s --inputs %t/nine/result0.npy --out %t/out 2>&1 | FileCheck %s
// RUN: not ls %t/out/result0.npy

// CHECK: error: {{.*}}mx-run-assert.mlir:[[#@LINE+5]]:3: index out of range
func.func @main(%i: tensor<i64>) -> tensor<i64> {
  %eight = arith.constant 8 : i64
  %x = tensor.extract %i[] : tensor<i64>
  %ok = arith.cmpi ult, %x, %eight : i64
  cf.assert %ok, "index out of range"
  return %i : tensor<i64>
}
func.func @three() -> tensor<i64> {
  %c = arith.constant dense<3> : tensor<i64>
  return %c : tensor<i64>
}
func.func @nine() -> tensor<i64> {
  %c = arith.constant dense<9> : tensor<i64>
  return %c : tensor<i64>
}
