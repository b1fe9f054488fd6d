// RUN: mx-opt %s -transform-preload-library=transform-library-paths=%S/Inputs/tile.mlir -transform-interpreter -canonicalize -cse | FileCheck %s -check-prefix=TILED
// RUN: mx-opt %s -transform-preload-library=transform-library-paths=%S/Inputs/tile.mlir -transform-interpreter -canonicalize -cse | %lower_and_run | FileCheck %s

// A product with its quantises, and the same tiled and fused by upstream, give
// the same bits: the tiles of K are summed in order. No extent is a multiple of
// a block or of a tile, one side has square blocks.

// TILED-LABEL: func.func private @tiled
// TILED-COUNT-3: scf.for
// TILED: mx.quantize
// TILED: mx.matmul

// CHECK: 1320 results, 0 differ

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#none = affine_map<(m, n) -> ()>

func.func private @untiled(%x: tensor<40x72xf32>, %w: tensor<33x72xf32>, %c: tensor<40x33xf32>) -> tensor<40x33xf32> {
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
      outs(%c : tensor<40x33xf32>) indexing_maps = [#mk, #nk, #mn] -> tensor<40x33xf32>
  return %d : tensor<40x33xf32>
}

func.func private @tiled(%x: tensor<40x72xf32>, %w: tensor<33x72xf32>, %c: tensor<40x33xf32>) -> tensor<40x33xf32> {
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
      outs(%c : tensor<40x33xf32>) indexing_maps = [#mk, #nk, #mn] -> tensor<40x33xf32>
  return %d : tensor<40x33xf32>
}

// Values in (-1, 1) from a hash of the position, times 2^(m mod 8), so that
// rows differ in magnitude.
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
    %v = arith.sitofp %h6 : i32 to f32
    %unit = arith.constant 4.65661287E-10 : f32
    %w = arith.mulf %v, %unit : f32
    %octave = arith.andi %i32, %c7 : i32
    %one = arith.constant 1 : i32
    %power = arith.shli %one, %octave : i32
    %scale = arith.sitofp %power : i32 to f32
    %y = arith.mulf %w, %scale : f32
    linalg.yield %y : f32
  } -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

func.func @main() {
  %m = arith.constant 40 : index
  %n = arith.constant 33 : index
  %k = arith.constant 72 : index
  %seed0 = arith.constant 1 : i32
  %seed1 = arith.constant 2 : i32
  %seed2 = arith.constant 3 : i32
  %x0 = func.call @values(%seed0, %m, %k) : (i32, index, index) -> tensor<?x?xf32>
  %w0 = func.call @values(%seed1, %n, %k) : (i32, index, index) -> tensor<?x?xf32>
  %c0 = func.call @values(%seed2, %m, %n) : (i32, index, index) -> tensor<?x?xf32>
  %x = tensor.cast %x0 : tensor<?x?xf32> to tensor<40x72xf32>
  %w = tensor.cast %w0 : tensor<?x?xf32> to tensor<33x72xf32>
  %c = tensor.cast %c0 : tensor<?x?xf32> to tensor<40x33xf32>
  %0 = func.call @untiled(%x, %w, %c) : (tensor<40x72xf32>, tensor<33x72xf32>, tensor<40x33xf32>) -> tensor<40x33xf32>
  %1 = func.call @tiled(%x, %w, %c) : (tensor<40x72xf32>, tensor<33x72xf32>, tensor<40x33xf32>) -> tensor<40x33xf32>

  %zeros = arith.constant dense<0> : tensor<i64>
  %counts:2 = linalg.generic {indexing_maps = [#id, #id, #none, #none], iterator_types = ["reduction", "reduction"]}
      ins(%0, %1 : tensor<40x33xf32>, tensor<40x33xf32>) outs(%zeros, %zeros : tensor<i64>, tensor<i64>) {
  ^bb0(%a: f32, %b: f32, %all: i64, %differ: i64):
    %abits = arith.bitcast %a : f32 to i32
    %bbits = arith.bitcast %b : f32 to i32
    %ne = arith.cmpi ne, %abits, %bbits : i32
    %ne64 = arith.extui %ne : i1 to i64
    %one = arith.constant 1 : i64
    %all1 = arith.addi %all, %one : i64
    %differ1 = arith.addi %differ, %ne64 : i64
    linalg.yield %all1, %differ1 : i64, i64
  } -> (tensor<i64>, tensor<i64>)
  %all = tensor.extract %counts#0[] : tensor<i64>
  %differ = tensor.extract %counts#1[] : tensor<i64>
  vector.print %all : i64 punctuation <no_punctuation>
  vector.print str " results, "
  vector.print %differ : i64 punctuation <no_punctuation>
  vector.print str " differ\n"
  return
}
