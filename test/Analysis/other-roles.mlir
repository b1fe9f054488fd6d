// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 --mx-report-plan=output=- -o /dev/null | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>

// CHECK-LABEL: Precision plan of @rotary
// CHECK:       linalg.matmul rotary 4x8x1 f32 f32
// CHECK:       linalg.generic rotary
func.func @rotary(%x: tensor<4x8xf32>, %positions: tensor<4x1xi64>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %rates = arith.constant dense<[[1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125]]> : tensor<1x8xf32>
  %e = tensor.empty() : tensor<4x1xf32>
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%positions : tensor<4x1xi64>) outs(%e : tensor<4x1xf32>) {
  ^bb0(%in: i64, %out: f32):
    %1 = arith.sitofp %in : i64 to f32
    linalg.yield %1 : f32
  } -> tensor<4x1xf32>
  %angles = linalg.matmul ins(%p, %rates : tensor<4x1xf32>, tensor<1x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %angles : tensor<4x8xf32>, tensor<4x8xf32>) outs(%c : tensor<4x8xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = math.cos %in_0 : f32
    %2 = arith.mulf %in, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: Precision plan of @convolution
// CHECK:       linalg.conv_2d_nchw_fchw patch.projection conv
// CHECK-NOT:   linalg.pooling
func.func @convolution(%x: tensor<1x3x32x32xf32>, %w: tensor<8x3x8x8xf32> {mx.parameter = "patch.projection.weight"}, %c: tensor<1x8x25x25xf32>,
                       %window: tensor<2x2xf32>, %d: tensor<1x8x24x24xf32>) -> tensor<1x8x24x24xf32> {
  %0 = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x3x32x32xf32>, tensor<8x3x8x8xf32>) outs(%c : tensor<1x8x25x25xf32>) -> tensor<1x8x25x25xf32>
  %1 = linalg.pooling_nchw_max ins(%0, %window : tensor<1x8x25x25xf32>, tensor<2x2xf32>) outs(%d : tensor<1x8x24x24xf32>) -> tensor<1x8x24x24xf32>
  return %1 : tensor<1x8x24x24xf32>
}

// In low precision already: integers, FP8, weights that are dequantised, in an
// op of their own or inside of the product, values that are rounded to 8 bits.

// CHECK-LABEL: Precision plan of @quantized
// CHECK:       linalg.quantized_matmul quantized 4x8x64 i8 i8
// CHECK:       linalg.generic quantized 4x8x64 f8E4M3FN f8E4M3FN
// CHECK:       linalg.matmul w quantized 4x8x64
// CHECK:       linalg.generic w quantized 4x8x64 f32 i4
// CHECK:       linalg.matmul v quantized 4x8x64
func.func @quantized(%a: tensor<4x64xi8>, %b: tensor<64x8xi8>, %c: tensor<4x8xi32>, %fa: tensor<4x64xf8E4M3FN>, %fb: tensor<64x8xf8E4M3FN>,
                     %x: tensor<4x64xf32>, %packed: tensor<64x8xi4> {mx.parameter = "w"}, %scale: tensor<8xf32> {mx.parameter = "s"},
                     %v: tensor<64x8xf32> {mx.parameter = "v"}, %d: tensor<4x8xf32>)
    -> (tensor<4x8xi32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) {
  %zp = arith.constant 3 : i32
  %0 = linalg.quantized_matmul ins(%a, %b, %zp, %zp : tensor<4x64xi8>, tensor<64x8xi8>, i32, i32) outs(%c : tensor<4x8xi32>) -> tensor<4x8xi32>
  %1 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%fa, %fb : tensor<4x64xf8E4M3FN>, tensor<64x8xf8E4M3FN>) outs(%d : tensor<4x8xf32>) {
  ^bb0(%in: f8E4M3FN, %in_0: f8E4M3FN, %out: f32):
    %5 = arith.extf %in : f8E4M3FN to f32
    %6 = arith.extf %in_0 : f8E4M3FN to f32
    %7 = arith.mulf %5, %6 : f32
    %8 = arith.addf %out, %7 : f32
    linalg.yield %8 : f32
  } -> tensor<4x8xf32>
  %e = tensor.empty() : tensor<64x8xf32>
  %w = linalg.generic {indexing_maps = [#id, affine_map<(i, j) -> (j)>, #id], iterator_types = ["parallel", "parallel"]}
      ins(%packed, %scale : tensor<64x8xi4>, tensor<8xf32>) outs(%e : tensor<64x8xf32>) {
  ^bb0(%in: i4, %in_0: f32, %out: f32):
    %5 = arith.extsi %in : i4 to i32
    %6 = arith.sitofp %5 : i32 to f32
    %7 = arith.mulf %6, %in_0 : f32
    linalg.yield %7 : f32
  } -> tensor<64x8xf32>
  %2 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%d : tensor<4x8xf32>) -> tensor<4x8xf32>
  %3 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %packed, %scale : tensor<4x64xf32>, tensor<64x8xi4>, tensor<8xf32>) outs(%d : tensor<4x8xf32>) {
  ^bb0(%in: f32, %in_0: i4, %in_1: f32, %out: f32):
    %5 = arith.extsi %in_0 : i4 to i32
    %6 = arith.sitofp %5 : i32 to f32
    %7 = arith.mulf %6, %in_1 : f32
    %8 = arith.mulf %in, %7 : f32
    %9 = arith.addf %out, %8 : f32
    linalg.yield %9 : f32
  } -> tensor<4x8xf32>
  %f = tensor.empty() : tensor<4x64xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x64xf32>) outs(%f : tensor<4x64xf32>) {
  ^bb0(%in: f32, %out: f32):
    %5 = math.roundeven %in : f32
    %6 = arith.fptosi %5 : f32 to i8
    %7 = arith.sitofp %6 : i8 to f32
    linalg.yield %7 : f32
  } -> tensor<4x64xf32>
  %4 = linalg.matmul ins(%y, %v : tensor<4x64xf32>, tensor<64x8xf32>) outs(%d : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0, %1, %2, %3, %4 : tensor<4x8xi32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}

