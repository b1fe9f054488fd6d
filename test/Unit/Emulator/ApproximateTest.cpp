// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions with a stated error (PTX ISA 9.7.3, 9.7.4): by default the
// nearest value to a long double's; in the other modes anything within the
// bound, and the ends of it.

#include "Execute.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"

#include "gtest/gtest.h"

#include <cmath>
#include <functional>

using namespace mx::ptx;
using namespace mx::ptx::test;

namespace {
using Real = long double;
struct Case {
  const char *opcode;
  unsigned bits;
  unsigned operands;
  std::function<Real(Real, Real)> f;
  /// The largest error of a result near y.
  std::function<Real(Real a, Real y)> bound;
  double low, high;
};

Real getUlp(Real y) {
  return std::ldexp(Real(1), std::max(std::ilogb(y), -126) - 23);
}
const Case cases[] = {
    {"div.full.f32", 32, 2, [](Real a, Real b) { return a / b; },
     [](Real, Real y) { return 2 * getUlp(y); }, 0.001, 1000},
    {"div.approx.f32", 32, 2, [](Real a, Real b) { return a / b; },
     [](Real, Real y) { return 2 * getUlp(y); }, 0.001, 1000},
    {"rcp.approx.f32", 32, 1, [](Real a, Real) { return 1 / a; },
     [](Real, Real y) { return getUlp(y); }, 0.001, 1000},
    {"sqrt.approx.f32", 32, 1, [](Real a, Real) { return std::sqrt(a); },
     [](Real, Real y) { return std::ldexp(y, -23); }, 0.001, 1000},
    {"rsqrt.approx.f32", 32, 1, [](Real a, Real) { return 1 / std::sqrt(a); },
     [](Real, Real y) { return y * std::exp2(Real(-22.9)); }, 0.001, 1000},
    {"ex2.approx.f32", 32, 1, [](Real a, Real) { return std::exp2(a); },
     [](Real, Real y) { return 2 * getUlp(y); }, -30, 30},
    {"lg2.approx.f32", 32, 1, [](Real a, Real) { return std::log2(a); },
     [](Real a, Real y) {
       return std::ldexp(a > 0.5 && a < 2 ? Real(1) : std::fabs(y), -22);
     },
     0.01, 100},
    {"sin.approx.f32", 32, 1, [](Real a, Real) { return std::sin(a); },
     [](Real, Real) { return std::exp2(Real(-20.5)); }, -6.2, 6.2},
    {"cos.approx.f32", 32, 1, [](Real a, Real) { return std::cos(a); },
     [](Real, Real) { return std::exp2(Real(-20.5)); }, -6.2, 6.2},
    {"tanh.approx.f32", 32, 1, [](Real a, Real) { return std::tanh(a); },
     [](Real, Real y) { return std::ldexp(std::fabs(y), -11); }, -4, 4},
    {"tanh.approx.f16", 16, 1, [](Real a, Real) { return std::tanh(a); },
     [](Real, Real) { return std::exp2(Real(-10.987)); }, -4, 4},
    {"ex2.approx.f16", 16, 1, [](Real a, Real) { return std::exp2(a); },
     [](Real, Real y) { return y * std::exp2(Real(-9.9)); }, -10, 10},
};

double decode(unsigned bits, uint64_t code) {
  llvm::APFloat value(bits == 16 ? llvm::APFloat::IEEEhalf()
                                 : llvm::APFloat::IEEEsingle(),
                      llvm::APInt(bits, code));
  bool ignored;
  value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven,
                &ignored);
  return value.convertToDouble();
}
uint64_t encode(unsigned bits, double value) {
  llvm::APFloat result(value);
  bool ignored;
  result.convert(bits == 16 ? llvm::APFloat::IEEEhalf()
                            : llvm::APFloat::IEEEsingle(),
                 llvm::APFloat::rmNearestTiesToEven, &ignored);
  return result.bitcastToAPInt().getZExtValue();
}

std::vector<std::vector<uint64_t>> makeInputs(const Case &c) {
  std::vector<std::vector<uint64_t>> inputs(c.operands);
  for (unsigned i = 0; i < 512; ++i)
    for (unsigned k = 0; k < c.operands; ++k)
      inputs[k].push_back(
          encode(c.bits, c.low + (c.high - c.low) *
                                     (((i * (3 + 4 * k)) % 512) + 0.37) / 512));
  return inputs;
}

Outcome run(const Case &c, const std::vector<std::vector<uint64_t>> &inputs,
            Approx mode, uint64_t seed = 0) {
  ExecutionOptions options;
  options.approx = mode;
  options.seed = seed;
  return execute(
      {std::string(c.opcode) + " %o0, %i0" + (c.operands == 2 ? ", %i1;" : ";"),
       {c.bits},
       std::vector<unsigned>(c.operands, c.bits)},
      inputs, options);
}
} // namespace

TEST(Approximate, ExactIsTheNearest) {
  for (const Case &c : cases) {
    SCOPED_TRACE(c.opcode);
    auto inputs = makeInputs(c);
    Outcome outcome = run(c, inputs, Approx::Exact);
    ASSERT_EQ(outcome.error, "");
    for (size_t i = 0; i < inputs[0].size(); ++i) {
      Real y =
          c.f(decode(c.bits, inputs[0][i]), decode(c.bits, inputs.back()[i]));
      // Half a unit, and what rounding to double first may add.
      Real step = c.bits == 32
                      ? getUlp(y)
                      : std::ldexp(Real(1), std::max(std::ilogb(y), -14) - 10);
      ASSERT_LE(std::fabs(decode(c.bits, outcome.values[0][i]) - y),
                step * (Real(0.5) + Real(1e-6)));
    }
  }
}

