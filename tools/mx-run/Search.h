// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --plan-search.

#ifndef MX_TOOLS_MX_RUN_SEARCH_H
#define MX_TOOLS_MX_RUN_SEARCH_H

#include "Options.h"

#include "mx/Report/PlanSearch.h"
#include "mx/Support/Npy.h"

namespace mx {

/// The budget and the candidates as PlanSearchOptions.
llvm::Expected<PlanSearchOptions> readSearchOptions(const Options &options);

/// Runs the model as it is (`session`) on all `inputs`, searches a plan and
/// writes its recipe.
llvm::Error
search(const Options &options, const PlanSearchOptions &searchOptions,
       const ProgramOptions &programOptions,
       const mlir::DialectRegistry &registry, const Safetensors *weights,
       Session &session,
       llvm::MutableArrayRef<std::vector<std::optional<NpyArray>>> inputs);

} // namespace mx

#endif // MX_TOOLS_MX_RUN_SEARCH_H