// A parameter that is multiplied along both of its dimensions: layers that share
// it, or a gradient. Without the gradient of a weight that is not known.

// CHECK-LABEL: Precision plan of @shared_or_gradient
// CHECK:       linalg.matmul w linear 4x8x64 mxfp8_e4m3 mxfp8_e4m3
// CHECK:       linalg.matmul w linear 4x64x8 f32 f32
func.func @shared_or_gradient(%x: tensor<4x64xf32>, %w: tensor<8x64xf32> {mx.parameter = "w"}, %c: tensor<4x8xf32>, %d: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %e = tensor.empty() : tensor<64x8xf32>
  %t = linalg.transpose ins(%w : tensor<8x64xf32>) outs(%e : tensor<64x8xf32>) permutation = [1, 0]
  %0 = linalg.matmul ins(%x, %t : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = linalg.matmul ins(%0, %w : tensor<4x8xf32>, tensor<8x64xf32>) outs(%d : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %1 : tensor<4x64xf32>
}

// CHECK-LABEL: Precision plan of @loop
// CHECK:       linalg.matmul w linear 4x64x64 mxfp8_e4m3 mxfp8_e4m3
func.func @loop(%x: tensor<4x64xf32>, %w: tensor<64x64xf32> {mx.parameter = "w"}, %n: index) -> tensor<4x64xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<4x64xf32>
  %0 = scf.for %i = %c0 to %n step %c1 iter_args(%y = %x) -> tensor<4x64xf32> {
    %1 = linalg.matmul ins(%y, %w : tensor<4x64xf32>, tensor<64x64xf32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
    scf.yield %1 : tensor<4x64xf32>
  }
  return %0 : tensor<4x64xf32>
}

// CHECK-LABEL: Precision plan of @buffers
// CHECK:       linalg.matmul other 4x8x64 f32 f32
func.func @buffers(%x: memref<4x64xf32>, %w: memref<64x8xf32>, %c: memref<4x8xf32>) {
  linalg.matmul ins(%x, %w : memref<4x64xf32>, memref<64x8xf32>) outs(%c : memref<4x8xf32>)
  return
}

// CHECK-LABEL: Precision plan of @tosa
// CHECK:       tosa.matmul linear 4x8x64 mxfp8_e4m3 mxfp8_e4m3
func.func @tosa(%x: tensor<1x4x64xf32>, %w: tensor<1x64x8xf32>) -> tensor<1x4x8xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %0 = tosa.matmul %x, %w, %zp, %zp : (tensor<1x4x64xf32>, tensor<1x64x8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x8xf32>
  return %0 : tensor<1x4x8xf32>
}

// CHECK:       why
// CHECK:       weight × activation; its weight is summed along another dimension before: a shared weight or a gradient
// CHECK:       product of two values that no rule covers; works on buffers; bufferize after this pass
