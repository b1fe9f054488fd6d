// A product that upstream's transform ops have tiled gives the bits of the
// whole one. Its loops carry tensors, so control flow chooses among buffers.

// RUN: split-file %s %t
// RUN: mx-run %t/model.mlir --entry input --out %t
// RUN: mx-run %t/model.mlir --inputs %t/result0.npy,%t/result1.npy,%t/result2.npy --out %t/whole
// RUN: mx-opt %t/model.mlir --transform-preload-library=transform-library-paths=%t/schedule.mlir \
// RUN:   --transform-interpreter --canonicalize -o %t/tiled.mlir
// RUN: FileCheck %s --input-file %t/tiled.mlir
// RUN: mx-run %t/tiled.mlir --inputs %t/result0.npy,%t/result1.npy,%t/result2.npy \
// RUN:   --expect %t/whole/result0.npy --max-rel-error 0

// CHECK-LABEL: func.func @main
// CHECK-COUNT-3: scf.for
// CHECK: mx.matmul

//--- model.mlir
#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

func.func @main(%x: tensor<40x72xf32>, %w: tensor<33x72xf32>, %c: tensor<40x33xf32>) -> tensor<40x33xf32> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %gx = mx.amax ins(%x : tensor<40x72xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %gw = mx.amax ins(%w : tensor<33x72xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %e = tensor.empty() : tensor<40x72xf4E2M1FN>
  %s = tensor.empty() : tensor<40x5xf8E4M3FN>
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<40x72xf32>) amax(%gx : tensor<f32>)
      outs(%e, %s : tensor<40x72xf4E2M1FN>, tensor<40x5xf8E4M3FN>) -> tensor<40x72xf4E2M1FN>, tensor<40x5xf8E4M3FN>
  %f = tensor.empty() : tensor<33x72xf4E2M1FN>
  %t = tensor.empty() : tensor<3x5xf8E4M3FN>
  %p:2 = mx.quantize <nvfp4_2d> axis = 1 ins(%w : tensor<33x72xf32>) amax(%gw : tensor<f32>)
      outs(%f, %t : tensor<33x72xf4E2M1FN>, tensor<3x5xf8E4M3FN>) -> tensor<33x72xf4E2M1FN>, tensor<3x5xf8E4M3FN>
  %d = mx.matmul lhs(%q#0, %q#1, %gx : tensor<40x72xf4E2M1FN>, tensor<40x5xf8E4M3FN>, tensor<f32>) as <nvfp4>
      rhs(%p#0, %p#1, %gw : tensor<33x72xf4E2M1FN>, tensor<3x5xf8E4M3FN>, tensor<f32>) as <nvfp4_2d>
      outs(%c : tensor<40x33xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<40x33xf32>
  return %d : tensor<40x33xf32>
}

// Integers of some hundred different values.
func.func private @values(%o: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      outs(%o : tensor<?x?xf32>) {
  ^bb0(%unused: f32):
    %c37 = arith.constant 37 : index
    %c11 = arith.constant 11 : index
    %c101 = arith.constant 101 : index
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %a = arith.muli %i, %c37 : index
    %b = arith.muli %j, %c11 : index
    %s = arith.addi %a, %b : index
    %r = arith.remui %s, %c101 : index
    %n = arith.index_cast %r : index to i32
    %f = arith.sitofp %n : i32 to f32
    %c50 = arith.constant 50.0 : f32
    %d = arith.subf %f, %c50 : f32
    linalg.yield %d : f32
  } -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

func.func @input() -> (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) {
  %c33 = arith.constant 33 : index
  %c40 = arith.constant 40 : index
  %c72 = arith.constant 72 : index
  %x = tensor.empty(%c40, %c72) : tensor<?x?xf32>
  %w = tensor.empty(%c33, %c72) : tensor<?x?xf32>
  %c = tensor.empty(%c40, %c33) : tensor<?x?xf32>
  %0 = call @values(%x) : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %1 = call @values(%w) : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %2 = call @values(%c) : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0, %1, %2 : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>
}

//--- schedule.mlir
module attributes {transform.with_named_sequence} {
transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
  %mm = transform.structured.match ops{["mx.matmul"]} in %root : (!transform.any_op) -> !transform.any_op
  %t, %l:3 = transform.structured.fuse %mm tile_sizes [12, 16, 2]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
  transform.yield
}
}
