// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Recipe/Rules.h"

#include "llvm/ADT/STLExtras.h"

using namespace mx;

/// What decides where no rule matches, and names what a scheme alone says.
static constexpr llvm::StringLiteral defaultRule = "default";

bool Rule::matches(const OpDescription &op) const {
  return llvm::is_contained(roles, op.role);
}

RuleList RuleList::fromScheme(Scheme scheme) {
  RuleList list;
  Rule rule;
  rule.name = defaultRule.str();
  rule.roles = {Role::linear, Role::expert};
  rule.scheme = std::move(scheme);
  list.add(std::move(rule));
  return list;
}

Decision RuleList::decide(const OpDescription &op) const {
  const Rule *last = nullptr;
  for (const Rule &rule : rules) {
    if (!rule.matches(op))
      continue;
    if (rule.isIgnore)
      return {rule.name, nullptr};
    last = &rule;
  }
  if (!last)
    return {defaultRule.str(), nullptr};
  return {last->name, &last->scheme};
}
