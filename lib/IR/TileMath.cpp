// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TileMath.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"

#include <numeric>

using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

OpFoldResult TileMath::floorDiv(OpFoldResult value, int64_t divisor) {
  if (divisor == 1)
    return value;
  AffineExpr d0 = builder.getAffineDimExpr(0);
  return affine::makeComposedFoldedAffineApply(builder, loc,
                                               d0.floorDiv(divisor), {value});
}

OpFoldResult TileMath::ceilDiv(OpFoldResult value, int64_t divisor) {
  if (divisor == 1)
    return value;
  AffineExpr d0 = builder.getAffineDimExpr(0);
  return affine::makeComposedFoldedAffineApply(builder, loc,
                                               d0.ceilDiv(divisor), {value});
}

OpFoldResult TileMath::clamp(OpFoldResult offset, OpFoldResult size,
                             OpFoldResult extent, int64_t unit) {
  if (std::optional<int64_t> constant = getConstantIntValue(extent);
      constant && *constant % unit == 0)
    return size;
  AffineExpr d0, d1, d2;
  bindDims(builder.getContext(), d0, d1, d2);
  auto map = AffineMap::get(3, 0, {d1, d2 - d0}, builder.getContext());
  return affine::makeComposedFoldedAffineMin(builder, loc, map,
                                             {offset, size, extent});
}

OpFoldResults TileMath::getSizes(Value value) {
  if (isa<MemRefType>(value.getType()))
    return memref::getMixedSizes(builder, loc, value);
  return tensor::getMixedSizes(builder, loc, value);
}

Tile TileMath::getWhole(Value value) {
  OpFoldResults sizes = getSizes(value);
  return {OpFoldResults(sizes.size(), constant(0)), sizes};
}

//===----------------------------------------------------------------------===//
// Divisors
//===----------------------------------------------------------------------===//

static int64_t getKnownDivisor(OpFoldResult value, unsigned depth);

/// Of the value of an expression whose operands (dims first) these are.
static int64_t getKnownDivisor(AffineExpr expr, unsigned numDims,
                               ValueRange operands, unsigned depth) {
  // Each operand as its known divisor times something unknown.
  SmallVector<AffineExpr> dims, symbols;
  MLIRContext *context = expr.getContext();
  for (auto [i, operand] : llvm::enumerate(operands)) {
    int64_t divisor = getKnownDivisor(operand, depth);
    if (i < numDims)
      dims.push_back(getAffineDimExpr(i, context) * divisor);
    else
      symbols.push_back(getAffineSymbolExpr(i - numDims, context) * divisor);
  }
  expr = simplifyAffineExpr(expr.replaceDimsAndSymbols(dims, symbols),
                            dims.size(), symbols.size());
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return std::abs(constant.getValue());
  return expr.getLargestKnownDivisor();
}

/// Of all results of a map: of their minimum or maximum too.
static int64_t getKnownDivisor(AffineMap map, ValueRange operands,
                               unsigned depth) {
  int64_t divisor = 0;
  for (AffineExpr expr : map.getResults())
    divisor = std::gcd(
        divisor, getKnownDivisor(expr, map.getNumDims(), operands, depth));
  return divisor;
}

/// Of a loop's variable.
static int64_t getKnownDivisor(LoopLikeOpInterface loop, Value variable,
                               unsigned depth) {
  std::optional<SmallVector<Value>> variables = loop.getLoopInductionVars();
  std::optional<OpFoldResults> lower = loop.getLoopLowerBounds();
  std::optional<OpFoldResults> steps = loop.getLoopSteps();
  if (!variables || !lower || !steps)
    return 1;
  const Value *it = llvm::find(*variables, variable);
  if (it == variables->end())
    return 1;
  size_t i = it - variables->begin();
  return std::gcd(getKnownDivisor((*lower)[i], depth),
                  getKnownDivisor((*steps)[i], depth));
}

static int64_t getKnownDivisor(OpFoldResult value, unsigned depth) {
  // Index arithmetic of tiles is shallow, since composed.
  constexpr unsigned maxDepth = 8;
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return std::abs(*constant);
  if (depth++ == maxDepth)
    return 1;
  auto index = cast<Value>(value);
  if (auto argument = dyn_cast<BlockArgument>(index)) {
    Operation *parent = argument.getOwner()->getParentOp();
    auto loop = dyn_cast_or_null<LoopLikeOpInterface>(parent);
    return loop ? getKnownDivisor(loop, index, depth) : 1;
  }
  Operation *op = index.getDefiningOp();
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return getKnownDivisor(apply.getAffineMap(), apply.getOperands(), depth);
  if (auto min = dyn_cast<affine::AffineMinOp>(op))
    return getKnownDivisor(min.getAffineMap(), min.getOperands(), depth);
  if (auto max = dyn_cast<affine::AffineMaxOp>(op))
    return getKnownDivisor(max.getAffineMap(), max.getOperands(), depth);
  int64_t divisor;
  if (auto product = dyn_cast<arith::MulIOp>(op);
      product &&
      !llvm::MulOverflow(getKnownDivisor(product.getLhs(), depth),
                         getKnownDivisor(product.getRhs(), depth), divisor))
    return divisor;
  return 1;
}

