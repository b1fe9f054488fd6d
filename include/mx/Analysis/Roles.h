// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each op is to the model, from the structure of the function alone. The
// rules are listed in lib/Analysis/RoleFinder.h.

#ifndef MX_ANALYSIS_ROLES_H
#define MX_ANALYSIS_ROLES_H

#include "mx/Analysis/Dataflow.h"
#include "mx/IR/MX.h"

namespace mx {

/// One product, or one op that low precision would hurt.
struct RoleEntry {
  mlir::Operation *op = nullptr;
  /// The op's result that it is about.
  unsigned result = 0;
  Role role = Role::other;
  std::optional<Gemm> gemm;
  /// Extents, for products.
  std::optional<ProductShape> shape;
  /// Operand of the product that is the weight: 0, 1, or none.
  std::optional<unsigned> weightOperand;
  /// The parameter it reads: an argument (of the function that the graph is of)
  /// or a constant.
  mlir::Value parameter;
  /// Name in the source model: the location's, else the parameter's without
  /// `.weight`; empty if there is none.
  std::string name;
  /// Why it has this role.
  std::string reason;
  /// Why it cannot be rewritten whatever the recipe says; empty if it can.
  std::string blocker;
};

/// The products and sensitive ops of a function and of those that it calls, one
/// entry a product, and one a norm or softmax, on its first reduction. An op of
/// a function that is called several times has an entry for each call.
std::vector<RoleEntry> findRoles(const ModelGraph &graph,
                                 llvm::ArrayRef<ArgumentInfo> arguments);

/// The module name in a location, empty if it has none: that of the first
/// NameLoc, without the frames and primitives that JAX writes around it
/// (`jit(f)/layers.0.q/bsd,de->bse/dot_general` is `layers.0.q`).
std::string getModuleName(mlir::Location loc);

} // namespace mx

#endif // MX_ANALYSIS_ROLES_H
