// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 --mx-report-plan=output=- -o /dev/null | FileCheck %s

#ids = affine_map<(i, j) -> (i)>
#id = affine_map<(i, j) -> (i, j)>

// One table feeds the embedding and, transposed, the head, whatever becomes of
// its results.

// CHECK-LABEL: Precision plan of @tied
// CHECK:       linalg.generic embedding
// CHECK:       linalg.matmul linear 4x64x64
// CHECK:       linalg.matmul lm_head 4x100x64 f32 f32
func.func @tied(%ids: tensor<4xi32>, %table: tensor<100x64xf32>, %w: tensor<64x64xf32>, %c: tensor<4x64xf32>, %d: tensor<4x100xf32>) -> tensor<4x100xf32> {
  %e = tensor.empty() : tensor<4x64xf32>
  %x = linalg.generic {indexing_maps = [#ids, #id], iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<4xi32>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%in: i32, %out: f32):
    %1 = arith.index_cast %in : i32 to index
    %2 = linalg.index 1 : index
    %3 = tensor.extract %table[%1, %2] : tensor<100x64xf32>
    linalg.yield %3 : f32
  } -> tensor<4x64xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x64xf32>) outs(%c : tensor<4x64xf32>) -> tensor<4x64xf32>
  %0 = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%y, %table : tensor<4x64xf32>, tensor<100x64xf32>) outs(%d : tensor<4x100xf32>) -> tensor<4x100xf32>
  return %0 : tensor<4x100xf32>
}

// As wide as the table, into the results (with bias and soft cap); the layer
// before it, as wide, is not.

// CHECK-LABEL: Precision plan of @vocabulary
// CHECK:       tensor.gather embedding
// CHECK:       linalg.matmul linear 4x100x64
// CHECK:       linalg.matmul lm_head 4x100x100
func.func @vocabulary(%ids: tensor<4x1xi32>, %table: tensor<100x64xf32>, %w: tensor<64x100xf32>, %head: tensor<100x100xf32>, %bias: tensor<100xf32>,
                      %c: tensor<4x100xf32>) -> tensor<4x100xf32> {
  %x = tensor.gather %table[%ids] gather_dims([0]) : (tensor<100x64xf32>, tensor<4x1xi32>) -> tensor<4x64xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x100xf32>) outs(%c : tensor<4x100xf32>) -> tensor<4x100xf32>
  %0 = linalg.matmul ins(%y, %head : tensor<4x100xf32>, tensor<100x100xf32>) outs(%c : tensor<4x100xf32>) -> tensor<4x100xf32>
  %1 = linalg.generic {indexing_maps = [#id, affine_map<(i, j) -> (j)>, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %bias : tensor<4x100xf32>, tensor<100xf32>) outs(%c : tensor<4x100xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %2 = arith.addf %in, %in_0 : f32
    %3 = math.tanh %2 : f32
    linalg.yield %3 : f32
  } -> tensor<4x100xf32>
  return %1 : tensor<4x100xf32>
}

// The last layer of a block alone is a layer.

// CHECK-LABEL: Precision plan of @block
// CHECK:       linalg.matmul linear 4x100x64 mxfp8
func.func @block(%x: tensor<4x64xf32>, %w: tensor<64x100xf32>, %c: tensor<4x100xf32>) -> tensor<4x100xf32> {
  %0 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x100xf32>) outs(%c : tensor<4x100xf32>) -> tensor<4x100xf32>
  return %0 : tensor<4x100xf32>
}

// A classifier of whole images or sentences has a row for each, not for each
// token: see truth of the vision models. Rows by positions that no input
// affects are a slice if they are indexed as arrays are, and embeddings if they
// are looked up.

// CHECK-LABEL: Precision plan of @positions
// CHECK-NEXT:  index
// CHECK-NEXT:  linalg.generic wpe embedding
// CHECK-EMPTY:
func.func @positions(%table: tensor<16x64xf32> {mx.parameter = "wpe"}) -> (tensor<4x64xf32>, tensor<4x64xf32>) {
  %zero = arith.constant 0 : i64
  %size = arith.constant 16 : i64
  %f = tensor.empty() : tensor<4xi64>
  %e = tensor.empty() : tensor<4x64xf32>
  %ids = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%f : tensor<4xi64>) {
  ^bb0(%out: i64):
    %1 = linalg.index 0 : index
    %2 = arith.index_cast %1 : index to i64
    linalg.yield %2 : i64
  } -> tensor<4xi64>
  %x = linalg.generic {indexing_maps = [#ids, #id], iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<4xi64>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%in: i64, %out: f32):
    %1 = arith.index_cast %in : i64 to index
    %2 = linalg.index 1 : index
    %3 = tensor.extract %table[%1, %2] : tensor<16x64xf32>
    linalg.yield %3 : f32
  } -> tensor<4x64xf32>
  %y = linalg.generic {indexing_maps = [#ids, #id], iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<4xi64>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%in: i64, %out: f32):
    %1 = arith.cmpi slt, %in, %zero : i64
    %2 = arith.addi %in, %size : i64
    %3 = arith.select %1, %2, %in : i64
    %4 = arith.index_cast %3 : i64 to index
    %5 = linalg.index 1 : index
    %6 = tensor.extract %table[%4, %5] : tensor<16x64xf32>
    linalg.yield %6 : f32
  } -> tensor<4x64xf32>
  return %x, %y : tensor<4x64xf32>, tensor<4x64xf32>
}
