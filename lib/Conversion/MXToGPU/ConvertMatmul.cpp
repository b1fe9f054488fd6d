// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Convert.h"
#include "Launch.h"
#include "MatmulDims.h"
#include "TensorMap.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mx;
using kernels::GemmArgument;
using kernels::GemmConfig;

//===----------------------------------------------------------------------===//
// Configuration
//===----------------------------------------------------------------------===//

/// Extent of an iteration dimension, or kDynamic.
static int64_t getStaticExtent(MatmulOp op, ArrayRef<unsigned> dims) {
  AffineMap map = op.getResultMap();
  auto type = cast<MemRefType>(op.getInit().getType());
  int64_t extent = 1;
  for (auto [i, expr] : llvm::enumerate(map.getResults()))
    if (llvm::is_contained(dims, cast<AffineDimExpr>(expr).getPosition())) {
      if (type.isDynamicDim(i))
        return ShapedType::kDynamic;
      extent *= type.getDimSize(i);
    }
  return extent;
}

/// Codes in a byte of packed elements; 1 if they are not packed.
static int64_t getCodesPerByte(Value elements,
                               const std::optional<Format> &format) {
  Type type = getElementTypeOrSelf(elements);
  if (!format || !type.isInteger(8))
    return 1;
  unsigned bits = getBitWidth(format->element);
  return bits <= 4 ? 8 / bits : 1;
}

static FailureOr<GemmConfig> getConfig(MatmulOp op, const MatmulDims &dims,
                                       bool accumulate) {
  auto kernel = op->getAttrOfType<KernelAttr>("mx.kernel");
  GemmConfig config;
  config.atom = kernel.getAtom();
  config.tileM = kernel.getTile()[0];
  config.tileN = kernel.getTile()[1];
  config.tileK = kernel.getTile()[2];
  config.warpsM = kernel.getWarps()[0];
  config.warpsN = kernel.getWarps()[1];
  config.stages = kernel.getStages();

  config.k = ShapedType::kDynamic;
  for (int i = 0; i < 2; ++i) {
    auto &operand = i == 0 ? config.lhs : config.rhs;
    Value elements = dims.getOperand(op, i).elements;
    operand.format = dims.getFormat(op, i);
    Type type = getElementTypeOrSelf(elements);
    if (!operand.format) {
      if (!type.isF32() && !type.isF16() && !type.isBF16())
        return op.emitOpError("no kernel multiplies elements of type ") << type;
      operand.type = type;
    } else if (type.getIntOrFloatBitWidth() < 8) {
      return op.emitOpError("elements of type ")
             << type << " must have been packed to bytes (mx-pack-sub-byte)";
    }
    // Packed elements count whole bytes; the other operand may know better.
    auto memref = cast<MemRefType>(elements.getType());
    int64_t k = memref.getShape().back();
    if (!ShapedType::isDynamic(k)) {
      k *= getCodesPerByte(elements, operand.format);
      config.k = ShapedType::isDynamic(config.k) ? k : std::min(config.k, k);
    }
  }

  config.result = getElementTypeOrSelf(op.getInit());
  config.accumulate = accumulate;
  int64_t m = getStaticExtent(op, dims.m), n = getStaticExtent(op, dims.n);
  config.wholeM = !ShapedType::isDynamic(m) && m % config.tileM == 0;
  config.wholeN = !ShapedType::isDynamic(n) && n % config.tileN == 0;
  config.evenN = !ShapedType::isDynamic(n) && n % 2 == 0;
  config.batchDims = dims.batch.size();
  if (config.isWarpSpecialized()) {
    config.promoteEvery = op.getPromoteEvery();
    for (int i = 0; i < 2; ++i)
      for (auto [position, dim] : llvm::enumerate(dims.batch))
        if (dims.getMap(op, i).isFunctionOfDim(dim))
          config.batchesOf[i] |= 1u << position;
  }
  if (Value bias = op.getBias()) {
    AffineMap map = op.getBiasMap();
    if (dims.n.size() != 1 || map.getNumResults() != 1 ||
        !map.isFunctionOfDim(dims.n[0]))
      return op.emitOpError("no kernel adds a bias that is no vector over the "
                            "result's columns");
    config.bias = getElementTypeOrSelf(bias);
  }
  if (failed(kernels::verifyGemm(
          config, [&] { return op.emitOpError("has no such kernel: "); })))
    return failure();
  return config;
}

