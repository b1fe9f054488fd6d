// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer instructions against the definitions in the PTX ISA's text (9.7.1,
// 9.7.2), bit by bit or in 128-bit arithmetic.

#include "Formula.h"

using namespace mx::ptx::test;

static const IntegerType types[] = {{"u16", 16, false}, {"s16", 16, true},
                                    {"u32", 32, false}, {"s32", 32, true},
                                    {"u64", 64, false}, {"s64", 64, true}};

TEST(Integer, TwoOperands) {
  struct {
    const char *opcode;
    Wide (*f)(Wide, Wide, unsigned);
  } cases[] = {
      {"add", [](Wide a, Wide b, unsigned) { return a + b; }},
      {"sub", [](Wide a, Wide b, unsigned) { return a - b; }},
      {"mul.hi",
       [](Wide a, Wide b, unsigned bits) {
         // The product of two 64-bit numbers needs care.
         if (bits < 64)
           return (a * b) >> bits;
         bool isNegative = (a < 0) != (b < 0);
         unsigned __int128 x = a < 0 ? -a : a, y = b < 0 ? -b : b;
         uint64_t x0 = x, x1 = x >> 64, y0 = y, y1 = y >> 64;
         EXPECT_EQ(x1 | y1, 0u);
         unsigned __int128 p = (unsigned __int128)(x0)*y0;
         if (isNegative)
           p = -p;
         return Wide(p >> 64);
       }},
      {"mul.lo",
       [](Wide a, Wide b, unsigned) {
         return Wide((unsigned __int128)(a) * (unsigned __int128)(b));
       }},
      {"min", [](Wide a, Wide b, unsigned) { return a < b ? a : b; }},
      {"max", [](Wide a, Wide b, unsigned) { return a < b ? b : a; }},
  };
  for (const auto &c : cases)
    for (const IntegerType &t : types)
      check({spell(c.opcode, t, 2), {t.bits}, {t.bits, t.bits}},
            [&](const std::vector<uint64_t> &v) {
              return cut(c.f(number(v[0], t.bits, t.isSigned),
                             number(v[1], t.bits, t.isSigned), t.bits),
                         t.bits);
            });
}

TEST(Integer, DivisionTruncates) {
  for (const IntegerType &t : types)
    for (bool isRemainder : {false, true}) {
      // Without zero divisors, which are an error.
      std::string reg = "%i1";
      check({"{ .reg .pred %z; .reg .b" + std::to_string(t.bits) +
                 " %one; mov.b" + std::to_string(t.bits) +
                 " %one, 1; setp.eq.u" + std::to_string(t.bits) +
                 " %z, %i1, 0; selp.b" + std::to_string(t.bits) +
                 " %i1, %one, %i1, %z;\n" +
                 spell(isRemainder ? "rem" : "div", t, 2) + " }",
             {t.bits},
             {t.bits, t.bits}},
            [&](const std::vector<uint64_t> &v) {
              Wide a = number(v[0], t.bits, t.isSigned);
              Wide b = number(v[1], t.bits, t.isSigned);
              b = b == 0 ? 1 : b;
              return cut(isRemainder ? a % b : a / b, t.bits);
            });
    }
  Outcome outcome =
      execute({"div.s32 %o0, %i0, %i1;", {32}, {32, 32}}, {{1, 2}, {1, 0}});
  EXPECT_NE(outcome.error.find("division by zero"), std::string::npos);
}

