// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "QuantizeMatmul.h"
#include "ComputedFactor.h"
#include "mx/Analysis/Contraction.h"
#include "mx/Analysis/Views.h"
#include "mx/Formats/Quantize.h"
#include "mx/IR/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mx;

namespace {

/// One operand as mx.matmul will read it.
struct MatmulOperand {
  IndexedValue read;
  OperandAttr policy;
  /// The value of the op's body that is computed from what is read, if it is
  /// not the operand that is multiplied.
  Value factor;
  /// Copies that are looked through, last first.
  SmallVector<Operation *> copies;
};

/// One result of the op that is rewritten.
struct MatmulPlan {
  Contraction contraction;
  MatmulOperand lhs, rhs;
};

class MatmulRewriter {
public:
  MatmulRewriter(RewriterBase &rewriter, QuantizedOperands &operands,
                 SmallVectorImpl<Operation *> &created)
      : rewriter(rewriter), operands(operands), created(created) {}

  /// Rewrites all results of `op`; on failure nothing has changed and `reason`
  /// says why.
  LogicalResult rewrite(Operation *op, PolicyAttr policy,
                        ArrayRef<PlanEntryAttr> plan, std::string &reason);

private:
  FailureOr<MatmulPlan> plan(Operation *op, unsigned result, PolicyAttr policy,
                             std::string &reason);
  LogicalResult mergeReductions(MatmulPlan &plan, std::string &reason);
  std::string checkOperands(const MatmulPlan &plan);
  SmallVector<Value> prepare(Operation *op, MatmulOperand &operand,
                             ArrayRef<AffineExpr> newLoops,
                             AffineExpr reduction);
  Value build(MatmulPlan &plan, PolicyAttr policy,
              std::optional<int64_t> entry);
  Value convert(Location loc, Value value, Type elementType);
  Value getAccumulator(const Contraction &contraction);
  Value getZero(const Contraction &contraction);

  RewriterBase &rewriter;
  QuantizedOperands &operands;
  SmallVectorImpl<Operation *> &created;
};

} // namespace

//===----------------------------------------------------------------------===//
// What stands in the way
//===----------------------------------------------------------------------===//

/// Why a policy cannot be carried out on this op; empty if it can.
static std::string checkPolicy(PolicyAttr policy) {
  for (OperandAttr operand : {policy.getLhs(), policy.getRhs()})
    if (operand && isFlattened(operand.getFormat().getValue()))
      return "blocks of " + operand.getFormat().getValue().str() +
             " are those of the flattened tensor and cross its rows; use "
             "variant = ocp";
  if (policy.getAccumulate() && !policy.getAccumulate().getValue().isF32())
    return "only f32 accumulation is supported";
  if (policy.getResult())
    return "a quantised result is not supported yet";
  return "";
}

static bool isQuantizable(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && !type.getEncoding() &&
         (type.getElementType().isF32() || type.getElementType().isBF16() ||
          type.getElementType().isF16());
}

/// Reads a unit dimension at constant 0 as no dimension at all.
static bool hasUnitReadsOnly(IndexedValue read) {
  auto type = cast<RankedTensorType>(read.value.getType());
  for (auto [dim, expr] : llvm::enumerate(read.map.getResults()))
    if (!isa<AffineDimExpr>(expr) && type.getDimSize(dim) != 1)
      return false;
  return true;
}

