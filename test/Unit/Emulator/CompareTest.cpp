// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// set, setp, selp and slct (PTX ISA 9.7.6, 9.7.7) against llvm::APFloat and
// plain integers.

#include "Execute.h"

#include "llvm/ADT/APFloat.h"

#include "gtest/gtest.h"

#include <functional>

using namespace mx::ptx::test;
using llvm::APFloat;
using llvm::APInt;

namespace {
struct Relation {
  const char *name;
  bool less, equal, greater, unordered;
};
const Relation ordered[] = {
    {"eq", false, true, false, false}, {"ne", true, false, true, false},
    {"lt", true, false, false, false}, {"le", true, true, false, false},
    {"gt", false, false, true, false}, {"ge", false, true, true, false}};
const Relation forFloats[] = {
    {"equ", false, true, false, true}, {"neu", true, false, true, true},
    {"ltu", true, false, false, true}, {"leu", true, true, false, true},
    {"gtu", false, false, true, true}, {"geu", false, true, true, true},
    {"num", true, true, true, false},  {"nan", false, false, false, true}};

bool holds(const Relation &r, int order, bool isUnordered) {
  return isUnordered ? r.unordered
         : order < 0 ? r.less
         : order > 0 ? r.greater
                     : r.equal;
}

/// %o0|%o1: with a predicate operand for each boolean operator; %o2: set.
void check(const std::string &type, unsigned bits, const Relation &r,
           const std::function<int(uint64_t, uint64_t)> &compare,
           const std::function<bool(uint64_t, uint64_t)> &isUnordered) {
  auto inputs = combine({getPatterns(bits, 3), getPatterns(bits, 3), {0, 1}});
  for (std::string op : {"and", "or", "xor"}) {
    std::string suffix = std::string(r.name) + "." + op;
    SCOPED_TRACE(suffix + type);
    Outcome outcome = execute(
        {"setp." + suffix + type + " %o0|%o1, %i0, %i1, %i2;" + " set." +
             suffix + ".u32" + type + " %o2, %i0, %i1, %i2; set." + r.name +
             ".f32" + type + " %o3, %i0, %i1;",
         {1, 1, 32, 32},
         {bits, bits, 1}},
        inputs);
    ASSERT_EQ(outcome.error, "");
    for (size_t i = 0; i < inputs[0].size(); ++i) {
      uint64_t a = inputs[0][i], b = inputs[1][i];
      bool t = holds(r, compare(a, b), isUnordered(a, b)), c = inputs[2][i];
      auto combineWith = [&](bool x) {
        return op == "and" ? x && c : op == "or" ? x || c : x != c;
      };
      ASSERT_EQ(outcome.values[0][i], combineWith(t))
          << std::hex << a << " " << b;
      ASSERT_EQ(outcome.values[1][i], combineWith(!t));
      ASSERT_EQ(outcome.values[2][i], combineWith(t) ? UINT32_MAX : 0);
      ASSERT_EQ(outcome.values[3][i], t ? 0x3F800000 : 0);
    }
  }
}
} // namespace

TEST(Compare, Integers) {
  for (unsigned bits : {16u, 32u, 64u})
    for (bool isSigned : {false, true}) {
      auto compare = [=](uint64_t a, uint64_t b) {
        APInt x(bits, a), y(bits, b);
        return x == y ? 0 : (isSigned ? x.slt(y) : x.ult(y)) ? -1 : 1;
      };
      std::string type = (isSigned ? ".s" : ".u") + std::to_string(bits);
      for (const Relation &r : ordered)
        check(type, bits, r, compare, [](uint64_t, uint64_t) { return false; });
      if (isSigned)
        continue;
      const Relation unsignedOnes[] = {{"lo", true, false, false, false},
                                       {"ls", true, true, false, false},
                                       {"hi", false, false, true, false},
                                       {"hs", false, true, true, false}};
      for (const Relation &r : unsignedOnes)
        check(type, bits, r, compare, [](uint64_t, uint64_t) { return false; });
    }
}

