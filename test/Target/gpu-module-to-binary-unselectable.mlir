// What LLVM has allocated is lost when it gives up in the middle, which is no fault of a build that looks for leaks.
// RUN: env ASAN_OPTIONS=allow_user_poisoning=0:detect_leaks=0 \
// RUN:   mx-opt %s -verify-diagnostics -mx-gpu-module-to-binary=emit=ptx

// What the table does not list and LLVM cannot select is an error, not a crash.
// expected-error@below {{LLVM's NVPTX backend cannot generate code for sm_80: Cannot select: intrinsic %llvm.nvvm.redux.sync.fmin}}
gpu.module @unknown [#mx.nvptx<chip = "sm_80">] {
  llvm.func @kernel(%p: !llvm.ptr<1>, %x: f32, %mask: i32) attributes {gpu.kernel, nvvm.kernel} {
    %d = llvm.call_intrinsic "llvm.nvvm.redux.sync.fmin"(%x, %mask) : (f32, i32) -> f32
    llvm.store %d, %p : f32, !llvm.ptr<1>
    llvm.return
  }
}
