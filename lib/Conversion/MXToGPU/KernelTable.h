// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels of a module: each configuration is built once.

#ifndef MX_LIB_CONVERSION_MXTOGPU_KERNELTABLE_H
#define MX_LIB_CONVERSION_MXTOGPU_KERNELTABLE_H

#include "mx/Kernels/Gemm.h"
#include "mx/Kernels/Quantize.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"

#include <vector>

namespace mx {

class KernelTable {
public:
  explicit KernelTable(mlir::ModuleOp module)
      : module(module), symbols(module) {}

  /// The kernel for `chip`, in a gpu.module of its own. `loc` is where it comes
  /// from if it is new.
  mlir::gpu::GPUFuncOp get(const kernels::GemmConfig &config,
                           llvm::StringRef chip, mlir::Location loc) {
    return get(gemms, config, chip, loc, kernels::buildGemm);
  }
  mlir::gpu::GPUFuncOp get(const kernels::QuantizeConfig &config,
                           llvm::StringRef chip, mlir::Location loc) {
    return get(quantizes, config, chip, loc, kernels::buildQuantize);
  }

  unsigned getNumKernels() const { return gemms.size() + quantizes.size(); }

private:
  template <typename Config> struct Entry {
    Config config;
    std::string chip;
    mlir::gpu::GPUFuncOp kernel;
  };
  template <typename Config>
  mlir::gpu::GPUFuncOp
  get(std::vector<Entry<Config>> &entries, const Config &config,
      llvm::StringRef chip, mlir::Location loc,
      mlir::gpu::GPUFuncOp (*build)(mlir::OpBuilder &, mlir::Location,
                                    const Config &, llvm::StringRef));

  mlir::ModuleOp module;
  mlir::SymbolTable symbols;
  // A model has a few tens of configurations.
  std::vector<Entry<kernels::GemmConfig>> gemms;
  std::vector<Entry<kernels::QuantizeConfig>> quantizes;
};

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOGPU_KERNELTABLE_H
