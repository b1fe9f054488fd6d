// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TilingInterface of all ops but mx.matmul. The iteration space is that of the
// elements that are read or written in high precision. A tile is refused unless
// it is known to hold whole blocks (or groups of a transform).

#include "Tiling.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mx;

using Offsets = ArrayRef<OpFoldResult>;
using utils::IteratorType;

//===----------------------------------------------------------------------===//
// Shared
//===----------------------------------------------------------------------===//

LogicalResult mx::refuseTiling(Operation *op, const Twine &why) {
  op->emitRemark("not tiled: ") << why;
  return failure();
}

LogicalResult mx::verifyTileable(Operation *op) {
  if (!cast<DestinationStyleOpInterface>(op).hasPureTensorSemantics())
    return refuseTiling(op, "on memrefs; tile before bufferization");
  for (Type type : op->getOperandTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (tensor && tensor.getEncoding())
      return refuseTiling(op, "a layout has no slices; tile before "
                              "mx.relayout");
  }
  return success();
}

LogicalResult mx::verifyNotPacked(Operation *op, Value elements,
                                  const Format &format) {
  if (isPackedType(getElementTypeOrSelf(elements), format.element))
    return refuseTiling(op,
                        "elements are packed; tile before mx-pack-sub-byte");
  return success();
}

SmallVector<Range> mx::getElementDomain(OpBuilder &b, Location loc,
                                        Value value) {
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  return llvm::map_to_vector(
      TileMath(b, loc).getSizes(value),
      [&](OpFoldResult size) { return Range{zero, size, one}; });
}

Tile mx::getScaleTile(TileMath &math, ArrayRef<int64_t> block,
                      const Tile &elements) {
  Tile scales;
  for (auto [extent, offset, size] :
       llvm::zip_equal(block, elements.offsets, elements.sizes)) {
    if (extent == Format::Whole)
      scales.push(math.constant(0), math.constant(1));
    else
      scales.push(math.floorDiv(offset, extent), math.ceilDiv(size, extent));
  }
  return scales;
}

void TiledOperands::addSlice(Value value, const Tile &tile) {
  OpFoldResults strides(tile.offsets.size(), builder.getIndexAttr(1));
  auto slice = tensor::ExtractSliceOp::create(
      builder, op->getLoc(), value, tile.offsets, tile.sizes, strides);
  slices.push_back(slice);
  operands.push_back(slice);
}

void TiledOperands::addSlices(const ElementRegion &region, const Tile &tile) {
  for (auto [i, input] : llvm::enumerate(region.inputs)) {
    AffineMap map = region.getMap(i);
    addSlice(input, {applyPermutationMap(map, ArrayRef(tile.offsets)),
                     applyPermutationMap(map, ArrayRef(tile.sizes))});
  }
}

TilingResult TiledOperands::build() {
  // The types of the results are those of the inits' slices.
  SmallVector<Type> types;
  auto destination = cast<DestinationStyleOpInterface>(op);
  for (OpOperand &init : destination.getDpsInitsMutable())
    types.push_back(operands[init.getOperandNumber()].getType());
  Operation *tiled = mlir::clone(builder, op, types, operands);
  return {{tiled}, llvm::to_vector_of<Value>(tiled->getResults()), slices};
}

/// `generateResultTileValue` of every op, from two of its other methods.
static FailureOr<TilingResult> generateResultTile(TilingInterface op,
                                                  OpBuilder &b, unsigned result,
                                                  Offsets offsets,
                                                  Offsets sizes) {
  Tile tile;
  if (failed(op.getIterationDomainTileFromResultTile(b, result, offsets, sizes,
                                                     tile.offsets, tile.sizes)))
    return failure();
  FailureOr<TilingResult> tiled =
      op.getTiledImplementation(b, tile.offsets, tile.sizes);
  if (failed(tiled))
    return failure();
  tiled->tiledValues = {tiled->tiledValues[result]};
  return tiled;
}

static Tile toTile(Offsets offsets, Offsets sizes) {
  return {llvm::to_vector(offsets), llvm::to_vector(sizes)};
}

static void assign(const Tile &tile, SmallVectorImpl<OpFoldResult> &offsets,
                   SmallVectorImpl<OpFoldResult> &sizes) {
  offsets = tile.offsets;
  sizes = tile.sizes;
}

/// What ops whose only result is elements have in common.
#define MX_DEFINE_ELEMENT_TILES(OP)                                            \
  LogicalResult OP::getResultTilePosition(                                     \
      OpBuilder &b, unsigned result, Offsets offsets, Offsets sizes,           \
      OpFoldResults &resultOffsets, OpFoldResults &resultSizes) {              \
    assign(toTile(offsets, sizes), resultOffsets, resultSizes);                \
    return success();                                                          \
  }                                                                            \
  LogicalResult OP::getIterationDomainTileFromResultTile(                      \
      OpBuilder &b, unsigned result, Offsets offsets, Offsets sizes,           \
      SmallVectorImpl<OpFoldResult> &domainOffsets,                            \
      SmallVectorImpl<OpFoldResult> &domainSizes) {                            \
    assign(toTile(offsets, sizes), domainOffsets, domainSizes);                \
    return success();                                                          \
  }

