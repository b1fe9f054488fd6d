// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wgmma against a product in double, for all types, sources of A, majors and
// swizzles. Registers are placed by the figures of PTX ISA 9.7.15.5, written
// down here once more.

#include "MatrixKernel.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"

#include <gtest/gtest.h>

using namespace mx::ptx::test;

namespace {
struct WgmmaCase {
  std::string d, a, b;
  unsigned n;
  bool isRegisterA;
  unsigned swizzle;
  bool isMNMajorA = false, isMNMajorB = false;
  bool accumulates = true;
  int signA = 1, signB = 1;
  /// Ones are added to `largeC` by the model of sm_90, which drops them: they
  /// lie below its 13 bits (Accumulate::Hardware).
  bool isHardware = false;
};
constexpr double largeC = 16384;

std::string makeList(const char *prefix, unsigned count) {
  std::string list = "{";
  for (unsigned i = 0; i < count; ++i)
    list += (i ? ", " : "") + (prefix + std::to_string(i));
  return list + "}";
}

unsigned getDepth(const std::string &type) { return 256 / getBits(type); }

/// Copies `bytes` of the first parameter to shared memory.
std::string makePrologue(unsigned bytes) {
  return llvm::formatv(R"(
  mov.u32 t, %tid.x;
  mov.u32 s, smem;
  ld.param.u64 x, [image];
{0}  bar.sync 0;
  shr.u32 v5, s, 4;
  cvt.u64.u32 base, v5;
)",
                       copyToShared(bytes));
}

