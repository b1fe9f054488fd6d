// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 --mx-report-plan=output=- -o /dev/null | FileCheck %s

#row = affine_map<(b, i, j) -> (b, i)>
#all = affine_map<(b, i, j) -> (b, i, j)>

// CHECK-LABEL: Precision plan of @softmax_op
// CHECK:       linalg.batch_matmul attention_scores 8x8x16 (2 times) f32 f32
// CHECK:       linalg.softmax softmax
// CHECK:       linalg.batch_matmul attention_context 8x16x8 (2 times) f32 f32
func.func @softmax_op(%q: tensor<2x8x16xf32>, %k: tensor<2x16x8xf32>, %v: tensor<2x8x16xf32>, %c: tensor<2x8x8xf32>,
                      %d: tensor<2x8x16xf32>) -> tensor<2x8x16xf32> {
  %0 = linalg.batch_matmul ins(%q, %k : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%c : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %1 = linalg.softmax dimension(2) ins(%0 : tensor<2x8x8xf32>) outs(%c : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %2 = linalg.batch_matmul ins(%1, %v : tensor<2x8x8xf32>, tensor<2x8x16xf32>) outs(%d : tensor<2x8x16xf32>) -> tensor<2x8x16xf32>
  return %2 : tensor<2x8x16xf32>
}

// A soft cap, a mask, a maximum by compare and select, subtraction and base-2
// exponential in one op, a reciprocal, the values first.

// CHECK-LABEL: Precision plan of @steps
// CHECK:       linalg.batch_matmul attention_scores
// CHECK-NEXT:  linalg.generic softmax
// CHECK-NEXT:  linalg.batch_matmul attention_context 16x8x8
func.func @steps(%q: tensor<2x8x16xf32>, %k: tensor<2x16x8xf32>, %v: tensor<2x16x8xf32>, %mask: tensor<8x8xf32>) -> tensor<2x16x8xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %cap = arith.constant 50.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<2x8x8xf32>
  %f = tensor.empty() : tensor<2x8xf32>
  %g = tensor.empty() : tensor<2x16x8xf32>
  %c = linalg.fill ins(%zero : f32) outs(%e : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %d = linalg.fill ins(%zero : f32) outs(%g : tensor<2x16x8xf32>) -> tensor<2x16x8xf32>
  %z = linalg.fill ins(%zero : f32) outs(%f : tensor<2x8xf32>) -> tensor<2x8xf32>
  %l = linalg.fill ins(%low : f32) outs(%f : tensor<2x8xf32>) -> tensor<2x8xf32>
  %s = linalg.batch_matmul ins(%q, %k : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%c : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %capped = linalg.generic {indexing_maps = [#all, affine_map<(b, i, j) -> (i, j)>, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %mask : tensor<2x8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<2x8x8xf32>) {
  ^bb0(%in: f32, %m: f32, %out: f32):
    %1 = arith.divf %in, %cap : f32
    %2 = math.tanh %1 : f32
    %3 = arith.mulf %2, %cap : f32
    %4 = arith.addf %3, %m : f32
    linalg.yield %4 : f32
  } -> tensor<2x8x8xf32>
  %max = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%capped : tensor<2x8x8xf32>) outs(%l : tensor<2x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %1 = arith.cmpf ogt, %in, %out : f32
    %2 = arith.select %1, %in, %out : f32
    linalg.yield %2 : f32
  } -> tensor<2x8xf32>
  %exp = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%capped, %max : tensor<2x8x8xf32>, tensor<2x8xf32>) outs(%e : tensor<2x8x8xf32>) {
  ^bb0(%in: f32, %m: f32, %out: f32):
    %1 = arith.subf %in, %m : f32
    %2 = math.exp2 %1 : f32
    linalg.yield %2 : f32
  } -> tensor<2x8x8xf32>
  %sum = linalg.reduce {arith.addf} ins(%exp : tensor<2x8x8xf32>) outs(%z : tensor<2x8xf32>) dimensions = [2]
  %inv = linalg.generic {indexing_maps = [affine_map<(b, i) -> (b, i)>, affine_map<(b, i) -> (b, i)>], iterator_types = ["parallel", "parallel"]}
      ins(%sum : tensor<2x8xf32>) outs(%f : tensor<2x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %1 = arith.divf %one, %in : f32
    linalg.yield %1 : f32
  } -> tensor<2x8xf32>
  %wide = linalg.broadcast ins(%inv : tensor<2x8xf32>) outs(%e : tensor<2x8x8xf32>) dimensions = [2]
  %p = linalg.mul ins(%exp, %wide : tensor<2x8x8xf32>, tensor<2x8x8xf32>) outs(%e : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %t = linalg.transpose ins(%p : tensor<2x8x8xf32>) outs(%e : tensor<2x8x8xf32>) permutation = [0, 2, 1]
  %o = linalg.batch_matmul ins(%v, %t : tensor<2x16x8xf32>, tensor<2x8x8xf32>) outs(%d : tensor<2x16x8xf32>) -> tensor<2x16x8xf32>
  return %o : tensor<2x16x8xf32>
}

// exp(x - log(sum(exp(x)))), without a maximum; two products add up to the
// scores; keys and values are shared by all heads.

// CHECK-LABEL: Precision plan of @log_sum_exp
// CHECK:       linalg.matmul attention_scores
// CHECK-NEXT:  linalg.matmul attention_scores
// CHECK-NEXT:  linalg.generic softmax
// CHECK-NEXT:  linalg.matmul attention_context
func.func @log_sum_exp(%q: tensor<8x16xf32>, %qr: tensor<8x4xf32>, %x: tensor<8x16xf32>, %y: tensor<8x4xf32>) -> tensor<8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %f = tensor.empty() : tensor<8xf32>
  %g = tensor.empty() : tensor<8x16xf32>
  %h = tensor.empty() : tensor<8x4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%f : tensor<8xf32>) -> tensor<8xf32>
  %c = linalg.fill ins(%zero : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %d = linalg.fill ins(%zero : f32) outs(%g : tensor<8x16xf32>) -> tensor<8x16xf32>
  %q0 = linalg.exp ins(%q : tensor<8x16xf32>) outs(%g : tensor<8x16xf32>) -> tensor<8x16xf32>
  %k0 = linalg.exp ins(%x : tensor<8x16xf32>) outs(%g : tensor<8x16xf32>) -> tensor<8x16xf32>
  %q1 = linalg.exp ins(%qr : tensor<8x4xf32>) outs(%h : tensor<8x4xf32>) -> tensor<8x4xf32>
  %k1 = linalg.exp ins(%y : tensor<8x4xf32>) outs(%h : tensor<8x4xf32>) -> tensor<8x4xf32>
  %s0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%q0, %k0 : tensor<8x16xf32>, tensor<8x16xf32>) outs(%c : tensor<8x8xf32>) -> tensor<8x8xf32>
  %s1 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%q1, %k1 : tensor<8x4xf32>, tensor<8x4xf32>) outs(%c : tensor<8x8xf32>) -> tensor<8x8xf32>
  %s = linalg.add ins(%s0, %s1 : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%s : tensor<8x8xf32>) outs(%z : tensor<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %1 = math.exp %in : f32
    %2 = arith.addf %1, %out : f32
    linalg.yield %2 : f32
  } -> tensor<8xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%s, %sum : tensor<8x8xf32>, tensor<8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = math.log %in_0 : f32
    %2 = arith.subf %in, %1 : f32
    %3 = math.exp %2 : f32
    linalg.yield %3 : f32
  } -> tensor<8x8xf32>
  %o = linalg.matmul ins(%p, %k0 : tensor<8x8xf32>, tensor<8x16xf32>) outs(%d : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %o : tensor<8x16xf32>
}

