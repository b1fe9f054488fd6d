// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/IR/Plan.h"

using namespace mx;

static PlanEntryAttr rebuild(PlanEntryAttr entry, PolicyAttr decision,
                             mlir::StringAttr scheme, uint64_t fingerprint) {
  return PlanEntryAttr::get(
      entry.getContext(), entry.getIndex(), entry.getOp(), entry.getResult(),
      entry.getLocation(), entry.getRole(), entry.getGemm(), entry.getShape(),
      entry.getLhs(), entry.getRhs(), entry.getAccumulate(), entry.getWeight(),
      entry.getWeightElements(), entry.getWeightType(), scheme, decision,
      fingerprint);
}

PlanEntryAttr mx::withDecision(PlanEntryAttr entry, PolicyAttr decision) {
  return rebuild(entry, decision, entry.getScheme(), entry.getFingerprint());
}

PlanEntryAttr mx::withDecision(PlanEntryAttr entry, PolicyAttr decision,
                               llvm::StringRef scheme) {
  return rebuild(entry, decision,
                 mlir::StringAttr::get(entry.getContext(), scheme),
                 entry.getFingerprint());
}

PlanEntryAttr mx::withFingerprint(PlanEntryAttr entry, uint64_t fingerprint) {
  return rebuild(entry, entry.getDecision(), entry.getScheme(), fingerprint);
}
