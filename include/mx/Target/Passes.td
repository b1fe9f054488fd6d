// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_TARGET_PASSES
#define MX_TARGET_PASSES

include "mlir/Pass/PassBase.td"

def MXGPUModuleToBinary : Pass<"mx-gpu-module-to-binary"> {
  let summary = "gpu.module with a #mx.nvptx target to gpu.binary, with ptxas' figures";
  let description = [{
    As upstream's `gpu-module-to-binary`, for modules that have a `#mx.nvptx`
    target (others are left alone), and in addition: modules are compiled in
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
