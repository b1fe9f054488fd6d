// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Formats/Random.h"
#include "mx/Formats/Quantize.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace llvm;
using namespace mx;

using Words = std::array<uint32_t, 4>;

TEST(Random, KnownAnswersOfRandom123) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                       {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, WordsAreAFunctionOfSeedOffsetIndex) {
  EXPECT_EQ(getRandomWord(7, 9, 6), getRandomBlock(7, 9, 1)[2]);
  EXPECT_NE(getRandomWord(7, 9, 6), getRandomWord(8, 9, 6));
  EXPECT_NE(getRandomWord(7, 9, 6), getRandomWord(7, 10, 6));
  EXPECT_EQ(getRandomBlock(1ull << 32, 2ull << 32, 3ull << 32),
            philox4x32({0, 3, 0, 2}, {0, 1}));
}

/// Fraction of `count` stochastic encodings of `v` that are `code`. The scale
/// is one: a second value of the block is the format's largest.
static double getFrequency(Format format, float v, uint8_t code, unsigned bits,
                           uint64_t seed) {
  constexpr int64_t count = 20000;
  float amax = float(getMaxFinite(format.element));
  SmallVector<float, 0> x(2 * count, v);
  for (int64_t i = 0; i < count; ++i)
    x[2 * i + 1] = amax;
  QuantizeOptions options;
  options.rounding = ElementRounding::Stochastic;
  options.seed = seed;
  options.randomBits = bits;
  Quantized q = cantFail(quantize(format, options, TensorView(x, {count, 2})));
  int64_t found = 0;
  for (int64_t i = 0; i < count; ++i) {
    found += q.codes[2 * i] == code;
    // Values of the grid stay.
    EXPECT_EQ(decodeElement(format.element, q.codes[2 * i + 1]), amax);
  }
  return double(found) / count;
}

TEST(Random, RoundsUpWithTheRightProbability) {
  Format mxfp4 = *lookupFormatPreset("mxfp4");
  Format mxfp8 = *lookupFormatPreset("mxfp8_e4m3");
  Format int8 = *lookupFormatPreset("mxint8");
  int8.rule = ScaleRule::RCeil;
  struct {
    Format format;
    float value;
    uint8_t up;
    double probability;
  } cases[] = {
      {mxfp4, 0.125f, 1, 0.25},      {mxfp4, -2.75f, 0xD, 0.75},
      {mxfp4, 5.0f, 7, 0.5},         {mxfp4, 1.0f, 2, 1},
      {mxfp8, 0x1.1p-9f, 2, 0.0625}, {mxfp8, 17.5f, 0x59, 0.75},
      {int8, 0.7f / 64, 1, 0.7},     {int8, -1.25f / 64, 0xFE, 0.25},
  };
  for (auto &c : cases)
    for (unsigned bits : {8u, 13u, 24u}) {
      // Five standard deviations, and the bias of few bits.
      double bound = 5 * std::sqrt(0.25 / 20000) + std::ldexp(1.0, -int(bits));
      EXPECT_NEAR(getFrequency(c.format, c.value, c.up, bits, bits),
                  c.probability, bound)
          << c.format.str() << " " << c.value << " " << bits;
    }
}

TEST(Random, StochasticRoundingIsReproducible) {
  SmallVector<float> x;
  for (int i = 0; i < 256; ++i)
    x.push_back(float(i % 37) / 10 - 1.5f);
  QuantizeOptions options;
  options.rounding = ElementRounding::Stochastic;
  options.seed = 3;
  Format format = *lookupFormatPreset("mxfp4");
  auto codes = [&](ArrayRef<int64_t> shape, int64_t axis) {
    options.axis = axis;
    return cantFail(quantize(format, options, TensorView(x, shape))).codes;
  };
  EXPECT_EQ(codes({8, 32}, 1), codes({8, 32}, 1));
  EXPECT_EQ(codes({8, 32}, 1), codes({4, 2, 32}, 2));
  auto before = codes({8, 32}, 1);
  options.offset = 1;
  EXPECT_NE(codes({8, 32}, 1), before);

  // The random bits of an element do not depend on how the tensor is walked:
  // along the other axis, with one scale for all, the codes are the same.
  format.blockRows = format.blockCols = Format::Whole;
  EXPECT_EQ(codes({8, 32}, 1), codes({8, 32}, 0));
}