FailureOr<MatmulPlan> MatmulRewriter::plan(Operation *op, unsigned result,
                                           PolicyAttr policy,
                                           std::string &reason) {
  auto fail = [&](const Twine &why) {
    reason = why.str();
    return failure();
  };
  FailureOr<Contraction> contraction = matchContraction(op, result);
  if (failed(contraction))
    return fail("result " + Twine(result) + " is not a product");
  MatmulPlan plan;
  plan.contraction = *contraction;
  plan.lhs.read = {contraction->lhs->get(), contraction->lhsMap};
  plan.rhs.read = {contraction->rhs->get(), contraction->rhsMap};
  plan.lhs.policy = policy.getLhs();
  plan.rhs.policy = policy.getRhs();
  plan.lhs.factor = contraction->lhsFactor;
  plan.rhs.factor = contraction->rhsFactor;
  bool isPlain = contraction->isPlain || plan.lhs.factor || plan.rhs.factor;
  for (const MatmulOperand *operand : {&plan.lhs, &plan.rhs})
    isPlain &= !operand->factor ||
               isSeparableFactor(cast<linalg::LinalgOp>(op), operand->factor,
                                 operand->read.map);
  if (!isPlain)
    return fail("a factor is computed inside of the op");
  for (Value value : {plan.lhs.factor ? Value() : plan.lhs.read.value,
                      plan.rhs.factor ? Value() : plan.rhs.read.value,
                      Value(op->getResult(result))})
    if (value && !isQuantizable(value)) {
      std::string type;
      llvm::raw_string_ostream(type) << value.getType();
      return fail("operand of type " + type +
                  "; f32, bf16 and f16 tensors are supported");
    }

  // Copies around what is quantised are looked through, unless nothing would
  // be left that has the extent of some loop.
  for (MatmulOperand *operand : {&plan.lhs, &plan.rhs}) {
    MatmulOperand looked = *operand;
    if (!looked.policy || looked.factor)
      continue;
    looked.read = lookThroughCopies(looked.read, &looked.copies);
    AffineMap other = (operand == &plan.lhs ? plan.rhs : plan.lhs).read.map;
    bool isLost = false;
    for (unsigned loop = 0; loop < contraction->ranges.size(); ++loop)
      isLost |= operand->read.map.isFunctionOfDim(loop) &&
                !looked.read.map.isFunctionOfDim(loop) &&
                !other.isFunctionOfDim(loop);
    if (!isLost && isQuantizable(looked.read.value))
      *operand = std::move(looked);
  }
  if (!hasUnitReadsOnly(plan.lhs.read) || !hasUnitReadsOnly(plan.rhs.read))
    return fail("an operand is read at a fixed position");
  if (failed(mergeReductions(plan, reason)))
    return failure();
  reason = checkOperands(plan);
  if (!reason.empty())
    return failure();
  return plan;
}

/// The loops of `loops` in the order in which they walk neighbouring dimensions
/// of `read`; fewer if they do not.
static SmallVector<unsigned, 2> getOrder(IndexedValue read,
                                         ArrayRef<unsigned> loops) {
  SmallVector<unsigned, 2> order;
  for (AffineExpr expr : read.map.getResults()) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (loop && llvm::is_contained(loops, loop.getPosition()))
      order.push_back(loop.getPosition());
    else if (!order.empty())
      break;
  }
  return order;
}

/// mx.matmul has one K. Several are one if they are neighbours, in the same
/// order, in both operands; that order becomes the one of `plan`.
LogicalResult MatmulRewriter::mergeReductions(MatmulPlan &plan,
                                              std::string &reason) {
  SmallVector<unsigned, 2> &loops = plan.contraction.k;
  SmallVector<unsigned, 2> order = getOrder(plan.lhs.read, loops);
  if (order.size() != loops.size() || order != getOrder(plan.rhs.read, loops)) {
    reason = "several reduction dimensions that are not neighbours in the same "
             "order in both operands";
    return failure();
  }
  loops = order;
  return success();
}

