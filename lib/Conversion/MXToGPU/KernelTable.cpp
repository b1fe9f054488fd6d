// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelTable.h"

#include "mx/IR/MX.h"

using namespace mlir;
using namespace mx;

template <typename Config>
gpu::GPUFuncOp KernelTable::get(
    std::vector<Entry<Config>> &entries, const Config &config, StringRef chip,
    Location loc,
    gpu::GPUFuncOp (*build)(OpBuilder &, Location, const Config &, StringRef)) {
  for (const Entry<Config> &entry : entries)
    if (entry.config == config && entry.chip == chip)
      return entry.kernel;

  MLIRContext *context = module.getContext();
  auto target = NVPTXTargetAttr::get(context, chip, /*ptx=*/0, /*O=*/3);
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  auto gpuModule = gpu::GPUModuleOp::create(builder, loc, config.getName());
  gpuModule.setTargetsAttr(builder.getArrayAttr(target));
  // Makes the name unique.
  symbols.insert(gpuModule);
  builder.setInsertionPointToStart(gpuModule.getBody());
  gpu::GPUFuncOp kernel = build(builder, loc, config, gpuModule.getName());
  entries.push_back({config, chip.str(), kernel});
  return kernel;
}

template gpu::GPUFuncOp
KernelTable::get(std::vector<Entry<kernels::GemmConfig>> &,
                 const kernels::GemmConfig &, StringRef, Location,
                 gpu::GPUFuncOp (*)(OpBuilder &, Location,
                                    const kernels::GemmConfig &, StringRef));
template gpu::GPUFuncOp KernelTable::get(
    std::vector<Entry<kernels::QuantizeConfig>> &,
    const kernels::QuantizeConfig &, StringRef, Location,
    gpu::GPUFuncOp (*)(OpBuilder &, Location, const kernels::QuantizeConfig &,
                       StringRef));