MX_DEFINE_ELEMENT_TILES(DequantizeOp)
MX_DEFINE_ELEMENT_TILES(HadamardOp)
#undef MX_DEFINE_ELEMENT_TILES

#define MX_DEFINE_RESULT_TILE(OP)                                              \
  FailureOr<TilingResult> OP::generateResultTileValue(                         \
      OpBuilder &b, unsigned result, Offsets offsets, Offsets sizes) {         \
    return generateResultTile(*this, b, result, offsets, sizes);               \
  }

MX_DEFINE_RESULT_TILE(QuantizeOp)
MX_DEFINE_RESULT_TILE(DequantizeOp)
MX_DEFINE_RESULT_TILE(HadamardOp)
MX_DEFINE_RESULT_TILE(AmaxOp)
MX_DEFINE_RESULT_TILE(MatmulOp)
#undef MX_DEFINE_RESULT_TILE

static SmallVector<IteratorType> getParallel(Value value) {
  int64_t rank = cast<ShapedType>(value.getType()).getRank();
  return SmallVector<IteratorType>(rank, IteratorType::parallel);
}

//===----------------------------------------------------------------------===//
// QuantizeOp
//===----------------------------------------------------------------------===//

static std::string printExtent(int64_t block) {
  return block == Format::Whole ? "all" : std::to_string(block);
}

static SmallVector<int64_t> getBlock(QuantizeOp op) {
  auto type = cast<ShapedType>(op.getInput().getType());
  return getBlockShape(op.getFormat().getValue(), type.getRank(), op.getAxis());
}

SmallVector<IteratorType> QuantizeOp::getLoopIteratorTypes() {
  return getParallel(getInput());
}

SmallVector<Range> QuantizeOp::getIterationDomain(OpBuilder &b) {
  return getElementDomain(b, getLoc(), getInput());
}

FailureOr<TilingResult> QuantizeOp::getTiledImplementation(OpBuilder &b,
                                                           Offsets offsets,
                                                           Offsets sizes) {
  const Format &format = getFormat().getValue();
  if (failed(verifyTileable(*this)) ||
      failed(verifyNotPacked(*this, getElementsInit(), format)))
    return failure();
  if (getRounding() == Rounding::sr)
    return refuseTiling(*this, "random bits are counted in the whole tensor");
  if (format.doubleQuant)
    return refuseTiling(*this, "double quantisation spans 256 blocks");
  SmallVector<int64_t> block = getBlock(*this);
  for (auto [dim, extent] : llvm::enumerate(block))
    if (!isKnownWholeBlocks(offsets[dim], sizes[dim], extent,
                            {getInput(), getElementsInit()}, dim))
      return refuseTiling(
          *this, "a tile must hold whole blocks (" + printExtent(extent) +
                     " elements) along dimension " + Twine(dim) +
                     ", and this one is not known to");

  Tile elements = toTile(offsets, sizes);
  TileMath math(b, getLoc());
  Tile scales = getScaleTile(math, block, elements);
  TiledOperands operands(b, *this);
  operands.addSlice(getInput(), elements);
  for (Value value : {getAmax(), Value(getSeed()), Value(getOffset())})
    if (value)
      operands.add(value);
  operands.addSlices(getElementRegion(), elements);
  operands.addSlice(getElementsInit(), elements);
  for (Value init : getOutputs().drop_front())
    operands.addSlice(init, scales);
  return operands.build();
}

LogicalResult QuantizeOp::getResultTilePosition(OpBuilder &b, unsigned result,
                                                Offsets offsets, Offsets sizes,
                                                OpFoldResults &resultOffsets,
                                                OpFoldResults &resultSizes) {
  Tile tile = toTile(offsets, sizes);
  TileMath math(b, getLoc());
  if (result != 0)
    tile = getScaleTile(math, getBlock(*this), tile);
  assign(tile, resultOffsets, resultSizes);
  return success();
}