/// Why an operand cannot be transformed or rounded as its policy says; empty if
/// all can.
std::string MatmulRewriter::checkOperands(const MatmulPlan &plan) {
  int64_t k = 1;
  for (unsigned loop : plan.contraction.k) {
    int64_t range = plan.contraction.ranges[loop];
    if (ShapedType::isDynamic(range) || ShapedType::isDynamic(k))
      k = ShapedType::kDynamic;
    else
      k *= range;
  }
  for (const MatmulOperand *operand : {&plan.lhs, &plan.rhs}) {
    if (!operand->policy)
      continue;
    if (HadamardAttr transform = operand->policy.getTransform())
      if (ShapedType::isDynamic(k) || k % transform.getSize() != 0)
        return "K is " +
               (ShapedType::isDynamic(k) ? "dynamic" : std::to_string(k)) +
               ", which a transform of size " +
               std::to_string(transform.getSize()) + " must divide";
    Operation *user = plan.contraction.op;
    if (!operand->factor)
      user = getUserOutsideOfLoops(user, operand->read.value);
    std::string why = operands.check(user, operand->policy);
    if (!why.empty())
      return why;
  }
  return "";
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// An elementwise conversion between float types.
Value MatmulRewriter::convert(Location loc, Value value, Type elementType) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementType() == elementType)
    return value;
  Value init = tensor::EmptyOp::create(
      rewriter, loc, tensor::getMixedSizes(rewriter, loc, value), elementType);
  AffineMap identity = rewriter.getMultiDimIdentityMap(type.getRank());
  bool widens =
      elementType.getIntOrFloatBitWidth() > type.getElementTypeBitWidth();
  auto generic = linalg::GenericOp::create(
      rewriter, loc, init.getType(), value, init,
      ArrayRef<AffineMap>{identity, identity},
      SmallVector<utils::IteratorType>(type.getRank(),
                                       utils::IteratorType::parallel),
      [&](OpBuilder &builder, Location, ValueRange arguments) {
        Value in = arguments[0];
        Value out = widens
                        ? arith::ExtFOp::create(builder, loc, elementType, in)
                              .getResult()
                        : arith::TruncFOp::create(builder, loc, elementType, in)
                              .getResult();
        linalg::YieldOp::create(builder, loc, out);
      });
  return generic.getResult(0);
}

/// The initial value in f32. A filled one is filled anew, so that no type
/// narrower than f32 is left where there was no number of it.
Value MatmulRewriter::getAccumulator(const Contraction &contraction) {
  if (!contraction.init)
    return getZero(contraction);
  Location loc = contraction.op->getLoc();
  Value init = contraction.init->get();
  Type f32 = rewriter.getF32Type();
  if (getElementTypeOrSelf(init) == f32)
    return init;
  auto fill = init.getDefiningOp<linalg::FillOp>();
  APFloat value(0.0f);
  if (!fill || !matchPattern(fill.getInputs()[0], m_ConstantFloat(&value)))
    return convert(loc, init, f32);
  bool loses;
  value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &loses);
  Value scalar = arith::ConstantOp::create(rewriter, loc,
                                           rewriter.getFloatAttr(f32, value));
  Value empty = tensor::EmptyOp::create(
      rewriter, loc, tensor::getMixedSizes(rewriter, loc, init), f32);
  return linalg::FillOp::create(rewriter, loc, scalar, empty).getResult(0);
}

/// Zeros of the shape of the result, for an op that has no initial value.
Value MatmulRewriter::getZero(const Contraction &contraction) {
  Location loc = contraction.op->getLoc();
  auto type = cast<RankedTensorType>(
      contraction.op->getResult(contraction.result).getType());
  SmallVector<OpFoldResult> sizes;
  for (auto [dim, expr] : llvm::enumerate(contraction.resultMap.getResults())) {
    if (!type.isDynamicDim(dim)) {
      sizes.push_back(rewriter.getIndexAttr(type.getDimSize(dim)));
      continue;
    }
    bool isOfLhs = contraction.lhsMap.getResultPosition(expr).has_value();
    OpOperand *operand = isOfLhs ? contraction.lhs : contraction.rhs;
    AffineMap map = isOfLhs ? contraction.lhsMap : contraction.rhsMap;
    sizes.push_back(tensor::getMixedSize(rewriter, loc, operand->get(),
                                         *map.getResultPosition(expr)));
  }
  Value zero =
      arith::ConstantOp::create(rewriter, loc, rewriter.getF32FloatAttr(0.0f));
  Value empty =
      tensor::EmptyOp::create(rewriter, loc, sizes, rewriter.getF32Type());
  return linalg::FillOp::create(rewriter, loc, zero, empty).getResult(0);
}

