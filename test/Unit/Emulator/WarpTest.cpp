// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions across the lanes of a warp (PTX ISA 9.7.9.6, 9.7.13) against
// their definitions.

#include "Execute.h"

#include "llvm/ADT/APFloat.h"

#include "gtest/gtest.h"

using namespace mx::ptx::test;
using llvm::APFloat;
using llvm::APInt;

namespace {
std::vector<uint64_t> lanes() {
  std::vector<uint64_t> list;
  for (unsigned i = 0; i < 32; ++i)
    list.push_back(i * i + 7);
  return list;
}
} // namespace

TEST(Warp, Shuffle) {
  std::vector<uint64_t> a = lanes();
  for (const char *mode : {"up", "down", "bfly", "idx"})
    for (unsigned width : {32u, 16u, 8u, 2u})
      for (unsigned b : {0u, 1u, 3u, 7u, 17u, 31u}) {
        bool isUp = mode == std::string("up");
        unsigned segment = 32 - width, clamp = isUp ? 0 : 31;
        Outcome outcome =
            execute({std::string("shfl.sync.") + mode + ".b32 %o0|%o1, %i0, " +
                         std::to_string(b) + ", " +
                         std::to_string(segment << 8 | clamp) + ", -1;",
                     {32, 1},
                     {32}},
                    {a});
        ASSERT_EQ(outcome.error, "");
        for (int lane = 0; lane < 32; ++lane) {
          int begin = lane / width * width, end = begin + width;
          int from = isUp                          ? lane - int(b)
                     : mode == std::string("down") ? lane + int(b)
                     : mode == std::string("bfly") ? lane ^ int(b)
                                                   : begin + int(b % width);
          // .bfly looks at the end of the segment only.
          bool isIn = isUp ? from >= begin : from < end;
          ASSERT_EQ(outcome.values[1][lane], isIn) << mode << width << b;
          ASSERT_EQ(outcome.values[0][lane], a[isIn ? from : lane]);
        }
      }
}

TEST(Warp, Votes) {
  for (uint32_t mask : {0u, ~0u, 1u, 0x80000000u, 0x0F0F1234u}) {
    std::vector<uint64_t> p;
    for (unsigned i = 0; i < 32; ++i)
      p.push_back(mask >> i & 1);
    Outcome outcome = execute(
        {"vote.sync.all.pred %o0, %i0, -1; vote.sync.any.pred %o1, %i0, -1; "
         "vote.sync.uni.pred %o2, %i0, -1; vote.sync.ballot.b32 %o3, %i0, -1; "
         "vote.sync.ballot.b32 %o4, !%i0, -1; activemask.b32 %o5;",
         {1, 1, 1, 32, 32, 32},
         {1}},
        {p});
    ASSERT_EQ(outcome.error, "");
    EXPECT_EQ(outcome.values[0][5], mask == ~0u);
    EXPECT_EQ(outcome.values[1][5], mask != 0);
    EXPECT_EQ(outcome.values[2][5], mask == ~0u || mask == 0);
    EXPECT_EQ(outcome.values[3][5], mask);
    EXPECT_EQ(outcome.values[4][5], ~mask);
    EXPECT_EQ(outcome.values[5][5], ~0u);
  }
  // Lanes that the mask names have to come.
  Outcome outcome = execute({"{ .reg .pred %p; setp.lt.u32 %p, %thread, 16; "
                             "mov.b32 %o0, 0; @%p vote.sync.ballot.b32 %o0, "
                             "%p, -1; }",
                             {32},
                             {}},
                            {});
  EXPECT_NE(outcome.error.find("member mask"), std::string::npos);
}

