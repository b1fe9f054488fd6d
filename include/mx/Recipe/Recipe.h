// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recipe files of this project and of others, as ordered rules. What is read,
// and what each key means here, is in lib/Recipe/README.md.

#ifndef MX_RECIPE_RECIPE_H
#define MX_RECIPE_RECIPE_H

#include "mx/Recipe/Rules.h"

namespace mx {

/// Reads a recipe file. Each error is emitted at its line and column. With a
/// `scaleRule`, all E8M0 scales of the recipe get that rule.
mlir::FailureOr<RuleList> readRecipe(llvm::StringRef path,
                                     mlir::MLIRContext *context,
                                     llvm::StringRef scaleRule = "");

/// The same from memory; `path` is what locations say. Its extension decides
/// whether the text is JSON (`.json`) or YAML.
mlir::FailureOr<RuleList> parseRecipe(llvm::StringRef text,
                                      llvm::StringRef path,
                                      mlir::MLIRContext *context);

} // namespace mx

#endif // MX_RECIPE_RECIPE_H
