// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Formats/Format.h"

using namespace mx;

static const FormatPreset presets[] = {
    {"mxfp4", {Element::E2M1, 1, 32, ScaleType::E8M0, ScaleRule::Even}},
    {"mxfp8_e4m3", {Element::E4M3, 1, 32, ScaleType::E8M0, ScaleRule::RCeil}},
    {"nvfp4", {Element::E2M1, 1, 16, ScaleType::E4M3, ScaleRule::Amax, true}},
};

llvm::ArrayRef<FormatPreset> mx::getFormatPresets() { return presets; }

std::optional<Format> mx::lookupFormatPreset(llvm::StringRef name) {
  for (const FormatPreset &preset : presets)
    if (preset.name == name)
      return preset.format;
  return std::nullopt;
}

bool Format::operator==(const Format &o) const {
  return element == o.element && blockRows == o.blockRows &&
         blockCols == o.blockCols && scale == o.scale && rule == o.rule &&
         secondLevel == o.secondLevel && variant == o.variant &&
         fourOverSix == o.fourOverSix && scaleMax == o.scaleMax &&
         zeroPoint == o.zeroPoint && doubleQuant == o.doubleQuant;
}

llvm::Expected<Format> Format::parse(llvm::StringRef text) {
  if (std::optional<Format> preset = lookupFormatPreset(text.trim()))
    return *preset;
  return llvm::createStringError("unknown format '" + text.trim() + "'");
}

std::string Format::str() const {
  for (const FormatPreset &preset : presets)
    if (preset.format == *this)
      return preset.name.str();
  return "?";
}

llvm::Error Format::verify() const { return llvm::Error::success(); }

llvm::hash_code mx::hash_value(const Format &f) {
  return llvm::hash_combine(f.element, f.blockRows, f.blockCols, f.scale,
                            f.rule, f.secondLevel, f.variant, f.fourOverSix,
                            f.scaleMax, f.zeroPoint, f.doubleQuant);
}

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
