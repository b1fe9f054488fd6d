// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_CONVERSION_MXTOGPU_PASSES
#define MX_CONVERSION_MXTOGPU_PASSES

include "mlir/Pass/PassBase.td"

def ConvertMXToGPU : Pass<"convert-mx-to-gpu", "::mlir::ModuleOp"> {
  let summary = "mx ops on memrefs to kernels and their launches";
  let description = [{
    Each `mx.matmul` and `mx.quantize` on memrefs that has an `mx.kernel`
    attribute becomes a launch; ops of equal configuration share one kernel, in a
    gpu.module of its own with a `#mx.nvptx` target. Tensors of sub-byte codes
    must have been packed (mx-pack-sub-byte).

    A buffer that is allocated here and used by kernels only lives on the device;
    others are copied there and, if written, back. A result buffer that is only
    filled with zeros before is not read, and the fill goes. All else stays on
    the host.

    ```mlir
    mx.matmul lhs(%a, %sa : memref<64x64xi8>, memref<64x4xf8E8M0FNU>) as <mxfp4> ...
        outs(%c : memref<64x64xf32>) ... {mx.kernel = #mx.kernel<gemm, ...>}
    // becomes
    %t = gpu.wait async
    %da, %t0 = gpu.alloc async [%t] () : memref<64x64xi8>
    %t1 = gpu.memcpy async [%t0] %da, %a : memref<64x64xi8>, memref<64x64xi8>
    ...
    %t9 = gpu.launch_func async [%t8] @gemm_mxfp4_mxfp4_f32::@gemm_mxfp4_mxfp4_f32
        blocks in (...) threads in (...) dynamic_shared_memory_size %s
        args(%pa : !llvm.ptr<1>, %psa : !llvm.ptr<1>, ...)
    ```
  }];
  let statistics = [
    Statistic<"numLaunches", "launches", "Ops that became a launch">,
    Statistic<"numKernels", "kernels", "Kernels that were built">,
    Statistic<"numDeviceBuffers", "device-buffers",
              "Buffers that live on the device">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::gpu::GPUDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
    "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect", "::mlir::math::MathDialect",
    "::mx::mxgpu::MXGPUDialect"];
}

#endif // MX_CONVERSION_MXTOGPU_PASSES
