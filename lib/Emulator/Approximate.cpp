// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions whose error the PTX ISA bounds (9.7.3.8, .13 to .22; 9.7.4.9,
// .10). The rows below hold the bounds. By default the result is the correctly
// rounded one; a launch may ask for others within the bound.

#include "Lanes.h"
#include "Rounding.h"

#include "llvm/Support/xxhash.h"

#include <cmath>

using namespace mx::ptx;

namespace {
using Function1 = double (*)(double);
/// The largest error that an instruction may make of the inputs a and b with
/// the exact result y; negative where nothing is promised, or the result is
/// fixed.
using Error = double (*)(double a, double b, double y);

//===----------------------------------------------------------------------===//
// Functions. The doubles' own errors are below 2^-50.
//===----------------------------------------------------------------------===//

double reciprocal(double a) { return 1 / a; }
double root(double a) { return std::sqrt(a); }
double reciprocalRoot(double a) { return 1 / std::sqrt(a); }
double sine(double a) { return std::sin(a); }
double cosine(double a) { return std::cos(a); }
double logarithm(double a) { return std::log2(a); }
double power(double a) { return std::exp2(a); }
double hyperbolic(double a) { return std::tanh(a); }
double quotient(double a, double b) { return a / b; }
/// div.approx multiplies by a reciprocal, which is flushed for large b.
double quickQuotient(double a, double b) {
  bool isLarge = std::fabs(b) > 0x1p126 && std::isfinite(b);
  return isLarge ? a * std::copysign(0.0, b) : a / b;
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

/// N units in the last place of the f32 nearest to y.
template <int N> double ulps(double, double, double y) {
  return N * getPower(std::max(getExponent(y), -126) - 23);
}
/// 2^-(N / 10) of y, or as it is.
template <int N> double relative(double, double, double y) {
  return std::exp2(-N / 10.0) * std::fabs(y);
}
template <int N> double absolute(double, double, double) {
  return std::exp2(-N / 1000.0);
}
/// 2^-20.5 within two turns, 2^-14.7 within fifty to either side.
double trigonometric(double a, double, double) {
  constexpr double pi = 3.14159265358979323846;
  return std::fabs(a) <= 2 * pi     ? std::exp2(-20.5)
         : std::fabs(a) <= 100 * pi ? std::exp2(-14.7)
                                    : -1;
}
double logarithmic(double a, double, double y) {
  return a > 0.5 && a < 2 ? std::exp2(-22) : std::exp2(-22) * std::fabs(y);
}
double quickDivision(double a, double b, double y) {
  return std::fabs(b) > 0x1p126 ? -1 : ulps<2>(a, b, y);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

uint64_t flush(Type type, uint64_t bits) {
  if (type == Type::F32)
    return (bits & 0x7F800000) == 0 ? bits & 0x80000000 : bits;
  uint64_t exponent = type == Type::F16 ? 0x7C00 : 0x7F80;
  return (bits & exponent) == 0 ? bits & 0x8000 : bits;
}

/// Bits of a floating type as integers in the order of the values; its own
/// inverse.
int64_t order(Type type, int64_t bits) {
  int64_t sign = int64_t(1) << (getBitWidth(type) - 1);
  return bits < sign ? bits : -(bits - sign) - 1;
}
int64_t unorder(Type type, int64_t place) {
  int64_t sign = int64_t(1) << (getBitWidth(type) - 1);
  return place >= 0 ? place : sign - place - 1;
}

/// The result for the exact `y` that the launch asks for.
uint64_t choose(const Warp &warp, const Decoded &decoded, Type type, double a,
                double b, double y, Error getError) {
  uint64_t exact = encodeFloat(type, y, Rounding::Nearest);
  Approx mode = warp.machine.options.approx;
  if (mode == Approx::Exact || !std::isfinite(y) || y == 0)
    return exact;
  double error = getError(a, b, y);
  if (error < 0)
    return exact;
  uint64_t low = encodeFloat(type, y - error, Rounding::Up);
  uint64_t high = encodeFloat(type, y + error, Rounding::Down);
  int64_t first = order(type, low), last = order(type, high);
  // A bound of less than half a unit leaves the nearest value.
  if (first > last)
    return exact;
  if (mode == Approx::Low)
    return low;
  if (mode == Approx::High)
    return high;
  uint64_t inputs[] = {warp.machine.options.seed, decoded.source->location.line,
                       llvm::bit_cast<uint64_t>(a),
                       llvm::bit_cast<uint64_t>(b)};
  uint64_t random = llvm::xxh3_64bits(llvm::ArrayRef(
      reinterpret_cast<const uint8_t *>(inputs), sizeof(inputs)));
  return unorder(type, first + int64_t(random % uint64_t(last - first + 1)));
}

/// One element of each source.
template <Type T, auto F, Error E>
uint64_t compute(const Warp &warp, const Decoded &decoded, uint64_t a,
                 uint64_t b) {
  if (decoded.ftz) {
    a = flush(T, a);
    b = flush(T, b);
  }
  double x = decodeFloat(T, a), y = decodeFloat(T, b), exact;
  if constexpr (std::is_same_v<decltype(F), Function1>)
    exact = F(x);
  else
    exact = F(x, y);
  uint64_t result = choose(warp, decoded, T, x, y, exact, E);
  return decoded.ftz ? flush(T, result) : result;
}

/// One or two sources; IsPair: of two elements each.
template <Type T, auto F, Error E, bool IsPair>
void approximate(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *b =
      decoded.getNumOperands() == 3 ? warp.read(decoded.value(2)) : a;
  if (!a || !b)
    return;
  uint64_t keep = T == Type::F32 ? UINT32_MAX : 0xFFFF;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) {
    uint64_t x = a[i], y = b[i];
    uint64_t result = compute<T, F, E>(warp, decoded, x & keep, y & keep);
    if (IsPair)
      result |= compute<T, F, E>(warp, decoded, x >> 16 & keep, y >> 16 & keep)
                << 16;
    d[i] = result;
  });
}

/// rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64 work on the upper words.
template <Function1 F> uint64_t upperWord(uint64_t a) {
  constexpr uint64_t upper = uint64_t(UINT32_MAX) << 32;
  constexpr uint64_t exponent = uint64_t(0x7FF) << 52;
  constexpr uint64_t sign = uint64_t(1) << 63;
  auto flushed = [](uint64_t bits) {
    return (bits & exponent) == 0 ? bits & sign : bits;
  };
  bool isNaN = std::isnan(llvm::bit_cast<double>(a));
  double result = F(llvm::bit_cast<double>(flushed(a & upper)));
  if (isNaN || std::isnan(result))
    return 0x7FFFFFFF00000000;
  return flushed(llvm::bit_cast<uint64_t>(result) & upper);
}

/// rsqrt.approx.f64, which has no bound.
uint64_t rsqrt64(uint64_t a) {
  double result = reciprocalRoot(llvm::bit_cast<double>(a));
  return encodeFloat(Type::F64, result, Rounding::Nearest);
}
} // namespace

