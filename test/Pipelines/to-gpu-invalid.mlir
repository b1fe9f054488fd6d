// RUN: mx-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect -mx-to-gpu=chip=sm_80

// Ops other than mx's are the host's: refused at once where nothing lowers them.
func.func @shape(%x: tensor<?xf32>) -> !shape.shape {
  // expected-error@below {{'shape.shape_of' op cannot be lowered to the CPU; lower it to linalg, tensor, arith, math, scf and cf ops first}}
  %0 = shape.shape_of %x : tensor<?xf32> -> !shape.shape
  return %0 : !shape.shape
}

// -----

func.func @unregistered(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@below {{'tm_tensor.sort' op is not registered, so it cannot be lowered to the CPU}}
  %0 = "tm_tensor.sort"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
