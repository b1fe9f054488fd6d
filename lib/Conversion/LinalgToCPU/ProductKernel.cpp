// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ProductKernel.h"
#include "KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mx;

/// Elements of K that are computed before they are packed: they stay in the
/// first-level cache, and blocks of scales divide them.
static constexpr int64_t kChunk = 128;

namespace {

/// Products whose vectors run along the columns of the result.
class ColumnKernel : KernelBuilder {
public:
  ColumnKernel(RewriterBase &rewriter, const LinalgProduct &product,
               const ProductTile &tile, Value fill)
      : KernelBuilder(rewriter, product), tile(tile), fill(fill),
        n(product.n.back()), innerK(product.k.back()),
        vector(VectorType::get(tile.lanes, rewriter.getF32Type())) {}

  Value lower();

private:
  Value pack();
  Value packPart(Value source, Value panel, Value kOffset, OpFoldResult kSize);
  Value multiplyRows(Value out, Position position, int64_t rows);
  SmallVector<Value> getPanelIndices(Position position, int64_t column);

  const ProductTile &tile;
  Value fill;
  unsigned n, innerK;
  VectorType vector;
  /// The packed columns [k.., columns]; null if they are read where they are.
  Value panel;
};

/// Products whose vectors run along K.
class DotKernel : KernelBuilder {
public:
  DotKernel(RewriterBase &rewriter, const LinalgProduct &product,
            const ProductTile &tile, Value fill)
      : KernelBuilder(rewriter, product), tile(tile), fill(fill),
        innerK(product.k.back()),
        vector(VectorType::get(tile.lanes, rewriter.getF32Type())) {}

  Value lower();

private:
  SmallVector<Value> accumulate(Value source, OpFoldResult kOffset,
                                OpFoldResult kSize, Position &position,
                                ValueRange sums);
  SmallVector<Value> accumulateStep(Value source, Value k, Value kOffset,
                                    bool isWhole, Position position,
                                    ValueRange sums);

  const ProductTile &tile;
  Value fill;
  unsigned innerK;
  VectorType vector;
};

/// sum + a * b.
Value multiplyAdd(OpBuilder &b, Location loc, bool hasFMA, Value a, Value c,
                  Value sum) {
  if (hasFMA)
    return vector::FMAOp::create(b, loc, a, c, sum);
  Value term = arith::MulFOp::create(b, loc, a, c);
  return arith::AddFOp::create(b, loc, sum, term);
}

} // namespace

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

SmallVector<Value> ColumnKernel::getPanelIndices(Position position,
                                                 int64_t column) {
  if (!panel) {
    position[n] = constant(column);
    return at(product.rhs, position);
  }
  SmallVector<Value> indices;
  for (unsigned loop : product.k)
    indices.push_back(position[loop]);
  indices.push_back(constant(column));
  return indices;
}

