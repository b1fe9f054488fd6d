// RUN: mx-opt %s -mx-select-kernels=chip=sm_120a 2>%t.120 | FileCheck %s --check-prefix=RTX
// RUN: FileCheck %s --check-prefix=RTX-REMARK --implicit-check-not=remark: --input-file=%t.120
// RUN: mx-opt %s -mx-select-kernels=chip=sm_80 2>%t.80 | FileCheck %s --check-prefix=AMPERE
// RUN: FileCheck %s --check-prefix=AMPERE-REMARK --implicit-check-not=remark: --input-file=%t.80
// RUN: mx-opt %s -mx-select-kernels="chip=sm_80 fallback=silent" 2>&1 | FileCheck %s --check-prefix=SILENT --implicit-check-not=remark:
// RUN: mlir-opt --load-dialect-plugin=%mx_plugin --load-pass-plugin=%mx_plugin %s \
// RUN:   --pass-pipeline='builtin.module(mx-select-kernels{chip=sm_120a})' 2>/dev/null | FileCheck %s --check-prefix=RTX

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]

// SILENT: func @nvfp4
// RTX-LABEL: func @nvfp4
// RTX: mx.kernel = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf4nvf4_4x, tile = 128x128x128, warps = 2x4, stages = {{[2-4]}}>
// AMPERE-LABEL: func @nvfp4
// AMPERE: mx.kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 128x128x64, warps = 2x4, stages = {{[2-4]}}>
// AMPERE-REMARK: [[@LINE+4]]:8: remark: sm_80 has no tensor core instruction for nvfp4 x nvfp4 (on sm_100a, sm_103a, sm_110a, sm_120a, sm_121a); dequantised to bf16 for mma_bf16
func.func @nvfp4(%a: tensor<4096x4096xf4E2M1FN>, %sa: tensor<4096x256xf8E4M3FN>,
                 %b: tensor<8192x4096xf4E2M1FN>, %sb: tensor<8192x256xf8E4M3FN>,
                 %g: tensor<f32>, %c: tensor<4096x8192xf32>) -> tensor<4096x8192xf32> {
  %d = mx.matmul lhs(%a, %sa, %g : tensor<4096x4096xf4E2M1FN>, tensor<4096x256xf8E4M3FN>, tensor<f32>) as <nvfp4>
                 rhs(%b, %sb, %g : tensor<8192x4096xf4E2M1FN>, tensor<8192x256xf8E4M3FN>, tensor<f32>) as <nvfp4>
                 outs(%c : tensor<4096x8192xf32>) indexing_maps = #maps -> tensor<4096x8192xf32>
  return %d : tensor<4096x8192xf32>
}

// A short product: tiles of few rows, so that the chip is filled.
// RTX-LABEL: func @decode
// RTX: mx.kernel = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf4, tile = 32x
// AMPERE-LABEL: func @decode
// AMPERE: mx.kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 32x
// AMPERE-REMARK: remark: sm_80 has no tensor core instruction for mxfp4 x mxfp4
func.func @decode(%a: tensor<4x4096xf4E2M1FN>, %sa: tensor<4x128xf8E8M0FNU>,
                  %b: tensor<8192x4096xf4E2M1FN>, %sb: tensor<8192x128xf8E8M0FNU>,
                  %c: tensor<4x8192xf32>) -> tensor<4x8192xf32> {
  %d = mx.matmul lhs(%a, %sa : tensor<4x4096xf4E2M1FN>, tensor<4x128xf8E8M0FNU>) as <mxfp4>
                 rhs(%b, %sb : tensor<8192x4096xf4E2M1FN>, tensor<8192x128xf8E8M0FNU>) as <mxfp4>
                 outs(%c : tensor<4x8192xf32>) indexing_maps = #maps -> tensor<4x8192xf32>
  return %d : tensor<4x8192xf32>
}

// The transposed result: the tile has few columns.
// RTX-LABEL: func @transposed
// RTX: mx.kernel = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf4, tile = {{[0-9]+}}x32x
// AMPERE-LABEL: func @transposed
// AMPERE-REMARK: remark: sm_80 has no tensor core instruction for mxfp4 x mxfp4
func.func @transposed(%a: tensor<4x4096xf4E2M1FN>, %sa: tensor<4x128xf8E8M0FNU>,
                      %b: tensor<8192x4096xf4E2M1FN>, %sb: tensor<8192x128xf8E8M0FNU>,
                      %c: tensor<8192x4xf32>) -> tensor<8192x4xf32> {
  %d = mx.matmul lhs(%a, %sa : tensor<4x4096xf4E2M1FN>, tensor<4x128xf8E8M0FNU>) as <mxfp4>
                 rhs(%b, %sb : tensor<8192x4096xf4E2M1FN>, tensor<8192x128xf8E8M0FNU>) as <mxfp4>
                 outs(%c : tensor<8192x4xf32>)
                 indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                  affine_map<(m, n, k) -> (n, m)>] -> tensor<8192x4xf32>
  return %d : tensor<8192x4xf32>
}

