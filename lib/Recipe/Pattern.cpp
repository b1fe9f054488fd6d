// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Recipe/Pattern.h"
#include "PythonRegex.h"

#include "llvm/Support/GlobPattern.h"

using namespace llvm;
using namespace mx;

namespace {

struct ExactName : NamePattern::Impl {
  explicit ExactName(StringRef name) : name(name) {}
  bool matches(StringRef other) const override { return other == name; }
  std::string name;
};

struct RegexName : NamePattern::Impl {
  explicit RegexName(PythonRegex regex) : regex(std::move(regex)) {}
  bool matches(StringRef name) const override { return regex.matches(name); }
  PythonRegex regex;
};

struct GlobName : NamePattern::Impl {
  GlobName(StringRef suffix, bool isInside)
      : suffix(suffix), isInside(isInside) {}

  bool matches(StringRef name) const override {
    if (!isInside)
      return glob->match((name + suffix).str());
    for (; !name.empty(); name = name.rsplit('.').first) {
      if (glob->match(name))
        return true;
      if (!name.contains('.'))
        break;
    }
    return false;
  }

  /// `fnmatch` knows no escapes.
  Error parse(StringRef glob) {
    for (char c : glob) {
      if (c == '\\')
        text += '\\';
      text += c;
    }
    Expected<GlobPattern> parsed = GlobPattern::create(text);
    if (!parsed)
      return parsed.takeError();
    this->glob = std::move(*parsed);
    return Error::success();
  }

  /// What `glob` points into.
  std::string text;
  std::optional<GlobPattern> glob;
  std::string suffix;
  bool isInside;
};

} // namespace

NamePattern NamePattern::exact(StringRef name) {
  return NamePattern(std::make_shared<ExactName>(name));
}

Expected<NamePattern> NamePattern::regex(StringRef text) {
  Expected<PythonRegex> regex = PythonRegex::compile(text);
  if (!regex)
    return regex.takeError();
  return NamePattern(std::make_shared<RegexName>(std::move(*regex)));
}

Expected<NamePattern> NamePattern::glob(StringRef text, StringRef suffix) {
  auto impl = std::make_shared<GlobName>(suffix, /*isInside=*/false);
  if (Error error = impl->parse(text))
    return std::move(error);
  return NamePattern(std::move(impl));
}

Expected<NamePattern> NamePattern::moduleGlob(StringRef text) {
  auto impl = std::make_shared<GlobName>("", /*isInside=*/true);
  if (Error error = impl->parse(text))
    return std::move(error);
  return NamePattern(std::move(impl));
}
