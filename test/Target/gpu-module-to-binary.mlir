// RUN: mx-opt %s -mx-gpu-module-to-binary=emit=ptx | FileCheck %s
// RUN: mx-opt %s -mx-gpu-module-to-binary=emit=offload | FileCheck %s --check-prefix=OFFLOAD
// RUN: mlir-opt --load-dialect-plugin=%mx_plugin --load-pass-plugin=%mx_plugin %s \
// RUN:   --pass-pipeline='builtin.module(mx-gpu-module-to-binary{emit=ptx})' | FileCheck %s

// Each module gets the oldest PTX version that has its instructions.

// CHECK: gpu.binary @block_scale [#gpu.object<#mx.nvptx<chip = "sm_120a">, assembly = "
// CHECK-SAME: .version 8.7
// CHECK-SAME: .target sm_120a
// CHECK-SAME: mma.sync.aligned.m16n8k64.row.col.kind::mxf4nvf4.block_scale.scale_vec::4X.f32.e2m1.e2m1.f32.ue4m3
// OFFLOAD: gpu.binary @block_scale [#gpu.object<#mx.nvptx<chip = "sm_120a">, offload = "BC
gpu.module @block_scale [#mx.nvptx<chip = "sm_120a">] {
  llvm.func @kernel(%p: !llvm.ptr<1>, %a: i32, %c: f32) attributes {gpu.kernel, nvvm.kernel} {
    %z = llvm.mlir.constant(0 : i16) : i16
    %r = nvvm.mma.block_scale A[%a, %a, %a, %a] B[%a, %a] C[%c, %c, %c, %c]
       scaleA[%a, %z, %z] scaleB[%a, %z, %z]
       {shape = #nvvm.shape<m = 16, n = 8, k = 64>,
        multiplicandAPtxType = #nvvm.mma_type<e2m1>, multiplicandBPtxType = #nvvm.mma_type<e2m1>,
        scaleVecSize = #nvvm.scale_vec_size<x4>, blockScaleFormat = #nvvm.block_scale_format<ue4m3>,
        kind = #nvvm.block_scale_kind<mxf4nvf4>} : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %d = llvm.extractvalue %r[0] : !llvm.struct<(f32, f32, f32, f32)>
    llvm.store %d, %p : f32, !llvm.ptr<1>
    llvm.return
  }
}

// The chip's own first version.
// CHECK: gpu.binary @ampere
// CHECK-SAME: .version 7.0
// CHECK-SAME: .target sm_80
gpu.module @ampere [#mx.nvptx<chip = "sm_80">] {
  llvm.func @kernel() attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}

// An intrinsic that came later than its chip.
// CHECK: gpu.binary @ada
// CHECK-SAME: .version 8.4
// CHECK-SAME: .target sm_89
// CHECK-SAME: mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e5m2.f32
gpu.module @ada [#mx.nvptx<chip = "sm_89">] {
  llvm.func @kernel(%p: !llvm.ptr<1>, %a: i32, %c: f32) attributes {gpu.kernel, nvvm.kernel} {
    %r = llvm.call_intrinsic "llvm.nvvm.mma.m16n8k32.row.col.f32.e4m3.e5m2.f32"(%a, %a, %a, %a, %a, %a, %c, %c, %c, %c)
      : (i32, i32, i32, i32, i32, i32, f32, f32, f32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %d = llvm.extractvalue %r[0] : !llvm.struct<(f32, f32, f32, f32)>
    llvm.store %d, %p : f32, !llvm.ptr<1>
    llvm.return
  }
}

// Inline PTX counts, with predicates and several statements.
// CHECK: gpu.binary @hopper
// CHECK-SAME: .version 8.1
// CHECK-SAME: .target sm_90a
gpu.module @hopper [#mx.nvptx<chip = "sm_90a">] {
  llvm.func @kernel(%p: !llvm.ptr<1>, %x: f32) attributes {gpu.kernel, nvvm.kernel} {
    %d = llvm.inline_asm "{ .reg .pred p; setp.eq.f32 p, $1, $1; @p cvt.rn.satfinite.e4m3x2.f32 $0, $1, $1; }", "=h,f" %x : (f32) -> i16
    llvm.store %d, %p : i16, !llvm.ptr<1>
    llvm.return
  }
}

// A version of the user's choice.
// CHECK: gpu.binary @newer
// CHECK-SAME: .version 9.0
// CHECK-SAME: .target sm_80
gpu.module @newer [#mx.nvptx<chip = "sm_80", ptx = 90>] {
  llvm.func @kernel() attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}

// Several targets.
// CHECK: gpu.binary @two
// CHECK-SAME: #gpu.object<#mx.nvptx<chip = "sm_80">, assembly = {{.*}}, #gpu.object<#mx.nvptx<chip = "sm_90a">, assembly =
gpu.module @two [#mx.nvptx<chip = "sm_80">, #mx.nvptx<chip = "sm_90a">] {
  llvm.func @kernel() attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}

// Another project's targets are left alone.
// CHECK: gpu.module @other [#nvvm.target, #mx.nvptx<chip = "sm_80">]
gpu.module @other [#nvvm.target, #mx.nvptx<chip = "sm_80">] {
}
// CHECK: gpu.module @none
gpu.module @none {
}
