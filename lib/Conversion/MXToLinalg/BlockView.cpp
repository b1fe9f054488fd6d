// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BlockView.h"

#include "mx/IR/FormatTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mx;

/// ceil(size / block).
static OpFoldResult countBlocks(ImplicitLocOpBuilder &b, OpFoldResult size,
                                int64_t block) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return b.getIndexAttr(llvm::divideCeil(*constant, block));
  Value divisor = arith::ConstantIndexOp::create(b, block);
  return arith::CeilDivUIOp::create(b, cast<Value>(size), divisor).getResult();
}

static OpFoldResult multiply(ImplicitLocOpBuilder &b, OpFoldResult size,
                             int64_t factor) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return b.getIndexAttr(*constant * factor);
  Value value = arith::ConstantIndexOp::create(b, factor);
  return arith::MulIOp::create(b, cast<Value>(size), value).getResult();
}

static OpFoldResult subtract(ImplicitLocOpBuilder &b, OpFoldResult lhs,
                             OpFoldResult rhs) {
  std::optional<int64_t> l = getConstantIntValue(lhs);
  std::optional<int64_t> r = getConstantIntValue(rhs);
  if (l && r)
    return b.getIndexAttr(*l - *r);
  return arith::SubIOp::create(
             b, getValueOrCreateConstantIndexOp(b, b.getLoc(), lhs),
             getValueOrCreateConstantIndexOp(b, b.getLoc(), rhs))
      .getResult();
}

BlockView::BlockView(ImplicitLocOpBuilder &b, Value tensor,
                     const Format &format, int64_t axis)
    : context(b.getContext()) {
  sizes = tensor::getMixedSizes(b, b.getLoc(), tensor);
  paddedSizes = sizes;
  SmallVector<int64_t> blocks = getBlockShape(format, sizes.size(), axis);
  ReassociationIndices units;
  for (auto [dim, block] : llvm::enumerate(blocks)) {
    ReassociationIndices &group = elementGroups.emplace_back();
    group.push_back(numLoops++);
    if (block == Format::Whole) {
      loopSizes.push_back(sizes[dim]);
      units.push_back(dim);
      continue;
    }
    // Unit dimensions of the scales so far go with this one.
    scaleLoops.push_back(group.front());
    units.push_back(dim);
    scaleGroups.push_back(std::exchange(units, {}));
    if (block == 1) {
      loopSizes.push_back(sizes[dim]);
      continue;
    }
    group.push_back(numLoops++);
    OpFoldResult count = countBlocks(b, sizes[dim], block);
    loopSizes.append({count, b.getIndexAttr(block)});
    std::optional<int64_t> extent = getConstantIntValue(sizes[dim]);
    if (!extent || *extent % block) {
      paddedSizes[dim] = multiply(b, count, block);
      padded = true;
    }
  }
  if (!scaleGroups.empty())
    scaleGroups.back().append(units);
}

AffineMap BlockView::getElementMap() const {
  return AffineMap::getMultiDimIdentityMap(numLoops, context);
}

AffineMap BlockView::getScaleMap() const {
  return AffineMap::getMultiDimMapWithTargets(numLoops, scaleLoops, context);
}

AffineMap BlockView::getScalarMap() const {
  return AffineMap::get(numLoops, 0, context);
}

SmallVector<utils::IteratorType> BlockView::getElementIterators() const {
  return SmallVector<utils::IteratorType>(numLoops,
                                          utils::IteratorType::parallel);
}

SmallVector<utils::IteratorType> BlockView::getBlockIterators() const {
  SmallVector<utils::IteratorType> iterators(numLoops,
                                             utils::IteratorType::reduction);
  for (unsigned loop : scaleLoops)
    iterators[loop] = utils::IteratorType::parallel;
  return iterators;
}

/// The type of a tensor of these sizes.
static RankedTensorType getType(ArrayRef<OpFoldResult> sizes, Type element) {
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(sizes, dynamic, shape);
  return RankedTensorType::get(shape, element);
}

/// `value` as `type`, which differs at most in what is known of the shape.
static Value castTo(ImplicitLocOpBuilder &b, Value value, Type type) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(b, type, value);
}

Value BlockView::expandElements(ImplicitLocOpBuilder &b, Value elements) const {
  Type element = getElementTypeOrSelf(elements);
  elements = castTo(b, elements, getType(sizes, element));
  if (padded) {
    SmallVector<OpFoldResult> low(sizes.size(), b.getIndexAttr(0)), high;
    for (auto [size, target] : llvm::zip_equal(sizes, paddedSizes))
      high.push_back(size == target ? OpFoldResult(b.getIndexAttr(0))
                                    : subtract(b, target, size));
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
    elements = tensor::PadOp::create(b, getType(paddedSizes, element), elements,
                                     low, high, zero);
  }
  if (numLoops == sizes.size())
    return elements;
  return tensor::ExpandShapeOp::create(b, getType(loopSizes, element), elements,
                                       elementGroups, loopSizes);
}

Value BlockView::collapseElements(ImplicitLocOpBuilder &b, Value view,
                                  RankedTensorType type) const {
  if (numLoops != sizes.size())
    view = tensor::CollapseShapeOp::create(b, view, elementGroups);
  if (padded) {
    SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
    view = tensor::ExtractSliceOp::create(b, view, offsets, sizes, strides);
  }
  return castTo(b, view, type);
}

Value BlockView::expandInit(ImplicitLocOpBuilder &b, Value init) const {
  if (padded)
    return tensor::EmptyOp::create(b, loopSizes, getElementTypeOrSelf(init));
  return expandElements(b, init);
}

SmallVector<OpFoldResult>
BlockView::getScaleSizes(ImplicitLocOpBuilder &b) const {
  SmallVector<OpFoldResult> scaleSizes(sizes.size(), b.getIndexAttr(1));
  for (auto [dim, group] : llvm::enumerate(elementGroups))
    if (llvm::is_contained(scaleLoops, group.front()))
      scaleSizes[dim] = loopSizes[group.front()];
  return scaleSizes;
}

Value BlockView::createForScales(ImplicitLocOpBuilder &b, Type element) const {
  SmallVector<OpFoldResult> scaleSizes;
  for (unsigned loop : scaleLoops)
    scaleSizes.push_back(loopSizes[loop]);
  return tensor::EmptyOp::create(b, scaleSizes, element);
}

Value BlockView::collapseScales(ImplicitLocOpBuilder &b, Value scales) const {
  scales = castTo(b, scales,
                  getType(getScaleSizes(b), getElementTypeOrSelf(scales)));
  if (scaleLoops.size() == sizes.size())
    return scales;
  return tensor::CollapseShapeOp::create(b, scales, scaleGroups);
}

Value BlockView::expandScales(ImplicitLocOpBuilder &b, Value view,
                              RankedTensorType type) const {
  if (scaleLoops.size() != sizes.size()) {
    SmallVector<OpFoldResult> shape = getScaleSizes(b);
    view = tensor::ExpandShapeOp::create(
        b, getType(shape, type.getElementType()), view, scaleGroups, shape);
  }
  return castTo(b, view, type);
}