TEST(Warp, Match) {
  std::vector<uint64_t> a;
  for (unsigned i = 0; i < 32; ++i)
    a.push_back(i % 3 ? uint64_t(1) << 40 | i % 5 : 9);
  Outcome outcome =
      execute({"match.sync.any.b64 %o0, %i0, -1; match.sync.all.b64 %o1|%o2, "
               "%i0, -1; match.sync.all.b64 %o3|%o4, 5, -1;",
               {32, 32, 1, 32, 1},
               {64}},
              {a});
  ASSERT_EQ(outcome.error, "");
  for (unsigned i = 0; i < 32; ++i) {
    uint64_t same = 0;
    for (unsigned j = 0; j < 32; ++j)
      same |= uint64_t(a[i] == a[j]) << j;
    EXPECT_EQ(outcome.values[0][i], same);
    EXPECT_EQ(outcome.values[1][i], 0u);
    EXPECT_EQ(outcome.values[2][i], 0u);
    EXPECT_EQ(outcome.values[3][i], ~0u);
    EXPECT_EQ(outcome.values[4][i], 1u);
  }
}

TEST(Warp, ReduceIntegers) {
  std::vector<uint64_t> a = getPatterns(32, 32);
  a.resize(32);
  struct {
    const char *opcode;
    uint32_t (*f)(uint32_t, uint32_t);
  } cases[] = {
      {"add.u32", [](uint32_t x, uint32_t y) { return x + y; }},
      {"add.s32", [](uint32_t x, uint32_t y) { return x + y; }},
      {"min.u32", [](uint32_t x, uint32_t y) { return std::min(x, y); }},
      {"max.u32", [](uint32_t x, uint32_t y) { return std::max(x, y); }},
      {"min.s32",
       [](uint32_t x, uint32_t y) {
         return uint32_t(std::min(int32_t(x), int32_t(y)));
       }},
      {"max.s32",
       [](uint32_t x, uint32_t y) {
         return uint32_t(std::max(int32_t(x), int32_t(y)));
       }},
      {"and.b32", [](uint32_t x, uint32_t y) { return x & y; }},
      {"or.b32", [](uint32_t x, uint32_t y) { return x | y; }},
      {"xor.b32", [](uint32_t x, uint32_t y) { return x ^ y; }},
  };
  for (const auto &c : cases) {
    Outcome outcome = execute(
        {std::string("redux.sync.") + c.opcode + " %o0, %i0, -1;", {32}, {32}},
        {a});
    ASSERT_EQ(outcome.error, "");
    uint32_t want = a[0];
    for (unsigned i = 1; i < 32; ++i)
      want = c.f(want, a[i]);
    EXPECT_EQ(outcome.values[0], std::vector<uint64_t>(32, want)) << c.opcode;
  }
}

TEST(Warp, ReduceFloats) {
  std::vector<std::vector<uint64_t>> sets = {
      std::vector<uint64_t>(32, 0x7FC00001), std::vector<uint64_t>(32, 0)};
  sets[1][4] = 0x80000000;
  sets.push_back(getPatterns(32, 0));
  sets.back().resize(32);
  sets.push_back(lanes());
  sets.back()[7] = 0x7FC00000;
  for (const auto &a : sets)
    for (bool isMax : {false, true})
      for (bool isAbs : {false, true})
        for (bool isNaN : {false, true}) {
          std::string text = std::string("redux.sync.") +
                             (isMax ? "max" : "min") + (isAbs ? ".abs" : "") +
                             (isNaN ? ".NaN" : "") + ".f32 %o0, %i0, -1;";
          Outcome outcome = execute({text, {32}, {32}}, {a});
          ASSERT_EQ(outcome.error, "");
          auto get = [&](unsigned i) {
            APFloat x(APFloat::IEEEsingle(), APInt(32, a[i]));
            if (isAbs)
              x.clearSign();
            return x;
          };
          APFloat want = get(0);
          for (unsigned i = 1; i < 32; ++i) {
            APFloat x = get(i);
            want = !isNaN && want.isNaN() ? x
                   : !isNaN && x.isNaN()  ? want
                   : isMax                ? maximum(want, x)
                                          : minimum(want, x);
          }
          EXPECT_EQ(outcome.values[0][0],
                    want.isNaN() ? 0x7FFFFFFF
                                 : want.bitcastToAPInt().getZExtValue())
              << text;
        }
}
