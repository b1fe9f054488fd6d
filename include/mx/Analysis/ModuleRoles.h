// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Roles of all functions of a module. Calls of private functions are looked
// into, so that the rules see one graph from the entry's arguments on.

#ifndef MX_ANALYSIS_MODULEROLES_H
#define MX_ANALYSIS_MODULEROLES_H

#include "mx/Analysis/Roles.h"

#include "mlir/IR/BuiltinOps.h"

namespace mx {

/// Calls `visit` for each function with a body. What an argument is comes from
/// the function's `mx.parameter` attributes, if it has any or is `named` (null:
/// none): then all other arguments are inputs; else it is guessed. A private
/// function is what its callers make of it; an op that is different things to
/// them is `other`.
void findModuleRoles(mlir::ModuleOp module, mlir::FunctionOpInterface named,
                     llvm::function_ref<void(mlir::FunctionOpInterface,
                                             std::vector<RoleEntry> &)>
                         visit);

} // namespace mx

#endif // MX_ANALYSIS_MODULEROLES_H
