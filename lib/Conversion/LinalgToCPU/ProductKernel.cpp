// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ProductKernel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mx;

/// Elements of K whose producers are computed before they are packed: the tile
/// stays in the first-level cache, and blocks of scales divide it.
static constexpr int64_t kProducerChunk = 128;

ProductTile ProductTile::get(const Product &product, const CPUTarget &target) {
  linalg::LinalgOp op = product.op;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  ProductTile tile;
  tile.lanes = target.lanes;
  tile.vectors = 2;
  int64_t columns = sizes[product.n.back()];
  if (ShapedType::isStatic(columns) && columns <= tile.lanes)
    tile.vectors = 1;
  // Accumulators, the panel's vectors and one element of the left operand
  // (without multiply-add also a product) share the registers.
  tile.rows = target.registers == 32 ? 8 : target.hasFMA ? 6 : 4;
  return tile;
}

namespace {

class Kernel {
public:
  Kernel(RewriterBase &b, const Product &product, const ProductTile &tile,
         const CPUTarget &target, Value fill, bool isFull)
      : b(b), product(product), tile(tile), target(target), fill(fill),
        isFull(isFull), op(product.op), loc(op.getLoc()),
        vector(VectorType::get(tile.lanes, b.getF32Type())) {}

  void lower();

private:
  /// A position in the tile: an index for each loop of the product.
  using Position = SmallVector<Value>;

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value add(Value a, int64_t value) {
    return value == 0 ? a : arith::AddIOp::create(b, loc, a, constant(value));
  }
  Value size(unsigned loop) {
    return getValueOrCreateConstantIndexOp(b, loc, sizes[loop]);
  }
  SmallVector<Value> at(AffineMap map, const Position &position) {
    return llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) {
      return position[cast<AffineDimExpr>(expr).getPosition()];
    });
  }
  /// A loop over [lower, upper) that carries `values`.
  using Body = function_ref<SmallVector<Value>(Value, ValueRange)>;
  SmallVector<Value> loop(Value lower, Value upper, int64_t step,
                          ValueRange values, Body body);
  /// Loops over several dimensions of the tile.
  SmallVector<Value> loops(ArrayRef<unsigned> dims, Position &position,
                           SmallVector<Value> values,
                           function_ref<SmallVector<Value>(ValueRange)> body);

  Value pack();
  Value packTile(Value source, Value panel, Value kOffset, OpFoldResult kSize);
  Value produce(Value source, ArrayRef<OpFoldResult> offsets,
                ArrayRef<OpFoldResult> sizes);
  Value multiplyRows(Value panel, Value out, Position position, int64_t rows);
  SmallVector<Value> getPanelIndices(const Position &position, int64_t column);

  RewriterBase &b;
  const Product &product;
  const ProductTile &tile;
  const CPUTarget &target;
  Value fill;
  bool isFull;
  linalg::LinalgOp op;
  Location loc;
  VectorType vector;
  SmallVector<OpFoldResult> sizes;
};

} // namespace

SmallVector<Value> Kernel::loop(Value lower, Value upper, int64_t step,
                                ValueRange values, Body body) {
  auto loop = scf::ForOp::create(
      b, loc, lower, upper, constant(step), values,
      [&](OpBuilder &, Location, Value index, ValueRange carried) {
        scf::YieldOp::create(b, loc, body(index, carried));
      });
  return loop.getResults();
}

SmallVector<Value>
Kernel::loops(ArrayRef<unsigned> dims, Position &position,
              SmallVector<Value> values,
              function_ref<SmallVector<Value>(ValueRange)> body) {
  if (dims.empty())
    return body(values);
  return loop(constant(0), size(dims[0]), 1, values,
              [&](Value index, ValueRange carried) {
                position[dims[0]] = index;
                return loops(dims.drop_front(), position,
                             SmallVector<Value>(carried), body);
              });
}

SmallVector<Value> Kernel::getPanelIndices(const Position &position,
                                           int64_t column) {
  SmallVector<Value> indices;
  for (unsigned k : product.k)
    indices.push_back(position[k]);
  indices.push_back(constant(column));
  return indices;
}

/// The part of `source` at `offsets`; computed there, where an op makes it.
Value Kernel::produce(Value source, ArrayRef<OpFoldResult> offsets,
                      ArrayRef<OpFoldResult> sizes) {
  if (source.getDefiningOp<tensor::EmptyOp>())
    return tensor::EmptyOp::create(b, loc, sizes,
                                   getElementTypeOrSelf(source.getType()));
  SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
  auto slice =
      tensor::ExtractSliceOp::create(b, loc, source, offsets, sizes, ones);
  auto producer = source.getDefiningOp<linalg::LinalgOp>();
  if (!producer)
    return slice;
  FailureOr<TilingResult> tiled = tensor::replaceExtractSliceWithTiledProducer(
      b, slice, cast<OpResult>(source));
  if (failed(tiled))
    return slice;
  for (Operation *op : tiled->generatedSlices) {
    auto operand = cast<tensor::ExtractSliceOp>(op);
    b.setInsertionPointAfter(operand);
    b.replaceOp(operand, produce(operand.getSource(), operand.getMixedOffsets(),
                                 operand.getMixedSizes()));
  }
  b.setInsertionPointAfterValue(tiled->tiledValues[0]);
  return tiled->tiledValues[0];
}

