// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a gpu.module in the LLVM dialect to PTX and CUDA binaries.

#ifndef MX_TARGET_NVPTX_H
#define MX_TARGET_NVPTX_H

#include "mx/IR/MX.h"
#include "mx/Target/Ptxas.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace mx {

/// PTX text of a module.
struct PTX {
  std::string text;
  /// Its version, times ten.
  unsigned version = 0;
};

/// Translates a gpu.module of LLVM dialect and NVVM operations. An instruction
/// that the capability table denies to the target's chip is an error at the
/// module, and so is a `ptx` of the target that is too old for an instruction;
/// with `ptx = 0` the version is the oldest that has them all.
mlir::FailureOr<PTX> translateToPTX(mlir::gpu::GPUModuleOp module,
                                    NVPTXTargetAttr target);

/// LLVM bitcode of the module, optimised for the target.
mlir::FailureOr<llvm::SmallVector<char, 0>>
translateToBitcode(mlir::gpu::GPUModuleOp module, NVPTXTargetAttr target);

/// A gpu.module compiled to `object`, and what was made on the way.
struct CompiledModule {
  std::optional<PTX> ptx;
  std::optional<Cubin> cubin;
  llvm::SmallVector<char, 0> object;
};
/// What to make beyond what the object's format needs.
struct AlsoCompile {
  bool ptx = false;
  bool cubin = false;
};
mlir::FailureOr<CompiledModule>
compileModule(mlir::gpu::GPUModuleOp module, NVPTXTargetAttr target,
              mlir::gpu::CompilationTarget format, llvm::StringRef toolkit,
              AlsoCompile also = {});

/// The object as an attribute; the kernel table holds ptxas' figures if there
/// is a cubin.
mlir::gpu::ObjectAttr getObjectAttr(mlir::gpu::GPUModuleOp module,
                                    NVPTXTargetAttr target,
                                    mlir::gpu::CompilationTarget format,
                                    llvm::ArrayRef<char> object,
                                    const std::optional<Cubin> &cubin);

/// Makes `#mx.nvptx` implement gpu::TargetAttrInterface and registers what
/// translation to LLVM IR needs.
void registerNVPTXTarget(mlir::DialectRegistry &registry);

} // namespace mx

#endif // MX_TARGET_NVPTX_H
