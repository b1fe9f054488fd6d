// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ComputedFactor.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mx;

namespace {
/// The part of a body that a factor is computed by.
struct FactorBody {
  SetVector<Operation *> ops;
  SetVector<BlockArgument> arguments;

  FactorBody(Block *body, Value factor) {
    SmallVector<Value> worklist = {factor};
    while (!worklist.empty()) {
      Value value = worklist.pop_back_val();
      if (auto argument = dyn_cast<BlockArgument>(value)) {
        if (argument.getOwner() == body)
          arguments.insert(argument);
      } else if (Operation *producer = value.getDefiningOp();
                 producer->getBlock() == body && ops.insert(producer)) {
        llvm::append_range(worklist, producer->getOperands());
      }
    }
  }
};
} // namespace

bool mx::isSeparableFactor(linalg::LinalgOp op, Value factor, AffineMap map) {
  Type type = factor.getType();
  if (!type.isF32() && !type.isBF16() && !type.isF16())
    return false;
  FactorBody body(op.getBlock(), factor);
  return llvm::all_of(body.arguments, [&](BlockArgument argument) {
    AffineMap read =
        op.getMatchingIndexingMap(op.getMatchingOpOperand(argument));
    if (!read.isProjectedPermutation(/*allowZeroInResults=*/true))
      return false;
    for (unsigned loop = 0; loop < read.getNumDims(); ++loop)
      if (read.isFunctionOfDim(loop) && !map.isFunctionOfDim(loop))
        return false;
    return true;
  });
}

IndexedValue mx::computeFactor(RewriterBase &rewriter, linalg::LinalgOp op,
                               Value factor, IndexedValue main) {
  Location loc = op.getLoc();
  FactorBody body(op.getBlock(), factor);
  AffineExpr zero = rewriter.getAffineConstantExpr(0);
  SmallVector<AffineExpr> dims(op.getNumLoops(), zero), exprs;
  SmallVector<OpFoldResult> sizes;
  for (auto [dim, expr] : llvm::enumerate(main.map.getResults())) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (!loop)
      continue;
    dims[loop.getPosition()] = rewriter.getAffineDimExpr(exprs.size());
    exprs.push_back(loop);
    sizes.push_back(tensor::getMixedSize(rewriter, loc, main.value, dim));
  }

  unsigned rank = exprs.size();
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (BlockArgument argument : body.arguments) {
    OpOperand *read = op.getMatchingOpOperand(argument);
    inputs.push_back(read->get());
    maps.push_back(op.getMatchingIndexingMap(read).replaceDimsAndSymbols(
        dims, /*symReplacements=*/{}, rank, /*numResultSyms=*/0));
  }
  maps.push_back(rewriter.getMultiDimIdentityMap(rank));
  Value init = tensor::EmptyOp::create(rewriter, loc, sizes, factor.getType());
  auto generic = linalg::GenericOp::create(
      rewriter, loc, init.getType(), inputs, init, maps,
      SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel),
      [&](OpBuilder &builder, Location, ValueRange values) {
        IRMapping mapping;
        for (auto [argument, value] : llvm::zip(body.arguments, values))
          mapping.map(argument, value);
        for (Operation &step : op.getBlock()->without_terminator())
          if (body.ops.contains(&step))
            builder.clone(step, mapping);
        linalg::YieldOp::create(builder, loc, mapping.lookupOrDefault(factor));
      });
  return {generic.getResult(0),
          AffineMap::get(op.getNumLoops(), 0, exprs, rewriter.getContext())};
}
