// RUN: mx-opt %s -canonicalize -cse -loop-invariant-code-motion -canonicalize -split-input-file | FileCheck %s

// Upstream's passes on mx ops.

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// On tensors, an op whose results are not used goes away.
// CHECK-LABEL: func @dead
func.func @dead(%x: tensor<4x64xf32>, %e: tensor<4x64xf4E2M1FN>, %s: tensor<4x2xf8E8M0FNU>, %a: tensor<f32>) {
  // CHECK-NEXT: return
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>) outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>)
      -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  %m = mx.amax ins(%x : tensor<4x64xf32>) outs(%a : tensor<f32>) -> tensor<f32>
  %y = mx.dequantize <mxfp4> axis = 1 ins(%q#0, %q#1 : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) outs(%x : tensor<4x64xf32>) -> tensor<4x64xf32>
  return
}

// -----

// On memrefs it writes: it stays.
// CHECK-LABEL: func @written
func.func @written(%x: memref<4x64xf32>, %e: memref<4x64xf4E2M1FN>, %s: memref<4x2xf8E8M0FNU>, %n: index) {
  // CHECK: scf.for
  // CHECK-NEXT: mx.quantize
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    mx.quantize <mxfp4> axis = 1 ins(%x : memref<4x64xf32>) outs(%e, %s : memref<4x64xf4E2M1FN>, memref<4x2xf8E8M0FNU>)
  }
  return
}

// -----

// Equal ops are one; another format, seed or role is another op.
// CHECK-LABEL: func @equal
func.func @equal(%x: tensor<4x64xf32>, %r: i64, %o: i64) -> (tensor<4x64xf4E2M1FN>, tensor<4x64xf4E2M1FN>, tensor<4x64xf4E2M1FN>, tensor<4x64xf4E2M1FN>, tensor<4x64xf4E2M1FN>) {
  // CHECK: %[[A:.*]]:2 = mx.quantize <mxfp4> axis = 1 ins
  // CHECK: %[[C:.*]]:2 = mx.quantize <mxfp4, rule = floor> axis = 1 ins
  // CHECK: %[[D:.*]]:2 = mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%{{.*}} : tensor<4x64xf32>) random(%arg1, %arg1)
  // CHECK: %[[E:.*]]:2 = mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%{{.*}} : tensor<4x64xf32>) random(%arg1, %arg2)
  // CHECK: return %[[A]]#0, %[[A]]#0, %[[C]]#0, %[[D]]#0, %[[E]]#0
  %e = tensor.empty() : tensor<4x64xf4E2M1FN>
  %s = tensor.empty() : tensor<4x2xf8E8M0FNU>
  %a:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>) outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  %b:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>) outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  %c:2 = mx.quantize <mxfp4, rule = floor> axis = 1 ins(%x : tensor<4x64xf32>) outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  %d:2 = mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%x : tensor<4x64xf32>) random(%r, %r) outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  %f:2 = mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%x : tensor<4x64xf32>) random(%r, %o) outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  return %a#0, %b#0, %c#0, %d#0, %f#0 : tensor<4x64xf4E2M1FN>, tensor<4x64xf4E2M1FN>, tensor<4x64xf4E2M1FN>, tensor<4x64xf4E2M1FN>, tensor<4x64xf4E2M1FN>
}

// -----

// What does not change in a loop leaves it.
// CHECK-LABEL: func @invariant
func.func @invariant(%x: tensor<4x64xf32>, %n: index, %o: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // CHECK: mx.quantize
  // CHECK: scf.for
  // CHECK: mx.dequantize
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<4x64xf4E2M1FN>
  %s = tensor.empty() : tensor<4x2xf8E8M0FNU>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%oi = %o) -> tensor<4x64xf32> {
    %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>) outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
    %y = mx.dequantize <mxfp4> axis = 1 ins(%q#0, %q#1 : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) outs(%oi : tensor<4x64xf32>) -> tensor<4x64xf32>
    scf.yield %y : tensor<4x64xf32>
  }
  return %r : tensor<4x64xf32>
}

// -----

// A result is as large as its init.
// CHECK-LABEL: func @dim
// CHECK-SAME: %[[M:[a-z0-9]*]]: index, %[[B:[a-z0-9]*]]: index
func.func @dim(%m: index, %b: index, %x: tensor<?x?xf32>) -> (index, index) {
  // CHECK-NEXT: return %[[M]], %[[B]]
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty(%m, %m) : tensor<?x?xf4E2M1FN>
  %s = tensor.empty(%m, %b) : tensor<?x?xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<?x?xf32>) outs(%e, %s : tensor<?x?xf4E2M1FN>, tensor<?x?xf8E8M0FNU>) -> tensor<?x?xf4E2M1FN>, tensor<?x?xf8E8M0FNU>
  %0 = tensor.dim %q#0, %c0 : tensor<?x?xf4E2M1FN>
  %1 = tensor.dim %q#1, %c1 : tensor<?x?xf8E8M0FNU>
  return %0, %1 : index, index
}

// -----

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
// A cast to a less static type is folded into the op.
// CHECK-LABEL: func @cast
func.func @cast(%x: tensor<4x64xf32>, %w: tensor<8x64xf4E2M1FN>, %s: tensor<8x2xf8E8M0FNU>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK-NOT: tensor.cast
  // CHECK: %[[D:.*]] = mx.matmul lhs(%{{.*}} : tensor<4x64xf32>) rhs(%{{.*}}, %{{.*}} : tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) as <mxfp4> outs(%{{.*}} : tensor<4x8xf32>)
  // CHECK: return %[[D]]
  %xd = tensor.cast %x : tensor<4x64xf32> to tensor<?x?xf32>
  %wd = tensor.cast %w : tensor<8x64xf4E2M1FN> to tensor<?x?xf4E2M1FN>
  %cd = tensor.cast %c : tensor<4x8xf32> to tensor<?x?xf32>
  %d = mx.matmul lhs(%xd : tensor<?x?xf32>) rhs(%wd, %s : tensor<?x?xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%cd : tensor<?x?xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<?x?xf32>
  %r = tensor.cast %d : tensor<?x?xf32> to tensor<4x8xf32>
  return %r : tensor<4x8xf32>
}