//===----------------------------------------------------------------------===//
// Host code
//===----------------------------------------------------------------------===//

namespace {
/// The host code of one matmul.
class MatmulLaunch {
public:
  MatmulLaunch(HostBuilder &b, MatmulOp op, const MatmulDims &dims,
               const GemmConfig &config)
      : b(b), op(op), dims(dims), config(config) {}

  void build(gpu::GPUFuncOp kernel, function_ref<bool(Value)> isOnDevice);

private:
  Value getExtent(unsigned dim);
  Value getExtent(ArrayRef<unsigned> list);
  Value getK();
  /// Bytes between neighbours along `dim` in a dense buffer with these indices.
  Value getStride(Value memref, AffineMap map, unsigned dim,
                  int64_t elementBytes);
  Value getBuffer(GemmArgument::Role role, int operand);
  Value getTensorMap(int operand, Launch &launch);
  Value getArgument(const GemmArgument &argument, Launch &launch);
  /// A block for each multiprocessor, or tile if these are fewer.
  SmallVector<Value> getPersistentGrid(ArrayRef<Value> tiles);

  HostBuilder &b;
  MatmulOp op;
  const MatmulDims &dims;
  const GemmConfig &config;
};
} // namespace

Value MatmulLaunch::getExtent(unsigned dim) {
  for (auto [i, expr] : llvm::enumerate(op.getResultMap().getResults()))
    if (cast<AffineDimExpr>(expr).getPosition() == dim)
      return b.getDim(op.getInit(), i);
  llvm_unreachable("every dimension but K is one of the result");
}

Value MatmulLaunch::getExtent(ArrayRef<unsigned> list) {
  Value extent = b.getIndex(1);
  for (unsigned dim : list)
    extent = b.multiply(extent, getExtent(dim));
  return extent;
}

Value MatmulLaunch::getK() {
  Value least;
  for (int i = 0; i < 2; ++i) {
    Value elements = dims.getOperand(op, i).elements;
    int64_t rank = cast<MemRefType>(elements.getType()).getRank();
    Value k = b.multiply(
        b.getDim(elements, rank - 1),
        b.getIndex(getCodesPerByte(elements, dims.getFormat(op, i))));
    least = least ? b.createOrFold<arith::MinUIOp>(least, k) : k;
  }
  return least;
}

Value MatmulLaunch::getStride(Value memref, AffineMap map, unsigned dim,
                              int64_t elementBytes) {
  Value stride = b.getIndex(elementBytes);
  for (int64_t i = map.getNumResults() - 1; i >= 0; --i) {
    if (cast<AffineDimExpr>(map.getResult(i)).getPosition() == dim)
      return stride;
    stride = b.multiply(stride, b.getDim(memref, i));
  }
  return b.getIndex(0);
}

Value MatmulLaunch::getBuffer(GemmArgument::Role role, int operand) {
  QuantizedOperand values = dims.getOperand(op, operand);
  switch (role) {
  case GemmArgument::Elements:
    return values.elements;
  case GemmArgument::Scales:
    return values.scales;
  case GemmArgument::ZeroPoints:
    return values.zeroPoints;
  case GemmArgument::Amax:
    return values.amax;
  case GemmArgument::Bias:
    return op.getBias();
  default:
    return op.getInit();
  }
}

Value MatmulLaunch::getTensorMap(int operand, Launch &launch) {
  kernels::TensorMapConfig map = kernels::getTensorMap(config, operand);
  Value elements = dims.getOperand(op, operand).elements;
  Value device = launch.getOnDevice(elements, /*read=*/true, /*written=*/false);
  TensorExtents tensor;
  tensor.extents = {getK(), getExtent(operand == 0 ? dims.m : dims.n)};
  tensor.strides = {b.multiply(getK(), b.getIndex(map.elementBytes))};
  for (unsigned dim : llvm::reverse(dims.batch)) {
    AffineMap indices = dims.getMap(op, operand);
    if (!indices.isFunctionOfDim(dim))
      continue;
    tensor.extents.push_back(getExtent(dim));
    tensor.strides.push_back(
        getStride(elements, indices, dim, map.elementBytes));
  }
  return encodeTensorMap(b, map, device, tensor);
}