int64_t mx::getKnownDivisor(OpFoldResult value) {
  return ::getKnownDivisor(value, /*depth=*/0);
}

OpFoldResult TileMath::multiply(OpFoldResult value, int64_t factor) {
  if (factor == 1)
    return value;
  // An exact division is undone: a tile computed back from scales is then equal
  // to the tile of elements, and CSE finds it.
  affine::AffineApplyOp apply;
  if (auto index = dyn_cast<Value>(value))
    apply = index.getDefiningOp<affine::AffineApplyOp>();
  if (apply) {
    AffineMap map = apply.getAffineMap();
    auto quotient = dyn_cast<AffineBinaryOpExpr>(map.getResult(0));
    if (quotient && quotient.getKind() == AffineExprKind::FloorDiv &&
        quotient.getRHS() == factor) {
      AffineExpr dividend = quotient.getLHS();
      if (::getKnownDivisor(dividend, map.getNumDims(), apply.getOperands(),
                            /*depth=*/0) %
              factor ==
          0)
        return affine::makeComposedFoldedAffineApply(
            builder, loc,
            AffineMap::get(map.getNumDims(), map.getNumSymbols(), dividend),
            getAsOpFoldResult(apply.getOperands()));
    }
  }
  return affine::makeComposedFoldedAffineApply(
      builder, loc, builder.getAffineDimExpr(0) * factor, {value});
}

//===----------------------------------------------------------------------===//
// Whole blocks
//===----------------------------------------------------------------------===//

/// True if offset + size is known to be the extent of a dimension; the size is
/// an expression over some operands.
static bool isKnownEnd(OpFoldResult offset, AffineExpr size, unsigned numDims,
                       ValueRange sizeOperands, Value tensor, int64_t dim) {
  using Variable = ValueBoundsConstraintSet::Variable;
  // The loop that a tile is put into has no terminator yet, which is what says
  // that an iteration argument keeps its shape.
  auto argument = dyn_cast<BlockArgument>(tensor);
  if (argument &&
      isa_and_nonnull<LoopLikeOpInterface>(argument.getOwner()->getParentOp()))
    return false;
  // The offset is a symbol after those of the size.
  unsigned numSymbols = sizeOperands.size() - numDims;
  MLIRContext *context = tensor.getContext();
  SmallVector<Variable> operands(sizeOperands.begin(), sizeOperands.end());
  operands.push_back(Variable(offset));
  auto end = AffineMap::get(numDims, numSymbols + 1,
                            size + getAffineSymbolExpr(numSymbols, context));
  FailureOr<bool> isEqual = ValueBoundsConstraintSet::areEqual(
      Variable(end, operands), Variable(tensor, dim));
  return succeeded(isEqual) && *isEqual;
}

bool mx::isKnownWholeBlocks(OpFoldResult offset, OpFoldResult size,
                            int64_t block, ValueRange tensors, int64_t dim) {
  if (block == 1)
    return true;
  MLIRContext *context = tensors.front().getContext();
  // Each size of a minimum must do.
  AffineMap sizes = AffineMap::get(0, 1, getAffineSymbolExpr(0, context));
  SmallVector<Value> operands;
  if (std::optional<int64_t> constant = getConstantIntValue(size)) {
    sizes = AffineMap::get(0, 0, getAffineConstantExpr(*constant, context));
  } else if (auto min =
                 cast<Value>(size).getDefiningOp<affine::AffineMinOp>()) {
    sizes = min.getAffineMap();
    llvm::append_range(operands, min.getOperands());
  } else {
    operands.push_back(cast<Value>(size));
  }

  bool isWhole = block == Format::Whole;
  if (isWhole ? !isZeroInteger(offset) : getKnownDivisor(offset) % block != 0)
    return false;
  return llvm::all_of(sizes.getResults(), [&](AffineExpr expr) {
    if (!isWhole && ::getKnownDivisor(expr, sizes.getNumDims(), operands,
                                      /*depth=*/0) %
                            block ==
                        0)
      return true;
    return llvm::any_of(tensors, [&](Value tensor) {
      return isKnownEnd(offset, expr, sizes.getNumDims(), operands, tensor,
                        dim);
    });
  });
}

bool mx::dependsOnParallelLoop(OpFoldResult value) {
  auto index = dyn_cast<Value>(value);
  if (!index)
    return false;
  if (auto argument = dyn_cast<BlockArgument>(index))
    return isa_and_nonnull<scf::ForallOp, scf::ParallelOp>(
        argument.getOwner()->getParentOp());
  Operation *op = index.getDefiningOp();
  return isa<affine::AffineApplyOp, affine::AffineMinOp, affine::AffineMaxOp>(
             op) &&
         llvm::any_of(op->getOperands(), dependsOnParallelLoop);
}
