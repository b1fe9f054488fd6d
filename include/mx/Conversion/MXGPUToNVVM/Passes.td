// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_CONVERSION_MXGPUTONVVM_PASSES
#define MX_CONVERSION_MXGPUTONVVM_PASSES

include "mlir/Pass/PassBase.td"

def ConvertMXGPUToNVVM : Pass<"convert-mxgpu-to-nvvm"> {
  let summary = "mxgpu ops to NVVM instructions, or to integer code without them";
  let description = [{
    An op becomes the chip's instruction if the capability table has it, else
    integer code with the same bits; `mxgpu.mma.block_scale` has no such code
    and is refused on a chip without it.

    ```mlir
    %w = mxgpu.encode %x : vector<4xf32> to f8E4M3FN
    // on sm_120a becomes
    %lo = nvvm.convert.f32x2.to.f8x2 %x1, %x0 {...} : i16 (f8E4M3FN)
    %hi = nvvm.convert.f32x2.to.f8x2 %x3, %x2 {...} : i16 (f8E4M3FN)
    // ... put together; on sm_80 it becomes shifts, adds and selects
    ```
  }];
  let options = [Option<"chip", "chip", "std::string", "\"sm_120a\"",
                        "a chip of the capability table">];
  let statistics = [
    Statistic<"numInstructions", "instructions", "Ops that became an instruction">,
    Statistic<"numExpanded", "expanded", "Ops that became integer code">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::NVVM::NVVMDialect", "::mlir::vector::VectorDialect"];
}

#endif // MX_CONVERSION_MXGPUTONVVM_PASSES
