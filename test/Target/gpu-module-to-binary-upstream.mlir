// RUN: mx-opt %s -gpu-module-to-binary=format=isa | FileCheck %s
// RUN: mx-opt %s -gpu-module-to-binary=format=offloading | FileCheck %s --check-prefix=OFFLOAD

// #mx.nvptx is a target of upstream's pass, too.

// CHECK: gpu.binary @kernels [#gpu.object<#mx.nvptx<chip = "sm_121a">, assembly = "
// CHECK-SAME: .version 8.8
// CHECK-SAME: .target sm_121a
// OFFLOAD: gpu.binary @kernels [#gpu.object<#mx.nvptx<chip = "sm_121a">, offload = "BC
gpu.module @kernels [#mx.nvptx<chip = "sm_121a">] {
  llvm.func @kernel() attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}