TEST(Integer, WideAndMultiplyAdd) {
  for (const IntegerType &t : types) {
    auto n = [&](uint64_t value) { return number(value, t.bits, t.isSigned); };
    auto product = [&](const std::vector<uint64_t> &v) {
      return Wide((unsigned __int128)(n(v[0])) * (unsigned __int128)(n(v[1])));
    };
    std::vector<unsigned> three = {t.bits, t.bits, t.bits};
    check({spell("mad.lo", t, 3), {t.bits}, three},
          [&](const std::vector<uint64_t> &v) {
            return cut(Wide((unsigned __int128)(product(v)) + v[2]), t.bits);
          });
    check({spell("sad", t, 3), {t.bits}, three},
          [&](const std::vector<uint64_t> &v) {
            Wide d = n(v[0]) - n(v[1]);
            return cut((d < 0 ? -d : d) + Wide(v[2]), t.bits);
          });
    if (t.bits == 64)
      continue;
    unsigned twice = 2 * t.bits;
    check(
        {spell("mul.wide", t, 2), {twice}, {t.bits, t.bits}},
        [&](const std::vector<uint64_t> &v) { return cut(product(v), twice); });
    check({spell("mad.wide", t, 3), {twice}, {t.bits, t.bits, twice}},
          [&](const std::vector<uint64_t> &v) {
            return cut(product(v) + Wide(v[2]), twice);
          });
    check({spell("mad.hi", t, 3), {t.bits}, three},
          [&](const std::vector<uint64_t> &v) {
            return cut((product(v) >> t.bits) + Wide(v[2]), t.bits);
          });
  }
}

TEST(Integer, Saturation) {
  const Wide low = INT32_MIN, high = INT32_MAX;
  auto n = [](uint64_t value) { return number(value, 32, true); };
  check({"add.sat.s32 %o0, %i0, %i1;", {32}, {32, 32}},
        [&](const std::vector<uint64_t> &v) {
          return cut(clamp(n(v[0]) + n(v[1]), low, high), 32);
        });
  check({"sub.sat.s32 %o0, %i0, %i1;", {32}, {32, 32}},
        [&](const std::vector<uint64_t> &v) {
          return cut(clamp(n(v[0]) - n(v[1]), low, high), 32);
        });
  check({"mad.hi.sat.s32 %o0, %i0, %i1, %i2;", {32}, {32, 32, 32}},
        [&](const std::vector<uint64_t> &v) {
          return cut(clamp((n(v[0]) * n(v[1]) >> 32) + n(v[2]), low, high), 32);
        });
}

TEST(Integer, TwentyFourBits) {
  for (bool isSigned : {false, true}) {
    std::string type = isSigned ? "s32" : "u32";
    auto product = [=](const std::vector<uint64_t> &v) {
      return number(v[0], 24, isSigned) * number(v[1], 24, isSigned);
    };
    for (bool isHigh : {false, true}) {
      std::string mode = isHigh ? ".hi." : ".lo.";
      check({"mul24" + mode + type + " %o0, %i0, %i1;", {32}, {32, 32}},
            [&](const std::vector<uint64_t> &v) {
              return cut(product(v) >> (isHigh ? 16 : 0), 32);
            });
      check(
          {"mad24" + mode + type + " %o0, %i0, %i1, %i2;", {32}, {32, 32, 32}},
          [&](const std::vector<uint64_t> &v) {
            return cut((product(v) >> (isHigh ? 16 : 0)) + Wide(v[2]), 32);
          });
    }
  }
}

TEST(Integer, CarriesChain) {
  // 128-bit sums and differences in two steps.
  check({"add.cc.u64 %o0, %i0, %i2; addc.u64 %o0, %i1, 0;", {64}, {64, 64, 64}},
        [](const std::vector<uint64_t> &v) {
          return v[1] + (v[0] + v[2] < v[0]);
        });
  check({"sub.cc.u32 %o0, %i0, %i2; subc.u32 %o0, %i1, 0;", {32}, {32, 32, 32}},
        [](const std::vector<uint64_t> &v) {
          return cut(Wide(v[1]) - (v[0] < v[2]), 32);
        });
  check({"add.cc.u32 %o0, %i0, %i0; addc.cc.u32 %o0, %i1, %i2; "
         "addc.u32 %o0, 0, 0;",
         {32},
         {32, 32, 32}},
        [](const std::vector<uint64_t> &v) {
          return (v[1] + v[2] + (v[0] >> 31)) >> 32;
        });
  check({"mad.lo.cc.u32 %o0, %i0, %i1, %i2; madc.hi.u32 %o0, %i0, %i1, 0;",
         {32},
         {32, 32, 32}},
        [](const std::vector<uint64_t> &v) {
          return (v[0] * v[1] + v[2]) >> 32;
        });
}

