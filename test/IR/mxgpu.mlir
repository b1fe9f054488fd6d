// RUN: mx-opt %s | mx-opt | FileCheck %s
// RUN: mx-opt %s --mlir-print-op-generic | mx-opt | FileCheck %s
// RUN: mx-opt %s --emit-bytecode | mx-opt | FileCheck %s

// CHECK-LABEL: func @mma
func.func @mma(%a: vector<4xi32>, %b: vector<2xi32>, %c: vector<4xf32>, %s: i32) -> vector<4xf32> {
  // CHECK: mxgpu.mma.block_scale mxf4nvf4 %{{.*}}, %{{.*}}, %{{.*}} scale_a %{{.*}}[0, 1] scale_b %{{.*}}[0, 3] : f4E2M1FN, f4E2M1FN scaled_by f8E4M3FN
  %0 = mxgpu.mma.block_scale mxf4nvf4 %a, %b, %c scale_a %s[0, 1] scale_b %s[0, 3] : f4E2M1FN, f4E2M1FN scaled_by f8E4M3FN
  // CHECK: mxgpu.mma.block_scale mxf4nvf4 {{.*}}[2, 0] {{.*}} scaled_by f8E8M0FNU
  %1 = mxgpu.mma.block_scale mxf4nvf4 %a, %b, %0 scale_a %s[2, 0] scale_b %s[2, 0] : f4E2M1FN, f4E2M1FN scaled_by f8E8M0FNU
  // CHECK: mxgpu.mma.block_scale mxf4
  %2 = mxgpu.mma.block_scale mxf4 %a, %b, %1 scale_a %s[2, 0] scale_b %s[0, 0] : f4E2M1FN, f4E2M1FN scaled_by f8E8M0FNU
  // CHECK: mxgpu.mma.block_scale mxf8f6f4 {{.*}} : f8E5M2, f6E2M3FN scaled_by f8E8M0FNU
  %3 = mxgpu.mma.block_scale mxf8f6f4 %a, %b, %2 scale_a %s[3, 0] scale_b %s[1, 0] : f8E5M2, f6E2M3FN scaled_by f8E8M0FNU
  return %3 : vector<4xf32>
}

// CHECK-LABEL: func @convert
func.func @convert(%x: vector<8xf32>, %y: vector<4xf32>, %z: f32, %w: i32) {
  // CHECK: mxgpu.encode %{{.*}} : vector<8xf32> to f4E2M1FN
  %0 = mxgpu.encode %x : vector<8xf32> to f4E2M1FN
  // CHECK: mxgpu.encode %{{.*}} : vector<4xf32> to f6E3M2FN
  %1 = mxgpu.encode %y : vector<4xf32> to f6E3M2FN
  // CHECK: mxgpu.decode %{{.*}} : i2 to vector<16xbf16>
  %2 = mxgpu.decode %w : i2 to vector<16xbf16>
  // CHECK: mxgpu.encode_scale
  %3 = mxgpu.encode_scale %z
  // CHECK: mxgpu.decode_scale %{{.*}} : bf16
  %4 = mxgpu.decode_scale %w : bf16
  return
}