/// The values that mx.matmul takes for one operand, whose `read.map` becomes
/// that of the new loops (null for those of K that are merged): dimensions that
/// no new loop walks are collapsed into their neighbours.
SmallVector<Value> MatmulRewriter::prepare(Operation *op,
                                           MatmulOperand &operand,
                                           ArrayRef<AffineExpr> newLoops,
                                           AffineExpr reduction) {
  IndexedValue &read = operand.read;
  Location loc = op->getLoc();
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(getUserOutsideOfLoops(op, read.value));
  SmallVector<ReassociationIndices> groups;
  SmallVector<AffineExpr> exprs;
  for (auto [dim, expr] : llvm::enumerate(read.map.getResults())) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    AffineExpr newLoop = loop ? newLoops[loop.getPosition()] : AffineExpr();
    // A group starts at each dimension that is walked, the first one's at 0.
    if (newLoop ? exprs.size() == groups.size() : groups.empty())
      groups.emplace_back();
    groups.back().push_back(dim);
    if (newLoop)
      exprs.push_back(newLoop);
  }
  if (exprs.empty())
    groups.clear();
  if (groups.size() != read.map.getNumResults())
    read.value =
        tensor::CollapseShapeOp::create(rewriter, loc, read.value, groups);
  unsigned numLoops =
      llvm::count_if(newLoops, [](AffineExpr e) { return !!e; });
  read.map = AffineMap::get(numLoops, 0, exprs, rewriter.getContext());
  if (!operand.policy)
    return {read.value};
  int64_t axis = *read.map.getResultPosition(reduction),
          last = exprs.size() - 1;
  // Random bits go by position, so that no later pass can transpose.
  if (operand.policy.getRounding() == Rounding::sr && axis != last) {
    read.value = operands.moveLast(loc, read.value, axis);
    exprs.erase(exprs.begin() + axis);
    exprs.push_back(reduction);
    read.map = AffineMap::get(numLoops, 0, exprs, rewriter.getContext());
    axis = last;
  }
  return llvm::to_vector(operands.get(loc, read.value, operand.policy, axis));
}

