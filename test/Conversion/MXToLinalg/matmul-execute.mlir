// RUN: cat %s | %lower_and_run | FileCheck %s

// Products executed and compared with a reference in f64 over the dequantised
// operands. The bound is that of an f32 sum of K products in any order:
// |d - ref| <= (K + 2) 2^-24 (|c| + sum |a b|). Each line prints the number of
// results, and of those outside the bound.

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#none = affine_map<(m, n) -> ()>

// Values in (-1, 1) from a hash of the position, scaled by 2^(m mod 8 - 4) so
// that rows differ in magnitude.
func.func private @values(%seed: i32, %m: index, %k: index) -> tensor<?x?xf32> {
  %e = tensor.empty(%m, %k) : tensor<?x?xf32>
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<?x?xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %i32 = arith.index_cast %i : index to i32
    %j32 = arith.index_cast %j : index to i32
    %p0 = arith.constant 0x9E3779B1 : i32
    %p1 = arith.constant 0x85EBCA77 : i32
    %c13 = arith.constant 13 : i32
    %c7 = arith.constant 7 : i32
    %h0 = arith.muli %i32, %p0 : i32
    %h1 = arith.muli %j32, %p1 : i32
    %h2 = arith.addi %h0, %h1 : i32
    %h3 = arith.xori %h2, %seed : i32
    %h4 = arith.shrui %h3, %c13 : i32
    %h5 = arith.xori %h3, %h4 : i32
    %h6 = arith.muli %h5, %p1 : i32
    %h7 = arith.shrui %h6, %c13 : i32
    %h8 = arith.xori %h6, %h7 : i32
    %f = arith.sitofp %h8 : i32 to f32
    %unit = arith.constant 4.65661287E-10 : f32
    %v = arith.mulf %f, %unit : f32
    %octave = arith.andi %i32, %c7 : i32
    %biased = arith.constant 123 : i32
    %c23 = arith.constant 23 : i32
    %x0 = arith.addi %octave, %biased : i32
    %x1 = arith.shli %x0, %c23 : i32
    %scale = arith.bitcast %x1 : i32 to f32
    %w = arith.mulf %v, %scale : f32
    linalg.yield %w : f32
  } -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// Prints how many results there are and how many are outside the bound.