#define F32(NAME, OPTIONAL, F, BOUND)                                          \
  {NAME, "f32", OPTIONAL, "d s",                                               \
   approximate<Type::F32, static_cast<Function1>(F), BOUND, false>}
#define HALF(NAME, TYPE, T, F, BOUND)                                          \
  {NAME, TYPE, "", "d s",                                                      \
   approximate<Type::T, static_cast<Function1>(F), BOUND, false>},             \
  {                                                                            \
    NAME, TYPE "x2", "", "d s",                                                \
        approximate<Type::T, static_cast<Function1>(F), BOUND, true>           \
  }

static const Row rows[] = {
    {"div.full", "f32", "ftz", "d s s",
     approximate<Type::F32, quotient, ulps<2>, false>},
    {"div.approx", "f32", "ftz", "d s s",
     approximate<Type::F32, quickQuotient, quickDivision, false>},
    F32("rcp.approx", "ftz", reciprocal, ulps<1>),
    F32("sqrt.approx", "ftz", root, relative<230>),
    F32("rsqrt.approx", "ftz", reciprocalRoot, relative<229>),
    F32("sin.approx", "ftz", sine, trigonometric),
    F32("cos.approx", "ftz", cosine, trigonometric),
    F32("lg2.approx", "ftz", logarithm, logarithmic),
    F32("ex2.approx", "ftz", power, ulps<2>),
    F32("tanh.approx", "", hyperbolic, relative<110>),
    HALF("tanh.approx", "f16", F16, hyperbolic, absolute<10987>),
    HALF("tanh.approx", "bf16", BF16, hyperbolic, absolute<8000>),
    HALF("ex2.approx", "f16", F16, power, relative<99>),
    HALF("ex2.approx.ftz", "bf16", BF16, power, relative<70>),
    {"rcp.approx.ftz", "f64", "", "d s", perLane<upperWord<reciprocal>>},
    {"rsqrt.approx.ftz", "f64", "", "d s", perLane<upperWord<reciprocalRoot>>},
    {"rsqrt.approx", "f64", "", "d s", perLane<rsqrt64>},
};

llvm::ArrayRef<Row> mx::ptx::getApproximateRows() { return rows; }
