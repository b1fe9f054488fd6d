// REQUIRES: ptxas
// RUN: mx-opt %s -o %t.mlir "-mx-to-gpu=chip=sm_90a emit=cubin fallback=error" --verify-diagnostics
// RUN: FileCheck %s < %t.mlir

// Warp-specialised kernels, the largest tiles: ptxas has nothing to say (of
// wgmma that it would serialise, of registers that it does not know), and
// nothing is spilled.
// CHECK-COUNT-4: metadata = {registers = 168 : i64, {{.*}} spill_loads = 0 : i64, spill_stores = 0 : i64}
// CHECK-NOT: metadata

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#batched = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, n, k)>, affine_map<(b, m, n, k) -> (b, m, n)>]

func.func @block(%a: tensor<4096x4096xf8E4M3FN>, %sa: tensor<4096x32xf32>,
                 %b: tensor<4096x4096xf8E4M3FN>, %sb: tensor<32x32xf32>, %c: tensor<4096x4096xbf16>) -> tensor<4096x4096xbf16> {
  %d = mx.matmul lhs(%a, %sa : tensor<4096x4096xf8E4M3FN>, tensor<4096x32xf32>) as <fp8_block_act>
                 rhs(%b, %sb : tensor<4096x4096xf8E4M3FN>, tensor<32x32xf32>) as <fp8_block_weight>
                 outs(%c : tensor<4096x4096xbf16>) indexing_maps = #maps -> tensor<4096x4096xbf16>
  return %d : tensor<4096x4096xbf16>
}

// A last K tile that is not whole, stages that stay empty.
func.func @block_rest(%a: tensor<?x7184xf8E4M3FN>, %sa: tensor<?x57xf32>,
                      %b: tensor<?x7184xf8E4M3FN>, %sb: tensor<?x57xf32>, %c: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %d = mx.matmul lhs(%a, %sa : tensor<?x7184xf8E4M3FN>, tensor<?x57xf32>) as <fp8_block_act>
                 rhs(%b, %sb : tensor<?x7184xf8E4M3FN>, tensor<?x57xf32>) as <fp8_block_weight>
                 outs(%c : tensor<?x?xf32>) indexing_maps = #maps -> tensor<?x?xf32>
  return %d : tensor<?x?xf32>
}

func.func @row(%a: tensor<4096x4096xf8E4M3FN>, %sa: tensor<4096x1xf32>,
               %b: tensor<4096x4096xf8E5M2>, %sb: tensor<4096x1xf32>, %c: tensor<4096x4096xf16>) -> tensor<4096x4096xf16> {
  %d = mx.matmul lhs(%a, %sa : tensor<4096x4096xf8E4M3FN>, tensor<4096x1xf32>) as <fp8_row>
                 rhs(%b, %sb : tensor<4096x4096xf8E5M2>, tensor<4096x1xf32>) as <fp8_row_e5m2>
                 outs(%c : tensor<4096x4096xf16>) indexing_maps = #maps -> tensor<4096x4096xf16>
  return %d : tensor<4096x4096xf16>
}

// A batch, and stages that stay empty.
func.func @row_rest(%a: tensor<3x4096x7184xf8E4M3FN>, %sa: tensor<3x4096x1xf32>,
                    %b: tensor<3x4096x7184xf8E4M3FN>, %sb: tensor<3x4096x1xf32>, %c: tensor<3x4096x4096xf32>) -> tensor<3x4096x4096xf32> {
  %d = mx.matmul lhs(%a, %sa : tensor<3x4096x7184xf8E4M3FN>, tensor<3x4096x1xf32>) as <fp8_row>
                 rhs(%b, %sb : tensor<3x4096x7184xf8E4M3FN>, tensor<3x4096x1xf32>) as <fp8_row>
                 outs(%c : tensor<3x4096x4096xf32>) indexing_maps = #batched -> tensor<3x4096x4096xf32>
  return %d : tensor<3x4096x4096xf32>
}
