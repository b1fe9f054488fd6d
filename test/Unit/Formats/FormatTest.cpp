// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Formats/Format.h"

#include "gtest/gtest.h"

using namespace llvm;
using namespace mx;

static Format parse(StringRef text) {
  Expected<Format> format = Format::parse(text);
  if (!format) {
    ADD_FAILURE() << text.str() << ": " << toString(format.takeError());
    return Format();
  }
  return *format;
}

TEST(Format, PresetsPrintByName) {
  for (const FormatPreset &preset : getFormatPresets()) {
    EXPECT_EQ(preset.format.str(), preset.name);
    EXPECT_EQ(parse(preset.name), preset.format);
    EXPECT_EQ(parse("#mx.format<" + preset.name.str() + ">"), preset.format);
  }
}

/// Every format that verifies parses back from its own spelling.
TEST(Format, SpellingRoundTrips) {
  unsigned numValid = 0;
  for (const FormatPreset &preset : getFormatPresets())
    for (unsigned scale = 0; scale < 5; ++scale)
      for (unsigned rule = 0; rule < 6; ++rule)
        for (unsigned variant = 0; variant < 10; ++variant)
          for (unsigned fourOverSix = 0; fourOverSix < 4; ++fourOverSix)
            for (int64_t block : {int64_t(24), Format::Whole}) {
              Format format = preset.format;
              format.scale = ScaleType(scale);
              format.rule = ScaleRule(rule);
              format.variant = Variant(variant);
              format.fourOverSix = FourOverSix(fourOverSix);
              format.blockRows = block;
              if (Error error = format.verify()) {
                EXPECT_FALSE(toString(std::move(error)).empty());
                continue;
              }
              ++numValid;
              EXPECT_EQ(parse(format.str()), format) << format.str();
              EXPECT_EQ(hash_value(parse(format.str())), hash_value(format));
            }
  EXPECT_GT(numValid, 200u);
}

TEST(Format, FieldsCompare) {
  Format nvfp4 = parse("nvfp4");
  EXPECT_NE(nvfp4, parse("nvfp4, scale_max = 256"));
  EXPECT_NE(nvfp4, parse("nvfp4, variant = te"));
  EXPECT_NE(nvfp4, parse("nvfp4_2d"));
  EXPECT_EQ(nvfp4, parse("nvfp4 , second_level=true"));
  EXPECT_EQ(parse("mxfp8"), parse("mxfp8_e4m3"));
}

TEST(Format, RefusesWithAReason) {
  auto errorOf = [](StringRef text) {
    Expected<Format> format = Format::parse(text);
    return format ? "no error" : toString(format.takeError());
  };
  EXPECT_TRUE(StringRef(errorOf("")).starts_with("unknown format ''"));
  EXPECT_EQ(errorOf("#mx.format(nvfp4)"), "expected '#mx.format<...>'");
  EXPECT_EQ(errorOf("mxfp4, block = 16"),
            "'block' must be ROWSxCOLS, each positive or '?' for a whole "
            "extent; got '16'");
  EXPECT_EQ(errorOf("nvfp4, scale_max = many"),
            "'scale_max' must be an integer; got 'many'");
  EXPECT_EQ(errorOf("mxfp4,"), "expected 'field = value', got ''");
}