/// Writes `source`, the part of the innermost K from `kOffset` on, into the
/// panel.
Value ColumnKernel::packPart(Value source, Value panel, Value kOffset,
                             OpFoldResult kSize) {
  AffineMap map = product.getMap(product.rhs);
  unsigned rank = map.getNumResults();
  AffineExpr nExpr = dim(positionOf(n, product.rhs));
  AffineExpr kExpr = dim(positionOf(innerK, product.rhs));
  Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
  Position position = origin();
  auto inPanel = [&](int64_t column) {
    SmallVector<Value> indices;
    for (unsigned loop : product.k)
      indices.push_back(loop == innerK ? arith::AddIOp::create(b, loc, kOffset,
                                                               position[loop])
                                             .getResult()
                                       : position[loop]);
    indices.push_back(constant(column));
    return indices;
  };
  // Blocks of `columns` by `k`, read by (n, k) and written by (k, n).
  auto packBlocks = [&](int64_t columns, int64_t k, bool isWhole) {
    auto outer = ArrayRef<unsigned>(product.k).drop_back();
    auto shape = VectorType::get({columns, k}, b.getF32Type());
    return loops(outer, position, {panel}, [&](ValueRange carried) {
      return loop(
          constant(0), toValue(kSize), k, carried,
          [&](Value index, ValueRange carried) -> SmallVector<Value> {
            Value result = carried[0];
            position[innerK] = index;
            for (int64_t column = 0; column < tile.columns; column += columns) {
              position[n] = constant(column);
              Value block = vector::TransferReadOp::create(
                  b, loc, shape, source, at(product.rhs, position), zero,
                  AffineMap::get(rank, 0, {nExpr, kExpr}, b.getContext()),
                  ArrayRef<bool>{tile.isFull, isWhole});
              block = vector::TransposeOp::create(b, loc, block,
                                                  ArrayRef<int64_t>{1, 0});
              result = vector::TransferWriteOp::create(
                           b, loc, block, result, inPanel(column),
                           ArrayRef<bool>{isWhole, true})
                           .getResult();
            }
            return {result};
          });
    })[0];
  };
  // Rows of the source run along K: square blocks are transposed.
  if (innermost(product.rhs) == innerK) {
    std::optional<int64_t> k = getConstantIntValue(kSize);
    return packBlocks(tile.lanes, tile.lanes, k && *k % tile.lanes == 0);
  }
  // They run along N; or, if nothing is contiguous, elements are copied one by
  // one.
  int64_t step = innermost(product.rhs) == n ? tile.lanes : 1;
  auto row = VectorType::get(step, b.getF32Type());
  auto outer = ArrayRef<unsigned>(product.k).drop_back();
  return loops(outer, position, {panel}, [&](ValueRange carried) {
    return loop(
        constant(0), toValue(kSize), 1, carried,
        [&](Value index, ValueRange carried) -> SmallVector<Value> {
          Value result = carried[0];
          position[innerK] = index;
          for (int64_t column = 0; column < tile.columns; column += step) {
            position[n] = constant(column);
            Value part = vector::TransferReadOp::create(
                b, loc, row, source, at(product.rhs, position), zero,
                AffineMap::get(rank, 0, nExpr), ArrayRef<bool>{tile.isFull});
            result = vector::TransferWriteOp::create(b, loc, part, result,
                                                     inPanel(column),
                                                     ArrayRef<bool>{true})
                         .getResult();
          }
          return {result};
        });
  })[0];
}

/// The panel; columns past the end are zero.
Value ColumnKernel::pack() {
  SmallVector<OpFoldResult> shape;
  for (unsigned loop : product.k)
    shape.push_back(size(loop));
  shape.push_back(b.getIndexAttr(tile.columns));
  Value panel = tensor::EmptyOp::create(b, loc, shape, b.getF32Type());

  PanelSource source(*this, tile.columns);
  if (!source.isComputed())
    return packPart(product.rhs->get(), panel, constant(0), size(innerK));
  auto packChunks = [&](Value lower, Value upper, OpFoldResult chunk,
                        Value panel) {
    return loop(lower, upper, kChunk, panel,
                [&](Value index, ValueRange carried) -> SmallVector<Value> {
                  Value part = source.get(index, chunk, kChunk);
                  return {packPart(part, carried[0], index, chunk)};
                })[0];
  };
  Value split =
      toValue(apply(dim(0).floorDiv(kChunk) * kChunk, {size(innerK)}));
  panel = packChunks(constant(0), split, b.getIndexAttr(kChunk), panel);
  OpFoldResult rest = apply(dim(0) % kChunk, {size(innerK)});
  if (isConstantIntValue(rest, 0))
    return panel;
  return packChunks(split, toValue(size(innerK)), rest, panel);
}

//===----------------------------------------------------------------------===//
// Vectors along the columns
//===----------------------------------------------------------------------===//

