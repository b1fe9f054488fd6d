// RUN: mx-opt %s --mx-cpu-check-extents | FileCheck %s

// Arguments that one op reads together are compared once; what follows from the
// function itself is not.
// CHECK-LABEL: func.func @arguments
// CHECK-SAME: %[[X:.+]]: tensor<?x4xf32>, %[[Y:.+]]: tensor<?x4xf32>
// CHECK: %[[N:.+]] = tensor.dim %[[X]], %c0{{.*}} : tensor<?x4xf32>
// CHECK: tensor.empty
// CHECK: %[[A:.+]] = tensor.dim %[[X]], %{{.+}} : tensor<?x4xf32>
// CHECK: %[[B:.+]] = tensor.dim %[[Y]], %{{.+}} : tensor<?x4xf32>
// CHECK: %[[EQUAL:.+]] = arith.cmpi eq, %[[A]], %[[B]] : index
// CHECK: cf.assert %[[EQUAL]], "{{.*}}check-extents.mlir:[[#@LINE+8]]:8: dimension 0 of operand 1 is not as long as dimension 0 of operand 0"
// CHECK: linalg.add
// CHECK-NOT: cf.assert
// CHECK: linalg.mul
func.func @arguments(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %0 = linalg.add ins(%x, %y : tensor<?x4xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = linalg.mul ins(%0, %y : tensor<?x4xf32>, tensor<?x4xf32>) outs(%0 : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %1 : tensor<?x4xf32>
}

// A number is compared with a dimension, and a cast takes nothing on trust.
// CHECK-LABEL: func.func @numbers
// CHECK: cf.assert {{.*}}dimension 0 of operand 1 is not as long as dimension 0 of operand 0
// CHECK: linalg.exp
// CHECK-NOT: cf.assert
// CHECK: tensor.cast
// CHECK: cf.assert {{.*}}dimension 0 of the operand is not 5
// CHECK: tensor.cast
func.func @numbers(%x: tensor<?xf32>, %y: tensor<?xf32>) -> (tensor<4xf32>, tensor<5xf32>) {
  %c4 = arith.constant 4 : index
  %e = tensor.empty(%c4) : tensor<?xf32>
  %0 = linalg.exp ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %1 = tensor.cast %0 : tensor<?xf32> to tensor<4xf32>
  %2 = tensor.cast %y : tensor<?xf32> to tensor<5xf32>
  return %1, %2 : tensor<4xf32>, tensor<5xf32>
}

// What is asserted in a loop, which may not run, says nothing about what is
// behind it.
// CHECK-LABEL: func.func @loop
// CHECK: scf.for
// CHECK: cf.assert
// CHECK: scf.yield
// CHECK: cf.assert
func.func @loop(%n: index, %x: tensor<?xf32>, %y: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = scf.for %i = %c0 to %n step %c1 iter_args(%z = %x) -> tensor<?xf32> {
    %1 = linalg.exp ins(%y : tensor<?xf32>) outs(%x : tensor<?xf32>) -> tensor<?xf32>
    scf.yield %1 : tensor<?xf32>
  }
  %2 = linalg.exp ins(%y : tensor<?xf32>) outs(%x : tensor<?xf32>) -> tensor<?xf32>
  return %0, %2 : tensor<?xf32>, tensor<?xf32>
}

// Static extents are the verifier's business.
// CHECK-LABEL: func.func @static
// CHECK-NOT: cf.assert
// CHECK: return
func.func @static(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = linalg.exp ins(%x : tensor<4xf32>) outs(%y : tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// An assertion of the function's own gets its location.
// CHECK-LABEL: func.func @named
// CHECK: cf.assert %{{.+}}, "model.head: out of range"
func.func @named(%ok: i1) {
  cf.assert %ok, "out of range" loc("model.head")
  return
}
