// RUN: mx-opt %s --convert-mxgpu-to-nvvm=chip=sm_90a --verify-diagnostics
// RUN: not mx-opt %s --convert-mxgpu-to-nvvm=chip=sm_42 2>&1 | FileCheck %s

// CHECK: error: unknown chip 'sm_42'; known are sm_80,
func.func @mma(%a: vector<4xi32>, %b: vector<2xi32>, %c: vector<4xf32>, %s: i32) {
  // expected-error @+1 {{'mxgpu.mma.block_scale' op needs mma_mxf4, which sm_90a does not have; it is on sm_120a, sm_121a}}
  %0 = mxgpu.mma.block_scale mxf4 %a, %b, %c scale_a %s[2, 0] scale_b %s[0, 0] : f4E2M1FN, f4E2M1FN scaled_by f8E8M0FNU
  return
}
