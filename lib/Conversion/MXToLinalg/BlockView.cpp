// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BlockView.h"

#include "mx/IR/FormatTypes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mx;

BlockView::BlockView(ImplicitLocOpBuilder &b, Value tensor,
                     const Format &format, int64_t axis)
    : context(b.getContext()) {
  sizes = getTensorSizes(b, tensor);
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
    OpFoldResult count = ceilDiv(b, sizes[dim], block);
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

bool BlockView::isEmpty() const {
  return llvm::any_of(
      sizes, [](OpFoldResult size) { return isConstantIntValue(size, 0); });
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

Value BlockView::expandElements(ImplicitLocOpBuilder &b, Value elements) const {
  Type element = getElementTypeOrSelf(elements);
  elements = castTo(b, elements, getTensorType(sizes, element));
  elements = padTo(b, elements, sizes, paddedSizes);
  if (numLoops == sizes.size())
    return elements;
  return tensor::ExpandShapeOp::create(b, getTensorType(loopSizes, element),
                                       elements, elementGroups, loopSizes);
}

Value BlockView::collapseElements(ImplicitLocOpBuilder &b, Value view,
                                  Value init) const {
  if (numLoops != sizes.size())
    view = tensor::CollapseShapeOp::create(b, view, elementGroups);
  return padded ? copySlice(b, view, init) : castTo(b, view, init.getType());
}

Value BlockView::expandInit(ImplicitLocOpBuilder &b, Value init) const {
  if (padded)
    return tensor::EmptyOp::create(b, loopSizes, getElementTypeOrSelf(init));
  return expandElements(b, init);
}

Sizes BlockView::getScaleSizes(ImplicitLocOpBuilder &b) const {
  Sizes scaleSizes(sizes.size(), b.getIndexAttr(1));
  for (auto [dim, group] : llvm::enumerate(elementGroups))
    if (llvm::is_contained(scaleLoops, group.front()))
      scaleSizes[dim] = loopSizes[group.front()];
  return scaleSizes;
}

Value BlockView::createForScales(ImplicitLocOpBuilder &b, Type element) const {
  Sizes scaleSizes;
  for (unsigned loop : scaleLoops)
    scaleSizes.push_back(loopSizes[loop]);
  return tensor::EmptyOp::create(b, scaleSizes, element);
}

Value BlockView::collapseScales(ImplicitLocOpBuilder &b, Value scales) const {
  scales = castTo(
      b, scales, getTensorType(getScaleSizes(b), getElementTypeOrSelf(scales)));
  if (scaleLoops.size() == sizes.size())
    return scales;
  return tensor::CollapseShapeOp::create(b, scales, scaleGroups);
}

Value BlockView::expandScales(ImplicitLocOpBuilder &b, Value view,
                              RankedTensorType type) const {
  if (scaleLoops.size() != sizes.size()) {
    Sizes shape = getScaleSizes(b);
    view = tensor::ExpandShapeOp::create(
        b, getTensorType(shape, type.getElementType()), view, scaleGroups,
        shape);
  }
  return castTo(b, view, type);
}
