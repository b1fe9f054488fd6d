// REQUIRES: ptxas
// RUN: mx-opt %s -o %t.mlir --pass-pipeline='builtin.module(convert-mx-to-gpu,gpu.module(convert-mxgpu-to-nvvm{chip=sm_80},canonicalize,cse,convert-scf-to-cf,convert-math-to-llvm,convert-gpu-to-nvvm,convert-nvvm-to-llvm,canonicalize,cse,reconcile-unrealized-casts),mx-gpu-module-to-binary{emit=cubin})' --verify-diagnostics
// RUN: FileCheck %s < %t.mlir

// Dequantised to bf16, one operand and both: ptxas has nothing to say, and
// nothing is spilled.
// CHECK-COUNT-32: metadata = {registers = {{.*}} spill_loads = 0 : i64, spill_stores = 0 : i64}
// CHECK-NOT: metadata

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 128x128x64, warps = 2x4, stages = 3>
#small = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x64, warps = 2x2, stages = 2>
#quantize = #mx.kernel<quantize, chip = "sm_80", atom = alu, warps = 4>

func.func @mxfp8_e4m3_weight(%x: memref<256x512xbf16>, %b: memref<384x512xf8E4M3FN>, %sb: memref<384x16xf8E8M0FNU>,
    %d: memref<256x384xbf16>) {
  mx.matmul lhs(%x : memref<256x512xbf16>)
            rhs(%b, %sb : memref<384x512xf8E4M3FN>, memref<384x16xf8E8M0FNU>) as <mxfp8_e4m3>
            outs(%d : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @mxfp8_e4m3(%a: memref<256x512xf8E4M3FN>, %sa: memref<256x16xf8E8M0FNU>,
    %b: memref<384x512xf8E4M3FN>, %sb: memref<384x16xf8E8M0FNU>, %d: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa : memref<256x512xf8E4M3FN>, memref<256x16xf8E8M0FNU>) as <mxfp8_e4m3>
            rhs(%b, %sb : memref<384x512xf8E4M3FN>, memref<384x16xf8E8M0FNU>) as <mxfp8_e4m3>
            outs(%d : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @mxfp8_e5m2_weight(%x: memref<256x512xbf16>, %b: memref<384x512xf8E5M2>, %sb: memref<384x16xf8E8M0FNU>,
    %d: memref<256x384xbf16>) {
  mx.matmul lhs(%x : memref<256x512xbf16>)
            rhs(%b, %sb : memref<384x512xf8E5M2>, memref<384x16xf8E8M0FNU>) as <mxfp8_e5m2>
            outs(%d : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @mxfp8_e5m2(%a: memref<256x512xf8E5M2>, %sa: memref<256x16xf8E8M0FNU>,
    %b: memref<384x512xf8E5M2>, %sb: memref<384x16xf8E8M0FNU>, %d: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa : memref<256x512xf8E5M2>, memref<256x16xf8E8M0FNU>) as <mxfp8_e5m2>
            rhs(%b, %sb : memref<384x512xf8E5M2>, memref<384x16xf8E8M0FNU>) as <mxfp8_e5m2>
            outs(%d : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @mxfp6_e2m3_weight(%x: memref<256x512xbf16>, %b: memref<384x512xi8>, %sb: memref<384x16xf8E8M0FNU>,
    %d: memref<256x384xbf16>) {
  mx.matmul lhs(%x : memref<256x512xbf16>)
            rhs(%b, %sb : memref<384x512xi8>, memref<384x16xf8E8M0FNU>) as <mxfp6_e2m3>
            outs(%d : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @mxfp6_e2m3(%a: memref<256x512xi8>, %sa: memref<256x16xf8E8M0FNU>,
    %b: memref<384x512xi8>, %sb: memref<384x16xf8E8M0FNU>, %d: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa : memref<256x512xi8>, memref<256x16xf8E8M0FNU>) as <mxfp6_e2m3>
            rhs(%b, %sb : memref<384x512xi8>, memref<384x16xf8E8M0FNU>) as <mxfp6_e2m3>
            outs(%d : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @mxfp6_e3m2_weight(%x: memref<256x512xbf16>, %b: memref<384x512xi8>, %sb: memref<384x16xf8E8M0FNU>,
    %d: memref<256x384xbf16>) {
  mx.matmul lhs(%x : memref<256x512xbf16>)
            rhs(%b, %sb : memref<384x512xi8>, memref<384x16xf8E8M0FNU>) as <mxfp6_e3m2>
            outs(%d : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @mxfp6_e3m2(%a: memref<256x512xi8>, %sa: memref<256x16xf8E8M0FNU>,
    %b: memref<384x512xi8>, %sb: memref<384x16xf8E8M0FNU>, %d: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa : memref<256x512xi8>, memref<256x16xf8E8M0FNU>) as <mxfp6_e3m2>
            rhs(%b, %sb : memref<384x512xi8>, memref<384x16xf8E8M0FNU>) as <mxfp6_e3m2>
            outs(%d : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @mxfp4_weight(%x: memref<256x512xbf16>, %b: memref<384x256xi8>, %sb: memref<384x16xf8E8M0FNU>,
    %d: memref<256x384xbf16>) {
  mx.matmul lhs(%x : memref<256x512xbf16>)
            rhs(%b, %sb : memref<384x256xi8>, memref<384x16xf8E8M0FNU>) as <mxfp4>
            outs(%d : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @mxfp4(%a: memref<256x256xi8>, %sa: memref<256x16xf8E8M0FNU>,
    %b: memref<384x256xi8>, %sb: memref<384x16xf8E8M0FNU>, %d: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa : memref<256x256xi8>, memref<256x16xf8E8M0FNU>) as <mxfp4>
            rhs(%b, %sb : memref<384x256xi8>, memref<384x16xf8E8M0FNU>) as <mxfp4>
            outs(%d : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @mxint8_weight(%x: memref<256x512xbf16>, %b: memref<384x512xi8>, %sb: memref<384x16xf8E8M0FNU>,
    %d: memref<256x384xbf16>) {
  mx.matmul lhs(%x : memref<256x512xbf16>)
            rhs(%b, %sb : memref<384x512xi8>, memref<384x16xf8E8M0FNU>) as <mxint8>
            outs(%d : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @mxint8(%a: memref<256x512xi8>, %sa: memref<256x16xf8E8M0FNU>,
    %b: memref<384x512xi8>, %sb: memref<384x16xf8E8M0FNU>, %d: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa : memref<256x512xi8>, memref<256x16xf8E8M0FNU>) as <mxint8>
            rhs(%b, %sb : memref<384x512xi8>, memref<384x16xf8E8M0FNU>) as <mxint8>
            outs(%d : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @nvfp4_weight(%x: memref<256x512xbf16>, %b: memref<384x256xi8>, %sb: memref<384x32xf8E4M3FN>, %gb: memref<f32>,
    %d: memref<256x384xbf16>) {
  mx.matmul lhs(%x : memref<256x512xbf16>)
            rhs(%b, %sb, %gb : memref<384x256xi8>, memref<384x32xf8E4M3FN>, memref<f32>) as <nvfp4>
            outs(%d : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @nvfp4(%a: memref<256x256xi8>, %sa: memref<256x32xf8E4M3FN>, %ga: memref<f32>,
    %b: memref<384x256xi8>, %sb: memref<384x32xf8E4M3FN>, %gb: memref<f32>, %d: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa, %ga : memref<256x256xi8>, memref<256x32xf8E4M3FN>, memref<f32>) as <nvfp4>
            rhs(%b, %sb, %gb : memref<384x256xi8>, memref<384x32xf8E4M3FN>, memref<f32>) as <nvfp4>
            outs(%d : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @fp8_block_act_weight(%x: memref<256x512xbf16>, %b: memref<384x512xf8E4M3FN>, %sb: memref<384x4xf32>,
    %d: memref<256x384xbf16>) {
  mx.matmul lhs(%x : memref<256x512xbf16>)
            rhs(%b, %sb : memref<384x512xf8E4M3FN>, memref<384x4xf32>) as <fp8_block_act>
            outs(%d : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @fp8_block_act(%a: memref<256x512xf8E4M3FN>, %sa: memref<256x4xf32>,
    %b: memref<384x512xf8E4M3FN>, %sb: memref<384x4xf32>, %d: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa : memref<256x512xf8E4M3FN>, memref<256x4xf32>) as <fp8_block_act>
            rhs(%b, %sb : memref<384x512xf8E4M3FN>, memref<384x4xf32>) as <fp8_block_act>
            outs(%d : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @fp8_row_weight(%x: memref<256x512xbf16>, %b: memref<384x512xf8E4M3FN>, %sb: memref<384x1xf32>,
    %d: memref<256x384xbf16>) {
  mx.matmul lhs(%x : memref<256x512xbf16>)
            rhs(%b, %sb : memref<384x512xf8E4M3FN>, memref<384x1xf32>) as <fp8_row>
            outs(%d : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @fp8_row(%a: memref<256x512xf8E4M3FN>, %sa: memref<256x1xf32>,
    %b: memref<384x512xf8E4M3FN>, %sb: memref<384x1xf32>, %d: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa : memref<256x512xf8E4M3FN>, memref<256x1xf32>) as <fp8_row>
            rhs(%b, %sb : memref<384x512xf8E4M3FN>, memref<384x1xf32>) as <fp8_row>
            outs(%d : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @int4_g128_weight(%x: memref<256x512xbf16>, %b: memref<384x256xi8>, %sb: memref<384x4xf32>,
    %d: memref<256x384xbf16>) {
  mx.matmul lhs(%x : memref<256x512xbf16>)
            rhs(%b, %sb : memref<384x256xi8>, memref<384x4xf32>) as <int4_g128>
            outs(%d : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @int4_g128(%a: memref<256x256xi8>, %sa: memref<256x4xf32>,
    %b: memref<384x256xi8>, %sb: memref<384x4xf32>, %d: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa : memref<256x256xi8>, memref<256x4xf32>) as <int4_g128>
            rhs(%b, %sb : memref<384x256xi8>, memref<384x4xf32>) as <int4_g128>
            outs(%d : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @int4_g64_zp_weight(%x: memref<256x512xbf16>, %b: memref<384x256xi8>, %sb: memref<384x8xf32>, %zb: memref<384x8xi8>,
    %d: memref<256x384xbf16>) {
  mx.matmul lhs(%x : memref<256x512xbf16>)
            rhs(%b, %sb, %zb : memref<384x256xi8>, memref<384x8xf32>, memref<384x8xi8>) as <int4_g64, zero_point = true>
            outs(%d : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @nf4_weight(%x: memref<256x512xbf16>, %b: memref<384x256xi8>, %sb: memref<384x8xf32>,
    %d: memref<256x384xbf16>) {
  mx.matmul lhs(%x : memref<256x512xbf16>)
            rhs(%b, %sb : memref<384x256xi8>, memref<384x8xf32>) as <nf4>
            outs(%d : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @nf4(%a: memref<256x256xi8>, %sa: memref<256x8xf32>,
    %b: memref<384x256xi8>, %sb: memref<384x8xf32>, %d: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa : memref<256x256xi8>, memref<256x8xf32>) as <nf4>
            rhs(%b, %sb : memref<384x256xi8>, memref<384x8xf32>) as <nf4>
            outs(%d : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #small}
  return
}

func.func @int8_token_weight(%x: memref<256x512xbf16>, %b: memref<384x512xi8>, %sb: memref<384x1xf32>,
    %d: memref<256x384xbf16>) {
  mx.matmul lhs(%x : memref<256x512xbf16>)
            rhs(%b, %sb : memref<384x512xi8>, memref<384x1xf32>) as <int8_token>
            outs(%d : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @int8_token(%a: memref<256x512xi8>, %sa: memref<256x1xf32>,
    %b: memref<384x512xi8>, %sb: memref<384x1xf32>, %d: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa : memref<256x512xi8>, memref<256x1xf32>) as <int8_token>
            rhs(%b, %sb : memref<384x512xi8>, memref<384x1xf32>) as <int8_token>
            outs(%d : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @float_operands(%x: memref<64x512xf32>, %h: memref<64x512xf16>, %b: memref<384x256xi8>, %sb: memref<384x16xf8E8M0FNU>, %d: memref<64x384xf32>) {
  mx.matmul lhs(%x : memref<64x512xf32>) rhs(%b, %sb : memref<384x256xi8>, memref<384x16xf8E8M0FNU>) as <mxfp4>
            outs(%d : memref<64x384xf32>) indexing_maps = #maps {mx.kernel = #small}
  mx.matmul lhs(%h : memref<64x512xf16>) rhs(%b, %sb : memref<384x256xi8>, memref<384x16xf8E8M0FNU>) as <mxfp4>
            outs(%d : memref<64x384xf32>) indexing_maps = #maps {mx.kernel = #small}
  return
}

func.func @ragged(%x: memref<?x?xbf16>, %b: memref<?x?xi8>, %sb: memref<?x?xf32>, %d: memref<?x?xf32>) {
  mx.matmul lhs(%x : memref<?x?xbf16>) rhs(%b, %sb : memref<?x?xi8>, memref<?x?xf32>) as <int4_g32>
            outs(%d : memref<?x?xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

func.func @quantize(%x: memref<64x576xf32>, %a: memref<f32>, %e: memref<64x288xi8>, %s: memref<64x36xf8E4M3FN>,
                    %e4: memref<64x288xi8>, %s4: memref<64x18xf8E8M0FNU>,
                    %e8: memref<64x576xf8E4M3FN>, %s8: memref<64x18xf8E8M0FNU>, %sr: memref<64x1xf32>) {
  mx.quantize <nvfp4> axis = 1 ins(%x : memref<64x576xf32>) amax(%a : memref<f32>)
    outs(%e, %s : memref<64x288xi8>, memref<64x36xf8E4M3FN>) {mx.kernel = #quantize}
  mx.quantize <mxfp4> axis = 1 ins(%x : memref<64x576xf32>)
    outs(%e4, %s4 : memref<64x288xi8>, memref<64x18xf8E8M0FNU>) {mx.kernel = #quantize}
  mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : memref<64x576xf32>)
    outs(%e8, %s8 : memref<64x576xf8E4M3FN>, memref<64x18xf8E8M0FNU>) {mx.kernel = #quantize}
  mx.quantize <fp8_row> axis = 1 ins(%x : memref<64x576xf32>)
    outs(%e8, %sr : memref<64x576xf8E4M3FN>, memref<64x1xf32>) {mx.kernel = #quantize}
  return
}
