// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/Fingerprint.h"
#include "mx/IR/Plan.h"
#include "mx/Transforms/Passes.h"

namespace mx {
#define GEN_PASS_DEF_MXVERIFYUNTOUCHED
#include "mx/Transforms/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

namespace {

struct VerifyUntouched : mx::impl::MXVerifyUntouchedBase<VerifyUntouched> {
  void runOnOperation() override;

private:
  LogicalResult verify(FunctionOpInterface function);
};

} // namespace

/// `'linalg.matmul' at 17 (router, "mlp.gate")`
static std::string describe(PlanEntryAttr entry) {
  std::string text =
      ("'" + entry.getOp().getValue() + "' at " + Twine(entry.getIndex()) +
       " (" + stringifyRole(entry.getRole()))
          .str();
  if (StringAttr location = entry.getLocation())
    text += (", \"" + location.getValue() + "\"").str();
  return text + ")";
}

LogicalResult VerifyUntouched::verify(FunctionOpInterface function) {
  SmallVector<PlanEntryAttr> plan = getPlan(function);
  llvm::DenseMap<int64_t, SmallVector<Operation *, 1>> opsById;
  auto fingerprints = getFingerprints(function, plan);
  for (auto &[op, fingerprint] : fingerprints)
    opsById[*getPlanId(op)].push_back(op);

  LogicalResult result = success();
  for (int64_t id = 0, first = 0, e = plan.size(); id < e; ++id) {
    PlanEntryAttr entry = plan[id];
    // Entries that share an op share its first entry's number.
    if (entry.getIndex() != plan[first].getIndex())
      first = id;
    if (!entry.getDecision().isKeep() || id != first)
      continue;
    auto ops = opsById.find(id);
    if (ops == opsById.end()) {
      emitError(function.getLoc())
          << describe(entry) << " was to be kept and is gone";
      result = failure();
      continue;
    }
    Fingerprint was = Fingerprint::unpack(entry.getFingerprint());
    for (Operation *op : ops->second) {
      Fingerprint is = fingerprints.lookup(op);
      if (is.self == was.self && is.origins == was.origins) {
        ++numVerified;
        continue;
      }
      emitError(op->getLoc())
          << describe(entry) << " was to be kept and "
          << (is.self != was.self
                  ? "has changed: its name, types, attributes or body"
                  : "is fed by something else than it was");
      result = failure();
    }
  }
  return result;
}

void VerifyUntouched::runOnOperation() {
  getOperation().walk([&](FunctionOpInterface function) {
    if (function->hasAttr(planAttrName) && !function.isExternal() &&
        failed(verify(function)))
      signalPassFailure();
  });
}
