// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/Contraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mx;

/// Looks through conversions; `widening` becomes false at one that may lose
/// bits.
static Value stripCasts(Value value, bool &widening) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(op)) {
    } else if (isa<arith::TruncFOp, arith::TruncIOp, arith::SIToFPOp,
                   arith::UIToFPOp, arith::ScalingExtFOp>(op)) {
      widening = false;
    } else {
      break;
    }
    value = op->getOperand(0);
  }
  return value;
}

static Value stripCasts(Value value) {
  bool ignored;
  return stripCasts(value, ignored);
}

/// The two factors and the accumulator of `sum`, a value of a linalg body.
static FailureOr<std::pair<Value, Value>> matchMultiplyAdd(Value sum,
                                                           Value accumulator) {
  if (auto fma = sum.getDefiningOp<math::FmaOp>()) {
    if (stripCasts(fma.getC()) != accumulator)
      return failure();
    return std::pair(fma.getA(), fma.getB());
  }
  Operation *add = sum.getDefiningOp();
  if (!isa_and_nonnull<arith::AddFOp, arith::AddIOp>(add))
    return failure();
  for (auto [product, other] :
       {std::pair(add->getOperand(0), add->getOperand(1)),
        std::pair(add->getOperand(1), add->getOperand(0))}) {
    Operation *multiply = stripCasts(product).getDefiningOp();
    if (stripCasts(other) == accumulator &&
        isa_and_nonnull<arith::MulFOp, arith::MulIOp>(multiply))
      return std::pair(multiply->getOperand(0), multiply->getOperand(1));
  }
  return failure();
}

namespace {
/// One factor of the product: the operand it reads.
struct Factor {
  OpOperand *operand = nullptr;
  llvm::SmallSetVector<Value, 2> arguments;
  /// The factor itself, if it is not the operand.
  Value computed;
};
} // namespace

static FailureOr<Factor> matchFactor(linalg::LinalgOp op, Value value) {
  Factor factor;
  Block *body = op.getBlock();
  // The body's arguments that the factor depends on. An index or an element of
  // another tensor makes it something else than a product of two operands.
  SmallVector<Value> worklist = {value};
  SmallPtrSet<Operation *, 8> seen;
  while (!worklist.empty()) {
    Value next = worklist.pop_back_val();
    if (auto argument = dyn_cast<BlockArgument>(next)) {
      if (argument.getOwner() == body)
        factor.arguments.insert(argument);
      continue;
    }
    Operation *producer = next.getDefiningOp();
    if (producer->getBlock() != body || !seen.insert(producer).second)
      continue;
    if (producer->getNumRegions() != 0 ||
        !isa<arith::ArithDialect, math::MathDialect>(producer->getDialect()))
      return failure();
    llvm::append_range(worklist, producer->getOperands());
  }

  for (Value argument : factor.arguments) {
    OpOperand *operand = op.getMatchingOpOperand(cast<BlockArgument>(argument));
    if (op.isDpsInit(operand))
      return failure();
    if (!factor.operand ||
        op.getMatchingIndexingMap(operand).getNumResults() >
            op.getMatchingIndexingMap(factor.operand).getNumResults())
      factor.operand = operand;
  }
  if (!factor.operand)
    return failure();
  bool widening = true;
  Value stripped = stripCasts(value, widening);
  if (!widening || stripped != op.getMatchingBlockArgument(factor.operand))
    factor.computed = value;
  return factor;
}