/// Writes `source`, of `kSize` elements of the innermost K from `kOffset` on,
/// into the panel.
Value Kernel::packTile(Value source, Value panel, Value kOffset,
                       OpFoldResult kSize) {
  AffineMap map = product.getMap(product.rhs);
  unsigned n = product.n.back(), k = product.k.back();
  unsigned last = cast<AffineDimExpr>(map.getResults().back()).getPosition();
  int64_t width = tile.getWidth(), lanes = tile.lanes;
  Position position(op.getNumLoops(), constant(0));
  Value kUpper = getValueOrCreateConstantIndexOp(b, loc, kSize);
  unsigned rank = map.getNumResults();
  AffineExpr nExpr =
      b.getAffineDimExpr(*map.getResultPosition(b.getAffineDimExpr(n)));
  AffineExpr kExpr =
      b.getAffineDimExpr(*map.getResultPosition(b.getAffineDimExpr(k)));
  Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
  auto inPanel = [&](int64_t column) {
    Position target = position;
    target[k] = arith::AddIOp::create(b, loc, kOffset, position[k]);
    return getPanelIndices(target, column);
  };

  auto outer = ArrayRef<unsigned>(product.k).drop_back();
  // Rows of the source run along K: square blocks are transposed.
  if (last == k) {
    std::optional<int64_t> kStatic = getConstantIntValue(kSize);
    bool isWhole = kStatic && *kStatic % lanes == 0;
    auto block = VectorType::get({lanes, lanes}, b.getF32Type());
    return loops(outer, position, {panel}, [&](ValueRange carried) {
      return loop(
          constant(0), kUpper, lanes, carried,
          [&](Value index, ValueRange carried) {
            Value result = carried[0];
            position[k] = index;
            for (int64_t column = 0; column < width; column += lanes) {
              position[n] = constant(column);
              Value rows = vector::TransferReadOp::create(
                  b, loc, block, source, at(map, position), zero,
                  AffineMap::get(rank, 0, {nExpr, kExpr}, b.getContext()),
                  ArrayRef<bool>{isFull, isWhole});
              Value columns = vector::TransposeOp::create(
                  b, loc, rows, ArrayRef<int64_t>{1, 0});
              result = vector::TransferWriteOp::create(
                           b, loc, columns, result, inPanel(column),
                           ArrayRef<bool>{isWhole, true})
                           .getResult();
            }
            return SmallVector<Value>{result};
          });
    })[0];
  }
  // Rows of the source run along N (or, if nothing is contiguous, each element
  // is copied by itself).
  int64_t step = last == n ? lanes : 1;
  auto row = VectorType::get(step, b.getF32Type());
  return loops(outer, position, {panel}, [&](ValueRange carried) {
    return loop(
        constant(0), kUpper, 1, carried, [&](Value index, ValueRange carried) {
          Value result = carried[0];
          position[k] = index;
          for (int64_t column = 0; column < width; column += step) {
            position[n] = constant(column);
            Value part = vector::TransferReadOp::create(
                b, loc, row, source, at(map, position), zero,
                AffineMap::get(rank, 0, nExpr), ArrayRef<bool>{isFull});
            result = vector::TransferWriteOp::create(b, loc, part, result,
                                                     inPanel(column),
                                                     ArrayRef<bool>{true})
                         .getResult();
          }
          return SmallVector<Value>{result};
        });
  })[0];
}

/// Copies the right operand's tile into a panel [k.., width], columns
/// contiguous; columns past the end are zero.
Value Kernel::pack() {
  unsigned k = product.k.back();
  SmallVector<OpFoldResult> shape;
  for (unsigned dim : product.k)
    shape.push_back(sizes[dim]);
  shape.push_back(b.getIndexAttr(tile.getWidth()));
  Value panel = tensor::EmptyOp::create(b, loc, shape, b.getF32Type());

  Value source = product.rhs->get();
  auto slice = source.getDefiningOp<tensor::ExtractSliceOp>();
  Value whole = slice ? slice.getSource() : source;
  if (!whole.getDefiningOp<linalg::LinalgOp>())
    return packTile(source, panel, constant(0), sizes[k]);

  AffineMap map = product.getMap(product.rhs);
  unsigned kDim = *map.getResultPosition(b.getAffineDimExpr(k));
  AffineExpr at, upper;
  bindDims(b.getContext(), at, upper);
  return loop(constant(0), size(k), kProducerChunk, panel,
              [&](Value index, ValueRange carried) -> SmallVector<Value> {
                SmallVector<OpFoldResult> offsets(map.getNumResults(),
                                                  b.getIndexAttr(0));
                SmallVector<OpFoldResult> extents =
                    tensor::getMixedSizes(b, loc, source);
                if (slice)
                  offsets = slice.getMixedOffsets();
                AffineMap sum = AffineMap::get(2, 0, at + upper);
                offsets[kDim] = affine::makeComposedFoldedAffineApply(
                    b, loc, sum, {offsets[kDim], index});
                std::optional<int64_t> kStatic = getConstantIntValue(sizes[k]);
                if (kStatic && *kStatic % kProducerChunk == 0)
                  extents[kDim] = b.getIndexAttr(kProducerChunk);
                else
                  extents[kDim] = affine::makeComposedFoldedAffineMin(
                      b, loc,
                      AffineMap::get(
                          2, 0,
                          {b.getAffineConstantExpr(kProducerChunk), upper - at},
                          b.getContext()),
                      {index, sizes[k]});
                Value part = produce(whole, offsets, extents);
                return {packTile(part, carried[0], index, extents[kDim])};
              })[0];
}

