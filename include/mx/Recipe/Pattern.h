// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How recipes name modules: exactly, by Python's regular expressions, by globs.

#ifndef MX_RECIPE_PATTERN_H
#define MX_RECIPE_PATTERN_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace mx {

/// A set of module names. Cheap to copy.
class NamePattern {
public:
  /// This name.
  static NamePattern exact(llvm::StringRef name);
  /// What Python's `re.match` finds at the start of a name. The language is
  /// that of POSIX, with Python's classes (`\d`, `\w`, `\s`), groups without
  /// capture, lazy repetition, `(?i)`, and lookahead at the start; what else
  /// Python has is an error that names it.
  static llvm::Expected<NamePattern> regex(llvm::StringRef text);
  /// What Python's `fnmatch` matches with `name` followed by `suffix`.
  static llvm::Expected<NamePattern> glob(llvm::StringRef text,
                                          llvm::StringRef suffix = "");
  /// Modules that match a glob, and the modules inside of them.
  static llvm::Expected<NamePattern> moduleGlob(llvm::StringRef text);

  bool matches(llvm::StringRef name) const { return impl->matches(name); }

  struct Impl {
    virtual ~Impl() = default;
    virtual bool matches(llvm::StringRef name) const = 0;
  };

private:
  explicit NamePattern(std::shared_ptr<const Impl> impl)
      : impl(std::move(impl)) {}
  std::shared_ptr<const Impl> impl;
};

} // namespace mx

#endif // MX_RECIPE_PATTERN_H
