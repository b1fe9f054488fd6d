// RUN: mx-opt %s --mx-quantize-matmuls -verify-diagnostics | FileCheck %s
// RUN: not mx-opt %s --mx-quantize-matmuls=fallback=error 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: mx-opt %s --mx-quantize-matmuls=fallback=silent 2>&1 | FileCheck %s --implicit-check-not="remark:"

// Policies that are set by hand work without a plan. What cannot be rewritten
// stays as it is, without its policy, and says why.

// ERROR-COUNT-7: error: cannot be quantised:

#id = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func.func @several_reductions
// CHECK:         linalg.generic
// CHECK-NOT:     mx.policy
func.func @several_reductions(%x: tensor<3x4x8xf32>, %w: tensor<8x4x16xf32>, %c: tensor<3x16xf32>) -> tensor<3x16xf32> {
  // expected-remark @+1 {{kept in high precision: several reduction dimensions that are not neighbours in the same order in both operands}}
  %0 = linalg.generic {indexing_maps = [affine_map<(s, e, h, d) -> (s, h, d)>, affine_map<(s, e, h, d) -> (d, h, e)>, affine_map<(s, e, h, d) -> (s, e)>],
                       iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<3x4x8xf32>, tensor<8x4x16xf32>) outs(%c : tensor<3x16xf32>)
      attrs = {mx.policy = #mx.policy<rhs = <format = <mxfp4>>, rule = "mine", reason = "by hand">} {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %1 = arith.mulf %in, %in_0 : f32
    %2 = arith.addf %out, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<3x16xf32>
  return %0 : tensor<3x16xf32>
}

func.func @double(%x: tensor<4x64xf64>, %w: tensor<64x8xf64>, %c: tensor<4x8xf64>) -> tensor<4x8xf64> {
  // expected-remark @+1 {{operand of type tensor<4x64xf64>; f32, bf16 and f16 tensors are supported}}
  %0 = linalg.matmul {mx.policy = #mx.policy<rhs = <format = <mxfp4>>, rule = "mine", reason = "by hand">}
      ins(%x, %w : tensor<4x64xf64>, tensor<64x8xf64>) outs(%c : tensor<4x8xf64>) -> tensor<4x8xf64>
  return %0 : tensor<4x8xf64>
}

// What the factor is computed from walks more loops than the operand does.
func.func @computed_factor(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %s: tensor<8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-remark @+1 {{a factor is computed inside of the op}}
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (n)>, #id],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w, %s : tensor<4x64xf32>, tensor<64x8xf32>, tensor<8xf32>) outs(%c : tensor<4x8xf32>)
      attrs = {mx.policy = #mx.policy<rhs = <format = <mxfp4>>, rule = "mine", reason = "by hand">} {
  ^bb0(%in: f32, %in_0: f32, %in_1: f32, %out: f32):
    %1 = arith.mulf %in, %in_1 : f32
    %2 = arith.mulf %1, %in_0 : f32
    %3 = arith.addf %out, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

func.func @no_product(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  // expected-remark @+1 {{result 0 is not a product}}
  %0 = linalg.exp {mx.policy = #mx.policy<rhs = <format = <mxfp4>>, rule = "mine", reason = "by hand">}
      ins(%x : tensor<4x64xf32>) outs(%x : tensor<4x64xf32>) -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

func.func @buffers(%x: memref<4x64xf32>, %w: memref<64x8xf32>, %c: memref<4x8xf32>) {
  // expected-remark @+1 {{not a product of tensors by linalg or TOSA}}
  linalg.matmul {mx.policy = #mx.policy<rhs = <format = <mxfp4>>, rule = "mine", reason = "by hand">}
      ins(%x, %w : memref<4x64xf32>, memref<64x8xf32>) outs(%c : memref<4x8xf32>)
  return
}

func.func @flattened(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-remark @+1 {{blocks of int4_g32, variant = modelopt are those of the flattened tensor and cross its rows; use variant = ocp}}
  %0 = linalg.matmul {mx.policy = #mx.policy<rhs = <format = <int4_g32, variant = modelopt>>, rule = "mine", reason = "by hand">}
      ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

func.func @part_of_a_dimension(%x: tensor<4x64xf32>, %w: tensor<2x64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-remark @+1 {{an operand is read at a fixed position}}
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (0, k, n)>, #id],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<4x64xf32>, tensor<2x64x8xf32>) outs(%c : tensor<4x8xf32>)
      attrs = {mx.policy = #mx.policy<rhs = <format = <mxfp4>>, rule = "mine", reason = "by hand">} {
  ^bb0(%in: f32, %in_0: f32, %out: f32):
    %2 = arith.mulf %in, %in_0 : f32
    %3 = arith.addf %out, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// CHECK-LABEL: func.func @by_hand
// CHECK:         mx.matmul {{.*}} as <mxfp4>
func.func @by_hand(%x: tensor<4x64xf32>, %w: tensor<64x8xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = linalg.matmul {mx.policy = #mx.policy<rhs = <format = <mxfp4>>, rule = "mine", reason = "by hand">}
      ins(%x, %w : tensor<4x64xf32>, tensor<64x8xf32>) outs(%c : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
