// RUN: mx-opt %s --mx-annotate=scheme=nvfp4 --mx-quantize-matmuls | FileCheck %s

// The stack of experts is quantised, with one maximum over all of them, and its
// codes and scales are gathered as its values were.

// CHECK-LABEL: func.func @gathered
// CHECK-SAME:    %[[STACK:.*]]: tensor<8x16x64xf32>, %[[IDS:.*]]: tensor<4xi64>
// CHECK:         %[[AMAX:.*]] = mx.amax ins(%[[STACK]] : tensor<8x16x64xf32>)
// CHECK:         %[[Q:.*]]:2 = mx.quantize <nvfp4> axis = 2 ins(%[[STACK]] : tensor<8x16x64xf32>) amax(%[[AMAX]] : tensor<f32>)
// CHECK:         %[[E:.*]] = linalg.generic {{.*}} ins(%[[IDS]] : tensor<4xi64>) outs(%{{.*}} : tensor<4x16x64xf4E2M1FN>)
// CHECK:           %[[I:.*]] = arith.index_cast
// CHECK:           tensor.extract %[[Q]]#0[%[[I]], %{{.*}}, %{{.*}}] : tensor<8x16x64xf4E2M1FN>
// CHECK:         %[[S:.*]] = linalg.generic {{.*}} ins(%[[IDS]] : tensor<4xi64>) outs(%{{.*}} : tensor<4x16x4xf8E4M3FN>)
// CHECK:           tensor.extract %[[Q]]#1
// CHECK:         mx.matmul lhs(%[[E]], %[[S]], %[[AMAX]] : tensor<4x16x64xf4E2M1FN>, tensor<4x16x4xf8E4M3FN>, tensor<f32>) as <nvfp4>

// Values that the gather mixes are quantised as they are.

// CHECK-LABEL: func.func @mixed
// CHECK:         %[[G:.*]] = linalg.generic
// CHECK:         mx.quantize <nvfp4> axis = 2 ins(%[[G]] : tensor<4x16x64xf32>)
#ids = affine_map<(t, n, k) -> (t)>
#all = affine_map<(t, n, k) -> (t, n, k)>
func.func @gathered(%stack: tensor<8x16x64xf32>, %ids: tensor<4xi64>, %x: tensor<4x64x1xf32>, %c: tensor<4x16x1xf32>) -> tensor<4x16x1xf32> {
  %e = tensor.empty() : tensor<4x16x64xf32>
  %w = linalg.generic {indexing_maps = [#ids, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ids : tensor<4xi64>) outs(%e : tensor<4x16x64xf32>) {
  ^bb0(%in: i64, %out: f32):
    %1 = arith.index_cast %in : i64 to index
    %2 = linalg.index 1 : index
    %3 = linalg.index 2 : index
    %4 = tensor.extract %stack[%1, %2, %3] : tensor<8x16x64xf32>
    linalg.yield %4 : f32
  } -> tensor<4x16x64xf32>
  %0 = linalg.batch_matmul ins(%w, %x : tensor<4x16x64xf32>, tensor<4x64x1xf32>) outs(%c : tensor<4x16x1xf32>) -> tensor<4x16x1xf32>
  return %0 : tensor<4x16x1xf32>
}

func.func @mixed(%stack: tensor<8x16x64xf32>, %ids: tensor<4xi64>, %x: tensor<4x64x1xf32>, %c: tensor<4x16x1xf32>) -> tensor<4x16x1xf32> {
  %last = arith.constant 63 : index
  %e = tensor.empty() : tensor<4x16x64xf32>
  %w = linalg.generic {indexing_maps = [#ids, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ids : tensor<4xi64>) outs(%e : tensor<4x16x64xf32>) {
  ^bb0(%in: i64, %out: f32):
    %1 = arith.index_cast %in : i64 to index
    %2 = linalg.index 1 : index
    %3 = linalg.index 2 : index
    %4 = arith.subi %last, %3 : index
    %5 = tensor.extract %stack[%1, %2, %4] : tensor<8x16x64xf32>
    linalg.yield %5 : f32
  } -> tensor<4x16x64xf32>
  %0 = linalg.batch_matmul ins(%w, %x : tensor<4x16x64xf32>, tensor<4x64x1xf32>) outs(%c : tensor<4x16x1xf32>) -> tensor<4x16x1xf32>
  return %0 : tensor<4x16x1xf32>
}
