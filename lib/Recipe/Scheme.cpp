// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Recipe/Scheme.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace mx;

namespace {
/// One row: presets of the operands, empty for high precision.
struct SchemeRow {
  StringLiteral name, activations, weights;
};
} // namespace

static constexpr SchemeRow schemes[] = {
    {"nvfp4", "nvfp4", "nvfp4"},
    {"mxfp4", "mxfp4", "mxfp4"},
    {"mxfp8", "mxfp8_e4m3", "mxfp8_e4m3"},
    {"fp8_block", "fp8_block_act", "fp8_block_weight"},
    {"fp8_row", "fp8_row", "fp8_row"},
    {"nvfp4a16", "", "nvfp4"},
    {"mxfp4a16", "", "mxfp4"},
    {"int4", "", "int4_g128"},
    {"nf4", "", "nf4"},
};

/// Names that recipes of other projects and papers use, and that need more
/// than this table can say: training recipes, static or integer activations,
/// mixed formats.
static constexpr StringLiteral unsupported[] = {
    "nvfp4_pretrain",
    "fp4_all_the_way",
    "mxfp4_backward",
    "quartet",
    "deepseek_v3",
    "fp8_delayed",
    "fp8_current",
    "bf16",
    "fp8",
    "fp8_dynamic",
    "fp8_tensor",
    "mxfp8a16",
    "mxfp8_e5m2",
    "mxfp4xfp8",
    "mxfp6",
    "mxfp6_e2m3",
    "mxfp6_e3m2",
    "mxfp6a16",
    "mxfp6a8",
    "mxint8",
    "w8a8",
    "int8",
    "w4a16",
    "w4a16_asym",
    "w4afp8",
    "ternary",
};

SmallVector<StringRef> mx::getSchemeNames() {
  SmallVector<StringRef> names;
  for (const SchemeRow &row : schemes)
    names.push_back(row.name);
  return names;
}

/// Replaces the rule of a format with E8M0 scales; false if it has none.
static bool replaceRule(std::optional<Format> &format, ScaleRule rule) {
  if (!format || format->scale != ScaleType::E8M0)
    return false;
  format->rule = rule;
  return true;
}

Expected<Scheme> mx::getScheme(StringRef name, StringRef scaleRule) {
  std::string known = join(getSchemeNames(), ", ");
  const SchemeRow *row = find_if(schemes, [&](const SchemeRow &row) {
    return row.name.equals_insensitive(name);
  });
  if (row == std::end(schemes)) {
    bool isKnown = any_of(unsupported, [&](StringRef other) {
      return other.equals_insensitive(name);
    });
    return createStringError(
        formatv(isKnown ? "scheme '{0}' is not supported yet; supported are {1}"
                        : "unknown scheme '{0}'; known are {1}",
                name, known));
  }

  Scheme scheme;
  scheme.name = row->name.str();
  if (!row->activations.empty())
    scheme.activations = lookupFormatPreset(row->activations);
  if (!row->weights.empty())
    scheme.weights = lookupFormatPreset(row->weights);
  if (scaleRule.empty())
    return scheme;

  static constexpr ScaleRule rules[] = {ScaleRule::Floor, ScaleRule::Ceil,
                                        ScaleRule::Even, ScaleRule::RCeil};
  const ScaleRule *rule = find_if(
      rules, [&](ScaleRule rule) { return stringify(rule) == scaleRule; });
  if (rule == std::end(rules))
    return createStringError(
        formatv("unknown scale rule '{0}'; known are {1}", scaleRule,
                join(map_range(rules, [](ScaleRule r) { return stringify(r); }),
                     ", ")));
  bool replaced = replaceRule(scheme.activations, *rule);
  replaced |= replaceRule(scheme.weights, *rule);
  if (!replaced)
    return createStringError(
        formatv("scale rule '{0}' is for E8M0 scales, which scheme '{1}' does "
                "not have",
                scaleRule, scheme.name));
  return scheme;
}
