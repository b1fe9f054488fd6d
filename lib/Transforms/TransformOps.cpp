// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Transforms/TransformOps.h"

#include "QuantizeMatmul.h"
#include "mx/Analysis/Contraction.h"
#include "mx/IR/Plan.h"
#include "mx/Recipe/Scheme.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace mx;

#define GET_OP_CLASSES
#include "mx/Transforms/TransformOps.cpp.inc"

//===----------------------------------------------------------------------===//
// mx.set_policy
//===----------------------------------------------------------------------===//

void transform::MXSetPolicyOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  onlyReadsHandle(getTargetMutable(), effects);
  modifiesPayload(effects);
}

static std::optional<Format> getFormat(OperandAttr operand) {
  if (!operand)
    return std::nullopt;
  return operand.getFormat().getValue();
}

/// Writes a decision over that of the plan, if `op` has a place there.
static void updatePlan(Operation *op, PolicyAttr policy) {
  auto function = op->getParentOfType<FunctionOpInterface>();
  std::optional<int64_t> id = getPlanId(op);
  if (!function || !id)
    return;
  SmallVector<PlanEntryAttr> plan = getPlan(function);
  if (*id < 0 || *id >= int64_t(plan.size()))
    return;
  int64_t index = plan[*id].getIndex();
  std::string scheme =
      nameFormats(getFormat(policy.getLhs()), getFormat(policy.getRhs()));
  for (int64_t i = *id, e = plan.size(); i < e && plan[i].getIndex() == index;
       ++i)
    if (plan[i].getShape())
      plan[i] = withDecision(plan[i], policy, scheme);
  setPlan(function, plan);
}

DiagnosedSilenceableFailure
transform::MXSetPolicyOp::apply(TransformRewriter &rewriter,
                                TransformResults &results,
                                TransformState &state) {
  for (Operation *op : state.getPayloadOps(getTarget())) {
    if (op->getNumResults() == 0 || failed(matchContraction(op, 0))) {
      DiagnosedDefiniteFailure failure =
          emitDefiniteFailure("a policy is for a product of tensors");
      failure.attachNote(op->getLoc()) << "this op is none";
      return failure;
    }
    rewriter.modifyOpInPlace(op,
                             [&] { op->setAttr(policyAttrName, getPolicy()); });
    updatePlan(op, getPolicy());
  }
  return DiagnosedSilenceableFailure::success();
}

//===----------------------------------------------------------------------===//
// mx.quantize
//===----------------------------------------------------------------------===//

void transform::MXQuantizeOp::getEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  consumesHandle(getTargetMutable(), effects);
  producesHandle(getOperation()->getOpResults(), effects);
  modifiesPayload(effects);
}

DiagnosedSilenceableFailure
transform::MXQuantizeOp::apply(TransformRewriter &rewriter,
                               TransformResults &results,
                               TransformState &state) {
  llvm::SmallPtrSet<Operation *, 8> targets;
  for (Operation *op : state.getPayloadOps(getTarget()))
    targets.insert(op);
  // In the order of the payload, whatever that of the handle.
  SmallVector<Operation *> ordered;
  state.getTopLevel()->walk([&](Operation *op) {
    if (targets.contains(op) && op->hasAttr(policyAttrName))
      ordered.push_back(op);
  });

  RandomBits random(state.getTopLevel(), getSeed());
  QuantizedOperands operands(rewriter, random);
  SmallVector<Operation *> created;
  for (Operation *op : ordered) {
    auto policy = op->getAttrOfType<PolicyAttr>(policyAttrName);
    if (!policy || policy.isKeep())
      continue;
    SmallVector<PlanEntryAttr> plan;
    if (auto function = op->getParentOfType<FunctionOpInterface>())
      plan = getPlan(function);
    std::string reason;
    if (succeeded(quantizeMatmul(rewriter, operands, op, policy, plan, created,
                                 reason)))
      continue;
    results.set(llvm::cast<OpResult>(getMatmuls()), created);
    DiagnosedSilenceableFailure failure = emitSilenceableError()
                                          << "cannot be quantised: " << reason;
    failure.attachNote(op->getLoc()) << "this op";
    return failure;
  }
  results.set(llvm::cast<OpResult>(getMatmuls()), created);
  return DiagnosedSilenceableFailure::success();
}

//===----------------------------------------------------------------------===//
// The extension
//===----------------------------------------------------------------------===//

namespace {
class MXTransformExtension
    : public transform::TransformDialectExtension<MXTransformExtension> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MXTransformExtension)

  MXTransformExtension() {
    declareDependentDialect<MXDialect>();
    declareGeneratedDialect<MXDialect>();
    declareGeneratedDialect<arith::ArithDialect>();
    declareGeneratedDialect<linalg::LinalgDialect>();
    declareGeneratedDialect<tensor::TensorDialect>();
    registerTransformOps<
#define GET_OP_LIST
#include "mx/Transforms/TransformOps.cpp.inc"
        >();
  }
};
} // namespace

void mx::registerTransformDialectExtension(DialectRegistry &registry) {
  registry.addExtensions<MXTransformExtension>();
}
