// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Convert.h"
#include "Launch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mx;
using kernels::QuantizeArgument;
using kernels::QuantizeConfig;

static FailureOr<QuantizeConfig> getConfig(QuantizeOp op) {
  auto kernel = op->getAttrOfType<KernelAttr>("mx.kernel");
  auto input = cast<MemRefType>(op.getInput().getType());
  QuantizeConfig config;
  config.format = op.getFormat().getValue();
  config.input = input.getElementType();
  config.warps = kernel.getWarps()[0];
  if (int64_t(op.getAxis()) != input.getRank() - 1)
    return op.emitOpError("no kernel quantises along dimension ")
           << op.getAxis() << ", which is not the innermost";
  if (op.getRounding() != Rounding::rne)
    return op.emitOpError("no kernel rounds stochastically");
  Type elements = getElementTypeOrSelf(op.getElementsInit());
  if (elements.getIntOrFloatBitWidth() < 8)
    return op.emitOpError("elements of type ")
           << elements << " must have been packed to bytes (mx-pack-sub-byte)";
  // All matrices are one where blocks are single rows, or one for the tensor.
  bool endsWithMatrix = config.format.blockRows != 1 &&
                        !(config.format.blockRows == Format::Whole &&
                          config.format.blockCols == Format::Whole);
  config.batched = endsWithMatrix && input.getRank() > 2;
  config.k = input.getShape().back();
  if (failed(kernels::verifyQuantize(
          config, [&] { return op.emitOpError("has no such kernel: "); })))
    return failure();
  return config;
}

/// Product of the extents of dimensions `begin` up to `end`.
static Value getExtent(HostBuilder &b, Value memref, int64_t begin,
                       int64_t end) {
  Value extent = b.getIndex(1);
  for (int64_t dim = begin; dim < end; ++dim)
    extent = b.multiply(extent, b.getDim(memref, dim));
  return extent;
}

static Value getArgument(HostBuilder &b, QuantizeOp op,
                         const QuantizeConfig &config,
                         QuantizeArgument argument, Launch &launch) {
  // Rows of one matrix from dimension `firstRow` on.
  int64_t axis = op.getAxis(), firstRow = config.batched ? axis - 1 : 0;
  auto getOnDevice = [&](Value memref, bool isOutput) {
    return b.getPointer(launch.getOnDevice(memref, /*read=*/!isOutput,
                                           /*written=*/isOutput));
  };
  switch (argument) {
  case QuantizeArgument::Input:
    return getOnDevice(op.getInput(), /*isOutput=*/false);
  case QuantizeArgument::Amax:
    return getOnDevice(op.getAmax(), /*isOutput=*/false);
  case QuantizeArgument::Elements:
    return getOnDevice(op.getElementsInit(), /*isOutput=*/true);
  case QuantizeArgument::Scales:
    return getOnDevice(op.getScalesInit(), /*isOutput=*/true);
  case QuantizeArgument::ZeroPoints:
    return getOnDevice(op.getOutputs()[2], /*isOutput=*/true);
  case QuantizeArgument::M:
    return b.cast(getExtent(b, op.getInput(), firstRow, axis), b.getI32Type());
  case QuantizeArgument::K:
    return b.cast(b.getDim(op.getInput(), axis), b.getI32Type());
  case QuantizeArgument::Batches:
    return b.cast(getExtent(b, op.getInput(), 0, firstRow), b.getI32Type());
  }
  llvm_unreachable("unknown argument");
}

LogicalResult mx::convertToGPU(QuantizeOp op, KernelTable &kernels,
                               function_ref<bool(Value)> isOnDevice) {
  FailureOr<QuantizeConfig> config = getConfig(op);
  if (failed(config))
    return failure();
  auto chip = op->getAttrOfType<KernelAttr>("mx.kernel").getChip();
  gpu::GPUFuncOp kernel = kernels.get(*config, chip, op.getLoc());

  HostBuilder b(op.getLoc(), op);
  Value scales = op.getScalesInit();
  Value numBlocks =
      getExtent(b, scales, 0, cast<MemRefType>(scales.getType()).getRank());
  Value threads =
      b.multiply(numBlocks, b.getIndex(config->getThreadsOfBlock()));
  Value one = b.getIndex(1);
  SmallVector<Value> grid = {b.divideCeil(threads, config->getNumThreads()),
                             one, one};
  emitUnlessEmpty(b, grid, [&] {
    Launch launch(b, isOnDevice);
    SmallVector<Value> arguments;
    for (QuantizeArgument argument : kernels::getQuantizeArguments(*config))
      arguments.push_back(getArgument(b, op, *config, argument, launch));
    launch.launch(kernel, grid, config->getNumThreads(), /*sharedBytes=*/0,
                  arguments);
    launch.finish();
  });
  op.erase();
  return success();
}
