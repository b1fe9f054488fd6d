// RUN: mx-opt %s | mx-opt | FileCheck %s

// CHECK: mx.kernel = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf4nvf4_4x, tile = 128x128x128, warps = 2x4, stages = 2>
func.func @gemm() attributes {mx.kernel = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf4nvf4_4x,
    tile = 128x128x128, warps = 2x4, stages = 2>} {
  return
}

// CHECK: mx.kernel = #mx.kernel<quantize, chip = "sm_80", atom = alu, warps = 4>
func.func @quantize() attributes {mx.kernel = #mx.kernel<quantize, chip = "sm_80", atom = alu,
    warps = 4>} {
  return
}
