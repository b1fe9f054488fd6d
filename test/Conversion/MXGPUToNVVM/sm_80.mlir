// RUN: mx-opt %s --convert-mxgpu-to-nvvm=chip=sm_80 | FileCheck %s --implicit-check-not=nvvm. --implicit-check-not=inline_asm --implicit-check-not=mxgpu.

// Integer code; its values are tested in test/Unit/Kernels.
// CHECK-LABEL: func @encode
func.func @encode(%x: vector<8xf32>, %y: vector<4xf32>, %z: f32) -> (i32, i32, i32) {
  // CHECK: vector.reduction <or>, %{{.*}} : vector<8xi32> into i32
  %0 = mxgpu.encode %x : vector<8xf32> to f4E2M1FN
  // CHECK: vector.reduction <or>, %{{.*}} : vector<4xi32> into i32
  %1 = mxgpu.encode %y : vector<4xf32> to f8E5M2
  // CHECK: arith.minui
  %2 = mxgpu.encode_scale %z
  return %0, %1, %2 : i32, i32, i32
}

// Two codes a step, 16 bits apart: four multiplications for eight codes.
// CHECK-LABEL: func @decode
func.func @decode(%w: i32) -> vector<8xbf16> {
  // CHECK-COUNT-4: arith.mulf {{.*}} : vector<2xbf16>
  // CHECK-NOT: arith.mulf
  // CHECK: vector.from_elements
  %0 = mxgpu.decode %w : f4E2M1FN to vector<8xbf16>
  return %0 : vector<8xbf16>
}
