// RUN: mx-opt %s --mx-annotate=scheme=nvfp4 --mx-quantize-matmuls --mx-verify-untouched | FileCheck %s
// RUN: mx-opt %s --mx-annotate=scheme=nvfp4 | mx-opt --mx-quantize-matmuls | mx-opt --mx-verify-untouched -o /dev/null
// RUN: mx-opt %s --mx-annotate=scheme=nvfp4 --emit-bytecode | mx-opt --mx-quantize-matmuls --mx-verify-untouched -o /dev/null
// RUN: mx-opt %s --mx-verify-untouched | FileCheck %s --check-prefix=NOPLAN

// Scores, softmax and context, between layers that are quantised: as they were,
// also when the plan went through text or bytecode. Without a plan there is
// nothing to verify.

// CHECK-COUNT-3: mx.matmul
// CHECK: linalg.batch_matmul
// CHECK: linalg.softmax
// CHECK: linalg.batch_matmul
// NOPLAN: linalg.softmax
func.func @attention(%x: tensor<1x8x16xf32>, %wq: tensor<16x16xf32>, %wk: tensor<16x16xf32>, %wv: tensor<16x16xf32>) -> tensor<1x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x8x16xf32>
  %f = tensor.empty() : tensor<1x8x8xf32>
  %g = tensor.empty() : tensor<1x16x16xf32>
  %c = linalg.fill ins(%zero : f32) outs(%e : tensor<1x8x16xf32>) -> tensor<1x8x16xf32>
  %d = linalg.fill ins(%zero : f32) outs(%f : tensor<1x8x8xf32>) -> tensor<1x8x8xf32>
  %bq = linalg.broadcast ins(%wq : tensor<16x16xf32>) outs(%g : tensor<1x16x16xf32>) dimensions = [0]
  %bk = linalg.broadcast ins(%wk : tensor<16x16xf32>) outs(%g : tensor<1x16x16xf32>) dimensions = [0]
  %bv = linalg.broadcast ins(%wv : tensor<16x16xf32>) outs(%g : tensor<1x16x16xf32>) dimensions = [0]
  %q = linalg.batch_matmul ins(%x, %bq : tensor<1x8x16xf32>, tensor<1x16x16xf32>) outs(%c : tensor<1x8x16xf32>) -> tensor<1x8x16xf32>
  %k = linalg.batch_matmul ins(%x, %bk : tensor<1x8x16xf32>, tensor<1x16x16xf32>) outs(%c : tensor<1x8x16xf32>) -> tensor<1x8x16xf32>
  %v = linalg.batch_matmul ins(%x, %bv : tensor<1x8x16xf32>, tensor<1x16x16xf32>) outs(%c : tensor<1x8x16xf32>) -> tensor<1x8x16xf32>
  %s = linalg.batch_matmul indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, n, k)>, affine_map<(b, m, n, k) -> (b, m, n)>]
      ins(%q, %k : tensor<1x8x16xf32>, tensor<1x8x16xf32>) outs(%d : tensor<1x8x8xf32>) -> tensor<1x8x8xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<1x8x8xf32>) outs(%f : tensor<1x8x8xf32>) -> tensor<1x8x8xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<1x8x8xf32>, tensor<1x8x16xf32>) outs(%c : tensor<1x8x16xf32>) -> tensor<1x8x16xf32>
  return %o : tensor<1x8x16xf32>
}