Value MatmulRewriter::build(MatmulPlan &plan, PolicyAttr policy,
                            std::optional<int64_t> entry) {
  Operation *op = plan.contraction.op;
  Location loc = op->getLoc();
  MLIRContext *context = rewriter.getContext();
  // The loops of the new op: those of the old one without all K but the one
  // that is outermost in the operands.
  ArrayRef<unsigned> reductions = plan.contraction.k;
  SmallVector<AffineExpr> newLoops(plan.contraction.ranges.size());
  unsigned numLoops = 0;
  for (unsigned loop = 0; loop < newLoops.size(); ++loop)
    if (!llvm::is_contained(reductions.drop_front(), loop))
      newLoops[loop] = rewriter.getAffineDimExpr(numLoops++);
  AffineExpr reduction = newLoops[reductions.front()];
  for (MatmulOperand *operand : {&plan.lhs, &plan.rhs})
    if (operand->factor)
      operand->read = computeFactor(rewriter, cast<linalg::LinalgOp>(op),
                                    operand->factor, operand->read);
  SmallVector<Value> lhs = prepare(op, plan.lhs, newLoops, reduction);
  SmallVector<Value> rhs = prepare(op, plan.rhs, newLoops, reduction);
  SmallVector<AffineExpr> resultExprs;
  for (AffineExpr expr : plan.contraction.resultMap.getResults())
    resultExprs.push_back(newLoops[cast<AffineDimExpr>(expr).getPosition()]);
  AffineMap maps[] = {plan.lhs.read.map, plan.rhs.read.map,
                      AffineMap::get(numLoops, 0, resultExprs, context)};

  auto getFormat = [](OperandAttr operand) {
    return operand ? operand.getFormat() : FormatAttr();
  };
  Value accumulator = getAccumulator(plan.contraction);
  auto matmul = MatmulOp::create(
      rewriter, loc, accumulator.getType(), getFormat(plan.lhs.policy),
      getFormat(plan.rhs.policy), rewriter.getAffineMapArrayAttr(maps),
      TypeAttr::get(rewriter.getF32Type()),
      rewriter.getI64IntegerAttr(policy.getPromoteEvery()), lhs, rhs,
      /*bias=*/Value(), /*epilogue_inputs=*/ValueRange(), accumulator,
      /*epilogue_maps=*/rewriter.getArrayAttr({}), /*epilogueCount=*/0);
  created.push_back(matmul);
  for (StringRef name : {StringRef(roleAttrName), StringRef(gemmAttrName)})
    if (Attribute attribute = op->getAttr(name))
      matmul->setAttr(name, attribute);
  Type type = op->getResult(plan.contraction.result).getType();
  Value result = convert(loc, matmul.getResult(), getElementTypeOrSelf(type));
  // TOSA may know other extents of its result than its operands do.
  if (result.getType() != type)
    result = tensor::CastOp::create(rewriter, loc, type, result);
  if (entry) {
    IntegerAttr id = rewriter.getI64IntegerAttr(*entry);
    matmul->setAttr(idAttrName, id);
    result.getDefiningOp()->setAttr(idAttrName, id);
  }
  return result;
}

std::optional<int64_t> mx::findEntry(Operation *op, unsigned result,
                                     ArrayRef<PlanEntryAttr> plan) {
  std::optional<int64_t> first = getPlanId(op);
  if (!first || *first < 0)
    return std::nullopt;
  for (int64_t id = *first, e = plan.size(); id < e; ++id) {
    if (plan[id].getIndex() != plan[*first].getIndex())
      break;
    if (plan[id].getResult() == result && plan[id].getShape())
      return id;
  }
  return std::nullopt;
}

LogicalResult MatmulRewriter::rewrite(Operation *op, PolicyAttr policy,
                                      ArrayRef<PlanEntryAttr> entries,
                                      std::string &reason) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!isa<tosa::MatMulOp>(op) &&
      (!linalgOp || !linalgOp.hasPureTensorSemantics())) {
    reason = "not a product of tensors by linalg or TOSA";
    return failure();
  }
  reason = checkPolicy(policy);
  if (!reason.empty())
    return failure();
  SmallVector<MatmulPlan, 1> plans;
  for (unsigned result = 0; result < op->getNumResults(); ++result) {
    FailureOr<MatmulPlan> matmul = plan(op, result, policy, reason);
    if (failed(matmul))
      return failure();
    plans.push_back(std::move(*matmul));
  }

  rewriter.setInsertionPoint(op);
  SmallVector<Value> results;
  for (auto [result, matmul] : llvm::enumerate(plans))
    results.push_back(build(matmul, policy, findEntry(op, result, entries)));
  rewriter.replaceOp(op, results);
  // Copies that nobody reads any more.
  for (MatmulPlan &matmul : plans)
    for (MatmulOperand *operand : {&matmul.lhs, &matmul.rhs})
      for (Operation *copy : operand->copies)
        if (isOpTriviallyDead(copy))
          rewriter.eraseOp(copy);
  return success();
}

LogicalResult mx::quantizeMatmul(RewriterBase &rewriter,
                                 QuantizedOperands &operands, Operation *op,
                                 PolicyAttr policy,
                                 ArrayRef<PlanEntryAttr> plan,
                                 SmallVectorImpl<Operation *> &created,
                                 std::string &reason) {
  return MatmulRewriter(rewriter, operands, created)
      .rewrite(op, policy, plan, reason);
}
