// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 --mx-quantize-matmuls=fallback=error --mx-verify-untouched \
// RUN:   --mx-report-plan=output=- -o /dev/null | FileCheck %s

#id2 = affine_map<(i, j) -> (i, j)>
#row2 = affine_map<(i, j) -> (i)>

// Layers as iterations of scf.while, as jax.lax.scan becomes: all weights are
// one stacked argument each, which the loop hands on as it is, and sliced by the
// counter.

// CHECK-LABEL: Precision plan of @scan
// CHECK:       linalg.matmul linear 4x64x64 mxfp8_e4m3 mxfp8_e4m3
// CHECK:       linalg.matmul linear 4x64x64 mxfp8_e4m3 mxfp8_e4m3
func.func @scan(%x: tensor<4x64xf32>, %stack: tensor<6x64x64xf32>, %other: tensor<6x64x64xf32>) -> tensor<4x64xf32> {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c6 = arith.constant 6 : i64
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x64xf32>
  %zero = linalg.fill ins(%z : f32) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %0:4 = scf.while (%w = %stack, %i = %c0, %h = %x, %v = %other)
      : (tensor<6x64x64xf32>, i64, tensor<4x64xf32>, tensor<6x64x64xf32>) -> (tensor<6x64x64xf32>, i64, tensor<4x64xf32>, tensor<6x64x64xf32>) {
    %more = arith.cmpi slt, %i, %c6 : i64
    scf.condition(%more) %w, %i, %h, %v : tensor<6x64x64xf32>, i64, tensor<4x64xf32>, tensor<6x64x64xf32>
  } do {
  ^bb0(%w: tensor<6x64x64xf32>, %i: i64, %h: tensor<4x64xf32>, %v: tensor<6x64x64xf32>):
    %at = arith.index_cast %i : i64 to index
    %w0 = tensor.extract_slice %w[%at, 0, 0] [1, 64, 64] [1, 1, 1] : tensor<6x64x64xf32> to tensor<64x64xf32>
    %v0 = tensor.extract_slice %v[%at, 0, 0] [1, 64, 64] [1, 1, 1] : tensor<6x64x64xf32> to tensor<64x64xf32>
    %1 = linalg.matmul ins(%h, %w0 : tensor<4x64xf32>, tensor<64x64xf32>) outs(%zero : tensor<4x64xf32>) -> tensor<4x64xf32>
    %2 = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
        ins(%1 : tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) {
    ^bb0(%in: f32, %out: f32):
      %5 = math.tanh %in : f32
      linalg.yield %5 : f32
    } -> tensor<4x64xf32>
    %3 = linalg.matmul ins(%2, %v0 : tensor<4x64xf32>, tensor<64x64xf32>) outs(%zero : tensor<4x64xf32>) -> tensor<4x64xf32>
    %4 = arith.addi %i, %c1 : i64
    scf.yield %w, %4, %3, %v : tensor<6x64x64xf32>, i64, tensor<4x64xf32>, tensor<6x64x64xf32>
  }
  return %0#2 : tensor<4x64xf32>
}

// Flash attention: a running maximum, a running sum and a running context.

