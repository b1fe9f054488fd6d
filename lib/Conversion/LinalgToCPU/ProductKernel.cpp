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
  /// A part of a tensor. Each offset is a multiple of its step; a dimension
  /// with step 0 is there as a whole.
  struct Part {
    SmallVector<OpFoldResult> offsets, sizes;
    SmallVector<int64_t> steps;
  };
  Value sliceOf(Value source, const Part &part);
  std::optional<Part> expandPart(tensor::CollapseShapeOp collapse,
                                 const Part &part);
  Value produce(Value source, const Part &part);
  OpFoldResult apply(AffineExpr expr, ArrayRef<OpFoldResult> operands) {
    return affine::makeComposedFoldedAffineApply(
        b, loc, AffineMap::get(operands.size(), 0, expr), operands);
  }
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

Value Kernel::sliceOf(Value source, const Part &part) {
  SmallVector<OpFoldResult> ones(part.sizes.size(), b.getIndexAttr(1));
  return b.createOrFold<tensor::ExtractSliceOp>(loc, source, part.offsets,
                                                part.sizes, ones);
}

/// The blocks that a part of a tensor seen without blocks needs: for each
/// dimension [D/b, b] that was collapsed, whole blocks or a part of one block.
std::optional<Kernel::Part>
Kernel::expandPart(tensor::CollapseShapeOp collapse, const Part &part) {
  ArrayRef<int64_t> shape = collapse.getSrcType().getShape();
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(b, loc, collapse.getSrc());
  SmallVector<OpFoldResult> zeros(shape.size(), b.getIndexAttr(0));
  Part result{zeros, sizes, SmallVector<int64_t>(shape.size(), 0)};
  AffineExpr d0 = b.getAffineDimExpr(0);
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
    result.offsets[outer] = apply(d0.floorDiv(block), {part.offsets[i]});
    if (step % block == 0) {
      result.sizes[outer] = apply(d0.ceilDiv(block), {part.sizes[i]});
      result.steps[outer] = step / block;
    } else if (block % step == 0) {
      result.sizes[outer] = b.getIndexAttr(1);
      result.steps[outer] = 1;
      result.offsets[inner] = apply(d0 % block, {part.offsets[i]});
      result.sizes[inner] = part.sizes[i];
      result.steps[inner] = step;
    } else {
      return std::nullopt;
    }
  }
  return result;
}

Value Kernel::produce(Value source, const Part &part) {
  Operation *def = source.getDefiningOp();
  if (isa_and_nonnull<tensor::EmptyOp>(def))
    return tensor::EmptyOp::create(b, loc, part.sizes,
                                   getElementTypeOrSelf(source.getType()));
  if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(def))
    if (std::optional<Part> expanded = expandPart(collapse, part)) {
      Value value = tensor::CollapseShapeOp::create(
          b, loc, produce(collapse.getSrc(), *expanded),
          collapse.getReassociationIndices());
      // The last blocks may be there in part.
      return sliceOf(value, {SmallVector<OpFoldResult>(part.sizes.size(),
                                                       b.getIndexAttr(0)),
                             part.sizes,
                             {}});
    }
  Value slice = sliceOf(source, part);
  auto producer = dyn_cast_or_null<linalg::LinalgOp>(def);
  auto sliceOp = slice.getDefiningOp<tensor::ExtractSliceOp>();
  if (!producer || !sliceOp)
    return slice;
  FailureOr<TilingResult> tiled = tensor::replaceExtractSliceWithTiledProducer(
      b, sliceOp, cast<OpResult>(source));
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
    SmallVector<int64_t> steps = llvm::map_to_vector(
        producer.getMatchingIndexingMap(&whole).getResults(),
        [&](AffineExpr expr) {
          std::optional<unsigned> dim = resultMap.getResultPosition(expr);
          return dim ? part.steps[*dim] : 0;
        });
    b.setInsertionPoint(tile);
    operand.set(produce(slice.getSource(), {slice.getMixedOffsets(),
                                            slice.getMixedSizes(), steps}));
  }
  b.setInsertionPointAfter(tile);
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

  // The tile is a slice; if an op makes the whole, the tile is computed here, a
  // part of K at a time.
  Value source = product.rhs->get();
  AffineMap map = product.getMap(product.rhs);
  SmallVector<OpFoldResult> zeros(map.getNumResults(), b.getIndexAttr(0));
  Part part{zeros, tensor::getMixedSizes(b, loc, source),
            SmallVector<int64_t>(map.getNumResults(), 1)};
  while (auto slice = source.getDefiningOp<tensor::ExtractSliceOp>()) {
    bool isTile = slice == product.rhs->get().getDefiningOp();
    if (!slice.hasUnitStride() || (!isTile && !slice.hasZeroOffset()) ||
        slice.getType().getRank() != slice.getSourceType().getRank())
      break;
    for (auto [offset, outer] :
         llvm::zip(part.offsets, slice.getMixedOffsets()))
      offset = apply(b.getAffineDimExpr(0) + b.getAffineDimExpr(1),
                     {offset, outer});
    source = slice.getSource();
  }
  if (!isa_and_nonnull<linalg::LinalgOp, tensor::CollapseShapeOp>(
          source.getDefiningOp()))
    return packTile(product.rhs->get(), panel, constant(0), sizes[k]);

  auto positionOf = [&](unsigned loop) {
    return *map.getResultPosition(b.getAffineDimExpr(loop));
  };
  for (unsigned loop : product.k)
    part.steps[positionOf(loop)] = 0;
  part.steps[positionOf(product.n.back())] = tile.getWidth();
  part.steps[positionOf(k)] = kProducerChunk;
  OpFoldResult kOffset = part.offsets[positionOf(k)];
  AffineExpr d0 = b.getAffineDimExpr(0), d1 = b.getAffineDimExpr(1);
  auto packChunks = [&](Value lower, Value upper, OpFoldResult chunk,
                        Value panel) {
    return loop(
        lower, upper, kProducerChunk, panel,
        [&](Value index, ValueRange carried) -> SmallVector<Value> {
          part.offsets[positionOf(k)] = apply(d0 + d1, {kOffset, index});
          part.sizes[positionOf(k)] = chunk;
          return {packTile(produce(source, part), carried[0], index, chunk)};
        })[0];
  };
  Value split = getValueOrCreateConstantIndexOp(
      b, loc,
      apply(d0.floorDiv(kProducerChunk) * kProducerChunk, {sizes[k]}));
  panel = packChunks(constant(0), split, b.getIndexAttr(kProducerChunk), panel);
  OpFoldResult rest = apply(d0 % kProducerChunk, {sizes[k]});
  if (isConstantIntValue(rest, 0))
    return panel;
  return packChunks(split, size(k), rest, panel);
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
