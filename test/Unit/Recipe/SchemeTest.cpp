// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Recipe/Scheme.h"

#include "gtest/gtest.h"

using namespace mx;

namespace {

std::string describe(const std::optional<Format> &format) {
  return format ? format->str() : "high";
}

TEST(Scheme, Formats) {
  struct Row {
    const char *name, *activations, *weights;
  };
  const Row rows[] = {
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
      {"nvfp4a16", "high", "nvfp4"},
      {"mxfp4a16", "high", "mxfp4"},
      {"mxfp6a16", "high", "mxfp6_e2m3"},
      {"mxfp8a16", "high", "mxfp8_e4m3"},
      {"int4", "high", "int4_g128"},
      {"int4_asym", "high", "int4_g128, zero_point = true"},
      {"nf4", "high", "nf4"},
      {"mxfp4xfp8", "fp8_block_act", "mxfp4"},
      {"mxfp6a8", "mxfp8_e4m3", "mxfp6_e2m3"},
      {"w4afp8", "fp8_row", "int4_g128"},
      {"ternary", "int8_token", "ternary"},
      {"bf16", "high", "high"},
  };
  EXPECT_EQ(getSchemeNames().size(), std::size(rows));
  for (const Row &row : rows) {
    Scheme scheme = llvm::cantFail(getScheme(row.name));
    EXPECT_EQ(scheme.name, row.name);
    EXPECT_EQ(describe(scheme.activations), row.activations);
    EXPECT_EQ(describe(scheme.weights), row.weights);
  }
}

/// Each preset of compressed-tensors is one of the above, or refused by name.
TEST(Scheme, PresetsOfCompressedTensors) {
  const std::pair<const char *, const char *> names[] = {
      {"FP8", "fp8_tensor"},       {"FP8_DYNAMIC", "fp8_row"},
      {"FP8_BLOCK", "fp8_block"},  {"NVFP4", "nvfp4"},
      {"NVFP4A16", "nvfp4a16"},    {"MXFP4", "mxfp4"},
      {"MXFP4A16", "mxfp4a16"},    {"MXFP8", "mxfp8"},
      {"MXFP8A16", "mxfp8a16"},    {"W4A16", "int4"},
      {"W4A16_ASYM", "int4_asym"}, {"W4AFP8", "w4afp8"},
      {"MXFP4XFP8", "mxfp4xfp8"},  {"MXFP6A16", "mxfp6a16"},
      {"MXFP6A8", "mxfp6a8"},      {"UNQUANTIZED", "bf16"},
  };
  for (auto [name, target] : names)
    EXPECT_EQ(llvm::cantFail(getScheme(name)).name, target);
  for (const char *name : {"W8A8", "INT8", "W8A16", "W4A8"}) {
    llvm::Expected<Scheme> scheme = getScheme(name);
    ASSERT_FALSE(bool(scheme));
    EXPECT_NE(llvm::toString(scheme.takeError()).find("8-bit integers"),
              std::string::npos);
  }
}

TEST(Scheme, NamesInAnyCase) {
  EXPECT_EQ(llvm::cantFail(getScheme("NVFP4A16")).name, "nvfp4a16");
}

TEST(Scheme, ScaleRule) {
  Scheme scheme = llvm::cantFail(getScheme("mxfp8", "floor"));
  EXPECT_EQ(scheme.activations->rule, ScaleRule::Floor);
  EXPECT_EQ(scheme.weights->rule, ScaleRule::Floor);
}

TEST(Scheme, Errors) {
  auto message = [](llvm::Expected<Scheme> scheme) {
    return scheme ? "" : llvm::toString(scheme.takeError());
  };
  EXPECT_NE(message(getScheme("fp3"))
                .find("unknown scheme 'fp3'; known are "
                      "nvfp4, mxfp4,"),
            std::string::npos);
  EXPECT_NE(message(getScheme("quartet")).find("not supported yet"),
            std::string::npos);
  EXPECT_NE(message(getScheme("mxfp4", "amax")).find("unknown scale rule"),
            std::string::npos);
  EXPECT_NE(message(getScheme("nf4", "floor")).find("E8M0"), std::string::npos);
}

} // namespace