// CHECK-LABEL: Precision plan of @flash
// CHECK:       linalg.matmul linear 16x32x64 mxfp8_e4m3 mxfp8_e4m3
// CHECK:       linalg.matmul attention_scores 16x8x32 f32 f32
// CHECK-NEXT:  linalg.generic softmax
// CHECK-NEXT:  linalg.matmul attention_context 16x32x8 f32 f32
// CHECK-NEXT:  linalg.matmul linear 16x64x32 mxfp8_e4m3 mxfp8_e4m3
func.func @flash(%x: tensor<16x64xf32>, %wq: tensor<64x32xf32>, %k: tensor<64x32xf32>, %v: tensor<64x32xf32>, %wo: tensor<32x64xf32>) -> tensor<16x64xf32> {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<16xf32>
  %e32 = tensor.empty() : tensor<16x32xf32>
  %e8 = tensor.empty() : tensor<16x8xf32>
  %e64 = tensor.empty() : tensor<16x64xf32>
  %m0 = linalg.fill ins(%low : f32) outs(%e : tensor<16xf32>) -> tensor<16xf32>
  %l0 = linalg.fill ins(%z : f32) outs(%e : tensor<16xf32>) -> tensor<16xf32>
  %o0 = linalg.fill ins(%z : f32) outs(%e32 : tensor<16x32xf32>) -> tensor<16x32xf32>
  %s0 = linalg.fill ins(%z : f32) outs(%e8 : tensor<16x8xf32>) -> tensor<16x8xf32>
  %y0 = linalg.fill ins(%z : f32) outs(%e64 : tensor<16x64xf32>) -> tensor<16x64xf32>
  %q = linalg.matmul ins(%x, %wq : tensor<16x64xf32>, tensor<64x32xf32>) outs(%o0 : tensor<16x32xf32>) -> tensor<16x32xf32>
  %r:3 = scf.for %i = %c0 to %c64 step %c8 iter_args(%m = %m0, %l = %l0, %o = %o0) -> (tensor<16xf32>, tensor<16xf32>, tensor<16x32xf32>) {
    %kt = tensor.extract_slice %k[%i, 0] [8, 32] [1, 1] : tensor<64x32xf32> to tensor<8x32xf32>
    %vt = tensor.extract_slice %v[%i, 0] [8, 32] [1, 1] : tensor<64x32xf32> to tensor<8x32xf32>
    %s = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
        ins(%q, %kt : tensor<16x32xf32>, tensor<8x32xf32>) outs(%s0 : tensor<16x8xf32>) -> tensor<16x8xf32>
    %m1 = linalg.generic {indexing_maps = [#id2, #row2], iterator_types = ["parallel", "reduction"]}
        ins(%s : tensor<16x8xf32>) outs(%m : tensor<16xf32>) {
    ^bb0(%in: f32, %out: f32):
      %1 = arith.maximumf %in, %out : f32
      linalg.yield %1 : f32
    } -> tensor<16xf32>
    %p = linalg.generic {indexing_maps = [#id2, #row2, #id2], iterator_types = ["parallel", "parallel"]}
        ins(%s, %m1 : tensor<16x8xf32>, tensor<16xf32>) outs(%e8 : tensor<16x8xf32>) {
    ^bb0(%in: f32, %max: f32, %out: f32):
      %1 = arith.subf %in, %max : f32
      %2 = math.exp %1 : f32
      linalg.yield %2 : f32
    } -> tensor<16x8xf32>
    %a = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
        ins(%m, %m1 : tensor<16xf32>, tensor<16xf32>) outs(%e : tensor<16xf32>) {
    ^bb0(%in: f32, %max: f32, %out: f32):
      %1 = arith.subf %in, %max : f32
      %2 = math.exp %1 : f32
      linalg.yield %2 : f32
    } -> tensor<16xf32>
    %la = linalg.mul ins(%l, %a : tensor<16xf32>, tensor<16xf32>) outs(%e : tensor<16xf32>) -> tensor<16xf32>
    %l1 = linalg.generic {indexing_maps = [#id2, #row2], iterator_types = ["parallel", "reduction"]}
        ins(%p : tensor<16x8xf32>) outs(%la : tensor<16xf32>) {
    ^bb0(%in: f32, %out: f32):
      %1 = arith.addf %in, %out : f32
      linalg.yield %1 : f32
    } -> tensor<16xf32>
    %oa = linalg.generic {indexing_maps = [#id2, #row2, #id2], iterator_types = ["parallel", "parallel"]}
        ins(%o, %a : tensor<16x32xf32>, tensor<16xf32>) outs(%e32 : tensor<16x32xf32>) {
    ^bb0(%in: f32, %by: f32, %out: f32):
      %1 = arith.mulf %in, %by : f32
      linalg.yield %1 : f32
    } -> tensor<16x32xf32>
    %o1 = linalg.matmul ins(%p, %vt : tensor<16x8xf32>, tensor<8x32xf32>) outs(%oa : tensor<16x32xf32>) -> tensor<16x32xf32>
    scf.yield %m1, %l1, %o1 : tensor<16xf32>, tensor<16xf32>, tensor<16x32xf32>
  }
  %c = linalg.generic {indexing_maps = [#id2, #row2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%r#2, %r#1 : tensor<16x32xf32>, tensor<16xf32>) outs(%e32 : tensor<16x32xf32>) {
  ^bb0(%in: f32, %by: f32, %out: f32):
    %1 = arith.divf %in, %by : f32
    linalg.yield %1 : f32
  } -> tensor<16x32xf32>
  %y = linalg.matmul ins(%c, %wo : tensor<16x32xf32>, tensor<32x64xf32>) outs(%y0 : tensor<16x64xf32>) -> tensor<16x64xf32>
  return %y : tensor<16x64xf32>
}

// A weight from outside is quantised before the loop; one branch of two.

// CHECK-LABEL: Precision plan of @branch
// CHECK:       linalg.matmul linear 4x64x64 mxfp8_e4m3 mxfp8_e4m3
// CHECK:       linalg.matmul linear 4x8x64 mxfp8_e4m3 mxfp8_e4m3
func.func @branch(%x: tensor<4x64xf32>, %w: tensor<64x64xf32>, %v: tensor<64x8xf32>, %c: tensor<4x64xf32>, %d: tensor<4x8xf32>, %b: i1) -> tensor<4x8xf32> {
  %0 = scf.if %b -> tensor<4x64xf32> {
    %2 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x64xf32>) outs(%c : tensor<4x64xf32>) -> tensor<4x64xf32>
    scf.yield %2 : tensor<4x64xf32>
  } else {
    scf.yield %x : tensor<4x64xf32>
  }
  %1 = linalg.matmul ins(%0, %v : tensor<4x64xf32>, tensor<64x8xf32>) outs(%d : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// Greedy decoding: tokens are written to a buffer that the loop carries, and
// read from it by the next iteration. The table and the head are two.

// CHECK-LABEL: Precision plan of @generate
// CHECK:       linalg.generic embedding
// CHECK:       linalg.matmul linear 1x64x64 mxfp8_e4m3 mxfp8_e4m3
// CHECK:       linalg.matmul lm_head 1x96x64 f32 f32
func.func @generate(%prompt: tensor<16xi64>, %table: tensor<96x64xf32>, %w: tensor<64x64xf32>, %head: tensor<64x96xf32>) -> tensor<16xi64> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c15 = arith.constant 15 : index
  %z = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %none = arith.constant 0 : i64
  %e = tensor.empty() : tensor<1x64xf32>
  %zero = linalg.fill ins(%z : f32) outs(%e : tensor<1x64xf32>) -> tensor<1x64xf32>
  %e96 = tensor.empty() : tensor<1x96xf32>
  %zero96 = linalg.fill ins(%z : f32) outs(%e96 : tensor<1x96xf32>) -> tensor<1x96xf32>
  %0:2 = scf.while (%i = %c0, %tokens = %prompt) : (index, tensor<16xi64>) -> (index, tensor<16xi64>) {
    %more = arith.cmpi slt, %i, %c15 : index
    scf.condition(%more) %i, %tokens : index, tensor<16xi64>
  } do {
  ^bb0(%i: index, %tokens: tensor<16xi64>):
    %token = tensor.extract_slice %tokens[%i] [1] [1] : tensor<16xi64> to tensor<1xi64>
    %x = linalg.generic {indexing_maps = [affine_map<(t, d) -> (t)>, #id2], iterator_types = ["parallel", "parallel"]}
        ins(%token : tensor<1xi64>) outs(%e : tensor<1x64xf32>) {
    ^bb0(%in: i64, %out: f32):
      %row = arith.index_cast %in : i64 to index
      %column = linalg.index 1 : index
      %1 = tensor.extract %table[%row, %column] : tensor<96x64xf32>
      linalg.yield %1 : f32
    } -> tensor<1x64xf32>
    %h = linalg.matmul ins(%x, %w : tensor<1x64xf32>, tensor<64x64xf32>) outs(%zero : tensor<1x64xf32>) -> tensor<1x64xf32>
    %g = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
        ins(%h : tensor<1x64xf32>) outs(%e : tensor<1x64xf32>) {
    ^bb0(%in: f32, %out: f32):
      %1 = math.tanh %in : f32
      linalg.yield %1 : f32
    } -> tensor<1x64xf32>
    %logits = linalg.matmul ins(%g, %head : tensor<1x64xf32>, tensor<64x96xf32>) outs(%zero96 : tensor<1x96xf32>) -> tensor<1x96xf32>
    %best = tensor.from_elements %low : tensor<1xf32>
    %first = tensor.from_elements %none : tensor<1xi64>
    %arg_max:2 = linalg.generic {indexing_maps = [#id2, #row2, #row2], iterator_types = ["parallel", "reduction"]}
        ins(%logits : tensor<1x96xf32>) outs(%best, %first : tensor<1xf32>, tensor<1xi64>) {
    ^bb0(%in: f32, %out: f32, %at: i64):
      %v = linalg.index 1 : index
      %j = arith.index_cast %v : index to i64
      %is = arith.cmpf ogt, %in, %out : f32
      %1 = arith.select %is, %in, %out : f32
      %2 = arith.select %is, %j, %at : i64
      linalg.yield %1, %2 : f32, i64
    } -> (tensor<1xf32>, tensor<1xi64>)
    %next = arith.addi %i, %c1 : index
    %grown = tensor.insert_slice %arg_max#1 into %tokens[%next] [1] [1] : tensor<1xi64> into tensor<16xi64>
    scf.yield %next, %grown : index, tensor<16xi64>
  }
  return %0#1 : tensor<16xi64>
}

// Loops over buffers are left alone, whatever they compute: products on
// memrefs, and products that are loops.

// CHECK-LABEL: Precision plan of @buffers
// CHECK-NOT:   mxfp8
func.func @buffers(%q: memref<16x32xf32>, %k: memref<64x32xf32>, %w: memref<32x32xf32>, %s: memref<16x8xf32>, %out: memref<16x32xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  linalg.matmul ins(%q, %w : memref<16x32xf32>, memref<32x32xf32>) outs(%out : memref<16x32xf32>)
  scf.for %i = %c0 to %c64 step %c8 {
    %kt = memref.subview %k[%i, 0] [8, 32] [1, 1] : memref<64x32xf32> to memref<8x32xf32, strided<[32, 1], offset: ?>>
    linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
        ins(%q, %kt : memref<16x32xf32>, memref<8x32xf32, strided<[32, 1], offset: ?>>) outs(%s : memref<16x8xf32>)
    scf.for %m = %c0 to %c16 step %c1 {
      scf.for %n = %c0 to %c32 step %c1 {
        scf.for %r = %c0 to %c8 step %c1 {
          %a = memref.load %s[%m, %r] : memref<16x8xf32>
          %at = arith.addi %i, %r : index
          %b = memref.load %k[%at, %n] : memref<64x32xf32>
          %c = memref.load %out[%m, %n] : memref<16x32xf32>
          %p = arith.mulf %a, %b : f32
          %d = arith.addf %c, %p : f32
          memref.store %d, %out[%m, %n] : memref<16x32xf32>
        }
      }
    }
  }
  return
}
