// RUN: mx-opt %s --mx-inline-regions --split-input-file | FileCheck %s
// RUN: mx-opt %s --mx-inline-regions --mx-fuse --split-input-file | FileCheck %s --check-prefix=AGAIN

#lhs = affine_map<(m, n, k) -> (m, k)>
#rhs = affine_map<(m, n, k) -> (n, k)>
#out = affine_map<(m, n, k) -> (m, n)>

// An epilogue goes after the product, which gets zeros to add to; the
// destination becomes that of the generic.

// CHECK-DAG: #[[ID:map[0-9]*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[N:map[0-9]*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func.func @epilogue(
// CHECK-SAME:    %[[BIAS:[a-z0-9]+]]: tensor<8xf32>, %[[C:[a-z0-9]+]]: tensor<?x8xbf16>)
// CHECK:         %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK:         %[[DIM:.*]] = tensor.dim %[[C]],
// CHECK:         %[[E:.*]] = tensor.empty(%[[DIM]]) : tensor<?x8xf32>
// CHECK:         %[[FILL:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%[[E]] : tensor<?x8xf32>)
// CHECK:         %[[D:.*]] = mx.matmul {{.*}} outs(%[[FILL]] : tensor<?x8xf32>) {{.*}} {mx.id = 3 : i64} -> tensor<?x8xf32>{{$}}
// CHECK:         %[[R:.*]] = linalg.generic {indexing_maps = [#[[ID]], #[[N]], #[[ID]]], iterator_types = ["parallel", "parallel"]}
// CHECK-SAME:        ins(%[[D]], %[[BIAS]] : tensor<?x8xf32>, tensor<8xf32>) outs(%[[C]] : tensor<?x8xbf16>) {
// CHECK-NEXT:    ^bb0(%[[SUM:.*]]: f32, %[[B:.*]]: f32, %{{.*}}: bf16):
// CHECK-NEXT:      %[[ADD:.*]] = arith.addf %[[SUM]], %[[B]] : f32
// CHECK-NEXT:      %[[CAST:.*]] = arith.truncf %[[ADD]] : f32 to bf16
// CHECK-NEXT:      linalg.yield %[[CAST]] : bf16
// CHECK:         return %[[R]]

// AGAIN-LABEL: func.func @epilogue(
// AGAIN-NOT:     linalg
// AGAIN:         mx.matmul {{.*}} epilogue ins(
func.func @epilogue(%a: tensor<?x64xf32>, %b: tensor<8x64xf8E4M3FN>, %sb: tensor<8x2xf8E8M0FNU>, %bias: tensor<8xf32>, %c: tensor<?x8xbf16>) -> tensor<?x8xbf16> {
  %d = mx.matmul lhs(%a : tensor<?x64xf32>) rhs(%b, %sb : tensor<8x64xf8E4M3FN>, tensor<8x2xf8E8M0FNU>) as <mxfp8_e4m3>
      outs(%c : tensor<?x8xbf16>) indexing_maps = [#lhs, #rhs, #out] {mx.id = 3 : i64} -> tensor<?x8xbf16>
      epilogue ins(%bias : tensor<8xf32>) maps = [affine_map<(m, n) -> (n)>] {
  ^bb0(%sum: f32, %in: f32):
    %0 = arith.addf %sum, %in : f32
    %1 = arith.truncf %0 : f32 to bf16
    mx.yield %1 : bf16
  }
  return %d : tensor<?x8xbf16>
}

// -----

// The prologue of a quantise and that of its amax are one generic.

// CHECK-LABEL: func.func @both(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<4x32xf32>
// CHECK:         %[[Y:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<4x32xf32>) outs(%{{.*}} : tensor<4x32xbf16>)
// CHECK:         %[[A:.*]] = mx.amax ins(%[[Y]] : tensor<4x32xbf16>) outs(%{{.*}} : tensor<f32>) -> tensor<f32>{{$}}
// CHECK-NOT:     linalg.generic
// CHECK:         mx.quantize <nvfp4> axis = 1 ins(%[[Y]] : tensor<4x32xbf16>) amax(%[[A]] : tensor<f32>) {{.*}} -> tensor<4x32xf4E2M1FN>, tensor<4x2xf8E4M3FN>{{$}}

// AGAIN-LABEL: func.func @both(
// AGAIN-NOT:     linalg
// AGAIN:         mx.amax {{.*}} prologue {
// AGAIN:         mx.quantize {{.*}} prologue {
func.func @both(%x: tensor<4x32xf32>, %z: tensor<f32>, %e: tensor<4x32xf4E2M1FN>, %s: tensor<4x2xf8E4M3FN>) -> (tensor<4x32xf4E2M1FN>, tensor<4x2xf8E4M3FN>) {
  %a = mx.amax ins(%x : tensor<4x32xf32>) outs(%z : tensor<f32>) -> tensor<f32> prologue {
  ^bb0(%in: f32):
    %0 = math.tanh %in : f32
    %1 = arith.truncf %0 : f32 to bf16
    mx.yield %1 : bf16
  }
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<4x32xf32>) amax(%a : tensor<f32>) outs(%e, %s : tensor<4x32xf4E2M1FN>, tensor<4x2xf8E4M3FN>)
      -> tensor<4x32xf4E2M1FN>, tensor<4x2xf8E4M3FN> prologue {
  ^bb0(%in: f32):
    %0 = math.tanh %in : f32
    %1 = arith.truncf %0 : f32 to bf16
    mx.yield %1 : bf16
  }
  return %q#0, %q#1 : tensor<4x32xf4E2M1FN>, tensor<4x2xf8E4M3FN>
}

// -----

// Other prologues stay apart.

// CHECK-LABEL: func.func @apart(
// CHECK:         %[[Y:.*]] = linalg.generic
// CHECK:           math.absf
// CHECK:         mx.amax ins(%[[Y]] : tensor<4x32xf32>)
// CHECK:         %[[Z:.*]] = linalg.generic
// CHECK:           math.tanh
// CHECK:         mx.quantize <nvfp4> axis = 1 ins(%[[Z]] : tensor<4x32xf32>)
func.func @apart(%x: tensor<4x32xf32>, %z: tensor<f32>, %e: tensor<4x32xf4E2M1FN>, %s: tensor<4x2xf8E4M3FN>) -> (tensor<4x32xf4E2M1FN>, tensor<4x2xf8E4M3FN>) {
  %a = mx.amax ins(%x : tensor<4x32xf32>) outs(%z : tensor<f32>) -> tensor<f32> prologue {
  ^bb0(%in: f32):
    %0 = math.absf %in : f32
    mx.yield %0 : f32
  }
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%x : tensor<4x32xf32>) amax(%a : tensor<f32>) outs(%e, %s : tensor<4x32xf4E2M1FN>, tensor<4x2xf8E4M3FN>)
      -> tensor<4x32xf4E2M1FN>, tensor<4x2xf8E4M3FN> prologue {
  ^bb0(%in: f32):
    %0 = math.tanh %in : f32
    mx.yield %0 : f32
  }
  return %q#0, %q#1 : tensor<4x32xf4E2M1FN>, tensor<4x2xf8E4M3FN>
}
