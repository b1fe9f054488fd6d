// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 --mx-report-plan=output=- -o /dev/null | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>

// A softmax over the outputs weighs two branches: the layers in them are
// experts, back to the router's own input.

// CHECK-LABEL: Precision plan of @dense_experts
// CHECK:       linalg.matmul router 4x2x64 f32 f32
// CHECK:       linalg.softmax softmax
// CHECK:       linalg.matmul expert 4x32x64 mxfp8
// CHECK:       linalg.matmul expert 4x64x32 mxfp8
// CHECK:       linalg.matmul expert 4x64x64 mxfp8
func.func @dense_experts(%x: tensor<4x64xf32>, %gate: tensor<64x2xf32>, %up: tensor<64x32xf32>, %down: tensor<32x64xf32>,
                         %other: tensor<64x64xf32>, %c: tensor<4x2xf32>, %d: tensor<4x32xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %0 = linalg.matmul ins(%x, %gate : tensor<4x64xf32>, tensor<64x2xf32>) outs(%c : tensor<4x2xf32>) -> tensor<4x2xf32>
  %p = linalg.softmax dimension(1) ins(%0 : tensor<4x2xf32>) outs(%c : tensor<4x2xf32>) -> tensor<4x2xf32>
  %p0 = tensor.extract_slice %p[0, 0] [4, 1] [1, 1] : tensor<4x2xf32> to tensor<4xf32>
  %p1 = tensor.extract_slice %p[0, 1] [4, 1] [1, 1] : tensor<4x2xf32> to tensor<4xf32>
  %1 = linalg.matmul ins(%x, %up : tensor<4x64xf32>, tensor<64x32xf32>) outs(%d : tensor<4x32xf32>) -> tensor<4x32xf32>
  %2 = linalg.exp ins(%1 : tensor<4x32xf32>) outs(%d : tensor<4x32xf32>) -> tensor<4x32xf32>
  %3 = linalg.matmul ins(%2, %down : tensor<4x32xf32>, tensor<32x64xf32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %4 = linalg.matmul ins(%x, %other : tensor<4x64xf32>, tensor<64x64xf32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %w0 = linalg.broadcast ins(%p0 : tensor<4xf32>) outs(%e : tensor<4x64xf32>) dimensions = [1]
  %w1 = linalg.broadcast ins(%p1 : tensor<4xf32>) outs(%e : tensor<4x64xf32>) dimensions = [1]
  %5 = linalg.mul ins(%w0, %3 : tensor<4x64xf32>, tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %6 = linalg.mul ins(%w1, %4 : tensor<4x64xf32>, tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %7 = linalg.add ins(%5, %6 : tensor<4x64xf32>, tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %7 : tensor<4x64xf32>
}

// The largest output chooses a matrix of a stack.

// CHECK-LABEL: Precision plan of @gathered_expert
// CHECK:       linalg.matmul router 4x8x64
// CHECK:       linalg.batch_matmul expert 16x1x64 (4 times) mxfp8
func.func @gathered_expert(%x: tensor<4x64xf32>, %gate: tensor<64x8xf32>, %stack: tensor<8x16x64xf32>, %c: tensor<4x8xf32>,
                           %d: tensor<4x16x1xf32>) -> tensor<4x16x1xf32> {
  %low = arith.constant 0xFF800000 : f32
  %first = arith.constant 0 : i64
  %f = tensor.empty() : tensor<4xf32>
  %g = tensor.empty() : tensor<4xi64>
  %l = linalg.fill ins(%low : f32) outs(%f : tensor<4xf32>) -> tensor<4xf32>
  %z = linalg.fill ins(%first : i64) outs(%g : tensor<4xi64>) -> tensor<4xi64>
  %0 = linalg.matmul ins(%x, %gate : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  %value, %index = linalg.generic {indexing_maps = [#id, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
      ins(%0 : tensor<4x8xf32>) outs(%l, %z : tensor<4xf32>, tensor<4xi64>) {
  ^bb0(%in: f32, %out: f32, %out_0: i64):
    %2 = linalg.index 1 : index
    %3 = arith.index_cast %2 : index to i64
    %4 = arith.maximumf %in, %out : f32
    %5 = arith.cmpf ogt, %in, %out : f32
    %6 = arith.select %5, %3, %out_0 : i64
    linalg.yield %4, %6 : f32, i64
  } -> (tensor<4xf32>, tensor<4xi64>)
  %e = tensor.empty() : tensor<4x16x64xf32>
  %chosen = linalg.generic {indexing_maps = [affine_map<(t, n, k) -> (t)>, affine_map<(t, n, k) -> (t, n, k)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%index : tensor<4xi64>) outs(%e : tensor<4x16x64xf32>) {
  ^bb0(%in: i64, %out: f32):
    %2 = arith.index_cast %in : i64 to index
    %3 = linalg.index 1 : index
    %4 = linalg.index 2 : index
    %5 = tensor.extract %stack[%2, %3, %4] : tensor<8x16x64xf32>
    linalg.yield %5 : f32
  } -> tensor<4x16x64xf32>
  %column = tensor.expand_shape %x [[0], [1, 2]] output_shape [4, 64, 1] : tensor<4x64xf32> into tensor<4x64x1xf32>
  %1 = linalg.batch_matmul ins(%chosen, %column : tensor<4x16x64xf32>, tensor<4x64x1xf32>) outs(%d : tensor<4x16x1xf32>) -> tensor<4x16x1xf32>
  return %1 : tensor<4x16x1xf32>
}

// A stack of as many weights as the router has outputs.

// CHECK-LABEL: Precision plan of @stacked_experts
// CHECK:       linalg.matmul router 4x8x64
// CHECK:       linalg.batch_matmul expert 4x16x64 (8 times) mxfp8
func.func @stacked_experts(%x: tensor<4x64xf32>, %gate: tensor<64x8xf32>, %stack: tensor<8x64x16xf32>, %c: tensor<4x8xf32>, %d: tensor<8x4x16xf32>)
    -> tensor<8x4x16xf32> {
  %0 = linalg.matmul ins(%x, %gate : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  %p = linalg.softmax dimension(1) ins(%0 : tensor<4x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  %e = tensor.empty() : tensor<8x4x64xf32>
  %routed = linalg.generic {indexing_maps = [affine_map<(e, t, k) -> (t, e)>, affine_map<(e, t, k) -> (t, k)>, affine_map<(e, t, k) -> (e, t, k)>],
                            iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%p, %x : tensor<4x8xf32>, tensor<4x64xf32>) outs(%e : tensor<8x4x64xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %2 = arith.mulf %in, %in_0 : f32
    linalg.yield %2 : f32
  } -> tensor<8x4x64xf32>
  %1 = linalg.batch_matmul ins(%routed, %stack : tensor<8x4x64xf32>, tensor<8x64x16xf32>) outs(%d : tensor<8x4x16xf32>) -> tensor<8x4x16xf32>
  return %1 : tensor<8x4x16xf32>
}

// One output, whose sigmoid scales a branch: that is a router, the branch no
// expert.

// CHECK-LABEL: Precision plan of @sigmoid_of_one
// CHECK:       linalg.matmul router 4x1x64 f32 f32
// CHECK:       linalg.matmul linear 4x64x64 mxfp8
func.func @sigmoid_of_one(%x: tensor<4x64xf32>, %gate: tensor<64x1xf32>, %w: tensor<64x64xf32>, %c: tensor<4x1xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %one = arith.constant 1.0 : f32
  %0 = linalg.matmul ins(%x, %gate : tensor<4x64xf32>, tensor<64x1xf32>) outs(%c : tensor<4x1xf32>) -> tensor<4x1xf32>
  %1 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x64xf32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, 0)>, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %1 : tensor<4x1xf32>, tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %3 = arith.negf %in : f32
    %4 = math.exp %3 : f32
    %5 = arith.addf %4, %one : f32
    %6 = arith.divf %one, %5 : f32
    %7 = arith.mulf %6, %in_0 : f32
    linalg.yield %7 : f32
  } -> tensor<4x64xf32>
  return %2 : tensor<4x64xf32>
}

// A gate as wide as what it scales is a layer.

// CHECK-LABEL: Precision plan of @gated_layer
// CHECK:       linalg.matmul linear 4x64x64 mxfp8
// CHECK:       linalg.matmul linear 4x64x64 mxfp8
func.func @gated_layer(%x: tensor<4x64xf32>, %gate: tensor<64x64xf32>, %w: tensor<64x64xf32>, %e: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %one = arith.constant 1.0 : f32
  %0 = linalg.matmul ins(%x, %gate : tensor<4x64xf32>, tensor<64x64xf32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %1 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x64xf32>) outs(%e : tensor<4x64xf32>) -> tensor<4x64xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %1 : tensor<4x64xf32>, tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %3 = arith.negf %in : f32
    %4 = math.exp %3 : f32
    %5 = arith.addf %4, %one : f32
    %6 = arith.divf %one, %5 : f32
    %7 = arith.mulf %6, %in_0 : f32
    linalg.yield %7 : f32
  } -> tensor<4x64xf32>
  return %2 : tensor<4x64xf32>
}
