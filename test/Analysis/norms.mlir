// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 --mx-report-plan=output=- -o /dev/null | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#col = affine_map<(i, j) -> (j)>

// The square in the reduction's body; two layers that share the statistics.

// CHECK-LABEL: Precision plan of @rms
// CHECK-NEXT:  index
// CHECK-NEXT:  linalg.generic a norm
// CHECK-NEXT:  linalg.generic b norm
// CHECK-EMPTY:
func.func @rms(%x: tensor<4x64xf32>, %a: tensor<64xf32> {mx.parameter = "a.weight"}, %b: tensor<64xf32> {mx.parameter = "b.weight"})
    -> (tensor<4x64xf32>, tensor<4x64xf32>) {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 0.015625 : f32
  %eps = arith.constant 1.0e-6 : f32
  %f = tensor.empty() : tensor<4xf32>
  %e = tensor.empty() : tensor<4x64xf32>
  %z = linalg.fill ins(%zero : f32) outs(%f : tensor<4xf32>) -> tensor<4xf32>
  %s = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x64xf32>) outs(%z : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %1 = arith.mulf %in, %in : f32
    %2 = arith.addf %1, %out : f32
    linalg.yield %2 : f32
  } -> tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<4x64xf32>, tensor<4xf32>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = arith.mulf %in_0, %n : f32
    %2 = arith.addf %1, %eps : f32
    %3 = math.sqrt %2 : f32
    %4 = arith.divf %in, %3 : f32
    linalg.yield %4 : f32
  } -> tensor<4x64xf32>
  %ya, %yb = linalg.generic {indexing_maps = [#id, #col, #col, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %a, %b : tensor<4x64xf32>, tensor<64xf32>, tensor<64xf32>) outs(%e, %e : tensor<4x64xf32>, tensor<4x64xf32>) {
  ^bb0(%in: f32, %in_0: f32, %in_1: f32, %out: f32, %out_0: f32):
    %1 = arith.mulf %in, %in_0 : f32
    %2 = arith.mulf %in, %in_1 : f32
    linalg.yield %1, %2 : f32, f32
  } -> (tensor<4x64xf32>, tensor<4x64xf32>)
  return %ya, %yb : tensor<4x64xf32>, tensor<4x64xf32>
}

// Mean and variance in one op with two results, the variance as E[x*x] - E[x]^2.

// CHECK-LABEL: Precision plan of @layer_norm
// CHECK-NEXT:  index
// CHECK-NEXT:  linalg.generic norm
// CHECK-EMPTY:
func.func @layer_norm(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 64.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %f = tensor.empty() : tensor<4xf32>
  %e = tensor.empty() : tensor<4x64xf32>
  %z = linalg.fill ins(%zero : f32) outs(%f : tensor<4xf32>) -> tensor<4xf32>
  %s, %q = linalg.generic {indexing_maps = [#id, #row, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x64xf32>) outs(%z, %z : tensor<4xf32>, tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32, %out_0: f32):
    %1 = arith.mulf %in, %in : f32
    %2 = arith.addf %in, %out : f32
    %3 = arith.addf %1, %out_0 : f32
    linalg.yield %2, %3 : f32, f32
  } -> (tensor<4xf32>, tensor<4xf32>)
  %y = linalg.generic {indexing_maps = [#id, #row, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s, %q : tensor<4x64xf32>, tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%in: f32, %sum: f32, %squares: f32, %out: f32):
    %1 = arith.divf %sum, %n : f32
    %2 = arith.divf %squares, %n : f32
    %3 = arith.mulf %1, %1 : f32
    %4 = arith.subf %2, %3 : f32
    %5 = arith.addf %4, %eps : f32
    %6 = math.rsqrt %5 : f32
    %7 = arith.subf %in, %1 : f32
    %8 = arith.mulf %7, %6 : f32
    linalg.yield %8 : f32
  } -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}

// A unit vector is no norm: nothing divides by the number of elements.

// CHECK-LABEL: Precision plan of @rows
// CHECK:       linalg.matmul
// CHECK-NOT:   norm
func.func @rows(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %f = tensor.empty() : tensor<4xf32>
  %e = tensor.empty() : tensor<4x64xf32>
  %z = linalg.fill ins(%zero : f32) outs(%f : tensor<4xf32>) -> tensor<4xf32>
  %s = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x64xf32>) outs(%z : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %1 = arith.mulf %in, %in : f32
    %2 = arith.addf %1, %out : f32
    linalg.yield %2 : f32
  } -> tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<4x64xf32>, tensor<4xf32>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %3 = math.rsqrt %in_0 : f32
    %4 = arith.mulf %in, %3 : f32
    linalg.yield %4 : f32
  } -> tensor<4x64xf32>
  %0 = linalg.matmul ins(%y, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// Batch normalisation with stored statistics.

// CHECK-LABEL: Precision plan of @stored
// CHECK:       linalg.generic bn.running_var norm
func.func @stored(%x: tensor<4x64xf32>, %var: tensor<64xf32> {mx.parameter = "bn.running_var"}, %mean: tensor<64xf32> {mx.parameter = "bn.running_mean"})
    -> tensor<4x64xf32> {
  %eps = arith.constant 1.0e-5 : f32
  %e = tensor.empty() : tensor<4x64xf32>
  %y = linalg.generic {indexing_maps = [#id, #col, #col, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %var, %mean : tensor<4x64xf32>, tensor<64xf32>, tensor<64xf32>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%in: f32, %v: f32, %m: f32, %out: f32):
    %1 = arith.addf %v, %eps : f32
    %2 = math.rsqrt %1 : f32
    %3 = arith.subf %in, %m : f32
    %4 = arith.mulf %3, %2 : f32
    linalg.yield %4 : f32
  } -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}