Value MatmulLaunch::getArgument(const GemmArgument &argument, Launch &launch) {
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  switch (argument.role) {
  case GemmArgument::M:
    return b.cast(getExtent(dims.m), i32);
  case GemmArgument::N:
    return b.cast(getExtent(dims.n), i32);
  case GemmArgument::K:
    return b.cast(getK(), i32);
  case GemmArgument::BatchExtent:
    return b.cast(getExtent(dims.batch[argument.dim]), i32);
  case GemmArgument::BatchStride: {
    Value memref = getBuffer(argument.of, argument.operand);
    bool isResult = argument.of == GemmArgument::Result;
    AffineMap map =
        isResult ? op.getResultMap() : dims.getMap(op, argument.operand);
    // One scale for all of a tensor does not step with its batches.
    std::optional<Format> format = dims.getFormat(op, argument.operand);
    if (!isResult && argument.of != GemmArgument::Elements && format &&
        format->blockRows == Format::Whole &&
        format->blockCols == Format::Whole)
      return b.cast(b.getIndex(0), i64);
    int64_t bytes = getElementTypeOrSelf(memref).getIntOrFloatBitWidth() / 8;
    return b.cast(getStride(memref, map, dims.batch[argument.dim], bytes), i64);
  }
  case GemmArgument::TensorMap:
    return getTensorMap(argument.operand, launch);
  case GemmArgument::Result:
    return b.getPointer(launch.getOnDevice(
        op.getInit(), /*read=*/config.accumulate, /*written=*/true));
  default:
    return b.getPointer(
        launch.getOnDevice(getBuffer(argument.role, argument.operand),
                           /*read=*/true, /*written=*/false));
  }
}

SmallVector<Value> MatmulLaunch::getPersistentGrid(ArrayRef<Value> tiles) {
  auto kernel = op->getAttrOfType<KernelAttr>("mx.kernel");
  Value blocks = b.getIndex(1);
  for (Value extent : tiles)
    blocks = b.multiply(blocks, extent);
  Value processors = b.getIndex(lookupChip(kernel.getChip())->sms);
  return {b.createOrFold<arith::MinUIOp>(blocks, processors), b.getIndex(1),
          b.getIndex(1)};
}

void MatmulLaunch::build(gpu::GPUFuncOp kernel,
                         function_ref<bool(Value)> isOnDevice) {
  SmallVector<Value> grid = {b.divideCeil(getExtent(dims.m), config.tileM),
                             b.divideCeil(getExtent(dims.n), config.tileN),
                             getExtent(dims.batch)};
  emitUnlessEmpty(b, grid, [&] {
    Launch launch(b, isOnDevice);
    SmallVector<Value> arguments;
    for (const GemmArgument &argument : kernels::getGemmArguments(config))
      arguments.push_back(getArgument(argument, launch));
    if (config.isWarpSpecialized())
      grid = getPersistentGrid(grid);
    launch.launch(kernel, grid, config.getNumThreads(),
                  kernels::getGemmSharedBytes(config), arguments);
    launch.finish();
  });
}

LogicalResult mx::convertToGPU(MatmulOp op, bool accumulate,
                               KernelTable &kernels,
                               function_ref<bool(Value)> isOnDevice) {
  FailureOr<MatmulDims> dims = MatmulDims::get(op);
  if (failed(dims))
    return failure();
  FailureOr<GemmConfig> config = getConfig(op, *dims, accumulate);
  if (failed(config))
    return failure();
  auto chip = op->getAttrOfType<KernelAttr>("mx.kernel").getChip();
  gpu::GPUFuncOp kernel = kernels.get(*config, chip, op.getLoc());
  HostBuilder b(op.getLoc(), op);
  MatmulLaunch(b, op, *dims, *config).build(kernel, isOnDevice);
  op.erase();
  return success();
}
