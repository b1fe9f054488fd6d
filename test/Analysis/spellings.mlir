// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 --mx-quantize-matmuls=fallback=error --mx-verify-untouched \
// RUN:   --mx-report-plan=output=- -o /dev/null | FileCheck %s

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (n, k)>
#y = affine_map<(m, n, k) -> (m, n)>

// Several products in one op: fused gate and up.

// CHECK-LABEL: Precision plan of @several_results
// CHECK:       linalg.generic linear 4x32x64 mxfp8_e4m3 mxfp8_e4m3
// CHECK-NEXT:  linalg.generic linear 4x32x64 mxfp8_e4m3 mxfp8_e4m3
func.func @several_results(%x: tensor<4x64xf32>, %a: tensor<32x64xf32>, %b: tensor<32x64xf32>, %c: tensor<4x32xf32>) -> (tensor<4x32xf32>, tensor<4x32xf32>) {
  %0:2 = linalg.generic {indexing_maps = [#x, #w, #w, #y, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %a, %b : tensor<4x64xf32>, tensor<32x64xf32>, tensor<32x64xf32>) outs(%c, %c : tensor<4x32xf32>, tensor<4x32xf32>) {
  ^bb0(%in: f32, %in_a: f32, %in_b: f32, %out_a: f32, %out_b: f32):
    %1 = arith.mulf %in, %in_a : f32
    %2 = arith.addf %1, %out_a : f32
    %3 = arith.mulf %in_b, %in : f32
    %4 = arith.addf %out_b, %3 : f32
    linalg.yield %2, %4 : f32, f32
  } -> (tensor<4x32xf32>, tensor<4x32xf32>)
  return %0#0, %0#1 : tensor<4x32xf32>, tensor<4x32xf32>
}

// bf16 with extensions outside, inside, and by the named op itself; f16 with a
// real accumulator that is a constant shared by two layers.

// CHECK-LABEL: Precision plan of @narrow_floats
// CHECK:       linalg.matmul linear 4x64x64 mxfp8_e4m3 mxfp8_e4m3
// CHECK-NEXT:  linalg.generic linear 4x64x64 mxfp8_e4m3 mxfp8_e4m3
// CHECK-NEXT:  linalg.matmul linear 4x64x64 mxfp8_e4m3 mxfp8_e4m3
// CHECK-NEXT:  linalg.matmul linear 4x64x64 mxfp8_e4m3 mxfp8_e4m3
func.func @narrow_floats(%x: tensor<4x64xbf16>, %a: tensor<64x64xbf16>, %b: tensor<64x64xbf16>, %d: tensor<64x64xf16>, %e: tensor<64x64xf16>) -> tensor<4x64xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x64xf32>
  %ones = arith.constant dense<1.0> : tensor<4x64xf32>
  %x32 = arith.extf %x : tensor<4x64xbf16> to tensor<4x64xf32>
  %a32 = arith.extf %a : tensor<64x64xbf16> to tensor<64x64xf32>
  %0 = linalg.matmul ins(%x32, %a32 : tensor<4x64xf32>, tensor<64x64xf32>) outs(%zero : tensor<4x64xf32>) -> tensor<4x64xf32>
  %1 = arith.truncf %0 : tensor<4x64xf32> to tensor<4x64xbf16>
  %2 = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%1, %b : tensor<4x64xbf16>, tensor<64x64xbf16>) outs(%zero : tensor<4x64xf32>) {
  ^bb0(%in: bf16, %in_b: bf16, %out: f32):
    %7 = arith.extf %in : bf16 to f32
    %8 = arith.extf %in_b : bf16 to f32
    %9 = arith.mulf %7, %8 : f32
    %10 = arith.addf %out, %9 : f32
    linalg.yield %10 : f32
  } -> tensor<4x64xf32>
  %3 = arith.truncf %2 : tensor<4x64xf32> to tensor<4x64xf16>
  %4 = linalg.matmul ins(%3, %d : tensor<4x64xf16>, tensor<64x64xf16>) outs(%ones : tensor<4x64xf32>) -> tensor<4x64xf32>
  %5 = arith.truncf %4 : tensor<4x64xf32> to tensor<4x64xf16>
  %6 = linalg.matmul ins(%5, %e : tensor<4x64xf16>, tensor<64x64xf16>) outs(%ones : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %6 : tensor<4x64xf32>
}