// Without a softmax between, products of data are not attention.

// CHECK-LABEL: Precision plan of @no_softmax
// CHECK:       linalg.batch_matmul other
// CHECK-NEXT:  linalg.batch_matmul other
func.func @no_softmax(%q: tensor<2x8x16xf32>, %k: tensor<2x16x8xf32>, %v: tensor<2x8x16xf32>, %c: tensor<2x8x8xf32>,
                      %d: tensor<2x8x16xf32>) -> tensor<2x8x16xf32> {
  %0 = linalg.batch_matmul ins(%q, %k : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%c : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %2 = linalg.batch_matmul ins(%0, %v : tensor<2x8x8xf32>, tensor<2x8x16xf32>) outs(%d : tensor<2x8x16xf32>) -> tensor<2x8x16xf32>
  return %2 : tensor<2x8x16xf32>
}

// A log-softmax is no softmax.

// CHECK-LABEL: Precision plan of @log_softmax
// CHECK:       linalg.matmul linear
// CHECK-NOT:   linalg.generic softmax
func.func @log_softmax(%x: tensor<8x16xf32>, %w: tensor<16x8xf32>) -> tensor<8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %f = tensor.empty() : tensor<8xf32>
  %z = linalg.fill ins(%zero : f32) outs(%f : tensor<8xf32>) -> tensor<8xf32>
  %c = linalg.fill ins(%zero : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %s = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x8xf32>) outs(%c : tensor<8x8xf32>) -> tensor<8x8xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%s : tensor<8x8xf32>) outs(%z : tensor<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %1 = math.exp %in : f32
    %2 = arith.addf %1, %out : f32
    linalg.yield %2 : f32
  } -> tensor<8xf32>
  %p = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%s, %sum : tensor<8x8xf32>, tensor<8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = math.log %in_0 : f32
    %2 = arith.subf %in, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<8x8xf32>
  return %p : tensor<8x8xf32>
}
