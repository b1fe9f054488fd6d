// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinalgProduct.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mx;

bool mx::isNarrowFloat(Type type) { return type.isBF16() || type.isF16(); }

/// True if `value` is block argument `number`, extended to f32 if narrower.
static bool isArgument(Value value, Block *block, unsigned number) {
  if (auto extend = value.getDefiningOp<arith::ExtFOp>();
      extend && isNarrowFloat(extend.getIn().getType()))
    value = extend.getIn();
  return value == block->getArgument(number);
}

/// True if the body is `out + a * b` in f32.
static bool isMultiplyAdd(Block *block) {
  auto add =
      block->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!add || !add.getType().isF32())
    return false;
  for (auto [sum, product] : {std::pair(add.getLhs(), add.getRhs()),
                              std::pair(add.getRhs(), add.getLhs())}) {
    auto multiply = product.getDefiningOp<arith::MulFOp>();
    if (sum != block->getArgument(2) || !multiply)
      continue;
    for (auto [a, b] : {std::pair(multiply.getLhs(), multiply.getRhs()),
                        std::pair(multiply.getRhs(), multiply.getLhs())})
      if (isArgument(a, block, 0) && isArgument(b, block, 1))
        return true;
  }
  return false;
}

FailureOr<LinalgProduct> LinalgProduct::match(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || !linalgOp.hasPureTensorSemantics() ||
      linalgOp.getNumDpsInputs() != 2 || linalgOp.getNumDpsInits() != 1 ||
      linalgOp.getNumReductionLoops() == 0 ||
      !isMultiplyAdd(linalgOp.getBlock()))
    return failure();
  if (!llvm::all_of(linalgOp.getIndexingMapsArray(),
                    [](AffineMap map) { return map.isProjectedPermutation(); }))
    return failure();

  FailureOr<linalg::ContractionDimensions> dims =
      linalg::inferContractionDims(linalgOp);
  if (failed(dims) || dims->k.empty() ||
      dims->batch.size() + dims->m.size() + dims->n.size() + dims->k.size() !=
          linalgOp.getNumLoops())
    return failure();
  AffineMap out =
      linalgOp.getMatchingIndexingMap(linalgOp.getDpsInitOperand(0));
  if (out.getNumResults() == 0)
    return failure();

  LinalgProduct product;
  product.op = linalgOp;
  product.lhs = linalgOp.getDpsInputOperand(0);
  product.rhs = linalgOp.getDpsInputOperand(1);
  product.init = linalgOp.getDpsInitOperand(0);
  product.batch.assign(dims->batch.begin(), dims->batch.end());
  product.m.assign(dims->m.begin(), dims->m.end());
  product.n.assign(dims->n.begin(), dims->n.end());
  product.k.assign(dims->k.begin(), dims->k.end());
  unsigned innermost = out.getDimPosition(out.getNumResults() - 1);
  if (llvm::is_contained(product.m, innermost)) {
    std::swap(product.lhs, product.rhs);
    std::swap(product.m, product.n);
  }
  if (!llvm::is_contained(product.n, innermost))
    return failure();
  // Loops in the order of the result's dimensions.
  auto byResult = [&](unsigned a, unsigned b) {
    auto position = [&](unsigned loop) {
      return *out.getResultPosition(
          getAffineDimExpr(loop, linalgOp->getContext()));
    };
    return position(a) < position(b);
  };
  llvm::sort(product.m, byResult);
  llvm::sort(product.n, byResult);
  return product;
}
