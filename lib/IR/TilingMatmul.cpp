// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TilingInterface of mx.matmul. The iteration space is that of the indexing
// maps, but K is counted in blocks (the longer ones of the two operands): every
// tile of K then starts with a block, whatever its size.

#include "Tiling.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mx;

using Offsets = ArrayRef<OpFoldResult>;
using utils::IteratorType;

SmallVector<IteratorType> MatmulOp::getLoopIteratorTypes() {
  SmallVector<IteratorType> types(getResultMap().getNumDims(),
                                  IteratorType::parallel);
  types[getReductionDim()] = IteratorType::reduction;
  return types;
}

/// The extent of an iteration dimension from the first operand that has it.
static OpFoldResult getExtent(MatmulOp op, TileMath &math, unsigned dim) {
  AffineExpr expr = getAffineDimExpr(dim, op.getContext());
  if (std::optional<unsigned> i = op.getLhsMap().getResultPosition(expr))
    return math.getSizes(op.getLhsOperand().elements)[*i];
  unsigned i = *op.getRhsMap().getResultPosition(expr);
  return math.getSizes(op.getRhsOperand().elements)[i];
}

SmallVector<Range> MatmulOp::getIterationDomain(OpBuilder &b) {
  TileMath math(b, getLoc());
  SmallVector<Range> domain;
  for (unsigned dim = 0; dim < getResultMap().getNumDims(); ++dim) {
    OpFoldResult extent = getExtent(*this, math, dim);
    if (dim == getReductionDim())
      extent = math.ceilDiv(extent, getBlockUnit());
    domain.push_back({math.constant(0), extent, math.constant(1)});
  }
  return domain;
}

namespace {
/// The operands of one tile.
class MatmulTiler {
public:
  MatmulTiler(MatmulOp op, OpBuilder &b, const Tile &iteration)
      : op(op), math(b, op.getLoc()), iteration(iteration), tiled(b, op),
        k(op.getReductionDim()), unit(op.getBlockUnit()) {}

  LogicalResult add(ValueRange values, std::optional<FormatAttr> format,
                    AffineMap map) {
    if (format)
      return addQuantized(QuantizedOperand(values, format->getValue()),
                          format->getValue(), map);
    tiled.addSlice(values.front(), getElementTile(values.front(), map));
    return success();
  }

  /// The inputs of an epilogue, applied to the result.
  void add(const ElementRegion &epilogue, AffineMap resultMap) {
    tiled.addSlices(
        epilogue, {applyPermutationMap(resultMap, ArrayRef(iteration.offsets)),
                   applyPermutationMap(resultMap, ArrayRef(iteration.sizes))});
  }

  TilingResult build() { return tiled.build(); }

private:
  /// The tile of a tensor of elements. The extent of K is the operand's own, so
  /// that a quantise fused for its elements and one for its scales are equal.
  Tile getElementTile(Value value, AffineMap map) {
    Tile tile;
    OpFoldResults extents = math.getSizes(value);
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      unsigned position = cast<AffineDimExpr>(expr).getPosition();
      OpFoldResult offset = iteration.offsets[position];
      OpFoldResult size = iteration.sizes[position];
      if (position == k) {
        offset = math.multiply(offset, unit);
        size =
            math.clamp(offset, math.multiply(size, unit), extents[dim], unit);
      }
      tile.push(offset, size);
    }
    return tile;
  }

  LogicalResult addQuantized(const QuantizedOperand &operand,
                             const Format &format, AffineMap map) {
    if (failed(verifyNotPacked(op, operand.elements, format)))
      return failure();
    int64_t axis = *map.getResultPosition(getAffineDimExpr(k, op.getContext()));
    SmallVector<int64_t> block =
        getBlockShape(format, map.getNumResults(), axis);
    Tile elements = getElementTile(operand.elements, map);
    for (auto [dim, extent] : llvm::enumerate(block))
      if (extent != Format::Whole &&
          getKnownDivisor(elements.offsets[dim]) % extent != 0)
        return refuseTiling(op, "a tile must start with a block of " +
                                    Twine(extent) + " elements along " +
                                    operandDim(map, dim) +
                                    ", and this one is not known to");
    // Along K the iteration counts blocks already.
    block[axis] = Format::Whole;
    Tile scales = getScaleTile(math, block, elements);
    if (format.blockCols != Format::Whole)
      setScaleTileAlongK(scales, operand.scales, axis, unit / format.blockCols);
    tiled.addSlice(operand.elements, elements);
    tiled.addSlice(operand.scales, scales);
    if (operand.zeroPoints)
      tiled.addSlice(operand.zeroPoints, scales);
    if (operand.amax)
      tiled.add(operand.amax);
    return success();
  }

