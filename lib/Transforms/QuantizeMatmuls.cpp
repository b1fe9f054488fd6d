// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "QuantizeMatmul.h"
#include "mx/IR/Plan.h"
#include "mx/Transforms/Passes.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mx {
#define GEN_PASS_DEF_MXQUANTIZEMATMULS
#include "mx/Transforms/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

namespace {

struct QuantizeMatmuls : mx::impl::MXQuantizeMatmulsBase<QuantizeMatmuls> {
  using Base::Base;
  void runOnOperation() override;

private:
  LogicalResult run(FunctionOpInterface function, RandomBits &random);
};

} // namespace

/// `policy`, but nothing is to be done because of `why`.
static PolicyAttr makeKeep(PolicyAttr policy, StringRef why) {
  MLIRContext *context = policy.getContext();
  auto reason =
      StringAttr::get(context, policy.getReason().getValue() + "; " + why);
  return PolicyAttr::get(context, OperandAttr(), OperandAttr(), TypeAttr(), 0,
                         TypeAttr(), policy.getRule(), reason);
}

LogicalResult QuantizeMatmuls::run(FunctionOpInterface function,
                                   RandomBits &random) {
  SmallVector<Operation *> planned;
  function.walk([&](Operation *op) {
    if (op->hasAttr(policyAttrName))
      planned.push_back(op);
  });
  SmallVector<PlanEntryAttr> plan = getPlan(function);
  bool hasPlan = function->hasAttr(planAttrName);
  IRRewriter rewriter(&getContext());
  QuantizedOperands operands(rewriter, random);
  SmallVector<Operation *> created;
  LogicalResult result = success();
  for (Operation *op : planned) {
    auto policy = op->getAttrOfType<PolicyAttr>(policyAttrName);
    if (policy.isKeep())
      continue;
    std::string why;
    unsigned numResults = op->getNumResults();
    SmallVector<std::optional<int64_t>> entries;
    for (unsigned i = 0; i < numResults; ++i)
      entries.push_back(findEntry(op, i, plan));
    if (succeeded(quantizeMatmul(rewriter, operands, op, policy, plan, created,
                                 why))) {
      numMatmuls += numResults;
      continue;
    }
    ++numFallbacks;
    PolicyAttr keep = makeKeep(policy, why);
    op->removeAttr(policyAttrName);
    for (std::optional<int64_t> entry : entries)
      if (entry)
        plan[*entry] = withDecision(plan[*entry], keep);
    if (fallback == Fallback::Error) {
      emitError(op->getLoc()) << "cannot be quantised: " << why;
      result = failure();
    } else if (fallback == Fallback::Remark) {
      emitRemark(op->getLoc()) << "kept in high precision: " << why;
    }
  }
  numQuantizes += operands.getNumCreated();
  if (hasPlan)
    setPlan(function, plan);
  return result;
}

void QuantizeMatmuls::runOnOperation() {
  std::optional<unsigned> argument;
  if (seedArgument >= 0)
    argument = seedArgument;
  RandomBits random(getOperation(), seed, argument);
  getOperation().walk([&](FunctionOpInterface function) {
    if (!function.isExternal() && failed(run(function, random)))
      signalPassFailure();
  });
}
