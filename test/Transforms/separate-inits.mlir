// RUN: mx-opt %s -mx-separate-inits | FileCheck %s

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]

// CHECK-LABEL: func @shared
func.func @shared(%a: tensor<?x64xbf16>, %b: tensor<8x64xf8E4M3FN>, %s: tensor<8x1xf32>, %m: index) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%m) : tensor<?x8xf32>
  // CHECK: %[[FILL:.*]] = linalg.fill
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: %[[EMPTY:.*]] = tensor.empty(%{{.*}}) : tensor<?x8xf32>
  // CHECK: %[[OWN:.*]] = linalg.fill ins(%{{.*}} : f32) outs(%[[EMPTY]] : tensor<?x8xf32>)
  // CHECK: mx.matmul {{.*}} outs(%[[OWN]] : tensor<?x8xf32>)
  %0 = mx.matmul lhs(%a : tensor<?x64xbf16>) rhs(%b, %s : tensor<8x64xf8E4M3FN>, tensor<8x1xf32>) as <fp8_row>
                 outs(%z : tensor<?x8xf32>) indexing_maps = #maps -> tensor<?x8xf32>
  // The last one keeps the first fill.
  // CHECK: mx.matmul {{.*}} outs(%[[FILL]] : tensor<?x8xf32>)
  %1 = mx.matmul lhs(%a : tensor<?x64xbf16>) rhs(%b, %s : tensor<8x64xf8E4M3FN>, tensor<8x1xf32>) as <fp8_row>
                 outs(%z : tensor<?x8xf32>) indexing_maps = #maps -> tensor<?x8xf32>
  return %0, %1 : tensor<?x8xf32>, tensor<?x8xf32>
}

// Other inits stay.
// CHECK-LABEL: func @accumulate
// CHECK-NOT: linalg.fill
func.func @accumulate(%a: tensor<4x64xbf16>, %b: tensor<8x64xf8E4M3FN>, %s: tensor<8x1xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = mx.matmul lhs(%a : tensor<4x64xbf16>) rhs(%b, %s : tensor<8x64xf8E4M3FN>, tensor<8x1xf32>) as <fp8_row>
                 outs(%c : tensor<4x8xf32>) indexing_maps = #maps -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