/// out[position, rows, columns] (+)= lhs[rows, k..] * rhs[k.., columns].
Value ColumnKernel::multiplyRows(Value out, Position position, int64_t rows) {
  auto atRow = [&](int64_t row) {
    Position result = position;
    if (!product.m.empty())
      result[product.m.back()] = add(position[product.m.back()], row);
    return result;
  };
  auto element = [&](int64_t row, int64_t v) {
    Position result = atRow(row);
    result[n] = constant(v * tile.lanes);
    return at(product.init, result);
  };

  int64_t vectors = tile.getVectors();
  SmallVector<Value> sums;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t v = 0; v < vectors; ++v)
      sums.push_back(
          fill ? vector::BroadcastOp::create(b, loc, vector, fill).getResult()
               : vector::TransferReadOp::create(b, loc, vector, out,
                                                element(row, v), std::nullopt,
                                                ArrayRef<bool>{tile.isFull})
                     .getResult());

  sums = loops(product.k, position, sums, [&](ValueRange carried) {
    SmallVector<Value> columns, result;
    for (int64_t v = 0; v < vectors; ++v)
      columns.push_back(vector::TransferReadOp::create(
          b, loc, vector, panel ? panel : product.rhs->get(),
          getPanelIndices(position, v * tile.lanes), std::nullopt,
          ArrayRef<bool>{panel || tile.isFull}));
    for (int64_t row = 0; row < rows; ++row) {
      Value scalar = tensor::ExtractOp::create(b, loc, product.lhs->get(),
                                               at(product.lhs, atRow(row)));
      Value factor = vector::BroadcastOp::create(b, loc, vector, scalar);
      for (int64_t v = 0; v < vectors; ++v)
        result.push_back(multiplyAdd(b, loc, tile.hasFMA, factor, columns[v],
                                     carried[row * vectors + v]));
    }
    return result;
  });

  for (int64_t row = 0; row < rows; ++row)
    for (int64_t v = 0; v < vectors; ++v)
      out = vector::TransferWriteOp::create(b, loc, sums[row * vectors + v],
                                            out, element(row, v),
                                            ArrayRef<bool>{tile.isFull})
                .getResult();
  return out;
}

Value ColumnKernel::lower() {
  if (tile.kind == ProductTile::Panel)
    panel = pack();
  Position position = origin();
  Value out = product.init->get();
  if (product.m.empty())
    return multiplyRows(out, position, 1);

  unsigned row = product.m.back();
  std::optional<int64_t> total = getConstantIntValue(size(row));
  auto outer = ArrayRef<unsigned>(product.m).drop_back();
  return loops(outer, position, {out}, [&](ValueRange carried) {
    SmallVector<Value> result(carried);
    Value done = constant(0);
    // Whole tiles, then what is left: at once if its size is known, else by
    // four rows and one by one.
    SmallVector<int64_t> steps = {tile.rows, 4, 1};
    if (total)
      steps = {tile.rows, *total % tile.rows};
    for (int64_t rows : steps) {
      if (rows == 0)
        continue;
      Value upper =
          toValue(apply(dim(0) + (dim(1) - dim(0)).floorDiv(rows) * rows,
                        {getAsOpFoldResult(done), size(row)}));
      result = loop(done, upper, rows, result,
                    [&](Value index, ValueRange carried) -> SmallVector<Value> {
                      position[row] = index;
                      return {multiplyRows(carried[0], position, rows)};
                    });
      done = upper;
    }
    return result;
  })[0];
}

//===----------------------------------------------------------------------===//
// Vectors along K
//===----------------------------------------------------------------------===//

/// One vector of each column times one of each row.
SmallVector<Value> DotKernel::accumulateStep(Value source, Value k,
                                             Value kOffset, bool isWhole,
                                             Position position,
                                             ValueRange sums) {
  Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
  auto read = [&](OpOperand *operand, Value from, ArrayRef<unsigned> dims,
                  VectorType type, ArrayRef<bool> inBounds) -> Value {
    SmallVector<AffineExpr> exprs = llvm::map_to_vector(
        dims, [&](unsigned loop) { return dim(positionOf(loop, operand)); });
    unsigned rank = product.getMap(operand).getNumResults();
    return vector::TransferReadOp::create(
        b, loc, type, from, at(operand, position), zero,
        AffineMap::get(rank, 0, exprs, b.getContext()), inBounds);
  };
  position[innerK] = k;
  auto block = VectorType::get({tile.columns, tile.lanes}, b.getF32Type());
  Value columns = read(product.rhs, source, {product.n.back(), innerK}, block,
                       {tile.isFull, isWhole});
  position[innerK] = arith::AddIOp::create(b, loc, kOffset, k);
  SmallVector<Value> result;
  for (int64_t row = 0; row < tile.rows; ++row) {
    if (!product.m.empty())
      position[product.m.back()] = constant(row);
    Value factor =
        read(product.lhs, product.lhs->get(), {innerK}, vector, {isWhole});
    for (int64_t column = 0; column < tile.columns; ++column) {
      Value part = vector::ExtractOp::create(b, loc, columns, column);
      result.push_back(multiplyAdd(b, loc, tile.hasFMA, factor, part,
                                   sums[row * tile.columns + column]));
    }
  }
  return result;
}

