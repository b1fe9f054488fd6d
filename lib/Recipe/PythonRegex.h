// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Python's regular expressions in terms of llvm::Regex.

#ifndef MX_LIB_RECIPE_PYTHONREGEX_H
#define MX_LIB_RECIPE_PYTHONREGEX_H

#include "llvm/Support/Error.h"
#include "llvm/Support/Regex.h"

#include <vector>

namespace mx {

/// Whether `re.match(pattern, text)` finds something.
class PythonRegex {
public:
  /// The error says what of the pattern is wrong or not supported.
  static llvm::Expected<PythonRegex> compile(llvm::StringRef pattern);

  bool matches(llvm::StringRef text) const;

private:
  /// All must match at the start of the text, or must not: lookaheads at the
  /// start of the pattern, and the rest of it.
  struct Part {
    llvm::Regex regex;
    bool isNegative;
  };
  std::vector<Part> parts;
};

} // namespace mx

#endif // MX_LIB_RECIPE_PYTHONREGEX_H
