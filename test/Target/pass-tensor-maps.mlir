// RUN: mx-opt %s -mx-pass-tensor-maps | FileCheck %s

// The kernel gets 128 bytes by value, read in place; each launch loads them.

// CHECK-LABEL: gpu.module @kernels
// CHECK: llvm.func @copy(%{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<16 x i64>, nvvm.grid_constant})
// CHECK-NOT: mxgpu.tensor_maps
// CHECK: llvm.func @plain(%{{.*}}: !llvm.ptr) attributes
module attributes {gpu.container_module} {
gpu.module @kernels {
  llvm.func @copy(%p: !llvm.ptr<1>, %map: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel, mxgpu.tensor_maps = array<i64: 1>} {
    llvm.return
  }
  llvm.func @plain(%p: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}

// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[P:.*]]: !llvm.ptr<1>, %[[MAP:.*]]: !llvm.ptr)
// CHECK: %[[VALUE:.*]] = llvm.load %[[MAP]] {alignment = 64 : i64} : !llvm.ptr -> !llvm.array<16 x i64>
// CHECK: gpu.launch_func @kernels::@copy {{.*}} args(%[[P]] : !llvm.ptr<1>, %[[VALUE]] : !llvm.array<16 x i64>)
// CHECK: gpu.launch_func @kernels::@plain {{.*}} args(%[[MAP]] : !llvm.ptr)
func.func @main(%p: !llvm.ptr<1>, %map: !llvm.ptr) {
  %c1 = arith.constant 1 : index
  gpu.launch_func @kernels::@copy blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%p : !llvm.ptr<1>, %map : !llvm.ptr)
  gpu.launch_func @kernels::@plain blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%map : !llvm.ptr)
  return
}
}