SmallVector<Value> DotKernel::accumulate(Value source, OpFoldResult kOffset,
                                         OpFoldResult kSize, Position &position,
                                         ValueRange sums) {
  auto outer = ArrayRef<unsigned>(product.k).drop_back();
  Value offset = toValue(kOffset);
  return loops(outer, position, sums, [&](ValueRange carried) {
    OpFoldResult whole =
        apply(dim(0).floorDiv(tile.lanes) * tile.lanes, {kSize});
    SmallVector<Value> result(carried);
    result = loop(constant(0), toValue(whole), tile.lanes, result,
                  [&](Value k, ValueRange carried) {
                    return accumulateStep(source, k, offset, true, position,
                                          carried);
                  });
    std::optional<int64_t> size = getConstantIntValue(kSize);
    if (size && *size % tile.lanes == 0)
      return result;
    return loop(toValue(whole), toValue(kSize), tile.lanes, result,
                [&](Value k, ValueRange carried) {
                  return accumulateStep(source, k, offset, false, position,
                                        carried);
                });
  });
}

Value DotKernel::lower() {
  Position position = origin();
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(vector));
  SmallVector<Value> sums(tile.rows * tile.columns, zero);
  PanelSource source(*this, tile.columns);
  if (!source.isComputed()) {
    sums = accumulate(product.rhs->get(), b.getIndexAttr(0), size(innerK),
                      position, sums);
  } else {
    auto accumulateChunks = [&](Value lower, Value upper, OpFoldResult chunk) {
      sums = loop(lower, upper, kChunk, sums,
                  [&](Value index, ValueRange carried) {
                    return accumulate(source.get(index, chunk, kChunk), index,
                                      chunk, position, carried);
                  });
    };
    Value split =
        toValue(apply(dim(0).floorDiv(kChunk) * kChunk, {size(innerK)}));
    accumulateChunks(constant(0), split, b.getIndexAttr(kChunk));
    OpFoldResult rest = apply(dim(0) % kChunk, {size(innerK)});
    if (!isConstantIntValue(rest, 0))
      accumulateChunks(split, toValue(size(innerK)), rest);
  }

  auto type = VectorType::get(tile.columns, b.getF32Type());
  Value out = product.init->get();
  for (int64_t row = 0; row < tile.rows; ++row) {
    Position to = origin();
    if (!product.m.empty())
      to[product.m.back()] = constant(row);
    SmallVector<Value> elements;
    for (int64_t column = 0; column < tile.columns; ++column)
      elements.push_back(vector::ReductionOp::create(
          b, loc, vector::CombiningKind::ADD, sums[row * tile.columns + column],
          arith::FastMathFlags::reassoc));
    Value result = vector::FromElementsOp::create(b, loc, type, elements);
    Value init =
        fill
            ? vector::BroadcastOp::create(b, loc, type, fill).getResult()
            : vector::TransferReadOp::create(b, loc, type, out,
                                             at(product.init, to), std::nullopt,
                                             ArrayRef<bool>{tile.isFull})
                  .getResult();
    result = arith::AddFOp::create(b, loc, init, result);
    out = vector::TransferWriteOp::create(b, loc, result, out,
                                          at(product.init, to),
                                          ArrayRef<bool>{tile.isFull})
              .getResult();
  }
  return out;
}

void mx::lowerProduct(RewriterBase &rewriter, const LinalgProduct &product,
                      const ProductTile &tile, Value fill) {
  linalg::LinalgOp op = product.op;
  Value out = tile.kind == ProductTile::Dot
                  ? DotKernel(rewriter, product, tile, fill).lower()
                  : ColumnKernel(rewriter, product, tile, fill).lower();
  rewriter.replaceOp(op, out);
}
