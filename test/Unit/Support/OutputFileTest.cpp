// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Support/OutputFile.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

static Error writeGreeting(raw_ostream &os) {
  os << "hello";
  return Error::success();
}

TEST(OutputFile, PipeIsWrittenToAndStays) {
  SmallString<128> path;
  ASSERT_FALSE(sys::fs::createUniqueDirectory("mx-output", path));
  std::string pipe = (path + "/pipe").str();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);

  EXPECT_EQ(toString(mx::writeOutputFile(pipe, writeGreeting)), "");
  char text[8] = {};
  EXPECT_EQ(read(reader, text, sizeof(text)), 5);
  EXPECT_STREQ(text, "hello");
  sys::fs::file_status status;
  ASSERT_FALSE(sys::fs::status(pipe, status));
  EXPECT_EQ(status.type(), sys::fs::file_type::fifo_file);

  close(reader);
  sys::fs::remove_directories(path);
}