TEST(Integer, PairsOf16Bits) {
  auto both = [](auto f) {
    return [f](const std::vector<uint64_t> &v) {
      return f(v[0] & 0xFFFF, v[1] & 0xFFFF) | f(v[0] >> 16, v[1] >> 16) << 16;
    };
  };
  auto s = [](uint64_t value) { return number(value, 16, true); };
  std::vector<unsigned> in = {32, 32};
  check({"add.u16x2 %o0, %i0, %i1;", {32}, in},
        both([](uint64_t a, uint64_t b) { return (a + b) & 0xFFFF; }));
  check({"add.s16x2 %o0, %i0, %i1;", {32}, in},
        both([](uint64_t a, uint64_t b) { return (a + b) & 0xFFFF; }));
  check({"min.u16x2 %o0, %i0, %i1;", {32}, in},
        both([](uint64_t a, uint64_t b) { return std::min(a, b); }));
  check({"max.s16x2 %o0, %i0, %i1;", {32}, in},
        both([=](uint64_t a, uint64_t b) { return s(a) < s(b) ? b : a; }));
  check({"min.relu.s16x2 %o0, %i0, %i1;", {32}, in},
        both([=](uint64_t a, uint64_t b) {
          Wide least = std::min(s(a), s(b));
          return uint64_t(least < 0 ? 0 : least);
        }));
  check({"max.relu.s32 %o0, %i0, %i1;", {32}, in},
        [](const std::vector<uint64_t> &v) {
          Wide most = std::max(number(v[0], 32, true), number(v[1], 32, true));
          return uint64_t(most < 0 ? 0 : most);
        });
}

TEST(Integer, DotProducts) {
  for (bool signedA : {false, true})
    for (bool signedB : {false, true}) {
      std::string suffix = std::string(signedA ? ".s32" : ".u32") +
                           (signedB ? ".s32" : ".u32") + " %o0, %i0, %i1, %i2;";
      check({"dp4a" + suffix, {32}, {32, 32, 32}},
            [=](const std::vector<uint64_t> &v) {
              Wide sum = v[2];
              for (unsigned i = 0; i < 4; ++i)
                sum += number(v[0] >> (8 * i), 8, signedA) *
                       number(v[1] >> (8 * i), 8, signedB);
              return cut(sum, 32);
            });
      for (unsigned high : {0, 1})
        check({std::string("dp2a.") + (high ? "hi" : "lo") + suffix,
               {32},
               {32, 32, 32}},
              [=](const std::vector<uint64_t> &v) {
                Wide sum = v[2];
                for (unsigned i = 0; i < 2; ++i)
                  sum += number(v[0] >> (16 * i), 16, signedA) *
                         number(v[1] >> (8 * (i + 2 * high)), 8, signedB);
                return cut(sum, 32);
              });
    }
}

