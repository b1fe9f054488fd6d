// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_TARGET_PASSES
#define MX_TARGET_PASSES

include "mlir/Pass/PassBase.td"

def MXSelectKernels : Pass<"mx-select-kernels"> {
  let summary = "choose kernel family, instruction and tile of each mx.matmul and mx.quantize";
  let description = [{
    Writes `mx.kernel` on each `mx.matmul` and `mx.quantize`: the first
    instruction of the capability table that the chip has for the operands'
    formats and that a kernel is built on, and the tile that a small cost model
    takes for the fastest at the op's shape. Other mx ops stay on the host.

    Where the chip has no such instruction, the operands are dequantised to bf16
    in the kernel (matmul) or the elements made by integer code (quantize), with
    the same values; `fallback` says what then happens:
    `remark` reports it on the op, `silent` does not, `error` refuses the op and
    says what the chip could do. A quantisation that no kernel does (stochastic
    rounding, edge variants, zero points) is a fallback, too: on tensors it gets
    no `mx.kernel`, and convert-mx-to-linalg{host-ops} makes host code of it. A
    product that no kernel does is always an error.

    ```mlir
    mx.matmul lhs(...) as <nvfp4> rhs(...) as <nvfp4> outs(...) ...
    // becomes with chip=sm_120a
    mx.matmul lhs(...) as <nvfp4> rhs(...) as <nvfp4> outs(...) ...
        {mx.kernel = #mx.kernel<gemm, chip = "sm_120a", atom = mma_mxf4nvf4_4x,
                                tile = 128x128x128, warps = 2x4, stages = 4>}
    ```
  }];
  let dependentDialects = ["::mx::MXDialect"];
  let options = [
    Option<"chip", "chip", "std::string", "", "GPU: sm_80, sm_120a, ...">,
    Option<"fallback", "fallback", "std::string", "\"remark\"",
           "remark, error or silent">];
  let statistics = [
    Statistic<"numKernels", "kernels", "ops for which a kernel was chosen">,
    Statistic<"numFallbacks", "fallbacks",
              "ops for which the chip has no instruction">];
}

def MXPrintCapabilities : Pass<"mx-print-capabilities"> {
  let summary = "print what works on which chip, as Markdown";
  let description = [{
    Two tables made from the capability table (Capabilities.td): the instruction
    that `mx-select-kernels` takes for each product of formats on each chip, and
    the chips that have each tensor core instruction. README.md's section is this
    pass' output. The module is not looked at.
  }];
  let options = [
    Option<"output", "output", "std::string", "\"-\"", "file; - is stdout">];
}

def MXPassTensorMaps : Pass<"mx-pass-tensor-maps", "::mlir::ModuleOp"> {
  let summary = "tensor maps become kernel parameters by value";
  let description = [{
    Kernels that convert-mx-to-gpu builds take pointers to tensor maps; where
    they stand is their attribute `mxgpu.tensor_maps`. Once a kernel is in the
    LLVM dialect, this makes the parameters 128 bytes by value that stay where
    they are (`.param .align 64 .b8 [128]`, read in place by the copies), and
    launches load what they pass.

    ```mlir
    llvm.func @k(%map: !llvm.ptr) attributes {gpu.kernel, mxgpu.tensor_maps = array<i64: 0>}
    gpu.launch_func @m::@k ... args(%p : !llvm.ptr)
    // becomes
    llvm.func @k(%map: !llvm.ptr {llvm.byval = !llvm.array<16 x i64>, llvm.align = 64 : i64, nvvm.grid_constant})
    %v = llvm.load %p {alignment = 64 : i64} : !llvm.ptr -> !llvm.array<16 x i64>
    gpu.launch_func @m::@k ... args(%v : !llvm.array<16 x i64>)
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
  let statistics = [Statistic<"numMaps", "maps", "operands of launches">];
}

def MXGPUModuleToBinary : Pass<"mx-gpu-module-to-binary"> {
  let summary = "gpu.module with a #mx.nvptx target to gpu.binary, with ptxas' figures";
  let description = [{
    As upstream's `gpu-module-to-binary`, for modules all of whose targets are
    `#mx.nvptx` (others are left alone), and in addition: modules are compiled in
    parallel; what ptxas says of each kernel (registers, shared memory, spills)
    is kept in the object's kernel table; its errors and warnings, spills among
    them, become diagnostics at the module.

    `emit` chooses the object: `offload` (LLVM bitcode), `ptx`, `cubin` or
    `fatbin`. With `dump` each module is also written to that folder: NAME.ptx,
    NAME.cubin (if there is a ptxas), and for each kernel that is launched with
    constant sizes KERNEL.json, which says how (grid, block, arguments with
    shapes and seeded contents), for a PTX emulator. A table of the kernels is
    printed to stderr.

    ```mlir
    gpu.module @k [#mx.nvptx<chip = "sm_120a">] { llvm.func @k() attributes {gpu.kernel} ... }
    // becomes with emit=cubin
    gpu.binary @k [#gpu.object<#mx.nvptx<chip = "sm_120a">,
      kernels = <[#gpu.kernel_metadata<"k", !llvm.func<void ()>,
        metadata = {registers = 8 : i64, shared_memory = 0 : i64, spill_loads = 0 : i64, spill_stores = 0 : i64}>]>,
      bin = "...">]
    ```
  }];
  let options = [
    Option<"emit", "emit", "std::string", "\"fatbin\"",
           "offload, ptx, cubin or fatbin">,
    Option<"ptx", "ptx", "std::string", "",
           "PTX version (8.7) of modules whose target names none; by default "
           "the oldest that has their instructions">,
    Option<"dump", "dump", "std::string", "",
           "folder for PTX, cubins and launch files">,
    Option<"toolkit", "toolkit", "std::string", "",
           "folder of the CUDA Toolkit; by default ptxas is looked for in PATH, "
           "CUDA_HOME, CUDA_PATH, CUDA_ROOT and /usr/local/cuda">];
  let statistics = [
    Statistic<"numModules", "modules", "gpu.modules compiled">,
    Statistic<"numSpills", "spills", "kernels that spill registers">];
}

#endif // MX_TARGET_PASSES
