// RUN: mx-opt %s --convert-mx-to-gpu --split-input-file | FileCheck %s

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf4, tile = 128x128x128, warps = 2x4, stages = 4>

// Two products of one configuration share a kernel, in a module of its own.
// CHECK: module attributes {gpu.container_module}
// CHECK: gpu.module @gemm_mxfp4_mxfp4_f32_128x128x128_k256 [#mx.nvptx<chip = "sm_120a">]
// CHECK:   llvm.mlir.global external @mx_shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
// CHECK:   gpu.func @gemm_mxfp4_mxfp4_f32_128x128x128_k256(%{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: i32, %{{.*}}: i32) kernel attributes {known_block_size = array<i32: 256, 1, 1>}
// CHECK:     nvvm.cp.async.shared.global
// CHECK:     nvvm.cp.async.commit.group
// CHECK:     scf.for
// CHECK:       nvvm.cp.async.wait.group 2
// CHECK:       gpu.barrier
// CHECK:       nvvm.ldmatrix
// CHECK:       mxgpu.mma.block_scale mxf4 {{.*}} : f4E2M1FN, f4E2M1FN scaled_by f8E8M0FNU
// CHECK-NOT: gpu.module

// CHECK-LABEL: func.func @share
func.func @share(%a: memref<256x128xi8>, %sa: memref<256x8xf8E8M0FNU>,
                 %b: memref<384x128xi8>, %sb: memref<384x8xf8E8M0FNU>,
                 %c: memref<256x384xf32>, %d: memref<256x384xf32>) {
  // CHECK: %[[C2:.*]] = arith.constant 2 : index
  // CHECK: %[[C3:.*]] = arith.constant 3 : index
  // CHECK: gpu.wait async
  // CHECK: %[[DA:.*]], %{{.*}} = gpu.alloc async {{.*}} : memref<256x128xi8>
  // CHECK: gpu.memcpy async {{.*}} %[[DA]], %{{.*}} : memref<256x128xi8>, memref<256x128xi8>
  // CHECK: %[[ADDRESS:.*]] = memref.extract_aligned_pointer_as_index %[[DA]]
  // CHECK: %[[CAST:.*]] = arith.index_cast %[[ADDRESS]]
  // CHECK: %[[PA:.*]] = llvm.inttoptr %[[CAST]] : i64 to !llvm.ptr<1>
  // CHECK: gpu.launch_func async {{.*}} @gemm_mxfp4_mxfp4_f32_128x128x128_k256::@gemm_mxfp4_mxfp4_f32_128x128x128_k256
  // CHECK-SAME: blocks in (%[[C2]], %[[C3]], %{{[_c0-9]*}}){{.*}} dynamic_shared_memory_size %{{.*}} args(%[[PA]] : !llvm.ptr<1>,
  // CHECK: gpu.memcpy async {{.*}} : memref<256x384xf32>, memref<256x384xf32>
  // CHECK-COUNT-5: gpu.dealloc async
  // CHECK: gpu.wait [
  mx.matmul lhs(%a, %sa : memref<256x128xi8>, memref<256x8xf8E8M0FNU>) as <mxfp4>
            rhs(%b, %sb : memref<384x128xi8>, memref<384x8xf8E8M0FNU>) as <mxfp4>
            outs(%c : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  // CHECK: gpu.launch_func async {{.*}} @gemm_mxfp4_mxfp4_f32_128x128x128_k256::@gemm_mxfp4_mxfp4_f32_128x128x128_k256
  mx.matmul lhs(%a, %sa : memref<256x128xi8>, memref<256x8xf8E8M0FNU>) as <mxfp4>
            rhs(%b, %sb : memref<384x128xi8>, memref<384x8xf8E8M0FNU>) as <mxfp4>
            outs(%d : memref<256x384xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  return
}

// -----

// What kernels make for kernels stays on the device.
#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#gemm = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x64, warps = 2x2, stages = 2>
#quantize = #mx.kernel<quantize, chip = "sm_80", atom = alu, warps = 4>

// CHECK-LABEL: func.func @device
// CHECK-SAME: (%[[X:.*]]: memref<8x64xf32>, %[[W:.*]]: memref<16x64xbf16>, %[[D:.*]]: memref<8x16xf32>)
func.func @device(%x: memref<8x64xf32>, %w: memref<16x64xbf16>, %d: memref<8x16xf32>) {
  // CHECK: %[[E:.*]], %{{.*}} = gpu.alloc async {{.*}} : memref<8x32xi8>
  // CHECK: %[[S:.*]], %{{.*}} = gpu.alloc async {{.*}} : memref<8x2xf8E8M0FNU>
  // CHECK-NOT: memref.alloc
  %e = memref.alloc() : memref<8x32xi8>
  %s = memref.alloc() : memref<8x2xf8E8M0FNU>
  // CHECK: gpu.memcpy async {{.*}} %{{.*}}, %[[X]]
  // CHECK-NOT: gpu.memcpy
  // CHECK: gpu.launch_func async {{.*}} @quantize_mxfp4_f32_k64
  // CHECK-NOT: gpu.memcpy
  // CHECK: memref.extract_aligned_pointer_as_index %[[E]]
  mx.quantize <mxfp4> axis = 1 ins(%x : memref<8x64xf32>) outs(%e, %s : memref<8x32xi8>, memref<8x2xf8E8M0FNU>) {mx.kernel = #quantize}
  // CHECK: gpu.memcpy async {{.*}} %{{.*}}, %[[W]]
  // CHECK: gpu.memcpy async {{.*}} %{{.*}}, %[[D]]
  // CHECK: gpu.launch_func async {{.*}} @gemm_mxfp4_bf16_f32_64x64x64_k64
  // CHECK: gpu.memcpy async {{.*}} %[[D]],
  mx.matmul lhs(%e, %s : memref<8x32xi8>, memref<8x2xf8E8M0FNU>) as <mxfp4>
            rhs(%w : memref<16x64xbf16>)
            outs(%d : memref<8x16xf32>) indexing_maps = #maps {mx.kernel = #gemm}
  // CHECK: gpu.dealloc async {{.*}} %[[E]] : memref<8x32xi8>
  // CHECK-NOT: memref.dealloc
  memref.dealloc %e : memref<8x32xi8>
  memref.dealloc %s : memref<8x2xf8E8M0FNU>
  return
}

// -----

// Sizes that are not known come as arguments; nothing is launched for an empty
// grid. Batch dimensions of the lhs alone join M.
#maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (n, k)>, affine_map<(b, m, n, k) -> (n)>, affine_map<(b, m, n, k) -> (b, m, n)>]
#gemm = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x64, warps = 2x2, stages = 2>

// CHECK: gpu.func @gemm_bf16_mxfp8_e4m3_bf16_64x64x64(%{{.*}}: i32, %{{.*}}: i32, %{{.*}}: i32) kernel
// CHECK-LABEL: func.func @dynamic
// CHECK-SAME: (%[[X:.*]]: memref<?x?x?xbf16>,
func.func @dynamic(%x: memref<?x?x?xbf16>, %w: memref<?x?xf8E4M3FN>, %s: memref<?x?xf8E8M0FNU>,
                   %bias: memref<?xf32>, %d: memref<?x?x?xbf16>) {
  // CHECK: %[[B:.*]] = memref.dim %[[D:.*]], %c0
  // CHECK: %[[ROWS:.*]] = memref.dim %[[D]], %c1
  // CHECK: %[[M:.*]] = arith.muli %[[B]], %[[ROWS]]
  // CHECK: arith.ceildivui %[[M]], %c64
  // CHECK: %[[ANY:.*]] = arith.cmpi ne
  // CHECK: scf.if %[[ANY]]
  // CHECK:   gpu.launch_func
  mx.matmul lhs(%x : memref<?x?x?xbf16>) rhs(%w, %s : memref<?x?xf8E4M3FN>, memref<?x?xf8E8M0FNU>) as <mxfp8_e4m3>
            bias(%bias : memref<?xf32>)
            outs(%d : memref<?x?x?xbf16>) indexing_maps = #maps {mx.kernel = #gemm}
  return
}

// -----

// A batch that both operands step through is the grid's third dimension, with
// strides in bytes; columns of the result that are rows of the op's lhs make it
// the kernel's rhs.
#maps = [affine_map<(h, m, n, k) -> (h, m, k)>, affine_map<(h, m, n, k) -> (h, n, k)>, affine_map<(h, m, n, k) -> (h, n, m)>]
#gemm = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf8f6f4, tile = 64x64x128, warps = 2x2, stages = 2>

// CHECK: gpu.func @gemm_mxfp8_e5m2_mxfp8_e4m3_f32_64x64x128_k128
// CHECK-LABEL: func.func @batch
func.func @batch(%a: memref<3x16x128xf8E4M3FN>, %sa: memref<3x16x4xf8E8M0FNU>,
                 %b: memref<3x32x128xf8E5M2>, %sb: memref<3x32x4xf8E8M0FNU>, %c: memref<3x32x16xf32>) {
  // CHECK: gpu.launch_func async {{.*}} blocks in (%c1{{[_0-9]*}}, %c1{{[_0-9]*}}, %c3{{[_0-9]*}})
  // CHECK-SAME: %c32_i32{{[_0-9]*}} : i32, %c16_i32{{[_0-9]*}} : i32, %c3_i32{{[_0-9]*}} : i32, %c4096_i64{{[_0-9]*}} : i64, %c128_i64{{[_0-9]*}} : i64, %c2048_i64{{[_0-9]*}} : i64, %c64_i64{{[_0-9]*}} : i64, %c2048_i64{{[_0-9]*}} : i64)
  mx.matmul lhs(%a, %sa : memref<3x16x128xf8E4M3FN>, memref<3x16x4xf8E8M0FNU>) as <mxfp8_e4m3>
            rhs(%b, %sb : memref<3x32x128xf8E5M2>, memref<3x32x4xf8E8M0FNU>) as <mxfp8_e5m2>
            outs(%c : memref<3x32x16xf32>) indexing_maps = #maps {mx.kernel = #gemm}
  return
}

// -----

// A view is made dense on the host first; an empty product needs no kernel.
#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#gemm = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x64, warps = 2x2, stages = 2>

// CHECK-LABEL: func.func @view
func.func @view(%x: memref<8x64xbf16, strided<[128, 1], offset: ?>>, %w: memref<16x64xf8E4M3FN>, %s: memref<16x1xf32>, %d: memref<8x16xf32>) {
  // CHECK: %[[DENSE:.*]] = memref.alloc() : memref<8x64xbf16>
  // CHECK: memref.copy %{{.*}}, %[[DENSE]]
  // CHECK: gpu.memcpy async {{.*}} %{{.*}}, %[[DENSE]]
  // CHECK: gpu.wait [
  // CHECK: memref.dealloc %[[DENSE]]
  mx.matmul lhs(%x : memref<8x64xbf16, strided<[128, 1], offset: ?>>) rhs(%w, %s : memref<16x64xf8E4M3FN>, memref<16x1xf32>) as <fp8_row>
            outs(%d : memref<8x16xf32>) indexing_maps = #maps {mx.kernel = #gemm}
  return
}

// CHECK-LABEL: func.func @empty
// CHECK-NOT: gpu.
// CHECK: return
func.func @empty(%x: memref<0x64xbf16>, %w: memref<16x64xf8E4M3FN>, %s: memref<16x1xf32>, %d: memref<0x16xf32>) {
  mx.matmul lhs(%x : memref<0x64xbf16>) rhs(%w, %s : memref<16x64xf8E4M3FN>, memref<16x1xf32>) as <fp8_row>
            outs(%d : memref<0x16xf32>) indexing_maps = #maps {mx.kernel = #gemm}
  return
}

// -----

// A result that is only filled with zeros before is neither read nor filled, and may live on the device.
#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x64, warps = 2x2, stages = 2>
// CHECK-LABEL: func.func @zero_init
func.func @zero_init(%a: memref<64x64xbf16>, %b: memref<64x64xf8E4M3FN>, %sb: memref<64x1xf32>, %d: memref<64x64xf32>) {
  %zero = arith.constant 0.0 : f32
  %c = memref.alloc() : memref<64x64xf32>
  // CHECK-NOT: linalg.fill
  linalg.fill ins(%zero : f32) outs(%c : memref<64x64xf32>)
  // CHECK: %[[C:.*]], %{{.*}} = gpu.alloc async {{.*}} : memref<64x64xf32>
  // CHECK-NOT: gpu.memcpy async {{.*}} %[[C]], %{{.*}} : memref<64x64xf32>, memref<64x64xf32>
  // CHECK: gpu.launch_func
  mx.matmul lhs(%a : memref<64x64xbf16>) rhs(%b, %sb : memref<64x64xf8E4M3FN>, memref<64x1xf32>) as <fp8_row>
            outs(%c : memref<64x64xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  memref.copy %c, %d : memref<64x64xf32> to memref<64x64xf32>
  memref.dealloc %c : memref<64x64xf32>
  return
}

// -----

// Where anything else may have written it, it is read: another value, a view, a loop.
#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
#kernel = #mx.kernel<gemm, chip = "sm_80", atom = mma_bf16, tile = 64x64x64, warps = 2x2, stages = 2>
// CHECK-LABEL: func.func @old_values
// CHECK-COUNT-3: linalg.fill
// CHECK-NOT: linalg.fill
func.func @old_values(%a: memref<64x64xbf16>, %b: memref<64x64xf8E4M3FN>, %sb: memref<64x1xf32>, %x: memref<64xf32>, %n: index) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %i0 = arith.constant 0 : index
  %i1 = arith.constant 1 : index
  %c = memref.alloc() : memref<64x64xf32>
  linalg.fill ins(%one : f32) outs(%c : memref<64x64xf32>)
  mx.matmul lhs(%a : memref<64x64xbf16>) rhs(%b, %sb : memref<64x64xf8E4M3FN>, memref<64x1xf32>) as <fp8_row>
            outs(%c : memref<64x64xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  %d = memref.alloc() : memref<64x64xf32>
  %row = memref.subview %d[0, 0] [1, 64] [1, 1] : memref<64x64xf32> to memref<64xf32, strided<[1]>>
  linalg.fill ins(%zero : f32) outs(%d : memref<64x64xf32>)
  memref.copy %x, %row : memref<64xf32> to memref<64xf32, strided<[1]>>
  mx.matmul lhs(%a : memref<64x64xbf16>) rhs(%b, %sb : memref<64x64xf8E4M3FN>, memref<64x1xf32>) as <fp8_row>
            outs(%d : memref<64x64xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  %e = memref.alloc() : memref<64x64xf32>
  linalg.fill ins(%zero : f32) outs(%e : memref<64x64xf32>)
  scf.for %i = %i0 to %n step %i1 {
    mx.matmul lhs(%a : memref<64x64xbf16>) rhs(%b, %sb : memref<64x64xf8E4M3FN>, memref<64x1xf32>) as <fp8_row>
              outs(%e : memref<64x64xf32>) indexing_maps = #maps {mx.kernel = #kernel}
  }
  return
}
