// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Recipe/Rules.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mx;

/// What decides where no rule matches, and names what a scheme alone says.
static constexpr llvm::StringLiteral defaultRule = "default";

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

std::optional<int64_t> mx::getLayer(llvm::StringRef name) {
  while (!name.empty()) {
    auto [component, rest] = name.split('.');
    int64_t layer;
    if (llvm::all_of(component, llvm::isDigit) &&
        !component.getAsInteger(10, layer))
      return layer;
    name = rest;
  }
  return std::nullopt;
}

bool LayerRange::contains(int64_t layer, int64_t numLayers) const {
  return layer < first || layer >= numLayers - last ||
         llvm::any_of(
             ranges,
             [&](auto range) {
               return layer >= range.first && layer <= range.second;
             });
}

bool ExtentCondition::holds(const ProductShape &shape) const {
  int64_t value = extent == 'm' ? shape.m : extent == 'n' ? shape.n : shape.k;
  return !mlir::ShapedType::isDynamic(value) && value >= min && value <= max &&
         value % multipleOf == 0;
}

/// Where there are no names, the two modules that every model has one of are
/// called as everywhere.
static llvm::StringRef getName(const OpDescription &op) {
  if (!op.name.empty())
    return op.name;
  if (op.role == Role::lm_head || op.role == Role::router)
    return stringifyRole(op.role);
  return "";
}

bool Rule::matches(const OpDescription &op) const {
  if (!roles.empty() && !llvm::is_contained(roles, op.role))
    return false;
  if (!gemms.empty() && !(op.gemm && llvm::is_contained(gemms, *op.gemm)))
    return false;
  if (isTraining && *isTraining != op.isTraining)
    return false;
  if (layers && !(op.layer && layers->contains(*op.layer, op.numLayers)))
    return false;
  for (const ExtentCondition &condition : extents)
    if (!op.shape || !condition.holds(*op.shape))
      return false;
  llvm::StringRef name = getName(op);
  auto matchesName = [&](const NamePattern &pattern) {
    return pattern.matches(name);
  };
  return (!names || matchesName(*names)) &&
         llvm::none_of(exceptions, matchesName);
}

llvm::StringRef Rule::getText() const {
  llvm::StringRef text = name;
  return text.contains(": ") ? text.split(": ").second : text;
}

void Rule::setScheme(const Scheme &scheme) {
  activations.emplace().format = scheme.activations;
  weights.emplace().format = scheme.weights;
}

//===----------------------------------------------------------------------===//
// Deciding
//===----------------------------------------------------------------------===//

RuleList RuleList::fromScheme(const Scheme &scheme) {
  RuleList list;
  Rule rule;
  rule.name = defaultRule.str();
  rule.roles = {Role::linear, Role::expert};
  rule.setScheme(scheme);
  list.add(std::move(rule));
  return list;
}

Decision RuleList::decide(const OpDescription &op,
                          llvm::BitVector *matched) const {
  llvm::SmallVector<const Rule *> matching;
  llvm::SmallDenseSet<unsigned, 2> ignoredSections;
  const Rule *ignore = nullptr;
  bool isIgnored = false;
  for (auto [i, rule] : llvm::enumerate(rules)) {
    if (!rule.matches(op))
      continue;
    if (matched)
      matched->set(i);
    matching.push_back(&rule);
    if (!rule.isIgnore)
      continue;
    if (rule.section)
      ignoredSections.insert(*rule.section);
    else
      isIgnored = true;
    if (!ignore)
      ignore = &rule;
  }
  auto isBeaten = [&](const Rule &rule) {
    return isIgnored || (rule.section ? ignoredSections.contains(*rule.section)
                                      : ignore != nullptr);
  };

  const Rule *activations = nullptr, *weights = nullptr, *promotes = nullptr;
  for (const Rule *rule : matching) {
    if (rule->isIgnore || isBeaten(*rule))
      continue;
    if (rule->activations)
      activations = rule;
    if (rule->weights)
      weights = rule;
    if (rule->promoteEvery)
      promotes = rule;
  }

  Decision decision;
  if (activations)
    decision.activations = *activations->activations;
  if (weights)
    decision.weights = *weights->weights;
  if (promotes)
    decision.promoteEvery = *promotes->promoteEvery;
  const Rule *deciding = weights ? weights : activations ? activations : ignore;
  decision.rule = deciding ? deciding->name : defaultRule.str();
  decision.loc = deciding ? deciding->loc : mlir::LocationAttr();
  if (activations && activations != deciding &&
      activations->name != deciding->name)
    decision.rule += "; " + activations->name;
  return decision;
}
