// REQUIRES: ptxas
// RUN: mx-opt %s -split-input-file -verify-diagnostics -mx-gpu-module-to-binary=emit=cubin -o - | FileCheck %s

// What ptxas says of a kernel is in the kernel table.
// CHECK: gpu.binary @good [#gpu.object<#mx.nvptx<chip = "sm_80">,
// CHECK-SAME: kernels = <[#gpu.kernel_metadata<"kernel", !llvm.func<void (ptr<1>)>,
// CHECK-SAME: metadata = {registers = {{[1-9][0-9]*}} : i64, shared_memory = 512 : i64, spill_loads = 0 : i64, spill_stores = 0 : i64}>]>
// CHECK-SAME: bin = "\7FELF
gpu.module @good [#mx.nvptx<chip = "sm_80">] {
  llvm.mlir.global internal @shared() {addr_space = 3 : i32} : !llvm.array<128 x f32>
  llvm.func @kernel(%p: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel} {
    %s = llvm.mlir.addressof @shared : !llvm.ptr<3>
    %t = nvvm.read.ptx.sreg.tid.x : i32
    %a = llvm.getelementptr %s[%t] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
    %x = llvm.load volatile %a : !llvm.ptr<3> -> f32
    llvm.store %x, %p : f32, !llvm.ptr<1>
    llvm.return
  }
}

// -----

// expected-error@below {{ptxas: Unresolved extern function 'elsewhere'}}
gpu.module @undefined [#mx.nvptx<chip = "sm_80">] {
  llvm.func @elsewhere()
  llvm.func @kernel() attributes {gpu.kernel, nvvm.kernel} {
    llvm.call @elsewhere() : () -> ()
    llvm.return
  }
}

// -----

// expected-error@below {{ptxas: }}
// expected-note@below {{PTX line 16: nonsense.b32}}
gpu.module @bad_inline_ptx [#mx.nvptx<chip = "sm_80">] {
  llvm.func @kernel() attributes {gpu.kernel, nvvm.kernel} {
    llvm.inline_asm has_side_effects "nonsense.b32;", "" : () -> ()
    llvm.return
  }
}

// -----

// expected-warning@below {{ptxas: Registers are spilled to local memory in function 'kernel'}}
gpu.module @spills [#mx.nvptx<chip = "sm_80">] {
  llvm.func @kernel(%p: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel, nvvm.maxnreg = 24 : i32} {
    %0 = llvm.load volatile %p : !llvm.ptr<1> -> vector<4xf32>
    %1 = llvm.load volatile %p : !llvm.ptr<1> -> vector<4xf32>
    %2 = llvm.load volatile %p : !llvm.ptr<1> -> vector<4xf32>
    %3 = llvm.load volatile %p : !llvm.ptr<1> -> vector<4xf32>
    %4 = llvm.load volatile %p : !llvm.ptr<1> -> vector<4xf32>
    %5 = llvm.load volatile %p : !llvm.ptr<1> -> vector<4xf32>
    %6 = llvm.load volatile %p : !llvm.ptr<1> -> vector<4xf32>
    llvm.store volatile %6, %p : vector<4xf32>, !llvm.ptr<1>
    llvm.store volatile %5, %p : vector<4xf32>, !llvm.ptr<1>
    llvm.store volatile %4, %p : vector<4xf32>, !llvm.ptr<1>
    llvm.store volatile %3, %p : vector<4xf32>, !llvm.ptr<1>
    llvm.store volatile %2, %p : vector<4xf32>, !llvm.ptr<1>
    llvm.store volatile %1, %p : vector<4xf32>, !llvm.ptr<1>
    llvm.store volatile %0, %p : vector<4xf32>, !llvm.ptr<1>
    llvm.return
  }
}