/// out[position, rows, columns] (+)= lhs[rows, k] * panel[k, columns].
Value Kernel::multiplyRows(Value panel, Value out, Position position,
                           int64_t rows) {
  AffineMap outMap = product.getMap(product.init);
  AffineMap lhsMap = product.getMap(product.lhs);
  unsigned n = product.n.back();
  auto atRow = [&](int64_t row) {
    Position result = position;
    if (!product.m.empty())
      result[product.m.back()] = add(position[product.m.back()], row);
    return result;
  };
  auto element = [&](int64_t row, int64_t column) {
    Position result = atRow(row);
    result[n] = constant(column);
    return at(outMap, result);
  };

  SmallVector<Value> sums;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t v = 0; v < tile.vectors; ++v)
      sums.push_back(
          fill ? vector::BroadcastOp::create(b, loc, vector, fill).getResult()
               : vector::TransferReadOp::create(
                     b, loc, vector, out, element(row, v * tile.lanes),
                     std::nullopt, ArrayRef<bool>{isFull})
                     .getResult());

  sums = loops(product.k, position, sums, [&](ValueRange carried) {
    SmallVector<Value> columns, result;
    for (int64_t v = 0; v < tile.vectors; ++v)
      columns.push_back(vector::TransferReadOp::create(
          b, loc, vector, panel, getPanelIndices(position, v * tile.lanes),
          std::nullopt, ArrayRef<bool>{true}));
    for (int64_t row = 0; row < rows; ++row) {
      Value scalar = tensor::ExtractOp::create(b, loc, product.lhs->get(),
                                               at(lhsMap, atRow(row)));
      Value factor = vector::BroadcastOp::create(b, loc, vector, scalar);
      for (int64_t v = 0; v < tile.vectors; ++v) {
        Value sum = carried[row * tile.vectors + v];
        if (target.hasFMA) {
          sum = vector::FMAOp::create(b, loc, factor, columns[v], sum);
        } else {
          Value term = arith::MulFOp::create(b, loc, factor, columns[v]);
          sum = arith::AddFOp::create(b, loc, sum, term);
        }
        result.push_back(sum);
      }
    }
    return result;
  });

  for (int64_t row = 0; row < rows; ++row)
    for (int64_t v = 0; v < tile.vectors; ++v)
      out = vector::TransferWriteOp::create(
                b, loc, sums[row * tile.vectors + v], out,
                element(row, v * tile.lanes), ArrayRef<bool>{isFull})
                .getResult();
  return out;
}

void Kernel::lower() {
  b.setInsertionPoint(op);
  for (Range range : cast<TilingInterface>(*op).getIterationDomain(b))
    sizes.push_back(range.size);

  Value panel = pack();
  Position position(op.getNumLoops(), constant(0));
  Value out = product.init->get();
  if (product.m.empty()) {
    b.replaceOp(op, multiplyRows(panel, out, position, 1));
    return;
  }
  unsigned row = product.m.back();
  auto outer = ArrayRef<unsigned>(product.m).drop_back();
  out = loops(outer, position, {out}, [&](ValueRange carried) {
    auto rowsFrom = [&](Value lower, Value upper, ValueRange carried,
                        int64_t rows) {
      return loop(lower, upper, rows, carried,
                  [&](Value index, ValueRange carried) -> SmallVector<Value> {
                    position[row] = index;
                    return {multiplyRows(panel, carried[0], position, rows)};
                  });
    };
    AffineMap floor = AffineMap::get(
        1, 0, b.getAffineDimExpr(0).floorDiv(tile.rows) * tile.rows);
    OpFoldResult middle =
        affine::makeComposedFoldedAffineApply(b, loc, floor, {sizes[row]});
    Value split = getValueOrCreateConstantIndexOp(b, loc, middle);
    std::optional<int64_t> total = getConstantIntValue(sizes[row]);
    SmallVector<Value> result(carried);
    if (!total || *total >= tile.rows)
      result = rowsFrom(constant(0), split, result, tile.rows);
    // What is left: at once if its size is known, else row by row.
    int64_t rest = total ? *total % tile.rows : 1;
    if (rest)
      result = rowsFrom(split, size(row), result, rest);
    return result;
  })[0];
  b.replaceOp(op, out);
}

void mx::lowerProduct(RewriterBase &rewriter, const Product &product,
                      const ProductTile &tile, const CPUTarget &target,
                      Value fill, bool isFull) {
  Kernel(rewriter, product, tile, target, fill, isFull).lower();
}
