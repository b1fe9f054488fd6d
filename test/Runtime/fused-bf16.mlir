// Roundings between a product and what follows stay where they were: products
// in f32 that are rounded to bf16, a bias and an activation function in bf16,
// a product that sums in bf16's place, a norm's scaling with a cast.

// DEFINE: %{data} = --inputs %mx_test_root/Inputs/models/llama_bytes.logits.npy
// RUN: rm -rf %t && mkdir %t
// RUN: mx-run %s %{data} --out %t
// RUN: mx-opt %s --mx-fuse -o %t/fused.mlir
// RUN: FileCheck %s < %t/fused.mlir
// RUN: mx-run %t/fused.mlir %{data} --expect %t/result0.npy,%t/result1.npy --max-rel-error 0

// CHECK:     mx.quantize {{.*}} prologue ins(
// CHECK:     mx.matmul {{.*}} epilogue ins(
// CHECK:     mx.matmul {{.*}} epilogue {
// CHECK-NOT: linalg.generic

#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#rows = affine_map<(d0, d1, d2) -> (d0, d1)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>
func.func @main(%x: tensor<4x64x256xf32>) -> (tensor<4x64x256xf32>, tensor<256x256xf32>) {
  %zero = arith.constant 0.0 : f32
  %e3 = tensor.empty() : tensor<4x64xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e3 : tensor<4x64xf32>) -> tensor<4x64xf32>
  %max = linalg.reduce { arith.maximumf } ins(%x : tensor<4x64x256xf32>) outs(%z : tensor<4x64xf32>) dimensions = [2]
  %eb = tensor.empty() : tensor<4x64x256xbf16>
  %scaled = linalg.generic {indexing_maps = [#id3, #rows, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %max : tensor<4x64x256xf32>, tensor<4x64xf32>) outs(%eb : tensor<4x64x256xbf16>) {
  ^bb0(%in: f32, %m: f32, %o: bf16):
    %0 = arith.divf %in, %m : f32
    %1 = arith.truncf %0 : f32 to bf16
    linalg.yield %1 : bf16
  } -> tensor<4x64x256xbf16>
  %a = tensor.collapse_shape %scaled [[0, 1], [2]] : tensor<4x64x256xbf16> into tensor<256x256xbf16>
  %e = tensor.empty() : tensor<256x256xf8E4M3FN>
  %s = tensor.empty() : tensor<256x8xf8E8M0FNU>
  %q:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%a : tensor<256x256xbf16>) outs(%e, %s : tensor<256x256xf8E4M3FN>, tensor<256x8xf8E8M0FNU>)
      -> tensor<256x256xf8E4M3FN>, tensor<256x8xf8E8M0FNU>
  %flat = tensor.collapse_shape %x [[0, 1], [2]] : tensor<4x64x256xf32> into tensor<256x256xf32>
  %w:2 = mx.quantize <mxfp8_e4m3> axis = 1 ins(%flat : tensor<256x256xf32>) outs(%e, %s : tensor<256x256xf8E4M3FN>, tensor<256x8xf8E8M0FNU>)
      -> tensor<256x256xf8E4M3FN>, tensor<256x8xf8E8M0FNU>

  // Cast, residual, exp; in three dimensions.
  %ef = tensor.empty() : tensor<256x256xf32>
  %c = linalg.fill ins(%zero : f32) outs(%ef : tensor<256x256xf32>) -> tensor<256x256xf32>
  %d = mx.matmul lhs(%q#0, %q#1 : tensor<256x256xf8E4M3FN>, tensor<256x8xf8E8M0FNU>) as <mxfp8_e4m3>
      rhs(%w#0, %w#1 : tensor<256x256xf8E4M3FN>, tensor<256x8xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<256x256xf32>) indexing_maps = [#lhs, #rhs, #out] -> tensor<256x256xf32>
  %ebb = tensor.empty() : tensor<256x256xbf16>
  %d1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%d : tensor<256x256xf32>) outs(%ebb : tensor<256x256xbf16>) {
  ^bb0(%in: f32, %o: bf16):
    %0 = arith.truncf %in : f32 to bf16
    linalg.yield %0 : bf16
  } -> tensor<256x256xbf16>
  %d2 = tensor.expand_shape %d1 [[0, 1], [2]] output_shape [4, 64, 256] : tensor<256x256xbf16> into tensor<4x64x256xbf16>
  %ex = tensor.empty() : tensor<4x64x256xf32>
  %d3 = linalg.generic {indexing_maps = [#id3, #id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%d2, %x : tensor<4x64x256xbf16>, tensor<4x64x256xf32>) outs(%ex : tensor<4x64x256xf32>) {
  ^bb0(%in: bf16, %r: f32, %o: f32):
    %0 = arith.truncf %r : f32 to bf16
    %1 = arith.addf %in, %0 : bf16
    %2 = arith.extf %1 : bf16 to f32
    linalg.yield %2 : f32
  } -> tensor<4x64x256xf32>
  %d4 = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%d3 : tensor<4x64x256xf32>) outs(%ex : tensor<4x64x256xf32>) {
  ^bb0(%in: f32, %o: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  } -> tensor<4x64x256xf32>

  // A product that is rounded to bf16 itself.
  %cb = arith.constant dense<0.0> : tensor<256x256xbf16>
  %g = mx.matmul lhs(%q#0, %q#1 : tensor<256x256xf8E4M3FN>, tensor<256x8xf8E8M0FNU>) as <mxfp8_e4m3>
      rhs(%w#0, %w#1 : tensor<256x256xf8E4M3FN>, tensor<256x8xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%cb : tensor<256x256xbf16>) indexing_maps = [#lhs, #rhs, #out] -> tensor<256x256xbf16>
  %g1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g : tensor<256x256xbf16>) outs(%ef : tensor<256x256xf32>) {
  ^bb0(%in: bf16, %o: f32):
    %0 = arith.extf %in : bf16 to f32
    linalg.yield %0 : f32
  } -> tensor<256x256xf32>
  return %d4, %g1 : tensor<4x64x256xf32>, tensor<256x256xf32>
}
