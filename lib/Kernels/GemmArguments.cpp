// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GemmArguments.h"

#include "GemmPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mx;
using namespace mx::kernels;

SmallVector<GemmArgument> kernels::getGemmArguments(const GemmConfig &config) {
  SmallVector<GemmArgument> arguments, stepped;
  auto add = [&](GemmArgument argument, bool isStepped) {
    arguments.push_back(argument);
    if (isStepped)
      stepped.push_back(argument);
  };
  for (int i = 0; i < 2; ++i) {
    OperandPlan operand(config, i);
    // A tensor map knows the strides of its tensor.
    if (config.isWarpSpecialized())
      add({GemmArgument::TensorMap, i}, /*isStepped=*/false);
    else
      add({GemmArgument::Elements, i}, /*isStepped=*/true);
    if (operand.config.format)
      add({GemmArgument::Scales, i}, /*isStepped=*/true);
    if (operand.hasZeroPoints())
      add({GemmArgument::ZeroPoints, i}, /*isStepped=*/true);
    if (operand.hasSecondLevel())
      add({GemmArgument::Amax, i}, /*isStepped=*/false);
  }
  if (config.bias)
    add({GemmArgument::Bias}, /*isStepped=*/false);
  add({GemmArgument::Result}, /*isStepped=*/true);
  arguments.push_back({GemmArgument::M});
  arguments.push_back({GemmArgument::N});
  if (ShapedType::isDynamic(config.k))
    arguments.push_back({GemmArgument::K});
  for (int dim = 0; dim < config.batchDims; ++dim) {
    arguments.push_back({GemmArgument::BatchExtent, 0, dim});
    for (const GemmArgument &of : stepped)
      arguments.push_back(
          {GemmArgument::BatchStride, of.operand, dim, of.role});
  }
  return arguments;
}

GemmArguments::GemmArguments(Emitter &emitter, const GemmConfig &config,
                             StringRef name)
    : e(&emitter), config(&config), roles(getGemmArguments(config)) {
  SmallVector<Type> types;
  SmallVector<int64_t> maps;
  for (auto [i, argument] : llvm::enumerate(roles)) {
    switch (argument.role) {
    case GemmArgument::M:
    case GemmArgument::N:
    case GemmArgument::K:
    case GemmArgument::BatchExtent:
      types.push_back(e->getI32Type());
      break;
    case GemmArgument::BatchStride:
      types.push_back(e->getI64Type());
      break;
    case GemmArgument::TensorMap:
      types.push_back(e->getGenericPointerType());
      maps.push_back(i);
      break;
    default:
      types.push_back(e->getGlobalPointerType());
    }
  }
  gpu::GPUFuncOp func = e->startKernel(name, types, config.getNumThreads());
  if (!maps.empty())
    func->setAttr(getTensorMapsAttrName(), e->getDenseI64ArrayAttr(maps));
  llvm::append_range(values, func.getArguments());
}

Value GemmArguments::get(GemmArgument::Role role, int operand) const {
  for (auto [argument, value] : llvm::zip_equal(roles, values))
    if (argument.role == role && argument.operand == operand)
      return value;
  return Value();
}

I32 GemmArguments::getK() const {
  return ShapedType::isDynamic(config->k) ? I32(*e, get(GemmArgument::K))
                                          : I32(config->k);
}

I32 GemmArguments::getNumBatches() const {
  I32 count = 1;
  for (auto [argument, value] : llvm::zip_equal(roles, values))
    if (argument.role == GemmArgument::BatchExtent)
      count = count * I32(*e, value);
  return count;
}

SmallVector<I32> GemmArguments::getBatchIndex(I32 batch) const {
  SmallVector<I32> index(config->batchDims, 0);
  for (int64_t dim = config->batchDims - 1; dim >= 0; --dim)
    for (auto [argument, value] : llvm::zip_equal(roles, values))
      if (argument.role == GemmArgument::BatchExtent && argument.dim == dim) {
        index[dim] = dim == 0 ? batch : batch % I32(*e, value);
        batch = dim == 0 ? batch : batch / I32(*e, value);
      }
  return index;
}

GemmArguments GemmArguments::getBatch(ArrayRef<I32> index) const {
  GemmArguments moved = *this;
  for (auto [stride, bytes] : llvm::zip_equal(roles, values)) {
    if (stride.role != GemmArgument::BatchStride)
      continue;
    for (auto [argument, value] : llvm::zip_equal(roles, moved.values))
      if (argument.role == stride.of && argument.operand == stride.operand)
        value = e->advance64(
            value,
            arith::MulIOp::create(*e, e->get64(index[stride.dim]), bytes));
  }
  return moved;
}
