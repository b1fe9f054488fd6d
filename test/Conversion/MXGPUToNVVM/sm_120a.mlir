// RUN: mx-opt %s --convert-mxgpu-to-nvvm=chip=sm_120a | FileCheck %s

// CHECK-LABEL: func @mma
func.func @mma(%a: vector<4xi32>, %b: vector<2xi32>, %c: vector<4xf32>, %s: i32) -> vector<4xf32> {
  // CHECK: nvvm.mma.block_scale
  // CHECK-SAME: blockScaleFormat = #nvvm.block_scale_format<ue4m3>
  // CHECK-SAME: kind = #nvvm.block_scale_kind<mxf4nvf4>
  // CHECK-SAME: scaleVecSize = #nvvm.scale_vec_size<x4>
  // CHECK-SAME: shape = #nvvm.shape<m = 16, n = 8, k = 64>
  %0 = mxgpu.mma.block_scale mxf4nvf4 %a, %b, %c scale_a %s[0, 1] scale_b %s[0, 3] : f4E2M1FN, f4E2M1FN scaled_by f8E4M3FN
  // CHECK: nvvm.mma.block_scale
  // CHECK-SAME: blockScaleFormat = #nvvm.block_scale_format<ue8m0>
  // CHECK-SAME: kind = #nvvm.block_scale_kind<mxf4>
  // CHECK-SAME: scaleVecSize = #nvvm.scale_vec_size<x2>
  %1 = mxgpu.mma.block_scale mxf4 %a, %b, %0 scale_a %s[2, 0] scale_b %s[0, 0] : f4E2M1FN, f4E2M1FN scaled_by f8E8M0FNU
  // CHECK: nvvm.mma.block_scale
  // CHECK-SAME: multiplicandAPtxType = #nvvm.mma_type<e5m2>
  // CHECK-SAME: multiplicandBPtxType = #nvvm.mma_type<e4m3>
  // CHECK-SAME: scaleVecSize = #nvvm.scale_vec_size<x1>
  // CHECK-SAME: shape = #nvvm.shape<m = 16, n = 8, k = 32>
  %2 = mxgpu.mma.block_scale mxf8f6f4 %a, %b, %1 scale_a %s[3, 0] scale_b %s[1, 0] : f8E5M2, f8E4M3FN scaled_by f8E8M0FNU
  return %2 : vector<4xf32>
}

// One piece of PTX for eight codes.
// CHECK-LABEL: func @encode_fp4
func.func @encode_fp4(%x: vector<8xf32>) -> i32 {
  // CHECK: llvm.inline_asm
  // CHECK-SAME: cvt.rn.satfinite.e2m1x2.f32 b0, $2, $1;
  // CHECK-SAME: cvt.rn.satfinite.e2m1x2.f32 b3, $8, $7;
  // CHECK-SAME: mov.b32 $0, {b0, b1, b2, b3};
  %0 = mxgpu.encode %x : vector<8xf32> to f4E2M1FN
  return %0 : i32
}

// CHECK-LABEL: func @encode_fp8
// CHECK-SAME: (%[[X:.*]]: vector<4xf32>)
func.func @encode_fp8(%x: vector<4xf32>) -> (i32, i32) {
  // CHECK-DAG: %[[X0:.*]] = vector.extract %[[X]][0]
  // CHECK-DAG: %[[X1:.*]] = vector.extract %[[X]][1]
  // CHECK: nvvm.convert.f32x2.to.f8x2 %[[X1]], %[[X0]] {rnd = #nvvm.fp_rnd_mode<rn>, sat = #nvvm.sat_mode<satfinite>} : i16(f8E4M3FN)
  %0 = mxgpu.encode %x : vector<4xf32> to f8E4M3FN
  // CHECK: nvvm.convert.f32x2.to.f6x2 {{.*}} : i16(f6E2M3FN)
  %1 = mxgpu.encode %x : vector<4xf32> to f6E2M3FN
  return %0, %1 : i32, i32
}

// CHECK-LABEL: func @encode_scale
func.func @encode_scale(%x: f32) -> i32 {
  // CHECK: nvvm.convert.f32x2.to.f8x2 {{.*}} {rnd = #nvvm.fp_rnd_mode<rp>, sat = #nvvm.sat_mode<satfinite>} : i16(f8E8M0FNU)
  %0 = mxgpu.encode_scale %x
  return %0 : i32
}
