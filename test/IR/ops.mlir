// RUN: mx-opt %s | mx-opt | FileCheck %s
// RUN: mx-opt %s --mlir-print-op-generic | mx-opt | FileCheck %s

// CHECK-LABEL: func @quantize_matmul
func.func @quantize_matmul(%x: tensor<4x64xf32>, %w: tensor<8x64xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  // CHECK: %[[AX:.*]] = mx.amax ins(%{{.*}} : tensor<4x64xf32>) outs(%{{.*}} : tensor<f32>) -> tensor<f32>
  %ax = mx.amax ins(%x : tensor<4x64xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %aw = mx.amax ins(%w : tensor<8x64xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %e0 = tensor.empty() : tensor<4x64xf4E2M1FN>
  %e1 = tensor.empty() : tensor<4x4xf8E4M3FN>
  %e2 = tensor.empty() : tensor<8x64xf4E2M1FN>
  %e3 = tensor.empty() : tensor<8x4xf8E4M3FN>
  // CHECK: mx.quantize <nvfp4> axis = 1 ins(%{{.*}} : tensor<4x64xf32>) amax(%[[AX]] : tensor<f32>)
  // CHECK-SAME: outs(%{{.*}}, %{{.*}} : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>)
  %qx:2 = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<4x64xf32>) amax(%ax : tensor<f32>)
      outs(%e0, %e1 : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>)
      -> tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>
  %qw:2 = mx.quantize <nvfp4> axis = 1 ins(%w : tensor<8x64xf32>) amax(%aw : tensor<f32>)
      outs(%e2, %e3 : tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>)
      -> tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>
  // CHECK: mx.matmul lhs(%{{.*}}, %{{.*}}, %{{.*}} : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
  // CHECK-SAME: rhs(
  %d = mx.matmul
      lhs(%qx#0, %qx#1, %ax : tensor<4x64xf4E2M1FN>, tensor<4x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
      rhs(%qw#0, %qw#1, %aw : tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
      outs(%c : tensor<4x8xf32>)
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                       affine_map<(m, n, k) -> (m, n)>] -> tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}