static FailureOr<Contraction> matchLinalg(linalg::LinalgOp op,
                                          unsigned result) {
  if (op.getNumReductionLoops() == 0 ||
      op.getBlock()->getNumArguments() != op->getNumOperands())
    return failure();
  OpOperand *init = op.getDpsInitOperand(result);
  Value yielded = op.getBlock()->getTerminator()->getOperand(result);
  FailureOr<std::pair<Value, Value>> factors =
      matchMultiplyAdd(stripCasts(yielded), op.getMatchingBlockArgument(init));
  if (failed(factors))
    return failure();
  FailureOr<Factor> lhs = matchFactor(op, factors->first);
  FailureOr<Factor> rhs = matchFactor(op, factors->second);
  if (failed(lhs) || failed(rhs) || llvm::any_of(lhs->arguments, [&](Value v) {
        return rhs->arguments.contains(v);
      }))
    return failure();
  if (lhs->operand->getOperandNumber() > rhs->operand->getOperandNumber())
    std::swap(*lhs, *rhs);

  Contraction contraction;
  contraction.op = op;
  contraction.result = result;
  contraction.lhs = lhs->operand;
  contraction.rhs = rhs->operand;
  contraction.init = init;
  contraction.lhsFactor = lhs->computed;
  contraction.rhsFactor = rhs->computed;
  contraction.isPlain = !lhs->computed && !rhs->computed;

  AffineMap lhsMap = op.getMatchingIndexingMap(contraction.lhs);
  AffineMap rhsMap = op.getMatchingIndexingMap(contraction.rhs);
  AffineMap resultMap = op.getMatchingIndexingMap(init);
  if (!lhsMap.isProjectedPermutation(/*allowZeroInResults=*/true) ||
      !rhsMap.isProjectedPermutation(/*allowZeroInResults=*/true) ||
      !resultMap.isProjectedPermutation())
    return failure();
  for (unsigned loop = 0, e = op.getNumLoops(); loop < e; ++loop) {
    bool inLhs = lhsMap.isFunctionOfDim(loop);
    bool inRhs = rhsMap.isFunctionOfDim(loop);
    bool inResult = resultMap.isFunctionOfDim(loop);
    if (inLhs && inRhs)
      (inResult ? contraction.batch : contraction.k).push_back(loop);
    else if (inLhs && inResult)
      contraction.m.push_back(loop);
    else if (inRhs && inResult)
      contraction.n.push_back(loop);
    else
      return failure();
  }
  bool isNamed = isa<linalg::ContractionOpInterface>(op.getOperation());
  if (contraction.k.empty() ||
      (!isNamed && contraction.m.empty() && contraction.n.empty()))
    return failure();
  contraction.lhsMap = lhsMap;
  contraction.rhsMap = rhsMap;
  contraction.resultMap = resultMap;
  contraction.ranges = op.getStaticLoopRanges();
  return contraction;
}

/// [b, m, k] by [b, k, n], minus a zero point each.
static Contraction matchTosa(tosa::MatMulOp op) {
  MLIRContext *context = op.getContext();
  AffineExpr b, m, n, k;
  bindDims(context, b, m, n, k);
  auto lhs = cast<ShapedType>(op.getA().getType());
  auto rhs = cast<ShapedType>(op.getB().getType());
  auto extent = [](ShapedType type, unsigned dim) {
    return type.hasRank() ? type.getDimSize(dim) : ShapedType::kDynamic;
  };
  Contraction contraction;
  contraction.op = op;
  contraction.lhs = &op.getAMutable();
  contraction.rhs = &op.getBMutable();
  contraction.lhsMap = AffineMap::get(4, 0, {b, m, k}, context);
  contraction.rhsMap = AffineMap::get(4, 0, {b, k, n}, context);
  contraction.resultMap = AffineMap::get(4, 0, {b, m, n}, context);
  contraction.ranges = {extent(lhs, 0), extent(lhs, 1), extent(rhs, 2),
                        extent(lhs, 2)};
  contraction.batch = {0};
  contraction.m = {1};
  contraction.n = {2};
  contraction.k = {3};
  auto isZero = [](Value zeroPoint) {
    return matchPattern(zeroPoint, m_AnyZeroFloat()) ||
           matchPattern(zeroPoint, m_Zero());
  };
  contraction.isPlain = isZero(op.getAZp()) && isZero(op.getBZp());
  return contraction;
}

FailureOr<Contraction> mx::matchContraction(Operation *op, unsigned result) {
  if (auto matmul = dyn_cast<tosa::MatMulOp>(op))
    return matchTosa(matmul);
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return matchLinalg(linalgOp, result);
  return failure();
}
