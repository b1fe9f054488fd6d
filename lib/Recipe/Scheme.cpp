// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Recipe/Scheme.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace mx;

namespace {
/// One row: formats of the operands, empty for high precision.
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
    {"fp8_tensor", "fp8_tensor", "fp8_tensor"},
    {"mxfp8_e5m2", "mxfp8_e5m2", "mxfp8_e5m2"},
    {"mxfp6_e2m3", "mxfp6_e2m3", "mxfp6_e2m3"},
    {"mxfp6_e3m2", "mxfp6_e3m2", "mxfp6_e3m2"},
    {"mxint8", "mxint8", "mxint8"},
    {"nvfp4a16", "", "nvfp4"},
    {"mxfp4a16", "", "mxfp4"},
    {"mxfp6a16", "", "mxfp6_e2m3"},
    {"mxfp8a16", "", "mxfp8_e4m3"},
    {"int4", "", "int4_g128"},
    {"int4_asym", "", "int4_g128, zero_point = true"},
    {"nf4", "", "nf4"},
    {"mxfp4xfp8", "fp8_block_act", "mxfp4"},
    {"mxfp6a8", "mxfp8_e4m3", "mxfp6_e2m3"},
    {"w4afp8", "fp8_row", "int4_g128"},
    {"ternary", "int8_token", "ternary"},
    {"bf16", "", ""},
};

/// Names that frameworks give to schemes above.
static constexpr std::pair<StringLiteral, StringLiteral> aliases[] = {
    // Scales that are calibrated there are those of each tensor itself here.
    {"fp8", "fp8_tensor"},      {"fp8_current", "fp8_tensor"},
    {"fp8_dynamic", "fp8_row"}, {"mxfp6", "mxfp6_e2m3"},
    {"w4a16", "int4"},          {"w4a16_asym", "int4_asym"},
    {"unquantized", "bf16"},
};

/// Names that are known and refused, with the reason.
static constexpr std::pair<StringLiteral, StringLiteral> unsupported[] = {
    {"nvfp4_pretrain", "a training recipe"},
    {"fp4_all_the_way", "a training recipe"},
    {"mxfp4_backward", "a training recipe"},
    {"quartet", "a training recipe"},
    {"deepseek_v3", "a training recipe; its forward products are fp8_block"},
    {"fp8_delayed", "scales from earlier steps, which need state"},
    {"w8a8", "8-bit integers"},
    {"int8", "8-bit integers"},
    {"w8a16", "8-bit integers"},
    {"w4a8", "8-bit integers"},
};

SmallVector<StringRef> mx::getSchemeNames() {
  SmallVector<StringRef> names;
  for (const SchemeRow &row : schemes)
    names.push_back(row.name);
  return names;
}

/// A cell of the table.
static std::optional<Format> parsePreset(StringRef text) {
  if (text.empty())
    return std::nullopt;
  return cantFail(Format::parse(text));
}

/// Replaces the rule of a format with E8M0 scales; false if it has none.
static bool replaceRule(std::optional<Format> &format, ScaleRule rule) {
  if (!format || format->scale != ScaleType::E8M0)
    return false;
  format->rule = rule;
  return true;
}

std::optional<ScaleRule> mx::parseScaleRule(StringRef name) {
  for (ScaleRule rule :
       {ScaleRule::Floor, ScaleRule::Ceil, ScaleRule::Even, ScaleRule::RCeil})
    if (stringify(rule) == name)
      return rule;
  return std::nullopt;
}

bool mx::replaceScaleRule(Scheme &scheme, ScaleRule rule) {
  bool replaced = replaceRule(scheme.activations, rule);
  return replaceRule(scheme.weights, rule) || replaced;
}

/// Whether two formats differ in nothing but the rule of E8M0 scales.
static bool isSameButRule(std::optional<Format> a,
                          const std::optional<Format> &b) {
  if (b)
    replaceRule(a, b->rule);
  return a == b;
}

std::string mx::nameFormats(const std::optional<Format> &activations,
                            const std::optional<Format> &weights) {
  for (const SchemeRow &row : schemes)
    if (isSameButRule(parsePreset(row.activations), activations) &&
        isSameButRule(parsePreset(row.weights), weights))
      return row.name.str();
  auto spell = [](const std::optional<Format> &format) {
    return format ? format->str() : std::string("high");
  };
  return "weights " + spell(weights) + ", activations " + spell(activations);
}

Expected<Scheme> mx::getScheme(StringRef name, StringRef scaleRule) {
  std::string lower = name.lower();
  for (auto [alias, target] : aliases)
    if (alias == lower)
      lower = target.str();
  const SchemeRow *row =
      find_if(schemes, [&](const SchemeRow &row) { return row.name == lower; });
  if (row == std::end(schemes)) {
    std::string known = join(getSchemeNames(), ", ");
    for (auto [other, reason] : unsupported)
      if (other == lower)
        return createStringError(
            formatv("scheme '{0}' is not supported yet ({1}); supported are "
                    "{2}",
                    name, reason, known));
    return createStringError(
        formatv("unknown scheme '{0}'; known are {1}", name, known));
  }

  Scheme scheme;
  scheme.name = row->name.str();
  scheme.activations = parsePreset(row->activations);
  scheme.weights = parsePreset(row->weights);
  if (scaleRule.empty())
    return scheme;

  std::optional<ScaleRule> rule = parseScaleRule(scaleRule);
  if (!rule)
    return createStringError(
        formatv("unknown scale rule '{0}'; known are floor, ceil, even, rceil",
                scaleRule));
  if (!replaceScaleRule(scheme, *rule))
    return createStringError(
        formatv("scale rule '{0}' is for E8M0 scales, which scheme '{1}' does "
                "not have",
                scaleRule, scheme.name));
  return scheme;
}