TEST(Approximate, OthersAreWithinTheBound) {
  for (const Case &c : cases) {
    SCOPED_TRACE(c.opcode);
    auto inputs = makeInputs(c);
    Outcome low = run(c, inputs, Approx::Low);
    Outcome high = run(c, inputs, Approx::High);
    Outcome random = run(c, inputs, Approx::Random, 1);
    Outcome other = run(c, inputs, Approx::Random, 2);
    ASSERT_EQ(low.error + high.error + random.error + other.error, "");
    unsigned numMoved = 0;
    for (size_t i = 0; i < inputs[0].size(); ++i) {
      Real a = decode(c.bits, inputs[0][i]);
      Real y = c.f(a, decode(c.bits, inputs.back()[i]));
      Real bound = c.bound(a, y) * (1 + Real(1e-6));
      double l = decode(c.bits, low.values[0][i]);
      double h = decode(c.bits, high.values[0][i]);
      double r = decode(c.bits, random.values[0][i]);
      ASSERT_LE(l, h);
      ASSERT_LE(l, r);
      ASSERT_LE(r, h);
      for (double v : {l, h})
        ASSERT_LE(std::fabs(v - y), bound) << double(a);
      // They are the last ones that are within it.
      Real step = c.bits == 32
                      ? getUlp(y)
                      : std::ldexp(Real(1), std::max(std::ilogb(y), -14) - 10);
      ASSERT_GE(h - y + step * Real(1.01), bound * Real(0.999));
      ASSERT_GE(y - l + step * Real(1.01), bound * Real(0.999));
      numMoved += low.values[0][i] != high.values[0][i];
    }
    EXPECT_GT(numMoved, inputs[0].size() / 2);
    EXPECT_EQ(run(c, inputs, Approx::Random, 1).values, random.values);
    if (numMoved == inputs[0].size()) {
      EXPECT_NE(random.values, other.values);
    }
  }
}

/// From the tables of the ISA; no mode changes them.
TEST(Approximate, SpecialValues) {
  const uint64_t inf = 0x7F800000, nan = 0x7FFFFFFF, sign = 0x80000000;
  struct {
    const char *opcode;
    uint64_t in, out;
  } specials[] = {
      {"rcp.approx.f32", 0, inf},
      {"rcp.approx.f32", sign, inf | sign},
      {"rcp.approx.f32", inf | sign, sign},
      {"rcp.approx.ftz.f32", 1, inf},
      {"sqrt.approx.f32", 0xBF800000, nan},
      {"sqrt.approx.f32", sign, sign},
      {"rsqrt.approx.f32", 0, inf},
      {"rsqrt.approx.f32", inf, 0},
      {"rsqrt.approx.f32", 0xBF800000, nan},
      {"sin.approx.f32", inf, nan},
      {"cos.approx.f32", inf | sign, nan},
      {"lg2.approx.f32", 0, inf | sign},
      {"lg2.approx.f32", 0xBF800000, nan},
      {"lg2.approx.f32", inf, inf},
      {"ex2.approx.f32", inf | sign, 0},
      {"ex2.approx.f32", inf, inf},
      {"ex2.approx.ftz.f32", inf | sign, 0},
      {"tanh.approx.f32", sign, sign},
      {"tanh.approx.f32", 0x7FC00000, nan},
  };
  for (const auto &s : specials)
    for (Approx mode : {Approx::Exact, Approx::Low, Approx::High}) {
      ExecutionOptions options;
      options.approx = mode;
      Outcome outcome =
          execute({std::string(s.opcode) + " %o0, %i0;", {32}, {32}}, {{s.in}},
                  options);
      ASSERT_EQ(outcome.error, "");
      EXPECT_EQ(outcome.values[0][0], s.out) << s.opcode << std::hex << s.in;
    }
  // div.approx: beyond 2^126 the reciprocal is flushed.
  Outcome outcome = execute(
      {"div.approx.f32 %o0, %i0, %i1;", {32}, {32, 32}},
      {{0x3F800000, 0xBF800000, inf}, {0x7F000000, 0x7F000000, 0x7F000000}});
  EXPECT_EQ(outcome.values[0], (std::vector<uint64_t>{0, sign, nan}));
}

TEST(Approximate, UpperWordsOfF64) {
  std::vector<uint64_t> a = {0x4008000000000000, 0x0000000000000000,
                             0x8000000000000001, 0x7FF0000000000000,
                             0x7FF8000000000001, 0x4008000012345678};
  Outcome outcome = execute({"rcp.approx.ftz.f64 %o0, %i0; "
                             "rsqrt.approx.ftz.f64 %o1, %i0;",
                             {64, 64},
                             {64}},
                            {a});
  ASSERT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.values[0],
            (std::vector<uint64_t>{0x3FD5555500000000, 0x7FF0000000000000,
                                   0xFFF0000000000000, 0, 0x7FFFFFFF00000000,
                                   0x3FD5555500000000}));
  EXPECT_EQ(outcome.values[1][1], 0x7FF0000000000000);
  EXPECT_EQ(outcome.values[1][4], 0x7FFFFFFF00000000);
}
