// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/Views.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"

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

/// `indexed` before `reshape` put dimensions of extent one in or took them out;
/// null if it does more.
static std::optional<IndexedValue> lookThroughReshape(IndexedValue indexed,
                                                      Value source) {
  auto from = dyn_cast<RankedTensorType>(source.getType());
  auto to = dyn_cast<RankedTensorType>(indexed.value.getType());
  if (!from || !to)
    return std::nullopt;
  MLIRContext *context = indexed.map.getContext();
  SmallVector<AffineExpr> exprs;
  int64_t dim = 0;
  auto skipUnits = [&] {
    while (dim < to.getRank() && to.getDimSize(dim) == 1)
      ++dim;
  };
  for (int64_t extent : from.getShape()) {
    if (extent == 1) {
      exprs.push_back(getAffineConstantExpr(0, context));
      continue;
    }
    skipUnits();
    if (dim == to.getRank() || to.getDimSize(dim) != extent)
      return std::nullopt;
    exprs.push_back(indexed.map.getResult(dim++));
  }
  skipUnits();
  if (dim != to.getRank() || !from.hasStaticShape())
    return std::nullopt;
  return IndexedValue{
      source, AffineMap::get(indexed.map.getNumDims(), 0, exprs, context)};
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
    } else if (isa<tosa::ReshapeOp, tensor::ExpandShapeOp,
                   tensor::CollapseShapeOp>(op)) {
      auto reshaped = lookThroughReshape(indexed, op->getOperand(0));
      if (!reshaped)
        break;
      indexed = *reshaped;
    } else if (auto transpose = dyn_cast<tosa::TransposeOp>(op)) {
      SmallVector<AffineExpr> exprs(transpose.getPerms().size());
      for (auto [dim, source] : llvm::enumerate(transpose.getPerms()))
        exprs[source] = indexed.map.getResult(dim);
      indexed = {transpose.getInput1(),
                 AffineMap::get(indexed.map.getNumDims(), 0, exprs,
                                indexed.map.getContext())};
    } else {
      break;
    }
    if (copies)
      copies->push_back(op);
  }
  return indexed;
}
