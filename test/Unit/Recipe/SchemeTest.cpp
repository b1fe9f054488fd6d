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
      {"nvfp4a16", "high", "nvfp4"},
      {"mxfp4a16", "high", "mxfp4"},
      {"int4", "high", "int4_g128"},
      {"nf4", "high", "nf4"},
  };
  EXPECT_EQ(getSchemeNames().size(), std::size(rows));
  for (const Row &row : rows) {
    Scheme scheme = llvm::cantFail(getScheme(row.name));
    EXPECT_EQ(scheme.name, row.name);
    EXPECT_EQ(describe(scheme.activations), row.activations);
    EXPECT_EQ(describe(scheme.weights), row.weights);
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
  EXPECT_NE(message(getScheme("FP8_DYNAMIC")).find("not supported yet"),
            std::string::npos);
  EXPECT_NE(message(getScheme("mxfp4", "amax")).find("unknown scale rule"),
            std::string::npos);
  EXPECT_NE(message(getScheme("nf4", "floor")).find("E8M0"), std::string::npos);
}

} // namespace
