// Weights that a loop slices from a stack: the stack is quantised once, before
// the loop, which slices codes and scales.

// RUN: mx-opt %s --mx-quantize-matmuls | FileCheck %s
// RUN: mx-opt %s --mx-quantize-matmuls --mx-fold-weights --mlir-elide-resource-strings-if-larger=16 | FileCheck %s --check-prefix=FOLD

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#mxfp4 = #mx.policy<rhs = <format = <mxfp4>>, rule = "mine", reason = "test">
#nvfp4 = #mx.policy<rhs = <format = <nvfp4>>, rule = "mine", reason = "test">
#square = #mx.policy<rhs = <format = <fp8_block_weight>>, rule = "mine", reason = "test">

// Handed on by scf.while; the slice keeps its unit dimension.

// CHECK-LABEL: func.func @handed_on(
// CHECK-SAME:      %[[STACK:[^:]*]]: tensor<6x64x64xf32>
// CHECK:         %[[Q:.*]]:2 = mx.quantize <mxfp4> axis = 2 ins(%[[STACK]]
// CHECK:         scf.while
// CHECK:         } do {
// CHECK:           %[[AT:.*]] = arith.index_cast
// CHECK:           %[[E:.*]] = tensor.extract_slice %[[Q]]#0[%[[AT]], 0, 0] [1, 64, 64] [1, 1, 1] : tensor<6x64x64xf4E2M1FN> to tensor<64x64xf4E2M1FN>
// CHECK:           %[[S:.*]] = tensor.extract_slice %[[Q]]#1[%[[AT]], 0, 0] [1, 64, 2] [1, 1, 1] : tensor<6x64x2xf8E8M0FNU> to tensor<64x2xf8E8M0FNU>
// CHECK:           mx.matmul {{.*}} rhs(%[[E]], %[[S]]
func.func @handed_on(%x: tensor<64x64xf32>, %stack: tensor<6x64x64xf32>) -> tensor<64x64xf32> {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c6 = arith.constant 6 : i64
  %0:3 = scf.while (%w = %stack, %i = %c0, %h = %x) : (tensor<6x64x64xf32>, i64, tensor<64x64xf32>) -> (tensor<6x64x64xf32>, i64, tensor<64x64xf32>) {
    %more = arith.cmpi slt, %i, %c6 : i64
    scf.condition(%more) %w, %i, %h : tensor<6x64x64xf32>, i64, tensor<64x64xf32>
  } do {
  ^bb0(%w: tensor<6x64x64xf32>, %i: i64, %h: tensor<64x64xf32>):
    %at = arith.index_cast %i : i64 to index
    %w0 = tensor.extract_slice %w[%at, 0, 0] [1, 64, 64] [1, 1, 1] : tensor<6x64x64xf32> to tensor<1x64x64xf32>
    %w1 = tensor.collapse_shape %w0 [[0, 1], [2]] : tensor<1x64x64xf32> into tensor<64x64xf32>
    %1 = linalg.matmul indexing_maps = [#mk, #nk, #mn] {mx.policy = #mxfp4} ins(%h, %w1 : tensor<64x64xf32>, tensor<64x64xf32>) outs(%x : tensor<64x64xf32>) -> tensor<64x64xf32>
    %2 = arith.addi %i, %c1 : i64
    scf.yield %w, %2, %1 : tensor<6x64x64xf32>, i64, tensor<64x64xf32>
  }
  return %0#2 : tensor<64x64xf32>
}

// Some rows of each matrix, on the left of K, K in the middle; a parameter in a
// format of two levels, whose maximum is that of the stack.

// CHECK-LABEL: func.func @parameter(
// CHECK-SAME:      %[[STACK:[^:]*]]: tensor<6x64x32xf32>
// CHECK:         %[[A:.*]] = mx.amax ins(%[[STACK]]
// CHECK:         %[[Q:.*]]:2 = mx.quantize <nvfp4> axis = 1 ins(%[[STACK]] {{.*}} amax(%[[A]]
// CHECK:         scf.for %[[I:[^ ]*]]
// CHECK:           %[[E:.*]] = tensor.extract_slice %[[Q]]#0[%[[I]], 0, 8] [1, 64, 16] [1, 1, 1]
// CHECK:           %[[S:.*]] = tensor.extract_slice %[[Q]]#1[%[[I]], 0, 8] [1, 4, 16] [1, 1, 1]
// CHECK:           mx.matmul {{.*}} rhs(%[[E]], %[[S]], %[[A]]
func.func @parameter(%x: tensor<4x64xf32>, %stack: tensor<6x64x32xf32> {mx.parameter = "layers"}, %c: tensor<4x16xf32>, %n: index) -> tensor<4x16xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %0 = scf.for %i = %zero to %n step %one iter_args(%h = %c) -> tensor<4x16xf32> {
    %w = tensor.extract_slice %stack[%i, 0, 8] [1, 64, 16] [1, 1, 1] : tensor<6x64x32xf32> to tensor<64x16xf32>
    %1 = linalg.matmul {mx.policy = #nvfp4} ins(%x, %w : tensor<4x64xf32>, tensor<64x16xf32>) outs(%h : tensor<4x16xf32>) -> tensor<4x16xf32>
    scf.yield %1 : tensor<4x16xf32>
  }
  return %0 : tensor<4x16xf32>
}

// A constant stack is folded, as are constant slices of constants. Blocks of
// 128x128 lie in whole matrices.

// CHECK-LABEL: func.func @constant(
// CHECK:         mx.quantize <fp8_block_weight> axis = 2 ins(%{{.*}} : tensor<6x16x64xf32>)
// CHECK:         scf.for
// FOLD-LABEL: func.func @constant(
// FOLD-NOT:     mx.quantize
// FOLD:         scf.for
// FOLD-NOT:       mx.quantize
// FOLD:         return
func.func @constant(%x: tensor<4x64xf32>, %c: tensor<4x16xf32>, %n: index) -> (tensor<4x16xf32>, tensor<4x16xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %stack = arith.constant dense<1.0> : tensor<6x16x64xf32>
  %0 = scf.for %i = %zero to %n step %one iter_args(%h = %c) -> tensor<4x16xf32> {
    %w = tensor.extract_slice %stack[%i, 0, 0] [1, 16, 64] [1, 1, 1] : tensor<6x16x64xf32> to tensor<16x64xf32>
    %1 = linalg.matmul indexing_maps = [#mk, #nk, #mn] {mx.policy = #square} ins(%x, %w : tensor<4x64xf32>, tensor<16x64xf32>) outs(%h : tensor<4x16xf32>) -> tensor<4x16xf32>
    scf.yield %1 : tensor<4x16xf32>
  }
  %v = tensor.extract_slice %stack[2, 0, 0] [1, 16, 64] [1, 1, 1] : tensor<6x16x64xf32> to tensor<16x64xf32>
  %2 = linalg.matmul indexing_maps = [#mk, #nk, #mn] {mx.policy = #mxfp4} ins(%x, %v : tensor<4x64xf32>, tensor<16x64xf32>) outs(%0 : tensor<4x16xf32>) -> tensor<4x16xf32>
  return %0, %2 : tensor<4x16xf32>, tensor<4x16xf32>
}

// What stays in the loop: a part of K; data in a format of two levels; rows that
// would part a block; a stack that the loop changes.

// CHECK-LABEL: func.func @inside(
// CHECK-NOT:     mx.quantize
// CHECK:         scf.for
// CHECK-COUNT-4:   mx.quantize
// CHECK:           scf.yield
func.func @inside(%x: tensor<4x32xf32>, %stack: tensor<6x16x64xf32>, %c: tensor<4x16xf32>, %d: tensor<4x8xf32>, %n: index) -> (tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x8xf32>, tensor<6x16x64xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %0:4 = scf.for %i = %zero to %n step %one iter_args(%f = %c, %g = %c, %h = %d, %changed = %stack) -> (tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x8xf32>, tensor<6x16x64xf32>) {
    %part = tensor.extract_slice %stack[%i, 0, 32] [1, 16, 32] [1, 1, 1] : tensor<6x16x64xf32> to tensor<16x32xf32>
    %1 = linalg.matmul indexing_maps = [#mk, #nk, #mn] {mx.policy = #mxfp4} ins(%x, %part : tensor<4x32xf32>, tensor<16x32xf32>) outs(%f : tensor<4x16xf32>) -> tensor<4x16xf32>
    %data = tensor.extract_slice %stack[%i, 0, 0] [1, 16, 64] [1, 1, 1] : tensor<6x16x64xf32> to tensor<16x64xf32>
    %y = tensor.empty() : tensor<4x64xf32>
    %2 = linalg.matmul indexing_maps = [#mk, #nk, #mn] {mx.policy = #nvfp4} ins(%y, %data : tensor<4x64xf32>, tensor<16x64xf32>) outs(%g : tensor<4x16xf32>) -> tensor<4x16xf32>
    %rows = tensor.extract_slice %stack[%i, 8, 0] [1, 8, 64] [1, 1, 1] : tensor<6x16x64xf32> to tensor<8x64xf32>
    %3 = linalg.matmul indexing_maps = [#mk, #nk, #mn] {mx.policy = #square} ins(%y, %rows : tensor<4x64xf32>, tensor<8x64xf32>) outs(%h : tensor<4x8xf32>) -> tensor<4x8xf32>
    %own = tensor.extract_slice %changed[%i, 0, 0] [1, 16, 64] [1, 1, 1] : tensor<6x16x64xf32> to tensor<16x64xf32>
    %4 = linalg.matmul indexing_maps = [#mk, #nk, #mn] {mx.policy = #mxfp4} ins(%y, %own : tensor<4x64xf32>, tensor<16x64xf32>) outs(%2 : tensor<4x16xf32>) -> tensor<4x16xf32>
    %next = tensor.insert_slice %own into %changed[0, 0, 0] [1, 16, 64] [1, 1, 1] : tensor<16x64xf32> into tensor<6x16x64xf32>
    scf.yield %1, %4, %3, %next : tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x8xf32>, tensor<6x16x64xf32>
  }
  return %0#0, %0#1, %0#2, %0#3 : tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x8xf32>, tensor<6x16x64xf32>
}
