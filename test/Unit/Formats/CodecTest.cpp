// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Formats/Codec.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace llvm;
using namespace mx;

static constexpr Element floatElements[] = {
    Element::E2M1, Element::E2M3, Element::E3M2, Element::E4M3, Element::E5M2};

/// The value of a code by the definition of the type, in f64.
static double getValue(Element element, uint32_t code) {
  MiniFloat f = getMiniFloat(element);
  uint32_t exponent = code >> f.mantissaBits & ((1u << f.exponentBits) - 1);
  double mantissa = code & ((1u << f.mantissaBits) - 1);
  double magnitude =
      exponent ? std::ldexp(std::ldexp(mantissa, -int(f.mantissaBits)) + 1,
                            int(exponent) - f.bias)
               : std::ldexp(mantissa, 1 - f.bias - int(f.mantissaBits));
  return code >> f.signShift() & 1 ? -magnitude : magnitude;
}

TEST(Codec, DecodesByDefinition) {
  for (Element element : floatElements)
    for (auto [code, value] : enumerate(getDecodeTable(element)))
      if (std::isfinite(value)) {
        EXPECT_EQ(value, getValue(element, code));
        EXPECT_EQ(std::signbit(value),
                  bool(code >> (getBitWidth(element) - 1)));
      }
  auto isNaN = [](Element element, uint8_t code) {
    return std::isnan(decodeElement(element, code));
  };
  for (unsigned code = 0; code < 256; ++code) {
    EXPECT_EQ(isNaN(Element::E4M3, code), (code & 0x7F) == 0x7F);
    EXPECT_EQ(isNaN(Element::E5M2, code), (code & 0x7F) > 0x7C);
  }
  EXPECT_EQ(decodeElement(Element::E5M2, 0xFC), -INFINITY);
  EXPECT_EQ(decodeElement(Element::MXInt8, 0x80), -2.0f);
  EXPECT_EQ(decodeElement(Element::MXInt8, 0x01), 1.0f / 64);
  EXPECT_EQ(decodeElement(Element::Int8, 0xFF), -1.0f);
  EXPECT_EQ(decodeElement(Element::Int4, 0x8), -8.0f);
  EXPECT_EQ(decodeElement(Element::Ternary, 0x3), -1.0f);
  EXPECT_EQ(decodeElement(Element::NF4, 7), 0.0f);
}

TEST(Codec, EncodesWhatItDecodes) {
  for (unsigned e = 0; e <= unsigned(Element::Ternary); ++e) {
    Element element = Element(e);
    for (auto [code, value] : enumerate(getDecodeTable(element))) {
      // Codes that are never made: -128 and -2, and specials.
      if (!std::isfinite(value) || encodeElement(element, value) == code)
        continue;
      EXPECT_TRUE((getBitWidth(element) == 8 && code == 0x80) ||
                  (element == Element::Ternary && code == 2))
          << stringify(element).str() << " " << code;
    }
  }
}

TEST(Codec, RoundsHalfwayPointsToEven) {
  for (Element element : floatElements) {
    uint32_t maxCode = getMiniFloat(element).maxCode;
    for (uint32_t code = 0; code < maxCode; ++code) {
      // Exact in f32.
      float half =
          float((getValue(element, code) + getValue(element, code + 1)) / 2);
      EXPECT_EQ(encodeElement(element, half), code + (code & 1));
      EXPECT_EQ(encodeElement(element, std::nextafter(half, 0.0f)), code);
      EXPECT_EQ(encodeElement(element, std::nextafter(half, INFINITY)),
                code + 1);
      uint8_t sign = 1u << (getBitWidth(element) - 1);
      EXPECT_EQ(encodeElement(element, -half), (code + (code & 1)) | sign);
    }
  }
}