std::string makeKernel(const WgmmaCase &test, unsigned bytes, uint64_t a,
                       uint64_t b, unsigned registers) {
  bool isInteger = test.d == "s32", isWide = getBits(test.a) == 16;
  std::string tail;
  if (!isInteger)
    tail = llvm::formatv(", {0}, {1}", test.signA, test.signB);
  if (isWide && !test.isRegisterA)
    tail += llvm::formatv(", {0}", int(test.isMNMajorA));
  if (isWide)
    tail += llvm::formatv(", {0}", int(test.isMNMajorB));
  std::string d = makeList("d", registers), loads, stores;
  for (unsigned i = 0; i < registers; ++i) {
    loads += llvm::formatv("  ld.global.b32 d{0}, [y+{1}];\n", i, 4 * i);
    stores += llvm::formatv("  st.global.b32 [y+{1}], d{0};\n", i, 4 * i);
  }
  return llvm::formatv(
      R"(.version 8.0
.target sm_90a
.address_size 64
.extern .shared .align 1024 .b8 smem[];
.visible .entry k(.param .u64 image, .param .u64 out, .param .u64 fragments) {{
  .reg .pred p, acc;
  .reg .b32 t, s, i, v<8>, d<128>, a<4>;
  .reg .b64 x, y, z, o, base, da, db;
{0}
  ld.param.u64 y, [out];
  mad.wide.u32 y, t, {1}, y;
  ld.param.u64 z, [fragments];
  mad.wide.u32 z, t, 16, z;
  ld.global.v4.b32 {{a0, a1, a2, a3}, [z];
{2}
  add.u64 da, base, {3};
  add.u64 db, base, {4};
  setp.ne.u32 acc, {5}, 0;
  wgmma.fence.sync.aligned;
  wgmma.mma_async.sync.aligned.m64n{6}k{7}.{8}.{9}.{10} {11}, {12}, db, acc{13};
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 0;
{14}
  ret;
})",
      makePrologue(bytes), 4 * registers, loads, a, b, int(test.accumulates),
      test.n, getDepth(test.a), test.d, test.a, test.b, d,
      test.isRegisterA ? "{a0, a1, a2, a3}" : "da", tail, stores);
}

uint32_t encode(const std::string &type, double value) {
  if (type == "s32")
    return int32_t(value);
  if (type == "f32")
    return llvm::bit_cast<uint32_t>(float(value));
  // f16: values here are multiples of a quarter below 2048.
  if (value == 0)
    return 0;
  int exponent = std::ilogb(value);
  return (value < 0 ? 0x8000 : 0) | (exponent + 15) << 10 |
         (uint32_t(std::ldexp(std::fabs(value), 10 - exponent)) & 0x3FF);
}

void check(const WgmmaCase &test) {
  std::mt19937 random(7);
  unsigned depth = getDepth(test.a), n = test.n;
  Matrix a(test.a, 64, depth, random), b(test.b, n, depth, random);
  if (test.isHardware) {
    a.elements.assign(a.elements.size(), {0x38, 1});
    b.elements.assign(b.elements.size(), {0x38, 1});
  }
  constexpr unsigned startB = 16384, bytes = 49152;
  std::vector<uint8_t> image(bytes);
  uint64_t da =
      place(a, 0, 64, {test.swizzle, test.isMNMajorA}, true, image, 0);
  uint64_t db =
      place(b, 0, n, {test.swizzle, test.isMNMajorB}, true, image, startB);
  std::vector<uint32_t> words(bytes / 4);
  std::memcpy(words.data(), image.data(), bytes);

  // The fragment of A: register i of thread t.
  std::vector<uint32_t> fragments(128 * 4);
  for (unsigned t = 0; t < 128; ++t)
    for (unsigned i = 0; i < 4; ++i) {
      unsigned row = t / 32 * 16 + t % 32 / 4 + i % 2 * 8;
      std::memcpy(&fragments[t * 4 + i],
                  &packRow(a, row, false)[t % 4 * 4 + i / 2 * 16], 4);
    }
  bool isHalf = test.d == "f16";
  unsigned registers = isHalf ? n / 4 : n / 2;
  std::vector<uint32_t> out(128 * registers), want(out.size());
  for (unsigned t = 0; t < 128; ++t)
    for (unsigned i = 0; i < n / 2; ++i) {
      unsigned row = t / 32 * 16 + t % 32 / 4 + i / 2 % 2 * 8;
      unsigned column = t % 4 * 2 + i % 2 + i / 4 * 8;
      double c = test.isHardware ? largeC : int(random() % 9) - 4;
      double sum = test.accumulates ? c : 0;
      for (unsigned k = 0; k < depth; ++k)
        sum += a.at(row, k).value * b.at(column, k).value * test.signA *
               test.signB;
      if (test.isHardware)
        sum = largeC;
      unsigned index = t * registers + (isHalf ? i / 2 : i);
      unsigned shift = isHalf ? i % 2 * 16 : 0;
      out[index] |= encode(test.d, c) << shift;
      want[index] |= encode(test.d, sum) << shift;
    }
  std::string kernel = makeKernel(test, bytes, da, db, registers);
  mx::ptx::ExecutionOptions options;
  if (test.isHardware)
    options.accumulate = mx::ptx::Accumulate::Hardware;
  ASSERT_EQ(run(kernel, 1, bytes, {&words, &out, &fragments}, options), "");
  EXPECT_EQ(out, want) << test.d << " " << test.a << " " << test.b << " n" << n
                       << " swizzle " << test.swizzle;
}

TEST(WgmmaTest, Types) {
  for (bool isRegisterA : {false, true}) {
    for (const char *a : {"e4m3", "e5m2"})
      for (const char *b : {"e4m3", "e5m2"})
        for (const char *d : {"f32", "f16"})
          check({d, a, b, 40, isRegisterA, 128});
    for (const char *a : {"s8", "u8"})
      for (const char *b : {"s8", "u8"})
        check({"s32", a, b, 48, isRegisterA, 64});
    check({"f32", "f16", "f16", 24, isRegisterA, 32});
    check({"f16", "f16", "f16", 24, isRegisterA, 32});
    check({"f32", "bf16", "bf16", 8, isRegisterA, 128});
    check({"f32", "tf32", "tf32", 16, isRegisterA, 64});
  }
}

TEST(WgmmaTest, Layouts) {
  for (unsigned swizzle : {16, 32, 64, 128}) {
    check({"f32", "e4m3", "e4m3", 64, false, swizzle});
    check({"f32", "tf32", "tf32", 64, false, swizzle});
    for (bool isMNMajorA : {false, true})
      for (bool isMNMajorB : {false, true})
        check({"f32", "bf16", "bf16", 128, false, swizzle, isMNMajorA,
               isMNMajorB});
    check({"f32", "f16", "f16", 128, true, swizzle, false, true});
  }
}

TEST(WgmmaTest, ScalesAndWidths) {
  check({"f32", "e4m3", "e4m3", 256, false, 128, false, false, false});
  check({"f32", "e4m3", "e4m3", 8, false, 128, false, false, true, -1, 1});
  check({"f32", "f16", "f16", 8, true, 128, false, false, true, 1, -1});
  check({"f32", "bf16", "bf16", 8, false, 128, false, false, true, -1, -1});
  for (unsigned n = 8; n <= 256; n += 8)
    check({"f32", "e4m3", "e5m2", n, false, 128});
}

TEST(WgmmaTest, Hardware) {
  WgmmaCase test{"f32", "e4m3", "e4m3", 16, false, 128};
  test.isHardware = true;
  check(test);
}
} // namespace
