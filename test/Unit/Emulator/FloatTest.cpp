// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floating-point arithmetic against llvm::APFloat, which rounds in each
// direction by itself; roots against the definition.

#include "Execute.h"
#include "FloatFormats.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"

#include "gtest/gtest.h"

#include <cmath>
#include <functional>

using namespace mx::ptx::test;
using llvm::APFloat;
using llvm::APInt;
using llvm::RoundingMode;

namespace {
struct Direction {
  const char *name;
  RoundingMode mode;
};
const Direction directions[] = {{"rn", RoundingMode::NearestTiesToEven},
                                {"rz", RoundingMode::TowardZero},
                                {"rm", RoundingMode::TowardNegative},
                                {"rp", RoundingMode::TowardPositive}};

APFloat decode(const Format &format, uint64_t bits) {
  return APFloat(format.semantics, APInt(format.bits, bits));
}
uint64_t encode(const Format &format, const APFloat &value) {
  return value.isNaN() ? format.nan : value.bitcastToAPInt().getZExtValue();
}
APFloat flush(const APFloat &value) {
  return value.isDenormal()
             ? APFloat::getZero(value.getSemantics(), value.isNegative())
             : value;
}

using Operation = std::function<void(APFloat &, const APFloat &,
                                     const APFloat &, RoundingMode)>;
const std::pair<const char *, Operation> operations[] = {
    {"add", [](APFloat &a, const APFloat &b, const APFloat &,
               RoundingMode m) { a.add(b, m); }},
    {"sub", [](APFloat &a, const APFloat &b, const APFloat &,
               RoundingMode m) { a.subtract(b, m); }},
    {"mul", [](APFloat &a, const APFloat &b, const APFloat &,
               RoundingMode m) { a.multiply(b, m); }},
    {"div", [](APFloat &a, const APFloat &b, const APFloat &,
               RoundingMode m) { a.divide(b, m); }},
    {"fma", [](APFloat &a, const APFloat &b, const APFloat &c, RoundingMode m) {
       a.fusedMultiplyAdd(b, c, m);
     }}};

/// What .ftz, .sat and .relu make of operands and result.
struct Modifiers {
  bool ftz = false, sat = false, relu = false;
};

uint64_t compute(const Format &format, const Operation &operation,
                 RoundingMode mode, Modifiers modifiers, uint64_t a, uint64_t b,
                 uint64_t c) {
  APFloat x = decode(format, a), y = decode(format, b), z = decode(format, c);
  if (modifiers.ftz) {
    x = flush(x);
    y = flush(y);
    z = flush(z);
  }
  operation(x, y, z, mode);
  if (modifiers.sat) {
    APFloat one(format.semantics, 1);
    if (x.isNaN() || x.isNegative())
      x = APFloat::getZero(format.semantics);
    else if (x > one)
      x = one;
  }
  if (modifiers.relu && !x.isNaN() && x.isNegative())
    x = APFloat::getZero(format.semantics);
  return encode(format, modifiers.ftz ? flush(x) : x);
}

/// All operands from the same list, unless three would be too many.
std::vector<std::vector<uint64_t>> getOperands(unsigned bits, unsigned count) {
  std::vector<uint64_t> patterns = getPatterns(bits, count > 2 ? 2 : 6);
  if (count > 2)
    patterns.erase(patterns.begin() + 2, patterns.begin() + 13);
  return combine(std::vector<std::vector<uint64_t>>(count, patterns));
}

void check(const std::string &opcode, const Format &format, bool isPair,
           const Operation &operation, RoundingMode mode, Modifiers modifiers) {
  bool isFma = opcode.find("fma") == 0;
  unsigned count = isFma ? 3 : 2, bits = format.bits * (isPair ? 2 : 1);
  std::string text = opcode + "." + format.name + (isPair ? "x2" : "") +
                     " %o0, %i0, %i1" + (isFma ? ", %i2;" : ";");
  SCOPED_TRACE(text);
  auto inputs = getOperands(format.bits, count);
  size_t size = inputs[0].size();
  // The high half of a pair has the operands of another place.
  auto other = [&](size_t i) { return (i * 7 + 3) % size; };
  auto packed = inputs;
  if (isPair)
    for (auto [list, from] : llvm::zip_equal(packed, inputs))
      for (size_t i = 0; i < size; ++i)
        list[i] |= from[other(i)] << format.bits;
  Outcome outcome =
      execute({text, {bits}, std::vector<unsigned>(count, bits)}, packed);
  ASSERT_EQ(outcome.error, "");
  auto expect = [&](size_t i) {
    return compute(format, operation, mode, modifiers, inputs[0][i],
                   inputs[1][i], inputs[count - 1][i]);
  };
  for (size_t i = 0; i < size; ++i) {
    uint64_t want = expect(i);
    if (isPair)
      want |= expect(other(i)) << format.bits;
    ASSERT_EQ(outcome.values[0][i], want)
        << std::hex << packed[0][i] << " " << packed[1][i] << " "
        << packed[count - 1][i];
  }
}
} // namespace

