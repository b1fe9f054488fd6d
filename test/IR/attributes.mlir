// RUN: mx-opt %s | mx-opt | FileCheck %s
// RUN: mx-opt %s -mlir-print-op-generic | mx-opt | FileCheck %s
// RUN: mx-opt %s -emit-bytecode | mx-opt | FileCheck %s
// RUN: mlir-opt --load-dialect-plugin=%mx_plugin %s | FileCheck %s

// Formats: test/Formats/format.mlir. Kernels: kernel.mlir.

// CHECK-LABEL: func private @hadamard
func.func private @hadamard() attributes {
  // CHECK-SAME: a = #mx.hadamard<32>
  a = #mx.hadamard<32>,
  // CHECK-SAME: b = #mx.hadamard<4, signs = [1, -1, -1, 1]>
  b = #mx.hadamard<4, signs = [1, -1, -1, 1]>,
  // CHECK-SAME: c = #mx.hadamard<64, seed = 7>
  c = #mx.hadamard<64, seed = 7>,
  // CHECK-SAME: d = #mx.hadamard<rht16>
  d = #mx.hadamard<rht16>,
  // CHECK-SAME: e = #mx.hadamard<rht16>
  e = #mx.hadamard<16, signs = [1, 1, 1, -1, 1, -1, -1, -1, -1, -1, -1, 1, -1, 1, -1, -1]>}

// CHECK-LABEL: func private @operand
func.func private @operand() attributes {
  // CHECK-SAME: a = #mx.operand<format = <nvfp4>>
  a = #mx.operand<format = <nvfp4>>,
  // CHECK-SAME: b = #mx.operand<format = <mxfp4, rule = floor>, rounding = sr, transform = <64, seed = 7>>
  b = #mx.operand<format = <mxfp4, rule = floor>, rounding = sr, transform = <64, seed = 7>>}

// CHECK-LABEL: func private @enums
func.func private @enums() attributes {
  // CHECK-SAME: a = #mx.role<attention_context>
  a = #mx.role<attention_context>,
  // CHECK-SAME: b = #mx.gemm<wgrad>
  b = #mx.gemm<wgrad>,
  // CHECK-SAME: c = #mx.rounding<sr>
  c = #mx.rounding<sr>,
  // CHECK-SAME: d = #mx.layout<tile_128x4>
  d = #mx.layout<tile_128x4>}

// CHECK-LABEL: func private @parameter
// CHECK-SAME: tensor<8x32xf32> {mx.parameter = "layers.0.weight"}
func.func private @parameter(tensor<4x32xf32>, tensor<8x32xf32> {mx.parameter = "layers.0.weight"})

// CHECK-LABEL: func @policy
func.func @policy(%a: tensor<4x32xf32>, %b: tensor<32x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: mx.policy = #mx.policy<lhs = <format = <nvfp4>>, rhs = <format = <nvfp4>, rounding = sr>, accumulate = f32, rule = "default", reason = "weight x activation">
  // CHECK-SAME: mx.role = #mx.role<linear>
  %0 = linalg.matmul {mx.role = #mx.role<linear>,
      mx.policy = #mx.policy<lhs = <format = <nvfp4>>, rhs = <format = <nvfp4>, rounding = sr>,
                             accumulate = f32, rule = "default", reason = "weight x activation">}
      ins(%a, %b : tensor<4x32xf32>, tensor<32x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: func private @keep
// CHECK-SAME: mx.policy = #mx.policy<promote_every = 128, result = bf16, rule = "name", reason = "kept">
func.func private @keep() attributes {
  mx.policy = #mx.policy<promote_every = 128, result = bf16, rule = "name", reason = "kept">}

// CHECK-LABEL: func private @plan
// CHECK-SAME: {mx.parameter = "head", mx.tied_to = "embedding"}
func.func private @plan(tensor<8x32xf32> {mx.parameter = "head", mx.tied_to = "embedding"}) attributes {
  // CHECK-SAME: mx.id = 0 : i64
  mx.id = 0 : i64,
  // CHECK-SAME: mx.plan = [#mx.entry<index = 17, op = "linalg.matmul", {{.*}}role = linear, gemm = <fprop>, shape = ?x8x32x1,
  mx.plan = [#mx.entry<index = 17, op = "linalg.matmul", location = "up", role = linear, gemm = <fprop>, shape = ?x8x32x1,
      lhs = f32, rhs = f32, accumulate = f32, scheme = "mxfp4",
      decision = <lhs = <format = <mxfp4>>, rhs = <format = <mxfp4>>, accumulate = f32, rule = "default", reason = "weight x activation">>],
  // CHECK-SAME: mx.prepare = [#mx.prepare<@f(0, 3)>, #mx.prepare<@g()>]
  mx.prepare = [#mx.prepare<@f(0, 3)>, #mx.prepare<@g()>]}