LogicalResult QuantizeOp::getIterationDomainTileFromResultTile(
    OpBuilder &b, unsigned result, Offsets offsets, Offsets sizes,
    SmallVectorImpl<OpFoldResult> &domainOffsets,
    SmallVectorImpl<OpFoldResult> &domainSizes) {
  assign(toTile(offsets, sizes), domainOffsets, domainSizes);
  if (result == 0)
    return success();
  // A tile of scales: the elements of its blocks. Extents are those of the
  // elements, as a consumer that slices elements and scales takes them.
  TileMath math(b, getLoc());
  OpFoldResults extents = math.getSizes(getElementsInit());
  for (auto [dim, block] : llvm::enumerate(getBlock(*this))) {
    OpFoldResult &offset = domainOffsets[dim], &size = domainSizes[dim];
    if (block == Format::Whole) {
      offset = math.constant(0);
      size = extents[dim];
    } else if (block != 1) {
      offset = math.multiply(offset, block);
      size =
          math.clamp(offset, math.multiply(size, block), extents[dim], block);
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// DequantizeOp
//===----------------------------------------------------------------------===//

SmallVector<IteratorType> DequantizeOp::getLoopIteratorTypes() {
  return getParallel(getInit());
}

SmallVector<Range> DequantizeOp::getIterationDomain(OpBuilder &b) {
  return getElementDomain(b, getLoc(), getInit());
}

FailureOr<TilingResult> DequantizeOp::getTiledImplementation(OpBuilder &b,
                                                             Offsets offsets,
                                                             Offsets sizes) {
  const Format &format = getFormat().getValue();
  QuantizedOperand quantized = getQuantized();
  if (failed(verifyTileable(*this)) ||
      failed(verifyNotPacked(*this, quantized.elements, format)))
    return failure();
  SmallVector<int64_t> block = getBlockShape(format, offsets.size(), getAxis());
  for (auto [dim, extent] : llvm::enumerate(block))
    if (extent != Format::Whole && getKnownDivisor(offsets[dim]) % extent != 0)
      return refuseTiling(*this, "a tile must start with a block of " +
                                     Twine(extent) +
                                     " elements along dimension " + Twine(dim) +
                                     ", and this one is not known to");

  Tile elements = toTile(offsets, sizes);
  TileMath math(b, getLoc());
  Tile scales = getScaleTile(math, block, elements);
  TiledOperands operands(b, *this);
  operands.addSlice(quantized.elements, elements);
  operands.addSlice(quantized.scales, scales);
  if (quantized.zeroPoints)
    operands.addSlice(quantized.zeroPoints, scales);
  if (quantized.amax)
    operands.add(quantized.amax);
  operands.addSlice(getInit(), elements);
  return operands.build();
}

//===----------------------------------------------------------------------===//
// HadamardOp
//===----------------------------------------------------------------------===//

SmallVector<IteratorType> HadamardOp::getLoopIteratorTypes() {
  return getParallel(getInput());
}

SmallVector<Range> HadamardOp::getIterationDomain(OpBuilder &b) {
  return getElementDomain(b, getLoc(), getInput());
}

FailureOr<TilingResult> HadamardOp::getTiledImplementation(OpBuilder &b,
                                                           Offsets offsets,
                                                           Offsets sizes) {
  if (failed(verifyTileable(*this)))
    return failure();
  int64_t axis = getAxis(), size = getTransform().getSize();
  if (!isKnownWholeBlocks(offsets[axis], sizes[axis], size,
                          {getInput(), getInit()}, axis))
    return refuseTiling(*this, "a tile must hold whole groups of " +
                                   Twine(size) + " elements along dimension " +
                                   Twine(axis) +
                                   ", and this one is not known to");
  Tile tile = toTile(offsets, sizes);
  TiledOperands operands(b, *this);
  operands.addSlice(getInput(), tile);
  operands.addSlice(getInit(), tile);
  return operands.build();
}

//===----------------------------------------------------------------------===//
// AmaxOp
//===----------------------------------------------------------------------===//

SmallVector<IteratorType> AmaxOp::getLoopIteratorTypes() {
  int64_t rank = cast<ShapedType>(getInput().getType()).getRank();
  return SmallVector<IteratorType>(rank, IteratorType::reduction);
}

SmallVector<Range> AmaxOp::getIterationDomain(OpBuilder &b) {
  return getElementDomain(b, getLoc(), getInput());
}

FailureOr<TilingResult>
AmaxOp::getTiledImplementation(OpBuilder &b, Offsets offsets, Offsets sizes) {
  if (failed(verifyTileable(*this)))
    return failure();
  if (llvm::any_of(offsets, dependsOnParallelLoop))
    return refuseTiling(*this, "a maximum is not taken by a parallel loop");
  TiledOperands operands(b, *this);
  Tile tile = toTile(offsets, sizes);
  operands.addSlice(getInput(), tile);
  operands.addSlices(getElementRegion(), tile);
  operands.add(getInit());
  return operands.build();
}

LogicalResult AmaxOp::getResultTilePosition(OpBuilder &b, unsigned result,
                                            Offsets offsets, Offsets sizes,
                                            OpFoldResults &resultOffsets,
                                            OpFoldResults &resultSizes) {
  assign({}, resultOffsets, resultSizes);
  return success();
}

LogicalResult AmaxOp::getIterationDomainTileFromResultTile(
    OpBuilder &b, unsigned result, Offsets offsets, Offsets sizes,
    SmallVectorImpl<OpFoldResult> &domainOffsets,
    SmallVectorImpl<OpFoldResult> &domainSizes) {
  assign(TileMath(b, getLoc()).getWhole(getInput()), domainOffsets,
         domainSizes);
  return success();
}
