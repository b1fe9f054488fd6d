// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cvt (PTX ISA 9.7.9.21) between integers and the types of at least 16 bits,
// against llvm::APFloat and llvm::APSInt; cvt.pack against the ISA's text.

#include "Execute.h"
#include "FloatFormats.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/APSInt.h"

#include "gtest/gtest.h"

using namespace mx::ptx::test;
using llvm::APFloat;
using llvm::APInt;
using llvm::APSInt;
using llvm::RoundingMode;

namespace {
const Format formats[] = {f16, bf16, f32, f64};
struct Direction {
  const char *name, *integral;
  RoundingMode mode;
};
const Direction directions[] = {{"rn", "rni", RoundingMode::NearestTiesToEven},
                                {"rz", "rzi", RoundingMode::TowardZero},
                                {"rm", "rmi", RoundingMode::TowardNegative},
                                {"rp", "rpi", RoundingMode::TowardPositive}};

APFloat decode(const Format &format, uint64_t bits) {
  return APFloat(format.semantics, APInt(format.bits, bits));
}
uint64_t encode(const Format &format, APFloat value, RoundingMode mode) {
  bool ignored;
  value.convert(format.semantics, mode, &ignored);
  return value.isNaN() ? format.nan : value.bitcastToAPInt().getZExtValue();
}

/// Patterns, and values around the limits of integers and of narrower floats.
std::vector<uint64_t> getValues(const Format &format) {
  std::vector<uint64_t> values = getPatterns(format.bits, 60);
  for (double v :
       {0.5,          1.5,     2.5,           -0.5,         -1.5,
        127.5,        128.0,   255.5,         256.0,        32767.5,
        65519.0,      65520.0, 2147483647.5,  2147483648.0, 4294967295.5,
        9.3e18,       1.9e19,  -2147483648.5, -9.3e18,      3.3895e38,
        3.4028236e38, 5.96e-8, 2.98e-8,       1.0e-40})
    for (double sign : {1.0, -1.0})
      values.push_back(
          encode(format, APFloat(v * sign), RoundingMode::NearestTiesToEven));
  return values;
}

struct IntegerType {
  const char *name;
  unsigned bits;
  bool isSigned;
};
const IntegerType integers[] = {{"u8", 8, false},   {"s8", 8, true},
                                {"u16", 16, false}, {"s16", 16, true},
                                {"u32", 32, false}, {"s32", 32, true},
                                {"u64", 64, false}, {"s64", 64, true}};

/// A register of at least 16 bits, as compilers use for bytes.
unsigned registerBits(const IntegerType &type) {
  return std::max(type.bits, 16u);
}
/// A value of the type as its register holds it.
uint64_t extend(const IntegerType &type, const APInt &value) {
  return (type.isSigned ? value.sext(64) : value.zext(64))
      .trunc(registerBits(type))
      .getZExtValue();
}
} // namespace

TEST(Convert, FloatToFloat) {
  for (const Format &from : formats)
    for (const Format &to : formats)
      for (const Direction &d : directions) {
        std::vector<uint64_t> a = getValues(from);
        std::string text = std::string("cvt.") + d.name + "." + to.name + "." +
                           from.name + " %o0, %i0;";
        SCOPED_TRACE(text);
        Outcome outcome = execute({text, {to.bits}, {from.bits}}, {a});
        ASSERT_EQ(outcome.error, "");
        for (size_t i = 0; i < a.size(); ++i)
          ASSERT_EQ(outcome.values[0][i],
                    encode(to, decode(from, a[i]), d.mode))
              << std::hex << a[i];
      }
}

TEST(Convert, ToIntegralValues) {
  for (const Format &f : formats)
    for (const Direction &d : directions) {
      std::vector<uint64_t> a = getValues(f);
      Outcome outcome = execute({std::string("cvt.") + d.integral + "." +
                                     f.name + "." + f.name + " %o0, %i0;",
                                 {f.bits},
                                 {f.bits}},
                                {a});
      ASSERT_EQ(outcome.error, "");
      for (size_t i = 0; i < a.size(); ++i) {
        APFloat value = decode(f, a[i]);
        value.roundToIntegral(d.mode);
        ASSERT_EQ(outcome.values[0][i], encode(f, value, d.mode))
            << f.name << std::hex << a[i];
      }
    }
}

