// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Formats/Codec.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace mx;

uint8_t mx::encodeElement(Element element, float v) {
  switch (element) {
  case Element::E2M1:
    return encodeMiniFloat<Element::E2M1>(v);
  case Element::E2M3:
    return encodeMiniFloat<Element::E2M3>(v);
  case Element::E3M2:
    return encodeMiniFloat<Element::E3M2>(v);
  case Element::E4M3:
    return encodeMiniFloat<Element::E4M3>(v);
  case Element::E5M2:
    return encodeMiniFloat<Element::E5M2>(v);
  case Element::MXInt8:
    return uint8_t(roundToInteger(v * 64, -127, 127));
  case Element::Int8:
    return uint8_t(roundToInteger(v, -127, 127));
  case Element::Int4:
    return uint8_t(roundToInteger(v, -8, 7)) & 0xF;
  case Element::NF4:
    return encodeNF4(v);
  case Element::Ternary:
    return uint8_t(roundToInteger(v, -1, 1)) & 0x3;
  }
  llvm_unreachable("unknown element");
}

/// Fills `table` by the definition of each element.
static void fillDecodeTable(Element element, MutableArrayRef<float> table) {
  unsigned width = getBitWidth(element);
  for (auto [code, value] : enumerate(table)) {
    if (isMiniFloat(element))
      value = fromBits(decodeMiniFloatBits(element, code));
    else if (element == Element::NF4)
      value = nf4Values[code];
    else
      value = float(SignExtend64(code, width)) *
              (element == Element::MXInt8 ? 1.0f / 64 : 1.0f);
  }
}

ArrayRef<float> mx::getDecodeTable(Element element) {
  constexpr unsigned numElements = unsigned(Element::Ternary) + 1;
  static const auto tables = [] {
    std::array<SmallVector<float, 0>, numElements> tables;
    for (auto [i, table] : enumerate(tables)) {
      table.resize(size_t(1) << getBitWidth(Element(i)));
      fillDecodeTable(Element(i), table);
    }
    return tables;
  }();
  return tables[unsigned(element)];
}

uint16_t mx::encodeF16(float v) {
  uint32_t bits = toBits(v);
  uint32_t sign = bits >> 16 & 0x8000, abs = bits & 0x7FFFFFFF;
  if (abs > 0x7F800000)
    return uint16_t(sign | 0x7E00);
  // As encodeMagnitudeEven, with inf instead of a largest code.
  uint32_t normal =
      ((abs + 0xFFF + ((abs >> 13) & 1)) >> 13) - (uint32_t(112) << 10);
  constexpr uint32_t magic = uint32_t(126) << 23;
  uint32_t subnormal = toBits(fromBits(abs) + fromBits(magic)) - magic;
  uint32_t code = abs < (uint32_t(113) << 23) ? subnormal : normal;
  return uint16_t(sign | std::min(code, 0x7C00u));
}

float mx::decodeF16(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = bits >> 10 & 0x1F, mantissa = bits & 0x3FF;
  if (exponent == 0x1F)
    return fromBits(sign | 0x7F800000 | mantissa << 13);
  if (exponent == 0)
    // Exact: at most ten significant bits times a power of two.
    return fromBits(sign | toBits(float(mantissa) * 0x1p-24f));
  return fromBits(sign | (exponent + 112) << 23 | mantissa << 13);
}
