// RUN: mx-opt %s -split-input-file -verify-diagnostics -mx-gpu-module-to-binary=emit=ptx 2>&1 | FileCheck %s --allow-empty --implicit-check-not="LLVM ERROR"

// expected-error@below {{uses cvt_e2m1x2_f32, which sm_90a does not have; it is on sm_100a, sm_103a, sm_110a, sm_120a, sm_121a}}
gpu.module @missing [#mx.nvptx<chip = "sm_90a">] {
  llvm.func @kernel(%p: !llvm.ptr<1>, %x: f32) attributes {gpu.kernel, nvvm.kernel} {
    %d = llvm.inline_asm "{ .reg .b8 b; cvt.rn.satfinite.e2m1x2.f32 b, $1, $1; mov.b16 $0, {b, b}; }", "=h,f" %x : (f32) -> i16
    llvm.store %d, %p : i16, !llvm.ptr<1>
    llvm.return
  }
}

// -----

// expected-error@below {{uses cvt_e4m3x2_f32, which needs PTX 8.1, but PTX 8.0 is asked for}}
gpu.module @too_old [#mx.nvptx<chip = "sm_89", ptx = 80>] {
  llvm.func @kernel(%p: !llvm.ptr<1>, %x: f32) attributes {gpu.kernel, nvvm.kernel} {
    %d = llvm.inline_asm "cvt.rn.satfinite.e4m3x2.f32 $0, $1, $1;", "=h,f" %x : (f32) -> i16
    llvm.store %d, %p : i16, !llvm.ptr<1>
    llvm.return
  }
}

// -----

gpu.module @not_lowered [#mx.nvptx<chip = "sm_80">] {
  // expected-error@below {{unsupported GPU operation: gpu.func}}
  // expected-error@below {{LLVM Translation failed for operation: gpu.func}}
  gpu.func @kernel() kernel {
    gpu.return
  }
}