TEST(Convert, SaturationAndFlushing) {
  std::vector<uint64_t> a = getValues(formats[2]);
  Outcome outcome = execute({"cvt.sat.f32.f32 %o0, %i0; cvt.ftz.f32.f32 %o1, "
                             "%i0; cvt.rn.relu.f16.f32 %o2, %i0; "
                             "cvt.rn.satfinite.bf16.f32 %o3, %i0; "
                             "cvt.rz.relu.bf16x2.f32 %o4, %i0, %i0;",
                             {32, 32, 16, 16, 32},
                             {32}},
                            {a});
  ASSERT_EQ(outcome.error, "");
  const Format &f32 = formats[2];
  for (size_t i = 0; i < a.size(); ++i) {
    APFloat x = decode(f32, a[i]), zero = APFloat::getZero(f32.semantics);
    APFloat one(f32.semantics, 1);
    RoundingMode mode = RoundingMode::NearestTiesToEven;
    APFloat clamped = x.isNaN() || x.isNegative() ? zero : x > one ? one : x;
    ASSERT_EQ(outcome.values[0][i], encode(f32, clamped, mode));
    ASSERT_EQ(outcome.values[1][i],
              x.isDenormal() ? a[i] & 0x80000000 : encode(f32, x, mode));
    APFloat rectified = !x.isNaN() && x.isNegative() ? zero : x;
    ASSERT_EQ(outcome.values[2][i], encode(formats[0], rectified, mode));
    uint64_t bf16 = encode(formats[1], x, mode);
    if ((bf16 & 0x7FFF) == 0x7F80)
      --bf16;
    ASSERT_EQ(outcome.values[3][i], bf16);
    uint64_t down = encode(formats[1], rectified, RoundingMode::TowardZero);
    ASSERT_EQ(outcome.values[4][i], down | down << 16);
  }
}

/// a goes to the high half.
TEST(Convert, Pairs) {
  std::vector<uint64_t> a = getValues(formats[2]), b(a.rbegin(), a.rend());
  for (const Direction &d : {directions[0], directions[1]})
    for (const Format &to : {formats[0], formats[1]}) {
      Outcome outcome = execute({std::string("cvt.") + d.name + "." + to.name +
                                     "x2.f32 %o0, %i0, %i1;",
                                 {32},
                                 {32, 32}},
                                {a, b});
      ASSERT_EQ(outcome.error, "");
      for (size_t i = 0; i < a.size(); ++i)
        ASSERT_EQ(outcome.values[0][i],
                  encode(to, decode(formats[2], a[i]), d.mode) << 16 |
                      encode(to, decode(formats[2], b[i]), d.mode));
    }
}

/// The low 13 bits are zero; ties of .rna go away from zero.
TEST(Convert, TF32) {
  std::vector<uint64_t> a = getValues(formats[2]);
  for (uint64_t tie : {0x3F801000u, 0x3F803000u, 0xBF801000u, 0x00001000u})
    a.push_back(tie);
  Outcome outcome =
      execute({"cvt.rn.tf32.f32 %o0, %i0; cvt.rz.tf32.f32 %o1, %i0; "
               "cvt.rna.tf32.f32 %o2, %i0; cvt.rna.satfinite.tf32.f32 %o3, "
               "%i0; cvt.rn.relu.tf32.f32 %o4, %i0;",
               {32, 32, 32, 32, 32},
               {32}},
              {a});
  ASSERT_EQ(outcome.error, "");
  for (size_t i = 0; i < a.size(); ++i) {
    // As integers: the magnitude rounded at bit 13.
    uint64_t sign = a[i] & 0x80000000, magnitude = a[i] & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) {
      ASSERT_EQ(outcome.values[0][i], 0x7FFFE000);
      continue;
    }
    uint64_t away = (magnitude + 0x1000) & ~0x1FFFull;
    uint64_t even = (magnitude + 0xFFF + (magnitude >> 13 & 1)) & ~0x1FFFull;
    ASSERT_EQ(outcome.values[0][i], sign | even);
    ASSERT_EQ(outcome.values[1][i], sign | (magnitude & ~0x1FFFull));
    ASSERT_EQ(outcome.values[2][i], sign | away);
    ASSERT_EQ(outcome.values[3][i],
              sign | std::min<uint64_t>(away, 0x7F7FE000));
    ASSERT_EQ(outcome.values[4][i], sign ? 0 : even);
  }
}

TEST(Convert, FloatToInteger) {
  for (const Format &from : formats)
    for (const IntegerType &to : integers)
      for (const Direction &d : directions) {
        std::vector<uint64_t> a = getValues(from);
        std::string text = std::string("cvt.") + d.integral + "." + to.name +
                           "." + from.name + " %o0, %i0;";
        SCOPED_TRACE(text);
        Outcome outcome = execute({text, {registerBits(to)}, {from.bits}}, {a});
        ASSERT_EQ(outcome.error, "");
        for (size_t i = 0; i < a.size(); ++i) {
          APFloat x = decode(from, a[i]);
          uint64_t want;
          if (x.isNaN()) {
            bool isTop = to.bits == 64 || (from.bits == 64 && to.bits == 32);
            want = isTop ? uint64_t(1) << (to.bits - 1) : 0;
          } else {
            APSInt result(to.bits, !to.isSigned);
            bool ignored;
            // Saturates where the value does not fit.
            x.convertToInteger(result, d.mode, &ignored);
            want = extend(to, result);
          }
          ASSERT_EQ(outcome.values[0][i], want) << std::hex << a[i];
        }
      }
}

