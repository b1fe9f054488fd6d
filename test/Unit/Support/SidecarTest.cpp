// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Support/Sidecar.h"

#include "gtest/gtest.h"

using namespace llvm;
using namespace mx;

static std::string errorOf(StringRef text) {
  Expected<Sidecar> sidecar = parseSidecar(text, "s.json");
  return sidecar ? "no error" : toString(sidecar.takeError());
}

/// An error of a sidecar with one argument that has these fields.
static std::string errorOfArgument(StringRef fields) {
  return errorOf(
      (R"({"version": 1, "entry": "main", "arguments": [{)" + fields + "}]}")
          .str());
}

TEST(Sidecar, ReadsArgumentsByTheirIndex) {
  Expected<Sidecar> sidecar = parseSidecar(R"({
    "version": 1, "module": "m.mlir", "entry": "f", "arguments": [
     {"index": 1, "name": "ids", "kind": "input", "shape": ["?", 4], "dtype": "i64"},
     {"index": 0, "name": "head", "tied_to": "table", "kind": "parameter",
      "shape": [], "dtype": "f32"}],
    "results": [{"index": 0, "shape": [3], "dtype": "bf16"}]})",
                                           "s.json");
  ASSERT_TRUE(bool(sidecar));
  EXPECT_EQ(sidecar->entry, "f");
  ASSERT_EQ(sidecar->arguments.size(), 2u);
  EXPECT_EQ(sidecar->arguments[0].name, "head");
  EXPECT_EQ(sidecar->arguments[0].getStoredName(), "table");
  EXPECT_EQ(sidecar->arguments[0].kind, SidecarArgument::Kind::Parameter);
  EXPECT_EQ(sidecar->arguments[1].getStoredName(), "ids");
  EXPECT_EQ(ArrayRef<int64_t>(sidecar->arguments[1].shape),
            ArrayRef<int64_t>({SidecarType::dynamicExtent, 4}));
  ASSERT_EQ(sidecar->results.size(), 1u);
  EXPECT_EQ(sidecar->results[0].dtype, "bf16");
}

TEST(Sidecar, SaysWhereItIsWrong) {
  EXPECT_NE(errorOf("{\n\"version\"").find("'s.json': [2:"), std::string::npos);
  EXPECT_EQ(errorOf("[]"), "'s.json': expected object when parsing sidecar");
  EXPECT_EQ(errorOf(R"({"version": 2, "entry": "f", "arguments": []})"),
            "'s.json': expected 1, the only version there is at "
            "sidecar.version");
  EXPECT_EQ(errorOfArgument(R"("index": 0, "name": "a", "kind": "weight",
                               "shape": [], "dtype": "f32")"),
            "'s.json': expected \"parameter\" or \"input\" at "
            "sidecar.arguments[0].kind");
  EXPECT_EQ(errorOfArgument(R"("index": 1, "name": "a", "kind": "input",
                               "shape": [], "dtype": "f32")"),
            "'s.json': expected each index from 0 to the number of elements "
            "once at sidecar.arguments[0].index");
  EXPECT_EQ(errorOfArgument(R"("index": 0, "name": "a", "kind": "input",
                               "shape": [2, -1], "dtype": "f32")"),
            "'s.json': expected an extent: an integer of at least 0, or \"?\" "
            "at sidecar.arguments[0].shape[1]");
}
