// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Named schemes: what `scheme=` means for the two operands of a layer.

#ifndef MX_RECIPE_SCHEME_H
#define MX_RECIPE_SCHEME_H

#include "mx/Formats/Format.h"

#include <optional>
#include <string>

namespace mx {

/// Formats of a layer's operands; an absent one stays in high precision.
struct Scheme {
  std::string name;
  std::optional<Format> activations;
  std::optional<Format> weights;
};

/// The scheme of this name, in any case. The error names those that there are,
/// and says whether the name is that of a scheme which is not supported yet.
/// `scaleRule`, if not empty, replaces the rule of E8M0 scales; it is an error
/// if it is none or the scheme has no such scales.
llvm::Expected<Scheme> getScheme(llvm::StringRef name,
                                 llvm::StringRef scaleRule = "");

/// Names of all schemes, in the order in which they are documented.
llvm::SmallVector<llvm::StringRef> getSchemeNames();

/// The E8M0 scale rule of this name: floor, ceil, even, rceil.
std::optional<ScaleRule> parseScaleRule(llvm::StringRef name);

/// Gives the formats with E8M0 scales another rule; false if there are none.
bool replaceScaleRule(Scheme &scheme, ScaleRule rule);

/// The name of the scheme that has these formats, whatever the rules of their
/// E8M0 scales, or what spells them out.
std::string nameFormats(const std::optional<Format> &activations,
                        const std::optional<Format> &weights);

} // namespace mx

#endif // MX_RECIPE_SCHEME_H
