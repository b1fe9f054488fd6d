// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rules about ops, and the one place where it is decided which of them holds.

#ifndef MX_RECIPE_RULES_H
#define MX_RECIPE_RULES_H

#include "mx/IR/MX.h"
#include "mx/Recipe/Scheme.h"

namespace mx {

/// What a rule may ask about an op.
struct OpDescription {
  Role role = Role::other;
  std::optional<Gemm> gemm;
  /// Name in the source model; may be empty.
  llvm::StringRef name;
};

/// One rule of an ordered list.
struct Rule {
  /// As diagnostics and the plan name it.
  std::string name;
  /// Keeps what it matches, whatever other rules say.
  bool isIgnore = false;
  /// Roles that it matches.
  llvm::SmallVector<Role, 2> roles;
  /// Formats for what it matches, unless it ignores.
  Scheme scheme;

  bool matches(const OpDescription &op) const;
};

/// The rule that decides about an op; null scheme keeps it.
struct Decision {
  std::string rule;
  const Scheme *scheme = nullptr;
};

class RuleList {
public:
  /// Layers and experts in the formats of `scheme`.
  static RuleList fromScheme(Scheme scheme);

  void add(Rule rule) { rules.push_back(std::move(rule)); }

  /// An ignore beats every rule; else the last matching rule wins; else the op
  /// is kept. (Readers of recipe files translate their tool's order into this
  /// one.)
  Decision decide(const OpDescription &op) const;

private:
  std::vector<Rule> rules;
};

} // namespace mx

#endif // MX_RECIPE_RULES_H