TEST(Codec, Specials) {
  const float inf = INFINITY, nan = std::numeric_limits<float>::quiet_NaN();
  struct {
    Element element;
    uint8_t max, nan, negativeZero;
  } cases[] = {{Element::E2M1, 0x7, 0x7, 0x8},
               {Element::E2M3, 0x1F, 0x1F, 0x20},
               {Element::E3M2, 0x1F, 0x1F, 0x20},
               {Element::E4M3, 0x7E, 0x7F, 0x80},
               {Element::E5M2, 0x7B, 0x7F, 0x80}};
  for (auto &c : cases) {
    EXPECT_EQ(encodeElement(c.element, inf), c.max);
    EXPECT_EQ(encodeElement(c.element, -inf), c.max | c.negativeZero);
    EXPECT_EQ(encodeElement(c.element, 3e38f), c.max);
    EXPECT_EQ(encodeElement(c.element, nan), c.nan);
    EXPECT_EQ(encodeElement(c.element, -nan), c.nan);
    EXPECT_EQ(encodeElement(c.element, -0.0f), c.negativeZero);
    EXPECT_EQ(encodeElement(c.element, -1e-45f), c.negativeZero);
  }
  EXPECT_EQ(encodeElement(Element::MXInt8, inf), 0x7F);
  EXPECT_EQ(encodeElement(Element::MXInt8, -inf), 0x81);
  EXPECT_EQ(encodeElement(Element::Int4, -inf), 0x8);
  EXPECT_EQ(encodeElement(Element::Int4, 2.5f), 2);
  EXPECT_EQ(encodeElement(Element::Int4, -3.5f), 0xC);
  EXPECT_EQ(encodeElement(Element::Ternary, -0.5f), 0);
  EXPECT_EQ(encodeElement(Element::Ternary, -7.0f), 3);
}

TEST(Codec, NF4IsTheNearestValue) {
  for (int i = -1100; i <= 1100; ++i) {
    float v = float(i) / 1000;
    uint8_t best = 0;
    for (uint8_t code = 1; code < 16; ++code)
      if (std::fabs(nf4Values[code] - v) < std::fabs(nf4Values[best] - v))
        best = code;
    EXPECT_EQ(encodeNF4(v), best) << v;
  }
}

TEST(Codec, E8M0) {
  EXPECT_EQ(decodeE8M0(127), 1.0f);
  EXPECT_EQ(decodeE8M0(0), 0x1p-127f);
  EXPECT_EQ(decodeE8M0(254), 0x1p127f);
  EXPECT_TRUE(std::isnan(decodeE8M0(255)));
  for (unsigned code = 0; code < 255; ++code) {
    float value = decodeE8M0(code);
    EXPECT_EQ(encodeE8M0Up(value), code);
    EXPECT_EQ(encodeE8M0Up(-value), code);
    EXPECT_EQ(encodeE8M0Up(std::nextafter(value, INFINITY)),
              std::min(code + 1, 254u));
  }
  EXPECT_EQ(encodeE8M0Up(0), 0);
  EXPECT_EQ(encodeE8M0Up(INFINITY), 0xFE);
  EXPECT_EQ(encodeE8M0Up(NAN), 0xFF);
}

TEST(Codec, SixteenBitFloats) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    float bf16 = decodeBF16(bits), f16 = decodeF16(bits);
    if (!std::isnan(bf16))
      EXPECT_EQ(encodeBF16(bf16), bits);
    if (!std::isnan(f16))
      EXPECT_EQ(encodeF16(f16), bits);
  }
  EXPECT_TRUE(std::isnan(decodeF16(encodeF16(NAN))));
  EXPECT_TRUE(std::isnan(decodeBF16(encodeBF16(fromBits(0x7F800001)))));
  EXPECT_EQ(decodeF16(encodeF16(65520.0f)), INFINITY);
  EXPECT_EQ(decodeF16(encodeF16(65519.9f)), 65504.0f);
  EXPECT_EQ(decodeF16(encodeF16(0x1.8p-25f)), 0x1p-24f);
  EXPECT_EQ(encodeBF16(0x1.01p0f), 0x3F80);
  EXPECT_EQ(encodeBF16(0x1.03p0f), 0x3F82);
}
