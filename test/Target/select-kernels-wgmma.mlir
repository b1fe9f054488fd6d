// RUN: mx-opt %s -mx-select-kernels=chip=sm_90a 2>%t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK --implicit-check-not=remark: --input-file=%t.remarks
// RUN: not mx-opt %s -mx-select-kernels="chip=sm_90a fallback=error" 2>&1 | FileCheck %s --check-prefix=ERROR --implicit-check-not=error:

// What wgmma takes as it is, and what it leaves to mma.sync: rows that tensor
// copies cannot step through, scales that are not those of rows and tiles.

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]

// CHECK-LABEL: func @fp8_block
// CHECK: atom = wgmma_fp8, tile = 256x128x128, warps = 8x1, stages = 4>
func.func @fp8_block(%a: tensor<4096x4096xf8E4M3FN>, %sa: tensor<4096x32xf32>,
                     %b: tensor<4096x4096xf8E4M3FN>, %sb: tensor<32x32xf32>, %c: tensor<4096x4096xf32>) -> tensor<4096x4096xf32> {
  %d = mx.matmul lhs(%a, %sa : tensor<4096x4096xf8E4M3FN>, tensor<4096x32xf32>) as <fp8_block_act>
                 rhs(%b, %sb : tensor<4096x4096xf8E4M3FN>, tensor<32x32xf32>) as <fp8_block_weight>
                 outs(%c : tensor<4096x4096xf32>) indexing_maps = #maps -> tensor<4096x4096xf32>
  return %d : tensor<4096x4096xf32>
}

// CHECK-LABEL: func @fp8_row
// CHECK: atom = wgmma_fp8, tile = 128x256x128, warps = 8x1, stages = 4>
func.func @fp8_row(%a: tensor<4096x4096xf8E4M3FN>, %sa: tensor<4096x1xf32>,
                   %b: tensor<4096x4096xf8E5M2>, %sb: tensor<4096x1xf32>, %c: tensor<4096x4096xbf16>) -> tensor<4096x4096xbf16> {
  %d = mx.matmul lhs(%a, %sa : tensor<4096x4096xf8E4M3FN>, tensor<4096x1xf32>) as <fp8_row>
                 rhs(%b, %sb : tensor<4096x4096xf8E5M2>, tensor<4096x1xf32>) as <fp8_row_e5m2>
                 outs(%c : tensor<4096x4096xbf16>) indexing_maps = #maps -> tensor<4096x4096xbf16>
  return %d : tensor<4096x4096xbf16>
}

// The ring has no more stages than K has tiles.
// CHECK-LABEL: func @short
// CHECK: atom = wgmma_fp8, tile = 128x{{[0-9]+}}x128, warps = 8x1, stages = 2>
func.func @short(%a: tensor<40x144xf8E4M3FN>, %sa: tensor<40x1xf32>,
                 %b: tensor<24x144xf8E4M3FN>, %sb: tensor<24x1xf32>, %c: tensor<40x24xf32>) -> tensor<40x24xf32> {
  %d = mx.matmul lhs(%a, %sa : tensor<40x144xf8E4M3FN>, tensor<40x1xf32>) as <fp8_row>
                 rhs(%b, %sb : tensor<24x144xf8E4M3FN>, tensor<24x1xf32>) as <fp8_row>
                 outs(%c : tensor<40x24xf32>) indexing_maps = #maps -> tensor<40x24xf32>
  return %d : tensor<40x24xf32>
}

// CHECK-LABEL: func @ragged
// CHECK: atom = mma_bf16
// REMARK: [[@LINE+4]]:8: remark: no kernel for fp8_row x fp8_row is built on wgmma_fp8 (tensor copies need rows of a multiple of 16 bytes, got 72 in lhs); dequantised to bf16 for mma_bf16
// ERROR: error: 'mx.matmul' op no kernel for fp8_row x fp8_row is built on wgmma_fp8 (tensor copies need rows of a multiple of 16 bytes, got 72 in lhs); dequantised to bf16 for mma_bf16: refused by fallback=error
func.func @ragged(%a: tensor<40x72xf8E4M3FN>, %sa: tensor<40x1xf32>,
                  %b: tensor<24x72xf8E4M3FN>, %sb: tensor<24x1xf32>, %c: tensor<40x24xf32>) -> tensor<40x24xf32> {
  %d = mx.matmul lhs(%a, %sa : tensor<40x72xf8E4M3FN>, tensor<40x1xf32>) as <fp8_row>
                 rhs(%b, %sb : tensor<24x72xf8E4M3FN>, tensor<24x1xf32>) as <fp8_row>
                 outs(%c : tensor<40x24xf32>) indexing_maps = #maps -> tensor<40x24xf32>
  return %d : tensor<40x24xf32>
}

// CHECK-LABEL: func @dynamic
// CHECK: atom = mma_bf16
// REMARK: remark: no kernel for fp8_row x fp8_row is built on wgmma_fp8 (tensor copies need an extent of K that is known and not zero); dequantised
// ERROR: error: {{.*}}an extent of K that is known
func.func @dynamic(%a: tensor<?x?xf8E4M3FN>, %sa: tensor<?x1xf32>,
                   %b: tensor<?x?xf8E4M3FN>, %sb: tensor<?x1xf32>, %c: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %d = mx.matmul lhs(%a, %sa : tensor<?x?xf8E4M3FN>, tensor<?x1xf32>) as <fp8_row>
                 rhs(%b, %sb : tensor<?x?xf8E4M3FN>, tensor<?x1xf32>) as <fp8_row>
                 outs(%c : tensor<?x?xf32>) indexing_maps = #maps -> tensor<?x?xf32>
  return %d : tensor<?x?xf32>
}

// CHECK-LABEL: func @two_activations
// CHECK: atom = mma_bf16
// REMARK: remark: no kernel for fp8_block_act x fp8_block_act is built on wgmma_fp8 (scales of fp8_block_act are not those of one row, or of one tile of 16x128, in f32, as rhs needs); dequantised
// ERROR: error: {{.*}}as rhs needs
func.func @two_activations(%a: tensor<40x128xf8E4M3FN>, %sa: tensor<40x1xf32>,
                           %b: tensor<24x128xf8E4M3FN>, %sb: tensor<24x1xf32>, %c: tensor<40x24xf32>) -> tensor<40x24xf32> {
  %d = mx.matmul lhs(%a, %sa : tensor<40x128xf8E4M3FN>, tensor<40x1xf32>) as <fp8_block_act>
                 rhs(%b, %sb : tensor<24x128xf8E4M3FN>, tensor<24x1xf32>) as <fp8_block_act>
                 outs(%c : tensor<40x24xf32>) indexing_maps = #maps -> tensor<40x24xf32>
  return %d : tensor<40x24xf32>
}
