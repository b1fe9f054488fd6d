// RUN: mx-opt %s --allow-unregistered-dialect --split-input-file --verify-diagnostics --mx-cpu-prepare

func.func @unregistered(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'foreign.sort' op is not registered, so it cannot be lowered to the CPU; lower it to linalg on tensors first}}
  %0 = "foreign.sort"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  // Only the first is reported.
  %1 = "foreign.sort"(%0) : (tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

func.func @other_dialect(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'tosa.abs' op cannot be lowered to the CPU; lower it to linalg, tensor, arith, math, scf and cf ops first}}
  %0 = tosa.abs %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @elided() -> tensor<4xf32> {
  // expected-error@+1 {{'arith.constant' op needs the data of resource 'weight', which was elided from the module}}
  %0 = arith.constant dense_resource<weight> : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @dimension(%x: tensor<?xf32>) -> index {
  %i = arith.constant 1 : index
  // expected-error@+1 {{'tensor.dim' op asks for dimension 1 of a value of rank 1}}
  %0 = tensor.dim %x, %i : tensor<?xf32>
  return %0 : index
}