func.func private @check(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>, %c: tensor<?x?xf32>, %d: tensor<?x?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %d, %c0 : tensor<?x?xf32>
  %n = tensor.dim %d, %c1 : tensor<?x?xf32>
  %k = tensor.dim %a, %c1 : tensor<?x?xf32>
  %e0 = tensor.empty(%m, %n) : tensor<?x?xf64>
  %e1 = tensor.empty(%m, %n) : tensor<?x?xf64>
  %init:2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%c : tensor<?x?xf32>) outs(%e0, %e1 : tensor<?x?xf64>, tensor<?x?xf64>) {
  ^bb0(%in: f32, %o0: f64, %o1: f64):
    %v = arith.extf %in : f32 to f64
    %w = math.absf %v : f64
    linalg.yield %v, %w : f64, f64
  } -> (tensor<?x?xf64>, tensor<?x?xf64>)
  %ref:2 = linalg.generic {indexing_maps = [#mk, #nk, #mn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%init#0, %init#1 : tensor<?x?xf64>, tensor<?x?xf64>) {
  ^bb0(%x: f32, %y: f32, %s: f64, %t: f64):
    %x64 = arith.extf %x : f32 to f64
    %y64 = arith.extf %y : f32 to f64
    %p = arith.mulf %x64, %y64 : f64
    %q = math.absf %p : f64
    %s1 = arith.addf %s, %p : f64
    %t1 = arith.addf %t, %q : f64
    linalg.yield %s1, %t1 : f64, f64
  } -> (tensor<?x?xf64>, tensor<?x?xf64>)
  %two = arith.constant 2 : index
  %terms = arith.addi %k, %two : index
  %terms64 = arith.index_cast %terms : index to i64
  %count = arith.sitofp %terms64 : i64 to f64
  %ulp = arith.constant 5.9604644775390625E-8 : f64
  %rel = arith.mulf %count, %ulp : f64
  %zero = arith.constant dense<0> : tensor<i64>
  %bad = linalg.generic {indexing_maps = [#id, #id, #id, #none], iterator_types = ["reduction", "reduction"]}
      ins(%d, %ref#0, %ref#1 : tensor<?x?xf32>, tensor<?x?xf64>, tensor<?x?xf64>) outs(%zero : tensor<i64>) {
  ^bb0(%got: f32, %want: f64, %sum: f64, %acc: i64):
    %got64 = arith.extf %got : f32 to f64
    %diff = arith.subf %got64, %want : f64
    %error = math.absf %diff : f64
    %bound = arith.mulf %sum, %rel : f64
    // Unordered: a NaN is outside.
    %outside = arith.cmpf ugt, %error, %bound : f64
    %one = arith.extui %outside : i1 to i64
    %next = arith.addi %acc, %one : i64
    linalg.yield %next : i64
  } -> tensor<i64>
  %size = arith.muli %m, %n : index
  vector.print %size : index
  %nbad = tensor.extract %bad[] : tensor<i64>
  vector.print %nbad : i64
  return
}

func.func private @amax(%x: tensor<?x?xf32>) -> tensor<f32> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %a = mx.amax ins(%x : tensor<?x?xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  return %a : tensor<f32>
}

// 5 x 7 x 96, a real initial accumulator.
func.func private @nvfp4() {
  %m = arith.constant 5 : index
  %n = arith.constant 7 : index
  %k = arith.constant 96 : index
  %s0 = arith.constant 17 : i32
  %s1 = arith.constant 91 : i32
  %s2 = arith.constant 5 : i32
  %xd = call @values(%s0, %m, %k) : (i32, index, index) -> tensor<?x?xf32>
  %wd = call @values(%s1, %n, %k) : (i32, index, index) -> tensor<?x?xf32>
  %c = call @values(%s2, %m, %n) : (i32, index, index) -> tensor<?x?xf32>
  %ga = call @amax(%xd) : (tensor<?x?xf32>) -> tensor<f32>
  %gb = call @amax(%wd) : (tensor<?x?xf32>) -> tensor<f32>
  %x = tensor.cast %xd : tensor<?x?xf32> to tensor<5x96xf32>
  %w = tensor.cast %wd : tensor<?x?xf32> to tensor<7x96xf32>
  %e0 = tensor.empty() : tensor<5x96xf4E2M1FN>
  %e1 = tensor.empty() : tensor<5x6xf8E4M3FN>
  %e2 = tensor.empty() : tensor<7x96xf4E2M1FN>
  %e3 = tensor.empty() : tensor<7x6xf8E4M3FN>
  %a:2 = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<5x96xf32>) amax(%ga : tensor<f32>)
      outs(%e0, %e1 : tensor<5x96xf4E2M1FN>, tensor<5x6xf8E4M3FN>) -> tensor<5x96xf4E2M1FN>, tensor<5x6xf8E4M3FN>
  %b:2 = mx.quantize <nvfp4> axis = 1 ins(%w : tensor<7x96xf32>) amax(%gb : tensor<f32>)
      outs(%e2, %e3 : tensor<7x96xf4E2M1FN>, tensor<7x6xf8E4M3FN>) -> tensor<7x96xf4E2M1FN>, tensor<7x6xf8E4M3FN>
  %cs = tensor.cast %c : tensor<?x?xf32> to tensor<5x7xf32>
  %d = mx.matmul lhs(%a#0, %a#1, %ga : tensor<5x96xf4E2M1FN>, tensor<5x6xf8E4M3FN>, tensor<f32>) as <nvfp4>
      rhs(%b#0, %b#1, %gb : tensor<7x96xf4E2M1FN>, tensor<7x6xf8E4M3FN>, tensor<f32>) as <nvfp4>
      outs(%cs : tensor<5x7xf32>) indexing_maps = [#mk, #nk, #mn] -> tensor<5x7xf32>
  %f0 = tensor.empty() : tensor<5x96xf32>
  %f1 = tensor.empty() : tensor<7x96xf32>
  %da = mx.dequantize <nvfp4> axis = 1 ins(%a#0, %a#1, %ga : tensor<5x96xf4E2M1FN>, tensor<5x6xf8E4M3FN>, tensor<f32>) outs(%f0 : tensor<5x96xf32>) -> tensor<5x96xf32>
  %db = mx.dequantize <nvfp4> axis = 1 ins(%b#0, %b#1, %gb : tensor<7x96xf4E2M1FN>, tensor<7x6xf8E4M3FN>, tensor<f32>) outs(%f1 : tensor<7x96xf32>) -> tensor<7x96xf32>
  %dax = tensor.cast %da : tensor<5x96xf32> to tensor<?x?xf32>
  %dbx = tensor.cast %db : tensor<7x96xf32> to tensor<?x?xf32>
  %dx = tensor.cast %d : tensor<5x7xf32> to tensor<?x?xf32>
  call @check(%dax, %dbx, %c, %dx) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> ()
  return
}

// All dimensions dynamic, K = 75 ragged; the weight is transposed, [K, N].
func.func private @mxfp8_mxfp4(%m: index, %n: index, %k: index) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %s0 = arith.constant 3 : i32
  %s1 = arith.constant 4 : i32
  %x = call @values(%s0, %m, %k) : (i32, index, index) -> tensor<?x?xf32>
  %w = call @values(%s1, %n, %k) : (i32, index, index) -> tensor<?x?xf32>
  %t0 = tensor.empty(%k, %n) : tensor<?x?xf32>
  %wt = linalg.transpose ins(%w : tensor<?x?xf32>) outs(%t0 : tensor<?x?xf32>) permutation = [1, 0]
  %kb = arith.ceildivui %k, %c32 : index
  %e0 = tensor.empty(%m, %k) : tensor<?x?xf8E4M3FN>
  %e1 = tensor.empty(%m, %kb) : tensor<?x?xf8E8M0FNU>
  %e2 = tensor.empty(%k, %n) : tensor<?x?xf4E2M1FN>
  %e3 = tensor.empty(%kb, %n) : tensor<?x?xf8E8M0FNU>
  %a:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : tensor<?x?xf32>)
      outs(%e0, %e1 : tensor<?x?xf8E4M3FN>, tensor<?x?xf8E8M0FNU>) -> tensor<?x?xf8E4M3FN>, tensor<?x?xf8E8M0FNU>
  %b:2 = mx.quantize <mxfp4> axis = 0 ins(%wt : tensor<?x?xf32>)
      outs(%e2, %e3 : tensor<?x?xf4E2M1FN>, tensor<?x?xf8E8M0FNU>) -> tensor<?x?xf4E2M1FN>, tensor<?x?xf8E8M0FNU>
  %zero = arith.constant 0.0 : f32
  %c1 = tensor.empty(%m, %n) : tensor<?x?xf32>
  %c = linalg.fill ins(%zero : f32) outs(%c1 : tensor<?x?xf32>) -> tensor<?x?xf32>
  %d = mx.matmul lhs(%a#0, %a#1 : tensor<?x?xf8E4M3FN>, tensor<?x?xf8E8M0FNU>) as <mxfp8_e4m3>
      rhs(%b#0, %b#1 : tensor<?x?xf4E2M1FN>, tensor<?x?xf8E8M0FNU>) as <mxfp4>
      outs(%c : tensor<?x?xf32>)
      indexing_maps = [#mk, affine_map<(m, n, k) -> (k, n)>, #mn] -> tensor<?x?xf32>
  %f0 = tensor.empty(%m, %k) : tensor<?x?xf32>
  %f1 = tensor.empty(%k, %n) : tensor<?x?xf32>
  %da = mx.dequantize <mxfp8_e4m3> axis = 1 ins(%a#0, %a#1 : tensor<?x?xf8E4M3FN>, tensor<?x?xf8E8M0FNU>) outs(%f0 : tensor<?x?xf32>) -> tensor<?x?xf32>
  %dbt = mx.dequantize <mxfp4> axis = 0 ins(%b#0, %b#1 : tensor<?x?xf4E2M1FN>, tensor<?x?xf8E8M0FNU>) outs(%f1 : tensor<?x?xf32>) -> tensor<?x?xf32>
  %t1 = tensor.empty(%n, %k) : tensor<?x?xf32>
  %db = linalg.transpose ins(%dbt : tensor<?x?xf32>) outs(%t1 : tensor<?x?xf32>) permutation = [1, 0]
  call @check(%da, %db, %c, %d) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> ()
  return
}

// Weight-only: bf16 activations, INT4 with zero points, a bias and an init.
func.func private @int4() {
  %m = arith.constant 3 : index
  %n = arith.constant 9 : index
  %k = arith.constant 96 : index
  %one = arith.constant 1 : index
  %s0 = arith.constant 23 : i32
  %s1 = arith.constant 24 : i32
  %s2 = arith.constant 25 : i32
  %s3 = arith.constant 26 : i32
  %xd = call @values(%s0, %m, %k) : (i32, index, index) -> tensor<?x?xf32>
  %wd = call @values(%s1, %n, %k) : (i32, index, index) -> tensor<?x?xf32>
  %cd = call @values(%s2, %m, %n) : (i32, index, index) -> tensor<?x?xf32>
  %bd = call @values(%s3, %one, %n) : (i32, index, index) -> tensor<?x?xf32>
  %xs = tensor.cast %xd : tensor<?x?xf32> to tensor<3x96xf32>
  %x = arith.truncf %xs : tensor<3x96xf32> to tensor<3x96xbf16>
  %w = tensor.cast %wd : tensor<?x?xf32> to tensor<9x96xf32>
  %c = tensor.cast %cd : tensor<?x?xf32> to tensor<3x9xf32>
  %b2 = tensor.cast %bd : tensor<?x?xf32> to tensor<1x9xf32>
  %bias = tensor.collapse_shape %b2 [[0, 1]] : tensor<1x9xf32> into tensor<9xf32>
  %e0 = tensor.empty() : tensor<9x96xi4>
  %e1 = tensor.empty() : tensor<9x3xf32>
  %e2 = tensor.empty() : tensor<9x3xi8>
  %q:3 = mx.quantize <int4_g32, zero_point = true> axis = 1 ins(%w : tensor<9x96xf32>)
      outs(%e0, %e1, %e2 : tensor<9x96xi4>, tensor<9x3xf32>, tensor<9x3xi8>) -> tensor<9x96xi4>, tensor<9x3xf32>, tensor<9x3xi8>
  %d = mx.matmul lhs(%x : tensor<3x96xbf16>)
      rhs(%q#0, %q#1, %q#2 : tensor<9x96xi4>, tensor<9x3xf32>, tensor<9x3xi8>) as <int4_g32, zero_point = true>
      bias(%bias : tensor<9xf32>) outs(%c : tensor<3x9xf32>)
      indexing_maps = [#mk, #nk, affine_map<(m, n, k) -> (n)>, #mn] -> tensor<3x9xf32>
  %e3 = tensor.empty() : tensor<9x96xf32>
  %dw = mx.dequantize <int4_g32, zero_point = true> axis = 1
      ins(%q#0, %q#1, %q#2 : tensor<9x96xi4>, tensor<9x3xf32>, tensor<9x3xi8>) outs(%e3 : tensor<9x96xf32>) -> tensor<9x96xf32>
  %xf = arith.extf %x : tensor<3x96xbf16> to tensor<3x96xf32>
  %e4 = tensor.empty() : tensor<3x9xf32>
  %rows = linalg.broadcast ins(%bias : tensor<9xf32>) outs(%e4 : tensor<3x9xf32>) dimensions = [0]
  %sum = arith.addf %c, %rows : tensor<3x9xf32>
  %a0 = tensor.cast %xf : tensor<3x96xf32> to tensor<?x?xf32>
  %a1 = tensor.cast %dw : tensor<9x96xf32> to tensor<?x?xf32>
  %a2 = tensor.cast %sum : tensor<3x9xf32> to tensor<?x?xf32>
  %a3 = tensor.cast %d : tensor<3x9xf32> to tensor<?x?xf32>
  call @check(%a0, %a1, %a2, %a3) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> ()
  return
}

// A batch of activations in 1x128, one weight in 128x128, both ragged.
func.func private @fp8_block() {
  %m = arith.constant 6 : index
  %n = arith.constant 130 : index
  %k = arith.constant 200 : index
  %s0 = arith.constant 33 : i32
  %s1 = arith.constant 34 : i32
  %xd = call @values(%s0, %m, %k) : (i32, index, index) -> tensor<?x?xf32>
  %wd = call @values(%s1, %n, %k) : (i32, index, index) -> tensor<?x?xf32>
  %xs = tensor.cast %xd : tensor<?x?xf32> to tensor<6x200xf32>
  %x = tensor.expand_shape %xs [[0, 1], [2]] output_shape [2, 3, 200] : tensor<6x200xf32> into tensor<2x3x200xf32>
  %w = tensor.cast %wd : tensor<?x?xf32> to tensor<130x200xf32>
  %e0 = tensor.empty() : tensor<2x3x200xf8E4M3FN>
  %e1 = tensor.empty() : tensor<2x3x2xf32>
  %e2 = tensor.empty() : tensor<130x200xf8E4M3FN>
  %e3 = tensor.empty() : tensor<2x2xf32>
  %a:2 = mx.quantize <fp8_block_act> axis = 2 ins(%x : tensor<2x3x200xf32>)
      outs(%e0, %e1 : tensor<2x3x200xf8E4M3FN>, tensor<2x3x2xf32>) -> tensor<2x3x200xf8E4M3FN>, tensor<2x3x2xf32>
  %b:2 = mx.quantize <fp8_block_weight> axis = 1 ins(%w : tensor<130x200xf32>)
      outs(%e2, %e3 : tensor<130x200xf8E4M3FN>, tensor<2x2xf32>) -> tensor<130x200xf8E4M3FN>, tensor<2x2xf32>
  %zero = arith.constant dense<0.0> : tensor<2x3x130xf32>
  %d = mx.matmul lhs(%a#0, %a#1 : tensor<2x3x200xf8E4M3FN>, tensor<2x3x2xf32>) as <fp8_block_act>
      rhs(%b#0, %b#1 : tensor<130x200xf8E4M3FN>, tensor<2x2xf32>) as <fp8_block_weight> outs(%zero : tensor<2x3x130xf32>)
      indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (n, k)>,
                       affine_map<(b, m, n, k) -> (b, m, n)>] {promote_every = 128 : i64} -> tensor<2x3x130xf32>
  %e4 = tensor.empty() : tensor<2x3x200xf32>
  %e5 = tensor.empty() : tensor<130x200xf32>
  %da = mx.dequantize <fp8_block_act> axis = 2 ins(%a#0, %a#1 : tensor<2x3x200xf8E4M3FN>, tensor<2x3x2xf32>) outs(%e4 : tensor<2x3x200xf32>) -> tensor<2x3x200xf32>
  %db = mx.dequantize <fp8_block_weight> axis = 1 ins(%b#0, %b#1 : tensor<130x200xf8E4M3FN>, tensor<2x2xf32>) outs(%e5 : tensor<130x200xf32>) -> tensor<130x200xf32>
  %daf = tensor.collapse_shape %da [[0, 1], [2]] : tensor<2x3x200xf32> into tensor<6x200xf32>
  %df = tensor.collapse_shape %d [[0, 1], [2]] : tensor<2x3x130xf32> into tensor<6x130xf32>
  %c = arith.constant dense<0.0> : tensor<6x130xf32>
  %a0 = tensor.cast %daf : tensor<6x200xf32> to tensor<?x?xf32>
  %a1 = tensor.cast %db : tensor<130x200xf32> to tensor<?x?xf32>
  %a2 = tensor.cast %c : tensor<6x130xf32> to tensor<?x?xf32>
  %a3 = tensor.cast %df : tensor<6x130xf32> to tensor<?x?xf32>
  call @check(%a0, %a1, %a2, %a3) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) -> ()
  return
}

func.func @main() {
  // CHECK: 27
  // CHECK-NEXT: 0
  call @int4() : () -> ()
  // CHECK-NEXT: 780
  // CHECK-NEXT: 0
  call @fp8_block() : () -> ()
  // CHECK-NEXT: 35
  // CHECK-NEXT: 0
  call @nvfp4() : () -> ()
  // CHECK-NEXT: 44
  // CHECK-NEXT: 0
  %m = arith.constant 4 : index
  %n = arith.constant 11 : index
  %k = arith.constant 75 : index
  call @mxfp8_mxfp4(%m, %n, %k) : (index, index, index) -> ()
  // Nothing to sum: the result is init.
  // CHECK-NEXT: 44
  // CHECK-NEXT: 0
  %none = arith.constant 0 : index
  call @mxfp8_mxfp4(%m, %n, %none) : (index, index, index) -> ()
  // CHECK-NEXT: 0
  // CHECK-NEXT: 0
  call @mxfp8_mxfp4(%none, %n, %k) : (index, index, index) -> ()
  return
}