TEST(Convert, IntegerToFloat) {
  for (const IntegerType &from : integers)
    for (const Format &to : formats)
      for (const Direction &d : directions) {
        std::vector<uint64_t> a = getPatterns(registerBits(from), 60);
        if (from.bits == 64)
          for (uint64_t v : {0x8000008000000001ull, 0x7FFFFFBFFFFFFFFFull,
                             0x8000000000000400ull, 0xFFFFFFFFFFFFFBFFull,
                             0x20000000000001ull, 0xFFEFFFFFFFFFFFFFull})
            a.push_back(v);
        std::string text = std::string("cvt.") + d.name + "." + to.name + "." +
                           from.name + " %o0, %i0;";
        SCOPED_TRACE(text);
        Outcome outcome = execute({text, {to.bits}, {registerBits(from)}}, {a});
        ASSERT_EQ(outcome.error, "");
        for (size_t i = 0; i < a.size(); ++i) {
          APFloat value(to.semantics);
          value.convertFromAPInt(APInt(64, a[i]).trunc(from.bits),
                                 from.isSigned, d.mode);
          ASSERT_EQ(outcome.values[0][i], value.bitcastToAPInt().getZExtValue())
              << std::hex << a[i];
        }
      }
}

TEST(Convert, IntegerToInteger) {
  for (const IntegerType &from : integers)
    for (const IntegerType &to : integers)
      for (bool isSat : {false, true}) {
        std::vector<uint64_t> a = getPatterns(registerBits(from), 30);
        std::string text = std::string("cvt") + (isSat ? ".sat." : ".") +
                           to.name + "." + from.name + " %o0, %i0;";
        SCOPED_TRACE(text);
        Outcome outcome =
            execute({text, {registerBits(to)}, {registerBits(from)}}, {a});
        ASSERT_EQ(outcome.error, "");
        for (size_t i = 0; i < a.size(); ++i) {
          // 66 bits hold all values of both types.
          APInt narrow = APInt(64, a[i]).trunc(from.bits);
          APInt value = from.isSigned ? narrow.sext(66) : narrow.zext(66);
          if (isSat) {
            APInt low = to.isSigned ? APInt::getSignedMinValue(to.bits).sext(66)
                                    : APInt(66, 0);
            APInt high = to.isSigned
                             ? APInt::getSignedMaxValue(to.bits).sext(66)
                             : APInt::getMaxValue(to.bits).zext(66);
            value = value.slt(low) ? low : value.sgt(high) ? high : value;
          }
          ASSERT_EQ(outcome.values[0][i], extend(to, value.trunc(to.bits)))
              << std::hex << a[i];
        }
      }
}

TEST(Convert, Pack) {
  struct {
    const char *type;
    unsigned bits;
    bool isSigned;
  } cases[] = {{"u16", 16, false}, {"s16", 16, true}, {"u8", 8, false},
               {"s8", 8, true},    {"u4", 4, false},  {"s4", 4, true},
               {"u2", 2, false},   {"s2", 2, true}};
  std::vector<uint64_t> patterns = getPatterns(32, 4);
  for (const auto &c : cases) {
    bool isHalf = c.bits == 16;
    auto inputs = combine({patterns, patterns, {0, 0x12345678}});
    Outcome outcome =
        execute({std::string("cvt.pack.sat.") + c.type + ".s32" +
                     (isHalf ? " %o0, %i0, %i1;" : ".b32 %o0, %i0, %i1, %i2;"),
                 {32},
                 {32, 32, 32}},
                inputs);
    ASSERT_EQ(outcome.error, "");
    for (size_t i = 0; i < inputs[0].size(); ++i) {
      auto clamp = [&](uint64_t value) {
        int64_t low = c.isSigned ? -(1 << (c.bits - 1)) : 0;
        int64_t high = (1 << (c.bits - c.isSigned)) - 1;
        int64_t number = int32_t(value);
        return uint64_t(std::min(std::max(number, low), high)) &
               ((1u << c.bits) - 1);
      };
      uint64_t above = isHalf ? 0 : inputs[2][i] << (2 * c.bits);
      ASSERT_EQ(outcome.values[0][i],
                uint32_t(above | clamp(inputs[0][i]) << c.bits |
                         clamp(inputs[1][i])));
    }
  }
}
