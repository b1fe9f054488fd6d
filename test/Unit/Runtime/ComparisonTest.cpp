// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Runtime/Comparison.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace mx;

static TensorError compare(std::vector<float> is, std::vector<float> expected) {
  std::vector<int64_t> shape = {2, int64_t(is.size()) / 2};
  return compareTensors(
      {"f32", shape, reinterpret_cast<char *>(is.data())},
      {"f32", shape, reinterpret_cast<char *>(expected.data())});
}

TEST(Comparison, MeasuresErrors) {
  TensorError error = compare({3, 4, 0, 1}, {3, 5, 0, -1});
  EXPECT_EQ(error.maxAbs, 2);
  EXPECT_DOUBLE_EQ(error.relative, std::sqrt(5.0 / 35.0));
  EXPECT_DOUBLE_EQ(error.cosine, 28 / std::sqrt(26.0 * 35.0));
  EXPECT_EQ(error.top1, 0.5);
}

TEST(Comparison, EqualSpecialsAreEqualOthersAreNot) {
  float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  TensorError error = compare({inf, nan, 1, 2}, {inf, nan, 1, 2});
  EXPECT_EQ(error.maxAbs, 0);
  EXPECT_EQ(error.relative, 0);
  EXPECT_EQ(error.cosine, 1);
  for (float is : {nan, inf, -inf}) {
    error = compare({is, 0, 1, 2}, {1, 0, 1, 2});
    EXPECT_EQ(error.relative, HUGE_VAL);
  }
  // Nothing to divide by.
  EXPECT_EQ(compare({0, 0}, {0, 0}).relative, 0);
  EXPECT_EQ(compare({1, 0}, {0, 0}).relative, HUGE_VAL);
}

TEST(Comparison, DecodesTypes) {
  uint16_t bf16 = 0x3FC0, f16 = 0xC000;
  uint8_t e4m3 = 0x7E;
  EXPECT_EQ(getElementDecoder("bf16")(reinterpret_cast<char *>(&bf16), 0), 1.5);
  EXPECT_EQ(getElementDecoder("f16")(reinterpret_cast<char *>(&f16), 0), -2);
  EXPECT_EQ(getElementDecoder("f8E4M3FN")(reinterpret_cast<char *>(&e4m3), 0),
            448);
  EXPECT_FALSE(getElementDecoder("f4E2M1FN"));
}
