// RUN: mx-opt %s --convert-mx-to-gpu | FileCheck %s

#kernel = #mx.kernel<quantize, chip = "sm_120a", atom = cvt_e2m1x2_f32, warps = 4>

// One thread a block of 16: 8 * 4 blocks, 128 threads.
// CHECK: gpu.func @quantize_nvfp4_bf16_k64(%{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: i32) kernel attributes {known_block_size = array<i32: 128, 1, 1>}
// CHECK:   mxgpu.encode %{{.*}} : vector<4xf32> to f8E4M3FN
// CHECK:   mxgpu.encode %{{.*}} : vector<8xf32> to f4E2M1FN

// CHECK-LABEL: func.func @nvfp4
// CHECK-SAME: (%[[X:.*]]: memref<2x4x64xbf16>, %[[A:.*]]: memref<f32>, %[[E:.*]]: memref<2x4x32xi8>, %[[S:.*]]: memref<2x4x4xf8E4M3FN>)
func.func @nvfp4(%x: memref<2x4x64xbf16>, %a: memref<f32>, %e: memref<2x4x32xi8>, %s: memref<2x4x4xf8E4M3FN>) {
  // CHECK: gpu.memcpy async {{.*}} %[[DX:.*]], %[[X]]
  // CHECK: gpu.memcpy async {{.*}} %[[DA:.*]], %[[A]]
  // CHECK-NOT: gpu.memcpy
  // CHECK: gpu.launch_func async {{.*}} @quantize_nvfp4_bf16_k64::@quantize_nvfp4_bf16_k64 blocks in (%c1{{.*}}, %c1{{.*}}, %c1{{.*}})
  // CHECK: gpu.memcpy async {{.*}} %[[E]],
  // CHECK: gpu.memcpy async {{.*}} %[[S]],
  mx.quantize <nvfp4> axis = 2 ins(%x : memref<2x4x64xbf16>) amax(%a : memref<f32>)
    outs(%e, %s : memref<2x4x32xi8>, memref<2x4x4xf8E4M3FN>) {mx.kernel = #kernel}
  return
}

// A warp a row.
// CHECK-LABEL: func.func @fp8_row
func.func @fp8_row(%x: memref<10x?xf32>, %e: memref<10x?xf8E4M3FN>, %s: memref<10x1xf32>) {
  // CHECK: memref.dim %{{.*}}, %c1
  // CHECK: gpu.launch_func async {{.*}} @quantize_fp8_row_f32::@quantize_fp8_row_f32 blocks in (%c3{{.*}}, %c1{{.*}}, %c1{{.*}})
  mx.quantize <fp8_row> axis = 1 ins(%x : memref<10x?xf32>)
    outs(%e, %s : memref<10x?xf8E4M3FN>, memref<10x1xf32>) {mx.kernel = #kernel}
  return
}

// Square blocks end with their matrix: 3 matrices of 2 * 4 blocks, 16 threads each.
// CHECK-LABEL: func.func @batches
func.func @batches(%x: memref<3x24x64xf32>, %a: memref<f32>, %e: memref<3x24x32xi8>, %s: memref<3x2x4xf8E4M3FN>) {
  // CHECK: gpu.launch_func async {{.*}} @quantize_nvfp4_2d_f32_k64_batched::@{{.*}} blocks in (%c6{{.*}}, %c1{{.*}}, %c1{{.*}}) {{.*}} %c24_i32 : i32, %c3_i32 : i32)
  mx.quantize <nvfp4_2d> axis = 2 ins(%x : memref<3x24x64xf32>) amax(%a : memref<f32>)
    outs(%e, %s : memref<3x24x32xi8>, memref<3x2x4xf8E4M3FN>) {mx.kernel = #kernel}
  return
}

// One block for all of the tensor: one warp.
// CHECK-LABEL: func.func @whole_tensor
func.func @whole_tensor(%x: memref<2x8x64xf32>, %e: memref<2x8x64xf8E4M3FN>, %s: memref<1x1x1xf32>) {
  // CHECK: gpu.launch_func async {{.*}} @quantize_fp8_tensor_f32_k64::@{{.*}} blocks in (%c1{{.*}}, %c1{{.*}}, %c1{{.*}}) {{.*}} %c16_i32 : i32)
  mx.quantize <fp8_tensor> axis = 2 ins(%x : memref<2x8x64xf32>)
    outs(%e, %s : memref<2x8x64xf8E4M3FN>, memref<1x1x1xf32>) {mx.kernel = #kernel}
  return
}
