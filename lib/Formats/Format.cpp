// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Formats/Format.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace mx;

//===----------------------------------------------------------------------===//
// Presets
//===----------------------------------------------------------------------===//

static constexpr int64_t Whole = Format::Whole;

static const FormatPreset presets[] = {
    // OCP MX v1.0; the default scale rule of each is a choice of this project
    // (even has the smallest error of the four for MXFP4 on language models).
    {"mxfp8_e4m3", {Element::E4M3, 1, 32, ScaleType::E8M0, ScaleRule::RCeil}},
    {"mxfp8_e5m2", {Element::E5M2, 1, 32, ScaleType::E8M0, ScaleRule::RCeil}},
    {"mxfp6_e2m3", {Element::E2M3, 1, 32, ScaleType::E8M0, ScaleRule::RCeil}},
    {"mxfp6_e3m2", {Element::E3M2, 1, 32, ScaleType::E8M0, ScaleRule::RCeil}},
    {"mxfp4", {Element::E2M1, 1, 32, ScaleType::E8M0, ScaleRule::Even}},
    {"mxint8", {Element::MXInt8, 1, 32, ScaleType::E8M0, ScaleRule::Floor}},
    // NVIDIA's NVFP4: along K, and the square tile that weights take so that
    // W and its transpose share their codes.
    {"nvfp4", {Element::E2M1, 1, 16, ScaleType::E4M3, ScaleRule::Amax, true}},
    {"nvfp4_2d",
     {Element::E2M1, 16, 16, ScaleType::E4M3, ScaleRule::Amax, true}},
    // DeepSeek-V3's activations (and gradients) and weights.
    {"fp8_block_act", {Element::E4M3, 1, 128, ScaleType::F32, ScaleRule::Amax}},
    {"fp8_block_weight",
     {Element::E4M3, 128, 128, ScaleType::F32, ScaleRule::Amax}},
    {"fp8_row", {Element::E4M3, 1, Whole, ScaleType::F32, ScaleRule::Amax}},
    {"fp8_row_e5m2",
     {Element::E5M2, 1, Whole, ScaleType::F32, ScaleRule::Amax}},
    {"fp8_tensor",
     {Element::E4M3, Whole, Whole, ScaleType::F32, ScaleRule::Amax}},
    {"fp8_tensor_e5m2",
     {Element::E5M2, Whole, Whole, ScaleType::F32, ScaleRule::Amax}},
    {"int4_g32", {Element::Int4, 1, 32, ScaleType::F32, ScaleRule::Amax}},
    {"int4_g64", {Element::Int4, 1, 64, ScaleType::F32, ScaleRule::Amax}},
    {"int4_g128", {Element::Int4, 1, 128, ScaleType::F32, ScaleRule::Amax}},
    {"nf4", {Element::NF4, 1, 64, ScaleType::F32, ScaleRule::Amax}},
    // BitNet b1.58: weights, and the activations that go with them.
    {"ternary",
     {Element::Ternary, Whole, Whole, ScaleType::F32, ScaleRule::AbsMean}},
    {"int8_token", {Element::Int8, 1, Whole, ScaleType::F32, ScaleRule::Amax}},
};

/// Names that schemes and recipes use for one of the presets.
static constexpr std::pair<StringLiteral, StringLiteral> aliases[] = {
    {"mxfp8", "mxfp8_e4m3"},
    {"fp8_block", "fp8_block_act"},
    {"int4", "int4_g128"},
};

ArrayRef<FormatPreset> mx::getFormatPresets() { return presets; }