TEST(Float, EveryRounding) {
  for (const auto &[name, operation] : operations)
    for (const Direction &d : directions) {
      std::string opcode = name + std::string(".") + d.name;
      check(opcode, f32, false, operation, d.mode, {});
      check(opcode, f64, false, operation, d.mode, {});
      check(opcode + ".ftz", f32, false, operation, d.mode, {true});
      if (std::string(name) == "div")
        continue;
      check(opcode, f32, true, operation, d.mode, {});
      check(opcode + ".ftz.sat", f32, false, operation, d.mode, {true, true});
    }
}

TEST(Float, Halves) {
  RoundingMode mode = RoundingMode::NearestTiesToEven;
  for (const auto &[name, operation] : operations) {
    if (std::string(name) == "div")
      continue;
    for (bool isPair : {false, true}) {
      std::string opcode = name + std::string(".rn");
      check(opcode, f16, isPair, operation, mode, {});
      check(opcode, bf16, isPair, operation, mode, {});
      check(opcode + ".ftz.sat", f16, isPair, operation, mode, {true, true});
    }
  }
  for (bool isPair : {false, true}) {
    check("fma.rn.relu", f16, isPair, operations[4].second, mode,
          {false, false, true});
    check("fma.rn.relu", bf16, isPair, operations[4].second, mode,
          {false, false, true});
    check("fma.rn.ftz.relu", f16, isPair, operations[4].second, mode,
          {true, false, true});
  }
}

TEST(Float, Reciprocal) {
  for (const Format *f : {&f32, &f64})
    for (const Direction &d : directions) {
      std::vector<uint64_t> a = getPatterns(f->bits, 200);
      Outcome outcome =
          execute({std::string("rcp.") + d.name + "." + f->name + " %o0, %i0;",
                   {f->bits},
                   {f->bits}},
                  {a});
      ASSERT_EQ(outcome.error, "");
      for (size_t i = 0; i < a.size(); ++i) {
        APFloat x(f->semantics, 1);
        x.divide(decode(*f, a[i]), d.mode);
        ASSERT_EQ(outcome.values[0][i], encode(*f, x)) << std::hex << a[i];
      }
    }
}

/// The root rounded down is the greatest value whose square is at most a; the
/// square of an f32 is exact in a double.
TEST(Float, Roots) {
  std::vector<uint64_t> a = getPatterns(32, 300);
  for (uint64_t &bits : a)
    bits &= 0x7FFFFFFF;
  for (const Direction &d : directions) {
    Outcome outcome = execute(
        {std::string("sqrt.") + d.name + ".f32 %o0, %i0;", {32}, {32}}, {a});
    ASSERT_EQ(outcome.error, "");
    for (size_t i = 0; i < a.size(); ++i) {
      float x = llvm::bit_cast<float>(uint32_t(a[i]));
      float r = llvm::bit_cast<float>(uint32_t(outcome.values[0][i]));
      if (std::isnan(x) || std::isinf(x) || x == 0) {
        ASSERT_EQ(outcome.values[0][i], std::isnan(x) ? 0x7FFFFFFF : a[i]);
        continue;
      }
      auto square = [](float v) { return double(v) * double(v); };
      float below = std::nextafter(r, 0.0f);
      float above = std::nextafter(r, HUGE_VALF);
      if (d.mode == RoundingMode::TowardPositive) {
        ASSERT_GE(square(r), x);
        ASSERT_LT(square(below), x);
      } else if (d.mode != RoundingMode::NearestTiesToEven) {
        ASSERT_LE(square(r), x);
        ASSERT_GT(square(above), x);
      } else {
        // Midpoints have 25 bits, so their squares are exact too.
        double low = (double(r) + below) / 2, high = (double(r) + above) / 2;
        ASSERT_LE(low * low, x);
        ASSERT_GE(high * high, x);
      }
    }
  }
}

TEST(Float, SignsKeepNaNs) {
  for (const Format *f : {&f16, &bf16, &f32, &f64}) {
    uint64_t sign = uint64_t(1) << (f->bits - 1);
    std::vector<uint64_t> a = getPatterns(f->bits, 20);
    std::string type = std::string(".") + f->name;
    Outcome outcome =
        execute({"neg" + type + " %o0, %i0; abs" + type + " %o1, %i0;",
                 {f->bits, f->bits},
                 {f->bits}},
                {a});
    ASSERT_EQ(outcome.error, "");
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(outcome.values[0][i], a[i] ^ sign);
      ASSERT_EQ(outcome.values[1][i], a[i] & ~sign);
    }
    if (f->bits == 16)
      continue;
    auto inputs = combine({a, a});
    outcome = execute(
        {"copysign" + type + " %o0, %i0, %i1;", {f->bits}, {f->bits, f->bits}},
        inputs);
    for (size_t i = 0; i < inputs[0].size(); ++i)
      ASSERT_EQ(outcome.values[0][i],
                (inputs[0][i] & sign) | (inputs[1][i] & ~sign));
  }
}

