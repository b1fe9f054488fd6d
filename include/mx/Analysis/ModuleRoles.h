// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Roles of all functions of a module, callers before callees, so that a private
// function knows which of its arguments are parameters.

#ifndef MX_ANALYSIS_MODULEROLES_H
#define MX_ANALYSIS_MODULEROLES_H

#include "mx/Analysis/Roles.h"

#include "mlir/IR/BuiltinOps.h"

namespace mx {

/// Calls `visit` for each function with a body. What an argument is comes from
/// the function's `mx.parameter` attributes, if it has any or is `named` (null:
/// none): then all other arguments are inputs; else from the calls in this
/// module; else it is guessed.
void findModuleRoles(mlir::ModuleOp module, mlir::FunctionOpInterface named,
                     llvm::function_ref<void(mlir::FunctionOpInterface,
                                             std::vector<RoleEntry> &)>
                         visit);

} // namespace mx

#endif // MX_ANALYSIS_MODULEROLES_H
