// Stochastic rounding: one seed, and an offset for each tensor.

// RUN: mx-opt %s --mx-quantize-matmuls=seed=7 --split-input-file --verify-diagnostics | FileCheck %s
// RUN: mx-opt %s --mx-quantize-matmuls=seed=7 --split-input-file 2>/dev/null | mx-opt --split-input-file --canonicalize --mx-share-operands | FileCheck %s --check-prefix=SHARED

// x is rounded once for both products. K, along which all others are read, is
// the last dimension, as random bits go by position.

// CHECK-LABEL: func.func @two_products(
// CHECK-SAME:      %[[X:.*]]: tensor<4x64xf32>, %[[W:.*]]: tensor<64x8xf32>, %[[V:.*]]: tensor<8x64xf32>
// CHECK:         %[[SEED:.*]] = arith.constant 7 : i64
// CHECK:         %[[O0:.*]] = arith.constant 0 : i64
// CHECK:         %[[QX:.*]]:2 = mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%[[X]] : {{.*}} random(%[[SEED]], %[[O0]])
// CHECK:         %[[T:.*]] = linalg.transpose ins(%[[W]] : tensor<64x8xf32>) {{.*}} permutation = [1, 0]
// CHECK:         %[[O1:.*]] = arith.constant 1 : i64
// CHECK:         %[[QW:.*]]:2 = mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%[[T]] : {{.*}} random(%[[SEED]], %[[O1]])
// CHECK:         mx.matmul lhs(%[[QX]]#0, %[[QX]]#1 {{.*}} rhs(%[[QW]]#0, %[[QW]]#1
// CHECK-NOT:     arith.constant
// CHECK:         %[[QV:.*]]:2 = mx.quantize <mxfp4> axis = 1 ins(%[[V]]
// CHECK:         mx.matmul lhs(%[[QX]]#0, %[[QX]]#1 {{.*}} rhs(%[[QV]]#0, %[[QV]]#1
func.func @two_products(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %v: tensor<8x64xf32>, %c: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp4>, rounding = sr>, rhs = <format = <mxfp4>, rounding = sr>, rule = "mine", reason = "test">}
      ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      {mx.policy = #mx.policy<lhs = <format = <mxfp4>, rounding = sr>, rhs = <format = <mxfp4>>, rule = "mine", reason = "test">}
      ins(%x, %v : tensor<4x64xf32>, tensor<8x64xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0, %1 : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// One value that is rounded stochastically under two offsets, and to nearest,
// is quantised three times. Offsets go on where those of the module end.

// CHECK-LABEL: func.func @earlier(
// CHECK:         random(%{{.*}}, %[[OLD:.*]]) outs
// CHECK:         %[[NEW:.*]] = arith.constant 42 : i64
// CHECK:         random(%{{.*}}, %[[NEW]]) outs
// SHARED-LABEL: func.func @earlier(
// SHARED-COUNT-2: mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%arg0
// SHARED:         mx.quantize <mxfp4> axis = 1 ins(%arg0
// SHARED:         return
func.func @earlier(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> (tensor<4x64xf4E2M1FN>, tensor<4x8xf32>, tensor<4x8xf32>) {
  %seed = arith.constant 7 : i64
  %old = arith.constant 41 : i64
  %e = tensor.empty() : tensor<4x64xf4E2M1FN>
  %s = tensor.empty() : tensor<4x2xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp4> axis = 1 rounding = <sr> ins(%x : tensor<4x64xf32>) random(%seed, %old)
      outs(%e, %s : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp4>, rounding = sr>, rule = "mine", reason = "test">}
      ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp4>>, rule = "mine", reason = "test">}
      ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %q#0, %0, %1 : tensor<4x64xf4E2M1FN>, tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// The loop's counter tells iterations apart; what is the same in all of them is
// rounded before it.

// CHECK-LABEL: func.func @loop(
// CHECK:         mx.quantize <mxfp4> {{.*}} random(
// CHECK:         scf.for %[[I:[^ ]*]]
// CHECK:           %[[OFFSET:.*]] = arith.constant 0 : i64
// CHECK:           %[[COUNTER:.*]] = arith.index_cast %[[I]] : index to i64
// CHECK:           %[[HIGH:.*]] = arith.shli %[[COUNTER]], %c32
// CHECK:           %[[BOTH:.*]] = arith.addi %[[HIGH]], %[[OFFSET]]
// CHECK:           mx.quantize <mxfp4> {{.*}} random(%{{.*}}, %[[BOTH]])
func.func @loop(%x: tensor<5x4x64xf32>, %w: tensor<8x64xf32>, %c: tensor<4x8xf32>, %n: index) -> tensor<4x8xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %r = scf.for %i = %zero to %n step %one iter_args(%a = %c) -> tensor<4x8xf32> {
    %s = tensor.extract_slice %x[%i, 0, 0] [1, 4, 64] [1, 1, 1] : tensor<5x4x64xf32> to tensor<4x64xf32>
    %0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
        {mx.policy = #mx.policy<lhs = <format = <mxfp4>, rounding = sr>, rhs = <format = <mxfp4>, rounding = sr>, rule = "mine", reason = "test">}
        ins(%s, %w : tensor<4x64xf32>, tensor<8x64xf32>) outs(%a : tensor<4x8xf32>) -> tensor<4x8xf32>
    scf.yield %0 : tensor<4x8xf32>
  }
  return %r : tensor<4x8xf32>
}

// Several executions would see the same bits.

// CHECK-LABEL: func.func @nest(
// CHECK-NOT:     mx.quantize
func.func @nest(%x: tensor<5x4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>, %n: index) -> tensor<4x8xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %r = scf.for %i = %zero to %n step %one iter_args(%a = %c) -> tensor<4x8xf32> {
    %t = scf.for %j = %zero to %n step %one iter_args(%b = %a) -> tensor<4x8xf32> {
      %s = tensor.extract_slice %x[%j, 0, 0] [1, 4, 64] [1, 1, 1] : tensor<5x4x64xf32> to tensor<4x64xf32>
      // expected-remark @+1 {{kept in high precision: stochastic rounding where each execution would have the same random bits: in a nest of loops, or a loop that does not count}}
      %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp4>, rounding = sr>, rule = "mine", reason = "test">}
          ins(%s, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%b : tensor<4x8xf32>) -> tensor<4x8xf32>
      scf.yield %0 : tensor<4x8xf32>
    }
    scf.yield %t : tensor<4x8xf32>
  }
  return %r : tensor<4x8xf32>
}

func.func @while(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>, %more: i1) -> tensor<4x4xf32> {
  %r = scf.while (%a = %x) : (tensor<4x4xf32>) -> tensor<4x4xf32> {
    scf.condition(%more) %a : tensor<4x4xf32>
  } do {
  ^bb0(%a: tensor<4x4xf32>):
    // expected-remark @+1 {{a loop that does not count}}
    %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp4>, rounding = sr>, rule = "mine", reason = "test">}
        ins(%a, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%x : tensor<4x4xf32>) -> tensor<4x4xf32>
    scf.yield %0 : tensor<4x4xf32>
  }
  return %r : tensor<4x4xf32>
}

func.func private @layer(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-remark @+1 {{stochastic rounding in a function whose calls would have the same random bits; give it a seed argument (seed-argument=)}}
  %0 = linalg.matmul {mx.policy = #mx.policy<lhs = <format = <mxfp4>, rounding = sr>, rule = "mine", reason = "test">}
      ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
func.func @calls(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = call @layer(%x, %w, %c) : (tensor<4x64xf32>, tensor<64x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = call @layer(%x, %w, %0) : (tensor<4x64xf32>, tensor<64x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}
