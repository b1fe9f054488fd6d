// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layouts, and mx.relayout.

#include "Layout.h"
#include "Patterns.h"
#include "Shapes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mx;

/// A tile has 128 = tileOuter * tileInner rows and 4 columns.
static constexpr int64_t tileInner = 32, tileOuter = 4, tileCols = 4;
static constexpr int64_t tileRows = tileInner * tileOuter;

LayoutAttr mx::getLayout(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? dyn_cast_or_null<LayoutAttr>(tensor.getEncoding()) : nullptr;
}

RankedTensorType mx::getTiledType(RankedTensorType type) {
  auto divide = [](int64_t size, int64_t divisor) {
    return ShapedType::isDynamic(size)
               ? size
               : int64_t(llvm::divideCeil(size, divisor));
  };
  SmallVector<int64_t> shape(type.getShape().drop_back(2));
  ArrayRef<int64_t> matrix = type.getShape().take_back(2);
  shape.append({divide(matrix[0], tileRows), divide(matrix[1], tileCols),
                tileInner, tileOuter, tileCols});
  return RankedTensorType::get(shape, type.getElementType());
}

Sizes mx::getTiledSizes(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> sizes) {
  Sizes tiled(sizes.drop_back(2));
  ArrayRef<OpFoldResult> matrix = sizes.take_back(2);
  tiled.push_back(ceilDiv(b, matrix[0], tileRows));
  tiled.push_back(ceilDiv(b, matrix[1], tileCols));
  for (int64_t size : {tileInner, tileOuter, tileCols})
    tiled.push_back(b.getIndexAttr(size));
  return tiled;
}

/// The padded matrix split into (tile row, outer, inner, tile column, column),
/// and where these dimensions stand in the tiled tensor.
static constexpr int64_t splitToTiled[] = {0, 3, 2, 1, 4};

static Sizes permuteTile(ArrayRef<OpFoldResult> sizes) {
  Sizes permuted(sizes);
  MutableArrayRef<OpFoldResult> tile =
      MutableArrayRef<OpFoldResult>(permuted).take_back(5);
  for (auto [to, from] : llvm::enumerate(splitToTiled))
    tile[to] = sizes.take_back(5)[from];
  return permuted;
}

/// The permutation is its own inverse: it swaps two dimensions.
static Value transposeTile(ImplicitLocOpBuilder &b, Value value,
                           ArrayRef<OpFoldResult> resultSizes) {
  SmallVector<int64_t> permutation =
      llvm::to_vector(llvm::seq<int64_t>(resultSizes.size()));
  int64_t first = resultSizes.size() - 5;
  for (auto [to, from] : llvm::enumerate(splitToTiled))
    permutation[first + to] = first + from;
  Value empty =
      tensor::EmptyOp::create(b, resultSizes, getElementTypeOrSelf(value));
  return linalg::TransposeOp::create(b, value, empty, permutation)
      ->getResult(0);
}

/// Dimensions of the matrix [M, K] as those of the split form.
static SmallVector<ReassociationIndices> getSplitGroups(int64_t batchRank) {
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0; dim < batchRank; ++dim)
    groups.push_back({dim});
  groups.push_back({batchRank, batchRank + 1, batchRank + 2});
  groups.push_back({batchRank + 3, batchRank + 4});
  return groups;
}

Value mx::toTiled(ImplicitLocOpBuilder &b, Value value) {
  Sizes sizes = getTensorSizes(b, value);
  Sizes tiled = getTiledSizes(b, sizes);
  Sizes padded(sizes);
  int64_t batchRank = sizes.size() - 2;
  padded[batchRank] = multiply(b, tiled[batchRank], tileRows);
  padded[batchRank + 1] = multiply(b, tiled[batchRank + 1], tileCols);
  value = padTo(b, value, sizes, padded);
  Sizes split = permuteTile(tiled);
  Type type = getTensorType(split, getElementTypeOrSelf(value));
  value = tensor::ExpandShapeOp::create(b, type, value,
                                        getSplitGroups(batchRank), split);
  return transposeTile(b, value, tiled);
}

Value mx::fromTiled(ImplicitLocOpBuilder &b, Value tiled, Value init) {
  Sizes tiledSizes = getTensorSizes(b, tiled);
  Value split = transposeTile(b, tiled, permuteTile(tiledSizes));
  Value padded = tensor::CollapseShapeOp::create(
      b, split, getSplitGroups(tiledSizes.size() - 5));
  return copySlice(b, padded, init);
}

namespace {
struct LowerRelayout : OpConversionPattern<RelayoutOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(RelayoutOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value value = adaptor.getInput();
    bool fromLayout = bool(getLayout(op.getInput().getType()));
    bool toLayout = bool(getLayout(op.getInit().getType()));
    if (fromLayout && !toLayout)
      value = fromTiled(b, value, adaptor.getInit());
    else if (toLayout && !fromLayout)
      value = toTiled(b, value);
    rewriter.replaceOp(op, castTo(b, value, adaptor.getInit().getType()));
    return success();
  }
};
} // namespace

void mx::populateRelayoutPatterns(const TypeConverter &converter,
                                  RewritePatternSet &patterns) {
  patterns.add<LowerRelayout>(converter, patterns.getContext());
}