TEST(Float, MinimumAndMaximum) {
  for (const Format *f : {&f16, &bf16, &f32})
    for (bool isMax : {false, true})
      for (bool isNaN : {false, true})
        for (bool isXor : {false, true}) {
          std::string text =
              std::string(isMax ? "max" : "min") + (isNaN ? ".NaN" : "") +
              (isXor ? ".xorsign.abs" : "") + "." + f->name + " %o0, %i0, %i1;";
          SCOPED_TRACE(text);
          auto inputs = getOperands(f->bits, 2);
          Outcome outcome =
              execute({text, {f->bits}, {f->bits, f->bits}}, inputs);
          ASSERT_EQ(outcome.error, "");
          for (size_t i = 0; i < inputs[0].size(); ++i) {
            APFloat a = decode(*f, inputs[0][i]), b = decode(*f, inputs[1][i]);
            bool sign = a.isNegative() != b.isNegative();
            if (isXor) {
              a.clearSign();
              b.clearSign();
            }
            // minimum and maximum propagate NaN and order zeros.
            APFloat r = a.isNaN() && !isNaN   ? b
                        : b.isNaN() && !isNaN ? a
                        : isMax               ? maximum(a, b)
                                              : minimum(a, b);
            if (isXor && !r.isNaN() && sign)
              r.changeSign();
            ASSERT_EQ(outcome.values[0][i], encode(*f, r))
                << std::hex << inputs[0][i] << " " << inputs[1][i];
          }
        }
}

TEST(Float, ThreeInputs) {
  auto inputs = getOperands(32, 3);
  Outcome outcome = execute({"min.f32 %o0, %i0, %i1, %i2; "
                             "max.NaN.abs.f32 %o1, %i0, %i1, %i2;",
                             {32, 32},
                             {32, 32, 32}},
                            inputs);
  ASSERT_EQ(outcome.error, "");
  for (size_t i = 0; i < inputs[0].size(); ++i) {
    APFloat a = decode(f32, inputs[0][i]), b = decode(f32, inputs[1][i]),
            c = decode(f32, inputs[2][i]);
    auto least = [](const APFloat &x, const APFloat &y) {
      return x.isNaN() ? y : y.isNaN() ? x : minimum(x, y);
    };
    ASSERT_EQ(outcome.values[0][i], encode(f32, least(least(a, b), c)));
    a.clearSign();
    b.clearSign();
    c.clearSign();
    ASSERT_EQ(outcome.values[1][i], encode(f32, maximum(maximum(a, b), c)));
  }
}

TEST(Float, Properties) {
  for (const Format *f : {&f32, &f64}) {
    std::vector<uint64_t> a = getPatterns(f->bits, 50);
    std::string type = std::string(".") + f->name;
    Outcome outcome = execute(
        {"testp.finite" + type + " %o0, %i0; testp.infinite" + type +
             " %o1, %i0; testp.number" + type + " %o2, %i0; testp.notanumber" +
             type + " %o3, %i0; testp.normal" + type +
             " %o4, %i0; testp.subnormal" + type + " %o5, %i0;",
         {1, 1, 1, 1, 1, 1},
         {f->bits}},
        {a});
    ASSERT_EQ(outcome.error, "");
    for (size_t i = 0; i < a.size(); ++i) {
      APFloat x = decode(*f, a[i]);
      ASSERT_EQ(outcome.values[0][i], x.isFinite());
      ASSERT_EQ(outcome.values[1][i], x.isInfinity());
      ASSERT_EQ(outcome.values[2][i], !x.isNaN());
      ASSERT_EQ(outcome.values[3][i], x.isNaN());
      ASSERT_EQ(outcome.values[4][i], x.isNormal() || x.isZero());
      ASSERT_EQ(outcome.values[5][i], x.isDenormal());
    }
  }
}

TEST(Float, MixedPrecision) {
  for (const Format *f : {&f16, &bf16})
    for (const Direction &d : directions) {
      auto inputs = combine({getPatterns(16, 4),
                             getPatterns(16, 0),
                             {0, 0x3F800000, 0xBF800001, 0x7F800000, 0x1234}});
      std::string suffix = std::string(".") + d.name + ".f32." + f->name;
      Outcome outcome =
          execute({"add" + suffix + " %o0, %i0, %i2; sub" + suffix +
                       " %o1, %i0, %i2; fma" + suffix + " %o2, %i0, %i1, %i2;",
                   {32, 32, 32},
                   {16, 16, 32}},
                  inputs);
      ASSERT_EQ(outcome.error, "");
      for (size_t i = 0; i < inputs[0].size(); ++i) {
        auto widen = [&](uint64_t bits) {
          APFloat value = decode(*f, bits);
          bool ignored;
          value.convert(f32.semantics, RoundingMode::NearestTiesToEven,
                        &ignored);
          return value;
        };
        APFloat c = decode(f32, inputs[2][i]);
        APFloat sum = widen(inputs[0][i]), difference = sum, product = sum;
        sum.add(c, d.mode);
        difference.subtract(c, d.mode);
        product.fusedMultiplyAdd(widen(inputs[1][i]), c, d.mode);
        ASSERT_EQ(outcome.values[0][i], encode(f32, sum));
        ASSERT_EQ(outcome.values[1][i], encode(f32, difference));
        ASSERT_EQ(outcome.values[2][i], encode(f32, product));
      }
    }
}
