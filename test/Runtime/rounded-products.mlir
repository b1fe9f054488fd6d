// A transform cancels in a product, whose error is then that of NVFP4; the mean
// over many offsets of stochastic rounding is the exact product.

// DEFINE: %{data} = --inputs %mx_test_root/Inputs/models/llama_bytes.logits.npy
// RUN: rm -rf %t && mkdir %t
// RUN: mx-opt %s --mx-strip -o %t/plain.mlir
// RUN: mx-opt %s --mx-quantize-matmuls --mx-share-operands --mx-fold-weights -o %t/quantized.mlir
// RUN: FileCheck %s --input-file=%t/quantized.mlir
// RUN: mx-run %t/plain.mlir --entry transformed %{data} --out %t
// RUN: mx-run %t/quantized.mlir --entry transformed %{data} --expect %t/result0.npy --max-rel-error 0.04
// RUN: not mx-run %t/quantized.mlir --entry transformed %{data} --expect %t/result0.npy --max-rel-error 0.01

// RUN: mx-run %t/plain.mlir --entry mean_of_256 %{data} --out %t
// RUN: mx-run %t/quantized.mlir --entry mean_of_256 %{data} --expect %t/result0.npy --max-rel-error 0.002
// RUN: mx-run %t/plain.mlir --entry mean_of_1 %{data} --out %t
// RUN: not mx-run %t/quantized.mlir --entry mean_of_1 %{data} --expect %t/result0.npy --max-rel-error 0.008

!x = tensor<4x64x256xf32>
!rows = tensor<64x256xf32>
!result = tensor<64x64xf32>
#transformed = #mx.policy<lhs = <format = <nvfp4>, transform = <rht16>>, rhs = <format = <nvfp4>, transform = <rht16>>, rule = "test", reason = "test">
#random = #mx.policy<lhs = <format = <mxfp4, rule = ceil>, rounding = sr>, rule = "test", reason = "test">

// CHECK-LABEL: func.func @transformed(
// CHECK-COUNT-2: mx.hadamard <rht16>
// CHECK:         mx.matmul
func.func @transformed(%x: !x) -> !result {
  %zero = arith.constant 0.0 : f32
  %m = tensor.extract_slice %x[0, 0, 0] [1, 64, 256] [1, 1, 1] : !x to !rows
  %w = tensor.extract_slice %x[3, 0, 0] [1, 64, 256] [1, 1, 1] : !x to !rows
  %e = tensor.empty() : !result
  %c = linalg.fill ins(%zero : f32) outs(%e : !result) -> !result
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      {mx.policy = #transformed} ins(%m, %w : !rows, !rows) outs(%c : !result) -> !result
  return %y : !result
}

// A scale that is rounded up never lets an element saturate. A slice at the
// counter, so that x is quantised in each iteration.

func.func @mean_of_256(%x: !x) -> !result {
  %zero = arith.constant 0.0 : f32
  %0 = arith.constant 0 : index
  %1 = arith.constant 1 : index
  %n = arith.constant 256 : index
  %w = tensor.extract_slice %x[3, 0, 0] [1, 64, 256] [1, 1, 1] : !x to !rows
  %e = tensor.empty() : !result
  %c = linalg.fill ins(%zero : f32) outs(%e : !result) -> !result
  %r = scf.for %i = %0 to %n step %1 iter_args(%a = %c) -> !result {
    %z = arith.remui %i, %1 : index
    %s = tensor.extract_slice %x[%z, 0, 0] [1, 64, 256] [1, 1, 1] : !x to !rows
    %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
        {mx.policy = #random} ins(%s, %w : !rows, !rows) outs(%a : !result) -> !result
    scf.yield %y : !result
  }
  return %r : !result
}

func.func @mean_of_1(%x: !x) -> !result {
  %zero = arith.constant 0.0 : f32
  %0 = arith.constant 0 : index
  %1 = arith.constant 1 : index
  %n = arith.constant 1 : index
  %w = tensor.extract_slice %x[3, 0, 0] [1, 64, 256] [1, 1, 1] : !x to !rows
  %e = tensor.empty() : !result
  %c = linalg.fill ins(%zero : f32) outs(%e : !result) -> !result
  %r = scf.for %i = %0 to %n step %1 iter_args(%a = %c) -> !result {
    %z = arith.remui %i, %1 : index
    %s = tensor.extract_slice %x[%z, 0, 0] [1, 64, 256] [1, 1, 1] : !x to !rows
    %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
        {mx.policy = #random} ins(%s, %w : !rows, !rows) outs(%a : !result) -> !result
    scf.yield %y : !result
  }
  return %r : !result
}
