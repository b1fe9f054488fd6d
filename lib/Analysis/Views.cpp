// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/Views.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mx;

/// The map from result dimensions to input dimensions of an op that copies its
/// one input, possibly to a wider type; null if it is something else.
static AffineMap getCopyMap(linalg::LinalgOp op) {
  if (op.getNumDpsInputs() != 1 || op->getNumResults() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops() ||
      !isa<RankedTensorType>(op.getDpsInputOperand(0)->get().getType()))
    return {};
  Value yielded = op.getBlock()->getTerminator()->getOperand(0);
  while (auto extend = yielded.getDefiningOp<arith::ExtFOp>())
    yielded = extend.getIn();
  if (yielded != op.getMatchingBlockArgument(op.getDpsInputOperand(0)))
    return {};
  AffineMap input = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  AffineMap result = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!input.isProjectedPermutation() || !result.isPermutation())
    return {};
  return input.compose(inversePermutation(result));
}

IndexedValue mx::lookThroughCopies(IndexedValue indexed,
                                   SmallVectorImpl<Operation *> *copies) {
  while (Operation *op = indexed.value.getDefiningOp()) {
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
      AffineMap copy = getCopyMap(linalgOp);
      if (!copy)
        break;
      indexed = {linalgOp.getDpsInputOperand(0)->get(),
                 copy.compose(indexed.map)};
    } else if (auto extend = dyn_cast<arith::ExtFOp>(op)) {
      indexed.value = extend.getIn();
    } else {
      break;
    }
    if (copies)
      copies->push_back(op);
  }
  return indexed;
}