// Dynamic extents, and element types that differ.
// RTX-LABEL: func @mixed_mxfp8
// RTX: mx.kernel = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf8f6f4,
// AMPERE-LABEL: func @mixed_mxfp8
// AMPERE-REMARK: remark: sm_80 has no tensor core instruction for mxfp8_e4m3 x mxfp8_e5m2
func.func @mixed_mxfp8(%a: tensor<?x?xf8E4M3FN>, %sa: tensor<?x?xf8E8M0FNU>,
                       %b: tensor<?x?xf8E5M2>, %sb: tensor<?x?xf8E8M0FNU>,
                       %c: tensor<?x?xbf16>) -> tensor<?x?xbf16> {
  %d = mx.matmul lhs(%a, %sa : tensor<?x?xf8E4M3FN>, tensor<?x?xf8E8M0FNU>) as <mxfp8_e4m3>
                 rhs(%b, %sb : tensor<?x?xf8E5M2>, tensor<?x?xf8E8M0FNU>) as <mxfp8_e5m2>
                 outs(%c : tensor<?x?xbf16>) indexing_maps = #maps -> tensor<?x?xbf16>
  return %d : tensor<?x?xbf16>
}

// The instruction is there, the kernel is not: said on sm_120a, too.
// RTX-LABEL: func @fp8_row
// RTX: atom = mma_bf16
// RTX-REMARK: remark: no kernel for fp8_row x fp8_row is built on mma_fp8; dequantised to bf16 for mma_bf16
// AMPERE-REMARK: remark: sm_80 has no tensor core instruction for fp8_row x fp8_row (on sm_89, sm_90a, sm_100a, sm_103a, sm_110a, sm_120a, sm_121a); dequantised to bf16 for mma_bf16
func.func @fp8_row(%a: tensor<64x256xf8E4M3FN>, %sa: tensor<64x1xf32>,
                   %b: tensor<32x256xf8E4M3FN>, %sb: tensor<32x1xf32>, %c: tensor<64x32xf32>) -> tensor<64x32xf32> {
  %d = mx.matmul lhs(%a, %sa : tensor<64x256xf8E4M3FN>, tensor<64x1xf32>) as <fp8_row>
                 rhs(%b, %sb : tensor<32x256xf8E4M3FN>, tensor<32x1xf32>) as <fp8_row>
                 outs(%c : tensor<64x32xf32>) indexing_maps = #maps -> tensor<64x32xf32>
  return %d : tensor<64x32xf32>
}

// Weight-only: what the scheme asks for, so no fallback, but said.
// RTX-LABEL: func @weight_only
// RTX: atom = mma_bf16
// RTX-REMARK: remark: no tensor core multiplies bf16 x int4_g128; dequantised to bf16 for mma_bf16
// AMPERE-REMARK: remark: no tensor core multiplies bf16 x int4_g128; dequantised to bf16 for mma_bf16
func.func @weight_only(%a: tensor<64x256xbf16>, %b: tensor<32x256xi4>, %sb: tensor<32x2xf32>,
                       %c: tensor<64x32xbf16>) -> tensor<64x32xbf16> {
  %d = mx.matmul lhs(%a : tensor<64x256xbf16>)
                 rhs(%b, %sb : tensor<32x256xi4>, tensor<32x2xf32>) as <int4_g128>
                 outs(%c : tensor<64x32xbf16>) indexing_maps = #maps -> tensor<64x32xbf16>
  return %d : tensor<64x32xbf16>
}

// RTX-LABEL: func @quantize
// RTX: mx.quantize <mxfp4>{{.*}}mx.kernel = #mx.kernel<quantize, chip = "sm_120a", atom = cvt_e2m1x2_f32,
// AMPERE-LABEL: func @quantize
// AMPERE: mx.kernel = #mx.kernel<quantize, chip = "sm_80", atom = alu,
// AMPERE-REMARK: remark: sm_80 has no cvt_e2m1x2_f32 (on sm_100a, sm_103a, sm_110a, sm_120a, sm_121a); quantised by integer code
func.func @quantize(%x: tensor<8x32xf32>, %e: tensor<8x32xf4E2M1FN>, %s: tensor<8x1xf8E8M0FNU>)
    -> (tensor<8x32xf4E2M1FN>, tensor<8x1xf8E8M0FNU>) {
  %q:2 = mx.quantize <mxfp4> axis = 1 ins(%x : tensor<8x32xf32>)
      outs(%e, %s : tensor<8x32xf4E2M1FN>, tensor<8x1xf8E8M0FNU>) -> tensor<8x32xf4E2M1FN>, tensor<8x1xf8E8M0FNU>
  return %q#0, %q#1 : tensor<8x32xf4E2M1FN>, tensor<8x1xf8E8M0FNU>
}

// No chip converts to int4: nothing to say.
// RTX-LABEL: func @integers
// RTX: atom = alu
func.func @integers(%x: tensor<8x128xf32>, %e: tensor<8x128xi4>, %s: tensor<8x1xf32>) -> (tensor<8x128xi4>, tensor<8x1xf32>) {
  %q:2 = mx.quantize <int4_g128> axis = 1 ins(%x : tensor<8x128xf32>)
      outs(%e, %s : tensor<8x128xi4>, tensor<8x1xf32>) -> tensor<8x128xi4>, tensor<8x1xf32>
  return %q#0, %q#1 : tensor<8x128xi4>, tensor<8x1xf32>
}