std::optional<Format> mx::lookupFormatPreset(StringRef name) {
  for (auto [alias, target] : aliases)
    if (alias == name)
      name = target;
  for (const FormatPreset &preset : presets)
    if (preset.name == name)
      return preset.format;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Enumerations, spelled in the order of their declaration
//===----------------------------------------------------------------------===//

static constexpr StringLiteral elementNames[] = {
    "e2m1",   "e2m3", "e3m2", "e4m3", "e5m2",
    "mxint8", "int8", "int4", "nf4",  "ternary"};
static constexpr StringLiteral scaleNames[] = {"e8m0", "e4m3", "f32", "f16",
                                               "bf16"};
static constexpr StringLiteral ruleNames[] = {"floor", "ceil", "even",
                                              "rceil", "amax", "absmean"};
static constexpr StringLiteral variantNames[] = {
    "ocp", "torchao",      "te",       "compressed_tensors", "modelopt",
    "jax", "microxcaling", "deepseek", "bitsandbytes",       "fouroversix"};
static constexpr StringLiteral fourOverSixNames[] = {"none", "mse", "mae",
                                                     "abs_max"};
static constexpr StringLiteral boolNames[] = {"false", "true"};

StringRef mx::stringify(Element e) { return elementNames[unsigned(e)]; }
StringRef mx::stringify(ScaleType s) { return scaleNames[unsigned(s)]; }
StringRef mx::stringify(ScaleRule r) { return ruleNames[unsigned(r)]; }
StringRef mx::stringify(Variant v) { return variantNames[unsigned(v)]; }
StringRef mx::stringify(FourOverSix f) { return fourOverSixNames[unsigned(f)]; }

unsigned mx::getBitWidth(Element element) {
  switch (element) {
  case Element::E2M1:
  case Element::Int4:
  case Element::NF4:
    return 4;
  case Element::E2M3:
  case Element::E3M2:
    return 6;
  case Element::E4M3:
  case Element::E5M2:
  case Element::MXInt8:
  case Element::Int8:
    return 8;
  case Element::Ternary:
    return 2;
  }
  llvm_unreachable("unknown element");
}

double mx::getMaxFinite(Element element) {
  switch (element) {
  case Element::E2M1:
    return 6;
  case Element::E2M3:
    return 7.5;
  case Element::E3M2:
    return 28;
  case Element::E4M3:
    return 448;
  case Element::E5M2:
    return 57344;
  case Element::MXInt8:
    return 127.0 / 64;
  case Element::Int8:
    return 127;
  case Element::Int4:
    return 7;
  case Element::NF4:
  case Element::Ternary:
    return 1;
  }
  llvm_unreachable("unknown element");
}

//===----------------------------------------------------------------------===//
// Geometry
//===----------------------------------------------------------------------===//

std::optional<int64_t> mx::getRowAxis(int64_t rank, int64_t axis) {
  if (rank < 2)
    return std::nullopt;
  return axis == rank - 1 ? rank - 2 : rank - 1;
}

SmallVector<int64_t> mx::getBlockShape(const Format &format, int64_t rank,
                                       int64_t axis) {
  bool tensor = format.blockRows == Whole && format.blockCols == Whole;
  SmallVector<int64_t> block(rank, tensor ? Whole : 1);
  if (std::optional<int64_t> row = getRowAxis(rank, axis))
    block[*row] = format.blockRows;
  block[axis] = format.blockCols;
  return block;
}

//===----------------------------------------------------------------------===//
// Fields: the one list that equality, hashing, parsing and printing follow
//===----------------------------------------------------------------------===//

template <typename T>
static Error parseName(StringRef field, StringRef text,
                       ArrayRef<StringLiteral> names, T &value) {
  const StringLiteral *it = llvm::find(names, text);
  if (it == names.end())
    return createStringError("'" + field + "' must be " +
                             llvm::join(names, ", ") + "; got '" + text + "'");
  value = static_cast<T>(it - names.begin());
  return Error::success();
}

/// `RxC`, each an integer or `?`.
static Error parseBlock(StringRef text, Format &format) {
  auto [rows, cols] = text.split('x');
  auto parseExtent = [](StringRef extent, int64_t &value) {
    extent = extent.trim();
    if (extent == "?") {
      value = Whole;
      return true;
    }
    return !extent.getAsInteger(10, value) && value > 0;
  };
  if (parseExtent(rows, format.blockRows) &&
      parseExtent(cols, format.blockCols))
    return Error::success();
  return createStringError("'block' must be ROWSxCOLS, each positive or '?' "
                           "for a whole extent; got '" +
                           text + "'");
}

static std::string printBlock(const Format &format) {
  auto extent = [](int64_t value) {
    return value == Whole ? std::string("?") : std::to_string(value);
  };
  return extent(format.blockRows) + "x" + extent(format.blockCols);
}

namespace {
struct Field {
  StringLiteral name;
  /// Without a preset these must be given.
  bool required;
  std::string (*print)(const Format &);
  Error (*parse)(StringRef text, Format &);
};
} // namespace

static const Field fields[] = {
    {"element", true,
     [](const Format &f) { return stringify(f.element).str(); },
     [](StringRef t, Format &f) {
       return parseName("element", t, elementNames, f.element);
     }},
    {"block", true, printBlock, parseBlock},
    {"scale", true, [](const Format &f) { return stringify(f.scale).str(); },
     [](StringRef t, Format &f) {
       return parseName("scale", t, scaleNames, f.scale);
     }},
    {"rule", true, [](const Format &f) { return stringify(f.rule).str(); },
     [](StringRef t, Format &f) {
       return parseName("rule", t, ruleNames, f.rule);
     }},
    {"second_level", false,
     [](const Format &f) { return boolNames[f.secondLevel].str(); },
     [](StringRef t, Format &f) {
       return parseName("second_level", t, boolNames, f.secondLevel);
     }},
    {"variant", false,
     [](const Format &f) { return stringify(f.variant).str(); },
     [](StringRef t, Format &f) {
       return parseName("variant", t, variantNames, f.variant);
     }},
    {"four_over_six", false,
     [](const Format &f) { return stringify(f.fourOverSix).str(); },
     [](StringRef t, Format &f) {
       return parseName("four_over_six", t, fourOverSixNames, f.fourOverSix);
     }},
    {"scale_max", false,
     [](const Format &f) { return std::to_string(f.scaleMax); },
     [](StringRef t, Format &f) -> Error {
       if (t.getAsInteger(10, f.scaleMax))
         return createStringError("'scale_max' must be an integer; got '" + t +
                                  "'");
       return Error::success();
     }},
    {"zero_point", false,
     [](const Format &f) { return boolNames[f.zeroPoint].str(); },
     [](StringRef t, Format &f) {
       return parseName("zero_point", t, boolNames, f.zeroPoint);
     }},
    {"double_quant", false,
     [](const Format &f) { return boolNames[f.doubleQuant].str(); },
     [](StringRef t, Format &f) {
       return parseName("double_quant", t, boolNames, f.doubleQuant);
     }},
};

static auto asTuple(const Format &f) {
  return std::make_tuple(f.element, f.blockRows, f.blockCols, f.scale, f.rule,
                         f.secondLevel, f.variant, f.fourOverSix, f.scaleMax,
                         f.zeroPoint, f.doubleQuant);
}

bool Format::operator==(const Format &other) const {
  return asTuple(*this) == asTuple(other);
}

hash_code mx::hash_value(const Format &format) {
  return std::apply([](auto... field) { return hash_combine(field...); },
                    asTuple(format));
}

//===----------------------------------------------------------------------===//
// Parsing and printing
//===----------------------------------------------------------------------===//

static std::string listPresets() {
  return llvm::join(
      llvm::map_range(presets,
                      [](const FormatPreset &preset) { return preset.name; }),
      ", ");
}

static std::string listFields() {
  return llvm::join(
      llvm::map_range(fields, [](const Field &field) { return field.name; }),
      ", ");
}

Expected<Format> Format::parse(StringRef text) {
  text = text.trim();
  if (text.consume_front("#mx.format")) {
    text = text.trim();
    if (!text.consume_front("<") || !text.consume_back(">"))
      return createStringError("expected '#mx.format<...>'");
  }
  SmallVector<StringRef> parts;
  text.split(parts, ',');

  Format format;
  bool hasPreset = !parts.front().contains('=');
  if (hasPreset) {
    StringRef name = parts.front().trim();
    std::optional<Format> preset = lookupFormatPreset(name);
    if (!preset)
      return createStringError("unknown format '" + name + "'; presets are " +
                               listPresets());
    format = *preset;
    parts.erase(parts.begin());
  }

  SmallVector<StringRef> given;
  for (StringRef part : parts) {
    auto [name, value] = part.split('=');
    name = name.trim();
    if (!part.contains('='))
      return createStringError("expected 'field = value', got '" + name + "'");
    const Field *field = llvm::find_if(
        fields, [name = name](const Field &f) { return f.name == name; });
    if (field == std::end(fields))
      return createStringError("unknown field '" + name + "'; fields are " +
                               listFields());
    if (llvm::is_contained(given, name))
      return createStringError("field '" + name + "' is given twice");
    given.push_back(name);
    if (Error error = field->parse(value.trim(), format))
      return std::move(error);
  }
  for (const Field &field : fields)
    if (field.required && !hasPreset && !llvm::is_contained(given, field.name))
      return createStringError("without a preset, field '" + field.name +
                               "' must be given");
  if (Error error = format.verify())
    return std::move(error);
  return format;
}

std::string Format::str() const {
  // All fields that have no default or differ from it.
  auto spell = [&](std::string text, const Format &base, bool withRequired) {
    for (const Field &field : fields) {
      std::string value = field.print(*this);
      if (value == field.print(base) && !(withRequired && field.required))
        continue;
      text += (text.empty() ? "" : ", ") + field.name.str() + " = " + value;
    }
    return text;
  };
  std::string best = spell("", Format(), /*withRequired=*/true);
  for (const FormatPreset &preset : presets) {
    if (preset.format.element != element)
      continue;
    std::string text = spell(preset.name.str(), preset.format, false);
    if (text.size() < best.size())
      best = text;
  }
  return best;
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

static bool isIn(Variant variant, std::initializer_list<Variant> set) {
  return llvm::is_contained(set, variant);
}

/// The formats of which a library's edge rules are known. What it does not
/// offer has no rules to follow, so it is refused rather than guessed.
static bool isVariantDefined(const Format &f) {
  using V = Variant;
  if (f.variant == V::OCP)
    return true;
  bool isFP8 = f.element == Element::E4M3 || f.element == Element::E5M2;
  if (f.scale == ScaleType::E4M3)
    return isIn(f.variant, {V::TorchAO, V::TE, V::CompressedTensors,
                            V::ModelOpt, V::JAX, V::FourOverSix});
  if (f.scale == ScaleType::E8M0 && f.blockRows == 1 && f.blockCols == 32) {
    if (f.element == Element::MXInt8)
      return f.variant == V::Microxcaling;
    return isIn(f.variant, {V::TorchAO, V::CompressedTensors, V::ModelOpt,
                            V::Microxcaling}) ||
           (f.variant == V::JAX && isFP8) ||
           (f.variant == V::FourOverSix && f.element == Element::E2M1);
  }
  if (isFP8 && f.scale != ScaleType::E4M3) {
    bool isBlock = f.blockCols == 128;
    return isIn(f.variant, {V::TorchAO, V::CompressedTensors, V::ModelOpt}) ||
           (isIn(f.variant, {V::TE, V::DeepSeek}) && isBlock);
  }
  if (f.element == Element::Int4)
    return isIn(f.variant, {V::TorchAO, V::CompressedTensors}) ||
           (f.variant == V::ModelOpt && !f.zeroPoint);
  if (f.element == Element::NF4)
    return isIn(f.variant, {V::TorchAO, V::BitsAndBytes});
  return false;
}

Error Format::verify() const {
  auto fail = [&](const Twine &message) { return createStringError(message); };
  StringRef elementName = stringify(element), scaleName = stringify(scale);
  if (blockRows < 0 || blockCols < 0)
    return fail("'block' extents must be positive");

  bool isMX = element <= Element::MXInt8;
  if (scale == ScaleType::E8M0 && !isMX)
    return fail("'scale' e8m0 needs an MX element, not " + elementName);
  if (scale != ScaleType::E8M0 && element == Element::MXInt8)
    return fail("'scale' of mxint8 must be e8m0, not " + scaleName);
  if (scale == ScaleType::E4M3 && element != Element::E2M1)
    return fail("'scale' e4m3 needs element e2m1, not " + elementName);
  if ((element == Element::E2M1 || element == Element::E2M3 ||
       element == Element::E3M2) &&
      scale > ScaleType::E4M3)
    return fail("'scale' of " + elementName + " must be e8m0" +
                (element == Element::E2M1 ? " or e4m3" : "") + ", not " +
                scaleName);
  if (element == Element::NF4 && scale != ScaleType::F32)
    return fail("'scale' of nf4 must be f32, not " + scaleName);

  ScaleRule floatRule =
      element == Element::Ternary ? ScaleRule::AbsMean : ScaleRule::Amax;
  if (scale == ScaleType::E8M0 && rule > ScaleRule::RCeil)
    return fail("'rule' of an e8m0 scale must be floor, ceil, even or rceil, "
                "not " +
                stringify(rule));
  if (scale != ScaleType::E8M0 && rule != floatRule)
    return fail("'rule' of a " + scaleName + " scale of " + elementName +
                " must be " + stringify(floatRule) + ", not " +
                stringify(rule));

  if (secondLevel && scale != ScaleType::E4M3)
    return fail("'second_level' needs scale e4m3, not " + scaleName);
  if (fourOverSix != FourOverSix::None && !secondLevel)
    return fail("'four_over_six' needs second_level = true");
  if (fourOverSix != FourOverSix::None &&
      !isIn(variant, {Variant::OCP, Variant::TE, Variant::FourOverSix}))
    return fail("'four_over_six' is not defined by variant " +
                stringify(variant) + "; use ocp, te or fouroversix");
  if (scaleMax != 448 && scaleMax != 256)
    return fail("'scale_max' must be 448 or 256; got " + Twine(scaleMax));
  if (scaleMax != 448 && !secondLevel)
    return fail("'scale_max' needs second_level = true");
  if (zeroPoint && element != Element::Int4)
    return fail("'zero_point' needs element int4, not " + elementName);
  if (doubleQuant && element != Element::NF4)
    return fail("'double_quant' needs element nf4, not " + elementName);
  if (!isVariantDefined(*this))
    return fail("'variant' " + stringify(variant) +
                " does not define this format; use ocp");
  return Error::success();
}
