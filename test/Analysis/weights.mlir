// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 --mx-report-plan=output=- -o /dev/null | FileCheck %s

// What makes an operand of a product the weight.

#a = affine_map<(m, n, k) -> (m, k)>
#bt = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>

// Named arguments: only those are parameters.

// CHECK-LABEL: Precision plan of @named
// CHECK:       linalg.matmul blocks.0.fc linear 4x8x64
// CHECK:       linalg.matmul other 4x8x64 f32 f32
func.func @named(%x: tensor<4x64xf32>, %w: tensor<64x8xf32> {mx.parameter = "blocks.0.fc.weight"}, %y: tensor<64x8xf32>,
                 %c: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %0 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = linalg.matmul ins(%x, %y : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0, %1 : tensor<4x8xf32>, tensor<4x8xf32>
}

// Constants: data, a blob that is missing, one number.

// CHECK-LABEL: Precision plan of @constants
// CHECK:       linalg.matmul linear 4x2x2
// CHECK:       linalg.matmul linear 4x8x64
// CHECK:       linalg.matmul linear 4x8x64
func.func @constants(%x: tensor<4x2xf32>, %y: tensor<4x64xf32>, %c: tensor<4x2xf32>, %d: tensor<4x8xf32>)
    -> (tensor<4x2xf32>, tensor<4x8xf32>, tensor<4x8xf32>) {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %e = arith.constant dense_resource<__elided__> : tensor<64x8xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%c : tensor<4x2xf32>) -> tensor<4x2xf32>
  %1 = linalg.matmul ins(%y, %e : tensor<4x64xf32>, tensor<64x8xf32>) outs(%d : tensor<4x8xf32>) -> tensor<4x8xf32>
  %s = arith.constant dense<0.5> : tensor<64x8xf32>
  %2 = linalg.matmul ins(%y, %s : tensor<4x64xf32>, tensor<64x8xf32>) outs(%d : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0, %1, %2 : tensor<4x2xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}

// Without names: the operand that nothing was computed on.

// CHECK-LABEL: Precision plan of @unnamed
// CHECK:       linalg.matmul linear 8x4x64 mxfp8_e4m3 mxfp8_e4m3
func.func @unnamed(%w: tensor<8x64xbf16>, %x: tensor<64x4xbf16>, %c: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %e = tensor.empty() : tensor<64x4xbf16>
  %y = linalg.exp ins(%x : tensor<64x4xbf16>) outs(%e : tensor<64x4xbf16>) -> tensor<64x4xbf16>
  %0 = linalg.matmul ins(%w, %y : tensor<8x64xbf16>, tensor<64x4xbf16>) outs(%c : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %0 : tensor<8x4xf32>
}

// Through a transposition, a broadcast to a batch and a conversion: the batch
// counts to the rows.

// CHECK-LABEL: Precision plan of @through_views
// CHECK:       linalg.batch_matmul linear 12x8x64 mxfp8_e4m3
func.func @through_views(%x: tensor<3x4x64xf32>, %w: tensor<8x64xbf16>, %c: tensor<3x4x8xf32>) -> tensor<3x4x8xf32> {
  %e = tensor.empty() : tensor<64x8xbf16>
  %t = linalg.transpose ins(%w : tensor<8x64xbf16>) outs(%e : tensor<64x8xbf16>) permutation = [1, 0]
  %f = tensor.empty() : tensor<64x8xf32>
  %u = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%t : tensor<64x8xbf16>) outs(%f : tensor<64x8xf32>) {
  ^bb0(%in: bf16, %out: f32):
    %1 = arith.extf %in : bf16 to f32
    linalg.yield %1 : f32
  } -> tensor<64x8xf32>
  %g = tensor.empty() : tensor<3x64x8xf32>
  %b = linalg.broadcast ins(%u : tensor<64x8xf32>) outs(%g : tensor<3x64x8xf32>) dimensions = [0]
  %0 = linalg.batch_matmul ins(%x, %b : tensor<3x4x64xf32>, tensor<3x64x8xf32>) outs(%c : tensor<3x4x8xf32>) -> tensor<3x4x8xf32>
  return %0 : tensor<3x4x8xf32>
}

// A weight of which each product of a batch has its own is not told from a
// cache without names, and is one with them.

// CHECK-LABEL: Precision plan of @batch_unnamed
// CHECK:       linalg.batch_matmul other
func.func @batch_unnamed(%x: tensor<3x4x64xf32>, %w: tensor<3x64x8xf32>, %c: tensor<3x4x8xf32>) -> tensor<3x4x8xf32> {
  %0 = linalg.batch_matmul ins(%x, %w : tensor<3x4x64xf32>, tensor<3x64x8xf32>) outs(%c : tensor<3x4x8xf32>) -> tensor<3x4x8xf32>
  return %0 : tensor<3x4x8xf32>
}

// CHECK-LABEL: Precision plan of @batch_named
// CHECK:       linalg.batch_matmul heads linear 4x8x64 (3 times)
func.func @batch_named(%x: tensor<3x4x64xf32>, %w: tensor<3x64x8xf32> {mx.parameter = "heads"}, %c: tensor<3x4x8xf32>) -> tensor<3x4x8xf32> {
  %0 = linalg.batch_matmul ins(%x, %w : tensor<3x4x64xf32>, tensor<3x64x8xf32>) outs(%c : tensor<3x4x8xf32>) -> tensor<3x4x8xf32>
  return %0 : tensor<3x4x8xf32>
}

// Computed from parameters only: still a weight. Products of parameters make
// values.

// CHECK-LABEL: Precision plan of @computed
// CHECK:       linalg.matmul w linear 4x8x64
func.func @computed(%x: tensor<4x64xf32>, %w: tensor<64x8xf32> {mx.parameter = "w"}, %s: tensor<8xf32> {mx.parameter = "s"},
                    %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<64x8xf32>
  %v = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%w, %s : tensor<64x8xf32>, tensor<8xf32>) outs(%e : tensor<64x8xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = arith.mulf %in, %in_0 : f32
    linalg.yield %1 : f32
  } -> tensor<64x8xf32>
  %0 = linalg.matmul ins(%x, %v : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// Numbers that no input affects are no activation.

// CHECK-LABEL: Precision plan of @literal
// CHECK:       linalg.matmul w other
func.func @literal(%w: tensor<64x8xf32> {mx.parameter = "w"}, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %x = arith.constant dense<1.0> : tensor<4x64xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// A private function learns from its calls what its arguments are, and their
// names if all calls agree.

// CHECK-LABEL: Precision plan of @layer
// CHECK:       linalg.batch_matmul linear 4x8x64 (3 times)
func.func private @layer(%x: tensor<3x4x64xf32>, %w: tensor<3x64x8xf32>, %c: tensor<3x4x8xf32>) -> tensor<3x4x8xf32> {
  %0 = linalg.batch_matmul ins(%x, %w : tensor<3x4x64xf32>, tensor<3x64x8xf32>) outs(%c : tensor<3x4x8xf32>) -> tensor<3x4x8xf32>
  return %0 : tensor<3x4x8xf32>
}
func.func @calls(%x: tensor<3x4x64xf32>, %w: tensor<3x64x8xf32> {mx.parameter = "l0"}, %v: tensor<3x64x8xf32> {mx.parameter = "l1"},
                 %c: tensor<3x4x8xf32>) -> (tensor<3x4x8xf32>, tensor<3x4x8xf32>) {
  %0 = call @layer(%x, %w, %c) : (tensor<3x4x64xf32>, tensor<3x64x8xf32>, tensor<3x4x8xf32>) -> tensor<3x4x8xf32>
  %1 = call @layer(%x, %v, %c) : (tensor<3x4x64xf32>, tensor<3x64x8xf32>, tensor<3x4x8xf32>) -> tensor<3x4x8xf32>
  return %0, %1 : tensor<3x4x8xf32>, tensor<3x4x8xf32>
}

// CHECK-LABEL: Precision plan of @callee_of_cycle
// CHECK:       linalg.matmul linear
func.func private @callee_of_cycle(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = call @callee_of_cycle(%x, %w, %0) : (tensor<4x64xf32>, tensor<64x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}
