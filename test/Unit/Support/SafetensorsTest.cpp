// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Support/Safetensors.h"

#include "llvm/Support/Endian.h"

#include "gtest/gtest.h"

using namespace llvm;
using namespace mx;

static std::string makeFile(StringRef header, StringRef data) {
  char length[8];
  support::endian::write64le(length, header.size());
  return (StringRef(length, 8) + header + data).str();
}

static Expected<Safetensors> parse(const std::string &file) {
  return Safetensors::parse(MemoryBuffer::getMemBufferCopy(file, "w"));
}

static std::string errorOf(const std::string &file) {
  Expected<Safetensors> tensors = parse(file);
  return tensors ? "no error" : toString(tensors.takeError());
}

static std::string errorOf(StringRef header, StringRef data) {
  return errorOf(makeFile(header, data));
}

TEST(Safetensors, ReadsViewsInTheOrderOfTheirBytes) {
  Expected<Safetensors> file = parse(makeFile(
      R"({"__metadata__": {"format": "pt"},
          "b": {"dtype": "BF16", "shape": [2, 1], "data_offsets": [4, 8]},
          "a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]},
          "\u0063": {"dtype": "F8_E4M3", "shape": [0], "data_offsets": [4, 4]}}  )",
      "abcdefgh"));
  ASSERT_TRUE(bool(file));
  ASSERT_EQ(file->getEntries().size(), 3u);
  EXPECT_EQ(file->getEntries()[0].name, "a");
  const SafetensorsEntry *b = file->lookup("b");
  ASSERT_TRUE(b);
  EXPECT_EQ(b->dtype, "bf16");
  EXPECT_EQ(ArrayRef<int64_t>(b->shape), ArrayRef<int64_t>({2, 1}));
  EXPECT_EQ(StringRef(b->data.data(), b->data.size()), "efgh");
  ASSERT_TRUE(file->lookup("c"));
  EXPECT_EQ(file->lookup("c")->dtype, "f8E4M3FN");
  EXPECT_FALSE(file->lookup("d"));
}

TEST(Safetensors, RefusesWhatIsNoHeader) {
  EXPECT_EQ(errorOf("abc"),
            "'w': not a safetensors file: shorter than 8 bytes");
  EXPECT_EQ(errorOf(makeFile("{}", "").substr(0, 9)),
            "'w': truncated, or not a safetensors file: a header of 2 bytes in "
            "a file of 9");
  EXPECT_EQ(errorOf("[]", ""), "'w': header: expected a JSON object");
  EXPECT_NE(errorOf("{", "").find("'w': header: [1:1"), std::string::npos);
}

TEST(Safetensors, RefusesWrongTensors) {
  EXPECT_EQ(errorOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                    "1234567"),
            "'w': tensor \"a\": ends at byte 8 of 7 bytes of data; the file is "
            "truncated");
  EXPECT_EQ(errorOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})",
                    "1234"),
            "'w': tensor \"a\": 4 bytes of data, but shape and dtype say 8");
  EXPECT_EQ(
      errorOf(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],
                       "data_offsets":[0,0]}})",
              ""),
      "'w': tensor \"a\": 0 bytes of data, but shape and dtype say another "
      "number");
  EXPECT_EQ(
      errorOf(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})",
              "1234"),
      "'w': tensor \"a\": an extent is negative");
  EXPECT_EQ(errorOf(R"({"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}})",
                    "1234"),
            "'w': tensor \"a\": unknown dtype F7");
  EXPECT_EQ(errorOf(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})",
                    "1234"),
            "'w': tensor \"a\": data_offsets are not a begin and an end");
  EXPECT_EQ(errorOf(R"({"a":{"dtype":"F32","shape":"x","data_offsets":[0,4]}})",
                    "1234"),
            "'w': tensor \"a\": expected array at header.shape");
}

TEST(Safetensors, RefusesOverlapsGapsAndDuplicates) {
  EXPECT_EQ(errorOf(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                        "b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
                    "123456"),
            "'w': tensor \"b\": begins at byte 2 of the data, where the one "
            "before it ends at 4");
  EXPECT_EQ(errorOf(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                    "12345"),
            "'w': 1 bytes after the last tensor");
  EXPECT_EQ(errorOf(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                  "\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                    "1234"),
            "'w': tensor \"a\" occurs twice in the header");
}
