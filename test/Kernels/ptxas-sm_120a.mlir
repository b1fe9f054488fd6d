// REQUIRES: ptxas
// RUN: mx-opt %s -o %t.mlir --pass-pipeline='builtin.module(convert-mx-to-gpu,gpu.module(convert-mxgpu-to-nvvm{chip=sm_120a},canonicalize,cse,convert-scf-to-cf,convert-math-to-llvm,convert-gpu-to-nvvm,convert-nvvm-to-llvm,canonicalize,cse,reconcile-unrealized-casts),mx-gpu-module-to-binary{emit=cubin})' --verify-diagnostics
// RUN: FileCheck %s < %t.mlir

// Block-scale mma on whole and on ragged shapes: ptxas has nothing to say, and
// nothing is spilled.
// CHECK-COUNT-8: metadata = {registers = {{.*}} spill_loads = 0 : i64, spill_stores = 0 : i64}
// CHECK-NOT: metadata

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#nvfp4 = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf4nvf4_4x, tile = 128x128x128, warps = 2x4, stages = 4>
#mxfp4 = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf4, tile = 128x128x128, warps = 2x4, stages = 4>
#mxfp8 = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf8f6f4, tile = 128x128x128, warps = 2x4, stages = 2>
#quantize = #mx.kernel<quantize, chip = "sm_120a", atom = cvt_e2m1x2_f32, warps = 4>

func.func @nvfp4(%a: memref<256x256xi8>, %sa: memref<256x32xf8E4M3FN>, %ga: memref<f32>,
                 %b: memref<384x256xi8>, %sb: memref<384x32xf8E4M3FN>, %gb: memref<f32>, %c: memref<256x384xbf16>) {
  mx.matmul lhs(%a, %sa, %ga : memref<256x256xi8>, memref<256x32xf8E4M3FN>, memref<f32>) as <nvfp4>
            rhs(%b, %sb, %gb : memref<384x256xi8>, memref<384x32xf8E4M3FN>, memref<f32>) as <nvfp4>
            outs(%c : memref<256x384xbf16>) indexing_maps = #maps {mx.kernel = #nvfp4}
  return
}

func.func @nvfp4_ragged(%a: memref<?x91xi8>, %sa: memref<?x12xf8E4M3FN>, %ga: memref<f32>,
                        %b: memref<77x91xi8>, %sb: memref<5x12xf8E4M3FN>, %gb: memref<f32>, %c: memref<?x77xf32>) {
  mx.matmul lhs(%a, %sa, %ga : memref<?x91xi8>, memref<?x12xf8E4M3FN>, memref<f32>) as <nvfp4>
            rhs(%b, %sb, %gb : memref<77x91xi8>, memref<5x12xf8E4M3FN>, memref<f32>) as <nvfp4_2d>
            outs(%c : memref<?x77xf32>) indexing_maps = #maps {mx.kernel = #nvfp4}
  return
}

func.func @mxfp4(%a: memref<256x256xi8>, %sa: memref<256x16xf8E8M0FNU>,
                 %b: memref<384x256xi8>, %sb: memref<384x16xf8E8M0FNU>, %c: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa : memref<256x256xi8>, memref<256x16xf8E8M0FNU>) as <mxfp4>
            rhs(%b, %sb : memref<384x256xi8>, memref<384x16xf8E8M0FNU>) as <mxfp4>
            outs(%c : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #mxfp4}
  return
}

func.func @mxfp8(%a: memref<256x512xf8E4M3FN>, %sa: memref<256x16xf8E8M0FNU>,
                 %b: memref<384x512xf8E4M3FN>, %sb: memref<384x16xf8E8M0FNU>, %c: memref<256x384xf32>) {
  mx.matmul lhs(%a, %sa : memref<256x512xf8E4M3FN>, memref<256x16xf8E8M0FNU>) as <mxfp8_e4m3>
            rhs(%b, %sb : memref<384x512xf8E4M3FN>, memref<384x16xf8E8M0FNU>) as <mxfp8_e4m3>
            outs(%c : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #mxfp8}
  return
}

func.func @mxfp8_dynamic(%a: memref<?x?xf8E5M2>, %sa: memref<?x?xf8E8M0FNU>,
                         %b: memref<?x?xf8E4M3FN>, %sb: memref<?x?xf8E8M0FNU>, %c: memref<?x?xf32>) {
  mx.matmul lhs(%a, %sa : memref<?x?xf8E5M2>, memref<?x?xf8E8M0FNU>) as <mxfp8_e5m2>
            rhs(%b, %sb : memref<?x?xf8E4M3FN>, memref<?x?xf8E8M0FNU>) as <mxfp8_e4m3>
            outs(%c : memref<?x?xf32>) indexing_maps = #maps {mx.kernel = #mxfp8}
  return
}

func.func @quantize(%x: memref<64x576xbf16>, %a: memref<f32>, %e: memref<64x288xi8>, %s: memref<64x36xf8E4M3FN>,
                    %e4: memref<64x288xi8>, %s4: memref<64x18xf8E8M0FNU>,
                    %e8: memref<64x576xf8E4M3FN>, %s8: memref<64x18xf8E8M0FNU>) {
  mx.quantize <nvfp4> axis = 1 ins(%x : memref<64x576xbf16>) amax(%a : memref<f32>)
    outs(%e, %s : memref<64x288xi8>, memref<64x36xf8E4M3FN>) {mx.kernel = #quantize}
  mx.quantize <mxfp4> axis = 1 ins(%x : memref<64x576xbf16>)
    outs(%e4, %s4 : memref<64x288xi8>, memref<64x18xf8E8M0FNU>) {mx.kernel = #quantize}
  mx.quantize <mxfp8_e4m3> axis = 1 ins(%x : memref<64x576xbf16>)
    outs(%e8, %s8 : memref<64x576xf8E4M3FN>, memref<64x18xf8E8M0FNU>) {mx.kernel = #quantize}
  return
}
