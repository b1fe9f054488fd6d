// Sharing changes no bit: rows in other shapes, both directions of square
// blocks, transposes read by products.

// DEFINE: %{data} = --inputs %mx_test_root/Inputs/models/llama_bytes.logits.npy
// RUN: rm -rf %t && mkdir %t
// RUN: mx-run %s %{data} --out %t
// RUN: mx-opt %s --mx-share-operands -o %t/shared.mlir
// RUN: FileCheck %s < %t/shared.mlir
// RUN: mx-run %t/shared.mlir %{data} --expect %t/result0.npy,%t/result1.npy,%t/result2.npy --max-rel-error 0

// CHECK-COUNT-3: mx.quantize
// CHECK-NOT:     mx.quantize

!x = tensor<4x64x256xf32>
!rows = tensor<256x256xf32>
func.func @main(%x: !x) -> (!rows, !rows, !rows) {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %i = tensor.empty() : !rows
  %m = tensor.collapse_shape %x [[0, 1], [2]] : !x into !rows
  %t = linalg.transpose ins(%m : !rows) outs(%i : !rows) permutation = [1, 0]

  // The matrix after the batch.
  %a = mx.amax ins(%x : !x) outs(%zero : tensor<f32>) -> tensor<f32>
  %e3 = tensor.empty() : tensor<4x64x256xf4E2M1FN>
  %s3 = tensor.empty() : tensor<4x64x16xf8E4M3FN>
  %q:2 = mx.quantize <nvfp4> axis = 2 ins(%x : !x) amax(%a : tensor<f32>)
      outs(%e3, %s3 : tensor<4x64x256xf4E2M1FN>, tensor<4x64x16xf8E4M3FN>) -> tensor<4x64x256xf4E2M1FN>, tensor<4x64x16xf8E4M3FN>
  %b = mx.amax ins(%t : !rows) outs(%zero : tensor<f32>) -> tensor<f32>
  %e2 = tensor.empty() : tensor<256x256xf4E2M1FN>
  %s2 = tensor.empty() : tensor<256x16xf8E4M3FN>
  %r:2 = mx.quantize <nvfp4> axis = 1 ins(%m : !rows) amax(%b : tensor<f32>)
      outs(%e2, %s2 : tensor<256x256xf4E2M1FN>, tensor<256x16xf8E4M3FN>) -> tensor<256x256xf4E2M1FN>, tensor<256x16xf8E4M3FN>
  %d0 = mx.dequantize <nvfp4> axis = 1 ins(%r#0, %r#1, %b : tensor<256x256xf4E2M1FN>, tensor<256x16xf8E4M3FN>, tensor<f32>)
      outs(%i : !rows) -> !rows

  // The transpose of the matrix, along the same dimension of it; its scales are
  // transposed.
  %e8 = tensor.empty() : tensor<256x256xf8E4M3FN>
  %sm = tensor.empty() : tensor<256x8xf8E8M0FNU>
  %st = tensor.empty() : tensor<8x256xf8E8M0FNU>
  %o:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%m : !rows)
      outs(%e8, %sm : tensor<256x256xf8E4M3FN>, tensor<256x8xf8E8M0FNU>) -> tensor<256x256xf8E4M3FN>, tensor<256x8xf8E8M0FNU>
  %u:2 = mx.quantize <mxfp8_e4m3> axis = 0 ins(%t : !rows)
      outs(%e8, %st : tensor<256x256xf8E4M3FN>, tensor<8x256xf8E8M0FNU>) -> tensor<256x256xf8E4M3FN>, tensor<8x256xf8E8M0FNU>
  %f0 = arith.constant 0.0 : f32
  %c = linalg.fill ins(%f0 : f32) outs(%i : !rows) -> !rows
  %d1 = mx.matmul
      lhs(%o#0, %o#1 : tensor<256x256xf8E4M3FN>, tensor<256x8xf8E8M0FNU>) as <mxfp8_e4m3>
      rhs(%u#0, %u#1 : tensor<256x256xf8E4M3FN>, tensor<8x256xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : !rows)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] -> !rows

  // Both directions of square blocks.
  %s8 = tensor.empty() : tensor<8x8xf8E8M0FNU>
  %v:2 = mx.quantize <mxfp8_e4m3, block = 32x32> axis = 1 ins(%m : !rows)
      outs(%e8, %s8 : tensor<256x256xf8E4M3FN>, tensor<8x8xf8E8M0FNU>) -> tensor<256x256xf8E4M3FN>, tensor<8x8xf8E8M0FNU>
  %w:2 = mx.quantize <mxfp8_e4m3, block = 32x32> axis = 0 ins(%m : !rows)
      outs(%e8, %s8 : tensor<256x256xf8E4M3FN>, tensor<8x8xf8E8M0FNU>) -> tensor<256x256xf8E4M3FN>, tensor<8x8xf8E8M0FNU>
  %d2 = mx.matmul
      lhs(%v#0, %v#1 : tensor<256x256xf8E4M3FN>, tensor<8x8xf8E8M0FNU>) as <mxfp8_e4m3, block = 32x32>
      rhs(%w#0, %w#1 : tensor<256x256xf8E4M3FN>, tensor<8x8xf8E8M0FNU>) as <mxfp8_e4m3, block = 32x32>
      outs(%c : !rows)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] -> !rows
  return %d0, %d1, %d2 : !rows, !rows, !rows
}