TEST(Integer, BitFields) {
  for (const IntegerType &t : types) {
    if (t.bits == 16)
      continue;
    unsigned msb = t.bits - 1;
    auto bit = [](uint64_t value, unsigned i) { return value >> i & 1; };
    check({spell("bfe", t, 3), {t.bits}, {t.bits, 32, 32}},
          [=](const std::vector<uint64_t> &v) {
            unsigned position = v[1] & 255, length = v[2] & 255;
            bool sign = t.isSigned && length &&
                        bit(v[0], std::min(position + length - 1, msb));
            uint64_t d = 0;
            for (unsigned i = 0; i <= msb; ++i)
              d |= uint64_t(i < length && position + i <= msb
                                ? bit(v[0], position + i)
                                : sign)
                   << i;
            return d;
          });
    if (t.isSigned)
      continue;
    IntegerType untyped = {t.bits == 32 ? "b32" : "b64", t.bits, false};
    check({spell("bfi", untyped, 4), {t.bits}, {t.bits, t.bits, 32, 32}},
          [=](const std::vector<uint64_t> &v) {
            unsigned position = v[2] & 255, length = v[3] & 255;
            uint64_t f = v[1];
            for (unsigned i = 0; i < length && position + i <= msb; ++i) {
              f &= ~(uint64_t(1) << (position + i));
              f |= bit(v[0], i) << (position + i);
            }
            return f;
          });
  }
  for (bool isClamp : {false, true}) {
    std::string mode = isClamp ? ".clamp" : ".wrap";
    check({"bmsk" + mode + ".b32 %o0, %i0, %i1;", {32}, {32, 32}},
          [=](const std::vector<uint64_t> &v) {
            // As the ISA writes it.
            uint32_t a1 = v[0] & 31, mask0 = ~0u << a1, b1 = v[1] & 31;
            uint32_t sum = a1 + b1;
            uint32_t mask1 = sum >= 32 ? 0 : ~0u << sum;
            bool overflow = sum >= 32;
            if (isClamp && v[0] >= 32) {
              overflow = true;
              mask0 = 0;
            }
            overflow |= isClamp && v[1] >= 32;
            mask1 = overflow ? 0 : b1 == 0 ? ~0u : mask1;
            return uint64_t(mask0 & ~mask1);
          });
    for (bool isSigned : {false, true})
      check({"szext" + mode + (isSigned ? ".s32" : ".u32") + " %o0, %i0, %i1;",
             {32},
             {32, 32}},
            [=](const std::vector<uint64_t> &v) {
              uint32_t b1 = v[1] & 31;
              bool isLarge = v[1] >= 32 && isClamp;
              uint32_t mask = isLarge ? 0 : ~0u << b1;
              bool sign = b1 && !isLarge && isSigned && (v[0] >> (b1 - 1) & 1);
              return uint64_t((uint32_t(v[0]) & ~mask) | (sign ? mask : 0));
            });
  }
}

TEST(Integer, CountingBits) {
  for (unsigned bits : {32u, 64u}) {
    std::string width = std::to_string(bits);
    auto value = [=](const std::vector<uint64_t> &v) { return v[0]; };
    check({"popc.b" + width + " %o0, %i0;", {32}, {bits}},
          [=](const std::vector<uint64_t> &v) {
            uint64_t n = 0;
            for (unsigned i = 0; i < bits; ++i)
              n += value(v) >> i & 1;
            return n;
          });
    check({"clz.b" + width + " %o0, %i0;", {32}, {bits}},
          [=](const std::vector<uint64_t> &v) {
            uint64_t n = 0;
            while (n < bits && !(value(v) >> (bits - 1 - n) & 1))
              ++n;
            return n;
          });
    check({"brev.b" + width + " %o0, %i0;", {bits}, {bits}},
          [=](const std::vector<uint64_t> &v) {
            uint64_t d = 0;
            for (unsigned i = 0; i < bits; ++i)
              d |= (value(v) >> i & 1) << (bits - 1 - i);
            return d;
          });
    for (bool isSigned : {false, true})
      for (bool isShift : {false, true})
        check({std::string("bfind") + (isShift ? ".shiftamt" : "") +
                   (isSigned ? ".s" : ".u") + width + " %o0, %i0;",
               {32},
               {bits}},
              [=](const std::vector<uint64_t> &v) {
                bool sign = isSigned && v[0] >> (bits - 1) & 1;
                for (int i = bits - 1; i >= 0; --i)
                  if ((v[0] >> i & 1) != sign)
                    return uint64_t(isShift ? bits - 1 - i : i);
                return uint64_t(UINT32_MAX);
              });
  }
  check(
      {"and.b32 %i1, %i1, 31; fns.b32 %o0, %i0, %i1, %i2;", {32}, {32, 32, 32}},
      [](const std::vector<uint64_t> &v) -> uint64_t {
        int64_t base = v[1] & 31, offset = int32_t(v[2]);
        if (offset == 0)
          return v[0] >> base & 1 ? base : UINT32_MAX;
        int64_t count = (offset < 0 ? -offset : offset) - 1;
        for (int64_t p = base; p >= 0 && p < 32; p += offset > 0 ? 1 : -1)
          if ((v[0] >> p & 1) && count-- == 0)
            return p;
        return UINT32_MAX;
      });
}
