// RUN: mx-opt %s --mx-annotate=scheme=mxfp8 --mx-quantize-matmuls=fallback=error --mx-verify-untouched \
// RUN:   --mx-report-plan=output=- -o /dev/null | FileCheck %s

#id = affine_map<(b, i, j) -> (b, i, j)>
#row = affine_map<(b, i, j) -> (b, i)>

// A softmax in a private function, as JAX writes it: attention is found through
// the call.

// CHECK-LABEL: Precision plan of @softmax
// CHECK:       linalg.generic softmax
func.func private @softmax(%x: tensor<2x8x8xf32>) -> tensor<2x8x8xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x8xf32>
  %e3 = tensor.empty() : tensor<2x8x8xf32>
  %s = linalg.fill ins(%z : f32) outs(%e : tensor<2x8xf32>) -> tensor<2x8xf32>
  %p = linalg.exp ins(%x : tensor<2x8x8xf32>) outs(%e3 : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%p : tensor<2x8x8xf32>) outs(%s : tensor<2x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  } -> tensor<2x8xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%p, %sum : tensor<2x8x8xf32>, tensor<2x8xf32>) outs(%e3 : tensor<2x8x8xf32>) {
  ^bb0(%in: f32, %by: f32, %out: f32):
    %0 = arith.divf %in, %by : f32
    linalg.yield %0 : f32
  } -> tensor<2x8x8xf32>
  return %y : tensor<2x8x8xf32>
}

// CHECK-LABEL: Precision plan of @attention
// CHECK:       linalg.batch_matmul attention_scores 8x8x16 (2 times) f32 f32
// CHECK:       linalg.batch_matmul attention_context 8x16x8 (2 times) f32 f32
func.func @attention(%q: tensor<2x8x16xf32>, %k: tensor<2x16x8xf32>, %v: tensor<2x8x16xf32>, %c: tensor<2x8x8xf32>,
                     %d: tensor<2x8x16xf32>) -> tensor<2x8x16xf32> {
  %0 = linalg.batch_matmul ins(%q, %k : tensor<2x8x16xf32>, tensor<2x16x8xf32>) outs(%c : tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %1 = call @softmax(%0) : (tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %2 = linalg.batch_matmul ins(%1, %v : tensor<2x8x8xf32>, tensor<2x8x16xf32>) outs(%d : tensor<2x8x16xf32>) -> tensor<2x8x16xf32>
  return %2 : tensor<2x8x16xf32>
}

// One function for layers and for products that are none: it is kept.

// CHECK-LABEL: Precision plan of @dense
// CHECK:       linalg.matmul other 8x8x8 f32 f32 [[#DIFFER:]]
func.func private @dense(%x: tensor<8x8xf32>, %w: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %c = linalg.fill ins(%z : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%c : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %0 : tensor<8x8xf32>
}
func.func @layer_and_gram(%x: tensor<8x8xf32>, %w: tensor<8x8xf32> {mx.parameter = "w"}) -> tensor<8x8xf32> {
  %0 = call @dense(%x, %w) : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = call @dense(%0, %x) : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return %1 : tensor<8x8xf32>
}

// Calls of calls; the name is that of all calls.

// CHECK-LABEL: Precision plan of @inner
// CHECK:       linalg.matmul shared linear 4x8x8 mxfp8_e4m3 mxfp8_e4m3
func.func private @inner(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
func.func private @outer(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>) -> tensor<4x8xf32> {
  %0 = call @inner(%x, %w) : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %1 = call @inner(%0, %w) : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}
func.func @calls_of_calls(%x: tensor<4x8xf32>, %w: tensor<8x8xf32> {mx.parameter = "shared.weight"}) -> tensor<4x8xf32> {
  %0 = call @outer(%x, %w) : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK: why
// CHECK: [[#DIFFER]] calls of its function make different things of it
