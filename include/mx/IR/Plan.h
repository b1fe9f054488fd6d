// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The names of the attributes that carry the plan through lowering. The plan is
// one attribute of the function, so that it outlives the ops it is about; an op
// has only a number.

#ifndef MX_IR_PLAN_H
#define MX_IR_PLAN_H

#include "mx/IR/MX.h"

namespace mx {

/// On a function: an array of #mx.entry.
inline constexpr llvm::StringLiteral planAttrName = "mx.plan";
/// On an op: position in the plan of its (first) entry.
inline constexpr llvm::StringLiteral idAttrName = "mx.id";
/// On an op: what it is to the model, and what is to be done with it.
inline constexpr llvm::StringLiteral roleAttrName = "mx.role";
inline constexpr llvm::StringLiteral gemmAttrName = "mx.gemm";
inline constexpr llvm::StringLiteral policyAttrName = "mx.policy";
/// On an argument: the name of the parameter that it is in the source model,
/// and of the parameter that a checkpoint stores it as, if that is another.
inline constexpr llvm::StringLiteral parameterAttrName = "mx.parameter";
inline constexpr llvm::StringLiteral tiedToAttrName = "mx.tied_to";

/// The plan of a function; empty if it has none.
inline llvm::SmallVector<PlanEntryAttr> getPlan(mlir::Operation *function) {
  llvm::SmallVector<PlanEntryAttr> plan;
  if (auto entries = function->getAttrOfType<mlir::ArrayAttr>(planAttrName))
    for (mlir::Attribute entry : entries)
      plan.push_back(llvm::cast<PlanEntryAttr>(entry));
  return plan;
}

inline void setPlan(mlir::Operation *function,
                    llvm::ArrayRef<PlanEntryAttr> plan) {
  llvm::SmallVector<mlir::Attribute> entries(plan.begin(), plan.end());
  function->setAttr(planAttrName,
                    mlir::ArrayAttr::get(function->getContext(), entries));
}

/// The position in the plan that `op` has, if any.
inline std::optional<int64_t> getPlanId(mlir::Operation *op) {
  if (auto id = op->getAttrOfType<mlir::IntegerAttr>(idAttrName))
    return id.getInt();
  return std::nullopt;
}

/// `entry` with another decision, or another fingerprint.
PlanEntryAttr withDecision(PlanEntryAttr entry, PolicyAttr decision);
/// `entry` with another decision of another scheme.
PlanEntryAttr withDecision(PlanEntryAttr entry, PolicyAttr decision,
                           llvm::StringRef scheme);
PlanEntryAttr withFingerprint(PlanEntryAttr entry, uint64_t fingerprint);

} // namespace mx

#endif // MX_IR_PLAN_H
