// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBuilder.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"

using namespace mlir;
using namespace mx;

PanelSource::PanelSource(KernelBuilder &builder, int64_t nStep)
    : k(builder), source(builder.product.rhs->get()) {
  const LinalgProduct &product = k.product;
  unsigned rank = product.getMap(product.rhs).getNumResults();
  tile = {SmallVector<OpFoldResult>(rank, k.b.getIndexAttr(0)),
          tensor::getMixedSizes(k.b, k.loc, source),
          SmallVector<int64_t>(rank, 1)};
  for (unsigned loop : product.k)
    tile.steps[k.positionOf(loop, product.rhs)] = 0;
  tile.steps[k.positionOf(product.n.back(), product.rhs)] = nStep;

  // The tile is a slice of what is stored or computed.
  Value whole = source;
  TensorPart part = tile;
  while (auto slice = whole.getDefiningOp<tensor::ExtractSliceOp>()) {
    bool isTile = whole == source;
    if (!slice.hasUnitStride() || (!isTile && !slice.hasZeroOffset()) ||
        slice.getType().getRank() != slice.getSourceType().getRank())
      break;
    for (auto [offset, outer] :
         llvm::zip(part.offsets, slice.getMixedOffsets()))
      offset = k.apply(k.dim(0) + k.dim(1), {offset, outer});
    whole = slice.getSource();
  }
  computed = isa_and_nonnull<linalg::LinalgOp, tensor::CollapseShapeOp>(
      whole.getDefiningOp());
  if (computed) {
    source = whole;
    tile = part;
  }
}

Value PanelSource::sliceOf(Value source, const TensorPart &part) {
  SmallVector<OpFoldResult> ones(part.sizes.size(), k.b.getIndexAttr(1));
  return k.b.createOrFold<tensor::ExtractSliceOp>(k.loc, source, part.offsets,
                                                  part.sizes, ones);
}

/// The blocks that a part of a tensor seen without blocks needs: for each
/// dimension [D/b, b] that was collapsed, whole blocks or a part of one block.
std::optional<TensorPart> PanelSource::expand(tensor::CollapseShapeOp collapse,
                                              const TensorPart &part) {
  ArrayRef<int64_t> shape = collapse.getSrcType().getShape();
  TensorPart result{
      SmallVector<OpFoldResult>(shape.size(), k.b.getIndexAttr(0)),
      tensor::getMixedSizes(k.b, k.loc, collapse.getSrc()),
      SmallVector<int64_t>(shape.size(), 0)};
  for (auto [i, group] : llvm::enumerate(collapse.getReassociationIndices())) {
    int64_t step = part.steps[i];
    SmallVector<int64_t> dims;
    for (int64_t dim : group)
      if (shape[dim] != 1)
        dims.push_back(dim);
    if (dims.empty() || step == 0)
      continue;
    int64_t outer = dims[0];
    if (dims.size() == 1) {
      result.offsets[outer] = part.offsets[i];
      result.sizes[outer] = part.sizes[i];
      result.steps[outer] = step;
      continue;
    }
    int64_t inner = dims[1], block = shape[inner];
    if (dims.size() > 2 || ShapedType::isDynamic(block))
      return std::nullopt;
    result.offsets[outer] =
        k.apply(k.dim(0).floorDiv(block), {part.offsets[i]});
    if (step % block == 0) {
      result.sizes[outer] = k.apply(k.dim(0).ceilDiv(block), {part.sizes[i]});
      result.steps[outer] = step / block;
    } else if (block % step == 0) {
      result.sizes[outer] = k.b.getIndexAttr(1);
      result.steps[outer] = 1;
      result.offsets[inner] = k.apply(k.dim(0) % block, {part.offsets[i]});
      result.sizes[inner] = part.sizes[i];
      result.steps[inner] = step;
    } else {
      return std::nullopt;
    }
  }
  return result;
}

/// A part of `source`, computed where it is needed if an op makes `source`.
Value PanelSource::compute(Value source, const TensorPart &part) {
  Operation *def = source.getDefiningOp();
  if (isa_and_nonnull<tensor::EmptyOp>(def))
    return tensor::EmptyOp::create(k.b, k.loc, part.sizes,
                                   getElementTypeOrSelf(source.getType()));
  if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(def))
    if (std::optional<TensorPart> blocks = expand(collapse, part)) {
      Value value = tensor::CollapseShapeOp::create(
          k.b, k.loc, compute(collapse.getSrc(), *blocks),
          collapse.getReassociationIndices());
      // Of the last block only a part may be wanted.
      SmallVector<OpFoldResult> zeros(part.sizes.size(), k.b.getIndexAttr(0));
      return sliceOf(value, {zeros, part.sizes, {}});
    }
  Value slice = sliceOf(source, part);
  auto producer = dyn_cast_or_null<linalg::LinalgOp>(def);
  auto sliceOp = slice.getDefiningOp<tensor::ExtractSliceOp>();
  if (!producer || !sliceOp)
    return slice;
  FailureOr<TilingResult> tiled = tensor::replaceExtractSliceWithTiledProducer(
      k.b, sliceOp, cast<OpResult>(source));
  if (failed(tiled))
    return slice;

  Operation *tile = tiled->tiledOps.front();
  AffineMap resultMap =
      producer.getMatchingIndexingMap(producer.getDpsInitOperand(0));
  for (auto [whole, operand] :
       llvm::zip(producer->getOpOperands(), tile->getOpOperands())) {
    auto slice = operand.get().getDefiningOp<tensor::ExtractSliceOp>();
    if (!slice || slice.getSource() != whole.get())
      continue;
    auto steps = llvm::map_to_vector(
        producer.getMatchingIndexingMap(&whole).getResults(),
        [&](AffineExpr expr) -> int64_t {
          std::optional<unsigned> dim = resultMap.getResultPosition(expr);
          return dim ? part.steps[*dim] : 0;
        });
    k.b.setInsertionPoint(tile);
    operand.set(compute(slice.getSource(), {slice.getMixedOffsets(),
                                            slice.getMixedSizes(), steps}));
  }
  k.b.setInsertionPointAfter(tile);
  return tiled->tiledValues[0];
}

Value PanelSource::get(OpFoldResult kOffset, OpFoldResult kSize,
                       int64_t kStep) {
  unsigned dim = k.positionOf(k.product.k.back(), k.product.rhs);
  TensorPart part = tile;
  part.offsets[dim] =
      k.apply(k.dim(0) + k.dim(1), {part.offsets[dim], kOffset});
  part.sizes[dim] = kSize;
  part.steps[dim] = kStep;
  return computed ? compute(source, part) : sliceOf(source, part);
}
