// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ProductKernel.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mx;

/// Products with at most this many rows do not pay for packing.
static constexpr int64_t kFewRows = 4;

/// Rows of a tile for `total` rows, or for an unknown number of them.
static int64_t chooseRows(int64_t total, int64_t most) {
  if (ShapedType::isDynamic(total))
    return std::min<int64_t>(most, 8);
  // A tile costs its rows and, for the panel's loads, about 1.5 rows more.
  auto cost = [&](int64_t rows) {
    int64_t rest = total % rows;
    return (total / rows) * (rows + 1.5) + (rest ? rest + 1.5 : 0);
  };
  int64_t best = std::min(most, total);
  for (int64_t rows = best - 1; rows >= most / 2; --rows)
    if (cost(rows) < cost(best))
      best = rows;
  return best;
}

/// The innermost dimension of an operand, as a loop.
static unsigned innermost(const LinalgProduct &product, OpOperand *operand) {
  AffineMap map = product.getMap(operand);
  return map.getDimPosition(map.getNumResults() - 1);
}

ProductTile ProductTile::get(const LinalgProduct &product,
                             const CPUTarget &target) {
  linalg::LinalgOp op = product.op;
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  bool manyRegisters = target.registers >= 32;
  int64_t columns = sizes[product.n.back()];
  int64_t rows = product.m.empty() ? 1 : sizes[product.m.back()];

  ProductTile tile;
  tile.lanes = target.lanes;
  tile.hasFMA = target.hasFMA;
  bool isThin =
      product.m.size() <= 1 && !ShapedType::isDynamic(rows) && rows <= kFewRows;
  if (isThin && innermost(product, product.rhs) == product.k.back() &&
      innermost(product, product.lhs) == product.k.back()) {
    tile.kind = Dot;
    tile.rows = rows;
    tile.columns = (manyRegisters ? 16 : 8) / llvm::PowerOf2Ceil(rows);
  } else {
    bool isStored = !isa_and_nonnull<linalg::LinalgOp, tensor::CollapseShapeOp>(
        product.rhs->get().getDefiningOp());
    int64_t vectors = 2;
    // Accumulators, the panel's vectors and one element of the left operand
    // (without multiply-add also a product) share the registers.
    int64_t most = manyRegisters ? 14 : target.hasFMA ? 6 : 4;
    if (isThin && isStored &&
        innermost(product, product.rhs) == product.n.back()) {
      tile.kind = Columns;
      vectors = manyRegisters ? 4 : 2;
      most = kFewRows;
    }
    if (!ShapedType::isDynamic(columns))
      vectors = std::min<int64_t>(
          vectors, llvm::PowerOf2Ceil(llvm::divideCeil(columns, tile.lanes)));
    tile.rows = chooseRows(rows, most);
    tile.columns = vectors * tile.lanes;
  }
  tile.isFull = !ShapedType::isDynamic(columns) && columns % tile.columns == 0;
  return tile;
}
