// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Support/Npy.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include "gtest/gtest.h"

using namespace llvm;
using namespace mx;

/// The bytes of a version 1 file.
static std::string makeFile(StringRef header, StringRef data) {
  char length[2];
  support::endian::write16le(length, header.size());
  return ("\x93NUMPY\x01" + StringRef("\0", 1) + StringRef(length, 2) + header +
          data)
      .str();
}

static Expected<NpyArray> parse(const std::string &file) {
  return NpyArray::parse(MemoryBuffer::getMemBufferCopy(file, "x.npy"));
}

static std::string errorOf(const std::string &file) {
  Expected<NpyArray> array = parse(file);
  return array ? "no error" : toString(array.takeError());
}

TEST(Npy, ReadsTypesAndShapes) {
  Expected<NpyArray> array = parse(makeFile(
      "{'descr': '<V2', 'fortran_order': False, 'shape': (1, 2), }    \n",
      "abcd"));
  ASSERT_TRUE(bool(array));
  EXPECT_EQ(array->getDType(), "bf16");
  EXPECT_EQ(array->getShape(), ArrayRef<int64_t>({1, 2}));
  EXPECT_EQ(array->getValues<uint16_t>()[1], 0x6463);

  array = parse(makeFile(
      "{\"shape\":(),\"fortran_order\":False,\"descr\":\"|u1\"}", "a"));
  ASSERT_TRUE(bool(array));
  EXPECT_EQ(array->getDType(), "ui8");
  EXPECT_TRUE(array->getShape().empty());
  EXPECT_EQ(array->getNumElements(), 1);
}

TEST(Npy, ReadsEmptyArrays) {
  Expected<NpyArray> array =
      parse(makeFile("{'descr': '<f4', 'fortran_order': False, 'shape': "
                     "(4611686018427387904, 4611686018427387904, 0)}",
                     ""));
  ASSERT_TRUE(bool(array));
  EXPECT_EQ(array->getNumElements(), 0);
}

TEST(Npy, ReordersFortranOrder) {
  Expected<NpyArray> array = parse(makeFile(
      "{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3)}", "adbecf"));
  ASSERT_TRUE(bool(array));
  EXPECT_EQ(StringRef(array->getData().data(), 6), "abcdef");
}

TEST(Npy, Refuses) {
  EXPECT_EQ(errorOf("PK"), "'x.npy': not a .npy file");
  EXPECT_EQ(errorOf("\x93NUMPY\x07"), "'x.npy': not a .npy file");
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x07\0\0\0", 10)),
            "'x.npy': .npy version 7 is not known; 1 to 3 are");
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x01\0\xff\xff{", 11)),
            "'x.npy': the .npy header is truncated");
  for (const char *header :
       {"{'descr': '<f4', 'fortran_order': False}", "", "{",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x"})
    EXPECT_EQ(errorOf(makeFile(header, "abcd")),
              "'x.npy': the .npy header is malformed: expected a dict with "
              "descr (a type's name), fortran_order and shape")
        << header;
  auto with = [](StringRef descr, StringRef shape) {
    return makeFile(("{'descr': '" + descr +
                     "', 'fortran_order': False, 'shape': " + shape + "}")
                        .str(),
                    "abcd");
  };
  EXPECT_EQ(errorOf(with(">f4", "(1,)")),
            "'x.npy': big-endian elements ('>f4') cannot be read");
  EXPECT_EQ(errorOf(with("<c8", "(1,)")),
            "'x.npy': elements of type '<c8' cannot be read");
  EXPECT_EQ(errorOf(with("<f4", "(2,)")),
            "'x.npy': shape and type need 8 bytes of elements, 4 are there");
  EXPECT_EQ(errorOf(with("<f4", "(4611686018427387904, 8)")),
            "'x.npy': the shape overflows");
  EXPECT_EQ(toString(NpyArray::open("no/such.npy").takeError()),
            "'no/such.npy': No such file or directory");
}

TEST(Npy, WritesWhatItReads) {
  SmallString<128> path;
  ASSERT_FALSE(sys::fs::createUniqueDirectory("npy", path));
  std::string directory(path);
  sys::path::append(path, "a.npy");
  float values[] = {1, -2, 3, 4, 5, 6};
  ASSERT_FALSE(errorToBool(writeNpy<float>(path, "f32", {1, 3, 2}, values)));
  Expected<NpyArray> array = NpyArray::open(path);
  ASSERT_TRUE(bool(array));
  EXPECT_EQ(array->getDType(), "f32");
  EXPECT_EQ(array->getShape(), ArrayRef<int64_t>({1, 3, 2}));
  EXPECT_EQ(array->getValues<float>(), ArrayRef<float>(values));

  // Nothing else is left beside it.
  std::error_code error;
  sys::fs::directory_iterator it(directory, error), end;
  EXPECT_EQ(it->path(), path);
  EXPECT_EQ(it.increment(error), end);
  EXPECT_EQ(toString(writeNpy<float>("no/such/a.npy", "f32", {6}, values)),
            "'no/such/a.npy': No such file or directory");
  sys::fs::remove_directories(directory);
}