TEST(Compare, Floats) {
  struct {
    const char *type;
    unsigned bits;
    const llvm::fltSemantics &semantics;
  } formats[] = {{".f16", 16, APFloat::IEEEhalf()},
                 {".bf16", 16, APFloat::BFloat()},
                 {".f32", 32, APFloat::IEEEsingle()},
                 {".f64", 64, APFloat::IEEEdouble()}};
  for (const auto &f : formats) {
    auto decode = [&](uint64_t bits) {
      return APFloat(f.semantics, APInt(f.bits, bits));
    };
    auto compare = [&](uint64_t a, uint64_t b) {
      auto result = decode(a).compare(decode(b));
      return result == APFloat::cmpLessThan      ? -1
             : result == APFloat::cmpGreaterThan ? 1
                                                 : 0;
    };
    auto isUnordered = [&](uint64_t a, uint64_t b) {
      return decode(a).isNaN() || decode(b).isNaN();
    };
    for (const Relation &r : ordered)
      check(f.type, f.bits, r, compare, isUnordered);
    for (const Relation &r : forFloats)
      check(f.type, f.bits, r, compare, isUnordered);
  }
}

/// Low halves give the first predicate, high halves the second.
TEST(Compare, Pairs) {
  std::vector<uint64_t> a = {0x3C004000, 0x7E003C00, 0x80000000, 0x00017C00};
  std::vector<uint64_t> b = {0x3C003C00, 0x3C003C00, 0x00000001, 0x00007C00};
  Outcome outcome = execute(
      {"setp.gt.f16x2 %o0|%o1, %i0, %i1; set.leu.f16x2.f16x2 %o2, %i0, %i1;"
       "set.eq.u32.f16x2 %o3, %i0, %i1; setp.gt.ftz.f16x2 %o4|%o5, %i0, %i1;",
       {1, 1, 32, 32, 1, 1},
       {32, 32}},
      {a, b});
  ASSERT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.values[0], (std::vector<uint64_t>{1, 0, 0, 0}));
  EXPECT_EQ(outcome.values[1], (std::vector<uint64_t>{0, 0, 0, 1}));
  EXPECT_EQ(outcome.values[2], (std::vector<uint64_t>{0x3C000000, 0x3C003C00,
                                                      0x3C003C00, 0x00003C00}));
  EXPECT_EQ(outcome.values[3], (std::vector<uint64_t>{0xFFFF0000, 0x0000FFFF,
                                                      0xFFFF0000, 0x0000FFFF}));
  EXPECT_EQ(outcome.values[5], (std::vector<uint64_t>{0, 0, 0, 0}));
}

TEST(Compare, Selection) {
  for (unsigned bits : {16u, 32u, 64u}) {
    std::string width = std::to_string(bits);
    std::vector<uint64_t> c = {0,          0x80000000, 1,          0xBF800000,
                               0x7FC00000, 0xFFC00000, 0x80000001, 0x7F800000};
    auto inputs = combine({{1, 2}, {5, 6}, c, {0, 1}});
    Outcome outcome =
        execute({"selp.b" + width + " %o0, %i0, %i1, %i3; slct.b" + width +
                     ".s32 %o1, %i0, %i1, %i2; slct.u" + width +
                     ".f32 %o2, %i0, %i1, %i2; slct.ftz.s" + width +
                     ".f32 %o3, %i0, %i1, %i2;",
                 {bits, bits, bits, bits},
                 {bits, bits, 32, 1}},
                inputs);
    ASSERT_EQ(outcome.error, "");
    for (size_t i = 0; i < inputs[0].size(); ++i) {
      uint64_t a = inputs[0][i], b = inputs[1][i];
      APFloat x(APFloat::IEEEsingle(), APInt(32, inputs[2][i]));
      bool isNegative = x.isNegative() && !x.isZero();
      ASSERT_EQ(outcome.values[0][i], inputs[3][i] ? a : b);
      ASSERT_EQ(outcome.values[1][i], int32_t(inputs[2][i]) >= 0 ? a : b);
      ASSERT_EQ(outcome.values[2][i], isNegative || x.isNaN() ? b : a);
      ASSERT_EQ(outcome.values[3][i],
                (isNegative && !x.isDenormal()) || x.isNaN() ? b : a);
    }
  }
}