  static std::string operandDim(AffineMap map, unsigned dim) {
    unsigned position = cast<AffineDimExpr>(map.getResult(dim)).getPosition();
    return "d" + std::to_string(position);
  }

  /// A block of the iteration has `ratio` scales.
  void setScaleTileAlongK(Tile &tile, Value scales, int64_t axis,
                          int64_t ratio) {
    OpFoldResult offset = math.multiply(iteration.offsets[k], ratio);
    OpFoldResult size = math.multiply(iteration.sizes[k], ratio);
    tile.offsets[axis] = offset;
    // Where it has one, the iteration ends with the scales.
    if (ratio != 1)
      size = math.clamp(offset, size, math.getSizes(scales)[axis], ratio);
    tile.sizes[axis] = size;
  }

  MatmulOp op;
  TileMath math;
  const Tile &iteration;
  TiledOperands tiled;
  unsigned k;
  int64_t unit;
};
} // namespace

/// Whether a tile is known to cover all of K. A loop over K has a variable as
/// offset; where the extent is dynamic, only no loop gives a constant.
static bool coversK(MatmulOp op, OpFoldResult offset, OpFoldResult size) {
  if (!isZeroInteger(offset))
    return false;
  int64_t extent = op.getIterationShape()[op.getReductionDim()];
  std::optional<int64_t> constant = getConstantIntValue(size);
  return ShapedType::isDynamic(extent) || !constant ||
         *constant * op.getBlockUnit() >= extent;
}

FailureOr<TilingResult>
MatmulOp::getTiledImplementation(OpBuilder &b, Offsets offsets, Offsets sizes) {
  if (failed(verifyTileable(*this)))
    return failure();
  unsigned k = getReductionDim();
  if (dependsOnParallelLoop(offsets[k]))
    return refuseTiling(*this, "a sum is not taken by a parallel loop");
  if (!coversK(*this, offsets[k], sizes[k])) {
    if (!getEpilogue().empty())
      return refuseTiling(*this, "a loop over K would apply the epilogue to "
                                 "each partial sum; run mx-inline-regions "
                                 "first");
    if (getBias())
      return refuseTiling(*this, "a loop over K would add the bias each time; "
                                 "add it to the init");
    if (!getElementTypeOrSelf(getInit()).isF32())
      return refuseTiling(*this, "a loop over K would round each partial sum; "
                                 "make the init f32");
  }

  Tile iteration{llvm::to_vector(offsets), llvm::to_vector(sizes)};
  MatmulTiler tiler(*this, b, iteration);
  if (failed(tiler.add(getLhs(), getLhsFormat(), getLhsMap())) ||
      failed(tiler.add(getRhs(), getRhsFormat(), getRhsMap())) ||
      (getBias() && failed(tiler.add(getBias(), std::nullopt, getBiasMap()))))
    return failure();
  tiler.add(getElementRegion(), getResultMap());
  if (failed(tiler.add(getInit(), std::nullopt, getResultMap())))
    return failure();
  return tiler.build();
}

LogicalResult MatmulOp::getResultTilePosition(OpBuilder &b, unsigned result,
                                              Offsets offsets, Offsets sizes,
                                              OpFoldResults &resultOffsets,
                                              OpFoldResults &resultSizes) {
  resultOffsets = applyPermutationMap(getResultMap(), offsets);
  resultSizes = applyPermutationMap(getResultMap(), sizes);
  return success();
}

LogicalResult MatmulOp::getIterationDomainTileFromResultTile(
    OpBuilder &b, unsigned result, Offsets offsets, Offsets sizes,
    SmallVectorImpl<OpFoldResult> &domainOffsets,
    SmallVectorImpl<OpFoldResult> &domainSizes) {
  for (const Range &range : getIterationDomain(b)) {
    domainOffsets.push_back(range.offset);
    domainSizes.push_back(range.size);
  }
  for (auto [dim, expr] : llvm::enumerate(getResultMap().getResults())) {
    unsigned position = cast<AffineDimExpr>(expr).getPosition();
    domainOffsets[position] = offsets[dim];
    domainSizes[position] = sizes[dim];
  }
  return success();
}