// Rank 1, M = 1, N = 1, ragged K; two `__elided__` constants are two weights.

// CHECK-LABEL: Precision plan of @small
// CHECK:       linalg.vecmat linear 1x17x23 mxfp8_e4m3 mxfp8_e4m3
// CHECK-NEXT:  linalg.matvec linear 5x1x17 mxfp8_e4m3 mxfp8_e4m3
// CHECK-NEXT:  linalg.dot linear 1x1x5 mxfp8_e4m3 mxfp8_e4m3
func.func @small(%x: tensor<23xf32>, %c: tensor<17xf32>, %d: tensor<5xf32>, %e: tensor<f32>) -> tensor<f32> {
  %w = arith.constant dense_resource<__elided__> : tensor<23x17xf32>
  %v = arith.constant dense_resource<__elided__> : tensor<5x17xf32>
  %u = arith.constant dense_resource<__elided__> : tensor<5xf32>
  %0 = linalg.vecmat ins(%x, %w : tensor<23xf32>, tensor<23x17xf32>) outs(%c : tensor<17xf32>) -> tensor<17xf32>
  %1 = linalg.matvec ins(%v, %0 : tensor<5x17xf32>, tensor<17xf32>) outs(%d : tensor<5xf32>) -> tensor<5xf32>
  %2 = linalg.dot ins(%1, %u : tensor<5xf32>, tensor<5xf32>) outs(%e : tensor<f32>) -> tensor<f32>
  return %2 : tensor<f32>
}

// A cache of keys and values that a step updates and reads at positions that
// arguments give is no weight.

// CHECK-LABEL: Precision plan of @cache
// CHECK:       linalg.matmul attention_scores 1x16x8 f32 f32
// CHECK:       linalg.matmul attention_context 1x8x16 f32 f32
func.func @cache(%q: tensor<1x8xf32>, %k: tensor<1x8xf32>, %keys: tensor<64x8xf32>, %values: tensor<64x8xf32>, %at: index)
    -> (tensor<1x8xf32>, tensor<64x8xf32>, tensor<64x8xf32>) {
  %c = arith.constant dense<0.0> : tensor<1x16xf32>
  %d = arith.constant dense<0.0> : tensor<1x8xf32>
  %new = tensor.insert_slice %k into %keys[%at, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<64x8xf32>
  %newer = tensor.insert_slice %k into %values[%at, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<64x8xf32>
  %page = tensor.extract_slice %keys[%at, 0] [16, 8] [1, 1] : tensor<64x8xf32> to tensor<16x8xf32>
  %content = tensor.extract_slice %values[%at, 0] [16, 8] [1, 1] : tensor<64x8xf32> to tensor<16x8xf32>
  %0 = linalg.matmul indexing_maps = [#x, #w, #y] ins(%q, %page : tensor<1x8xf32>, tensor<16x8xf32>) outs(%c : tensor<1x16xf32>) -> tensor<1x16xf32>
  %1 = linalg.softmax dimension(1) ins(%0 : tensor<1x16xf32>) outs(%c : tensor<1x16xf32>) -> tensor<1x16xf32>
  %2 = linalg.matmul ins(%1, %content : tensor<1x16xf32>, tensor<16x8xf32>) outs(%d : tensor<1x8xf32>) -> tensor<1x8xf32>
  return %2, %new, %newer : tensor<1x8xf32>, tensor<64x8xf32>, tensor<64x8xf32>
}
