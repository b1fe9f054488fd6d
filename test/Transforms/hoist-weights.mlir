// RUN: mx-opt %s --mx-hoist-weights --split-input-file | FileCheck %s

// Two weights of one shape are prepared by one function, each on its own; the
// transpose is done there, and nothing of the activation moves.

// CHECK-LABEL: func.func @main_prepare(
// CHECK-SAME:    %[[W:.*]]: tensor<64x8xf32>) -> (tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>)
// CHECK:         %[[T:.*]] = linalg.transpose ins(%[[W]]
// CHECK:         %[[Q:.*]]:2 = mx.quantize {{.*}} ins(%[[T]]
// CHECK-NOT:     {note
// CHECK:         return %[[Q]]#0, %[[Q]]#1

// CHECK-NOT:   _prepare

// CHECK:       func.func @main(
// CHECK-SAME:    %[[X:arg[0-9]+]]: tensor<4x64xf32>,
// CHECK-SAME:    %{{[a-z0-9]+}}: tensor<64x8xf32> {mx.parameter = "a"}, %{{[a-z0-9]+}}: tensor<64x8xf32> {mx.parameter = "b"},
// CHECK-SAME:    %[[QA:arg[0-9]+]]: tensor<8x64xf4E2M1FN>, %[[SA:arg[0-9]+]]: tensor<8x2xf8E8M0FNU>,
// CHECK-SAME:    %[[QB:arg[0-9]+]]: tensor<8x64xf4E2M1FN>, %[[SB:arg[0-9]+]]: tensor<8x2xf8E8M0FNU>)
// CHECK-SAME:    mx.prepare = [#mx.prepare<@main_prepare(1)>, #mx.prepare<@main_prepare(2)>]
// CHECK-NOT:     linalg.transpose
// CHECK:         %[[QX:.*]]:2 = mx.quantize <mxfp4> axis = 1 ins(%[[X]]
// CHECK:         mx.matmul lhs(%[[QX]]#0, %[[QX]]#1 {{.*}} rhs(%[[QA]], %[[SA]]
// CHECK:         mx.matmul lhs(%[[QX]]#0, %[[QX]]#1 {{.*}} rhs(%[[QB]], %[[SB]]

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
func.func @main(%x: tensor<4x64xf32>, %a: tensor<64x8xf32> {mx.parameter = "a"},
                %b: tensor<64x8xf32> {mx.parameter = "b"}, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %t = tensor.empty() : tensor<8x64xf32>
  %e = tensor.empty() : tensor<8x64xf4E2M1FN>
  %s = tensor.empty() : tensor<8x2xf8E8M0FNU>
  %at = linalg.transpose ins(%a : tensor<64x8xf32>) outs(%t : tensor<8x64xf32>) permutation = [1, 0]
  %qa:2 = mx.quantize <mxfp4> axis = 1 ins(%at : tensor<8x64xf32>)
      outs(%e, %s : tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) {note = 1}
      -> tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>
  %bt = linalg.transpose ins(%b : tensor<64x8xf32>) outs(%t : tensor<8x64xf32>) permutation = [1, 0]
  %qb:2 = mx.quantize <mxfp4> axis = 1 ins(%bt : tensor<8x64xf32>)
      outs(%e, %s : tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) {note = 2}
      -> tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>
  %ex = tensor.empty() : tensor<4x64xf4E2M1FN>
  %sx = tensor.empty() : tensor<4x2xf8E8M0FNU>
  %qx:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<4x64xf32>)
      outs(%ex, %sx : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>)
      -> tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>
  %d = mx.matmul
      lhs(%qx#0, %qx#1 : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%qa#0, %qa#1 : tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%c : tensor<4x8xf32>) indexing_maps = #maps -> tensor<4x8xf32>
  %r = mx.matmul
      lhs(%qx#0, %qx#1 : tensor<4x64xf4E2M1FN>, tensor<4x2xf8E8M0FNU>) as <mxfp4>
      rhs(%qb#0, %qb#1 : tensor<8x64xf4E2M1FN>, tensor<8x2xf8E8M0FNU>) as <mxfp4>
      outs(%d : tensor<4x8xf32>) indexing_maps = #maps -> tensor<4x8xf32>
  return %r : tensor<4x8xf32>
}

// -----

// The amax and the quantisation that takes it go together; both are results,
// as the product takes both. An argument that is no parameter is no weight.

// CHECK-LABEL: func.func @main_prepare(
// CHECK-SAME:    %[[W:.*]]: tensor<8x64xf32>) -> (tensor<f32>, tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>)
// CHECK:         %[[A:.*]] = mx.amax ins(%[[W]]
// CHECK:         %[[Q:.*]]:2 = mx.quantize <nvfp4> axis = 1 ins(%[[W]] {{.*}} amax(%[[A]]
// CHECK:         return %[[A]], %[[Q]]#0, %[[Q]]#1
// CHECK-LABEL: func.func @main(
// CHECK-SAME:    mx.prepare = [#mx.prepare<@main_prepare(1)>]
// CHECK-LABEL: func.func @no_parameters(
// CHECK:         mx.amax
#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
func.func @main(%x: tensor<4x64xf32>, %w: tensor<8x64xf32> {mx.parameter = "w"}, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %e = tensor.empty() : tensor<8x64xf4E2M1FN>
  %s = tensor.empty() : tensor<8x4xf8E4M3FN>
  %a = mx.amax ins(%w : tensor<8x64xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  %q:2 = mx.quantize <nvfp4> axis = 1 ins(%w : tensor<8x64xf32>) amax(%a : tensor<f32>)
      outs(%e, %s : tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>)
      -> tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>
  %d = mx.matmul lhs(%x : tensor<4x64xf32>)
      rhs(%q#0, %q#1, %a : tensor<8x64xf4E2M1FN>, tensor<8x4xf8E4M3FN>, tensor<f32>) as <nvfp4>
      outs(%c : tensor<4x8xf32>) indexing_maps = #maps -> tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}
func.func @no_parameters(%w: tensor<8x64xf32>) -> tensor<f32> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %a = mx.amax ins(%w : tensor<8x64xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  return %a : tensor<f32>
}

// -----

// A weight that is a constant is prepared by a function without arguments.

// CHECK-LABEL: func.func @main_prepare() -> tensor<f32>
// CHECK:         arith.constant dense<3.0{{.*}}> : tensor<2xf32>
// CHECK-LABEL: func.func @main(%{{.*}}: tensor<f32>) -> tensor<f32>
// CHECK-SAME:    mx.prepare = [#mx.prepare<@main_prepare()>]
func.func @main() -> tensor<f32> {
  %w = arith.constant dense<3.0> : tensor<2xf32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %a = mx.amax ins(%w : tensor<2xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  return %a : tensor<f32>
}
