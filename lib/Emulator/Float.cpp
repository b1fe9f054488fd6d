// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// f32, f32x2 and f64 arithmetic (PTX ISA 9.7.3, 9.7.5). Results are correctly
// rounded, those of .approx and .full instructions too.

#include "Lanes.h"
#include "MinMax.h"
#include "Rounding.h"

#include "mx/Formats/Codec.h"

#include <cmath>

using namespace mx::ptx;

namespace {
float flush(float value) {
  return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value)
                                                : value;
}

template <typename T> T load(const Decoded &decoded, uint64_t bits) {
  if constexpr (std::is_same_v<T, double>) {
    return llvm::bit_cast<double>(bits);
  } else {
    float value = mx::fromBits(uint32_t(bits));
    return decoded.ftz ? flush(value) : value;
  }
}

template <typename T> uint64_t store(const Decoded &decoded, T value) {
  if constexpr (std::is_same_v<T, double>) {
    return std::isnan(value) ? nanF64 : llvm::bit_cast<uint64_t>(value);
  } else {
    if (decoded.sat)
      value = value > 0 ? std::min(value, 1.0f) : 0.0f;
    if (decoded.ftz)
      value = flush(value);
    return std::isnan(value) ? nanF32 : mx::toBits(value);
  }
}

template <typename T> T add(T a, T b) { return a + b; }
template <typename T> T sub(T a, T b) { return a - b; }
template <typename T> T mul(T a, T b) { return a * b; }
template <typename T> T div(T a, T b) { return a / b; }
template <typename T> T rcp(T a) { return 1 / a; }
template <typename T> T sqrt(T a) { return std::sqrt(a); }
template <typename T> T fma(T a, T b, T c) { return std::fma(a, b, c); }
/// Of the magnitudes, with the product of the signs.
template <float (*F)(float, float)> float xorSign(float a, float b) {
  float result = F(std::fabs(a), std::fabs(b));
  return std::signbit(a) != std::signbit(b) ? -result : result;
}
// The double result has 29 bits to spare, so rounding it is correct but for
// cases that the bound of the instruction allows many times over.
float ex2(float a) { return float(std::exp2(double(a))); }
float lg2(float a) { return float(std::log2(double(a))); }
float rsqrt(float a) { return float(1 / std::sqrt(double(a))); }
float sin(float a) { return float(std::sin(double(a))); }
float cos(float a) { return float(std::cos(double(a))); }
float tanh(float a) { return float(std::tanh(double(a))); }

template <typename T, T (*F)(T)> uint64_t apply1(const Decoded &d, uint64_t a) {
  return store<T>(d, F(load<T>(d, a)));
}
template <typename T, T (*F)(T, T)>
uint64_t apply2(const Decoded &d, uint64_t a, uint64_t b) {
  return store<T>(d, F(load<T>(d, a), load<T>(d, b)));
}
template <typename T, T (*F)(T, T, T)>
uint64_t apply3(const Decoded &d, uint64_t a, uint64_t b, uint64_t c) {
  return store<T>(d, F(load<T>(d, a), load<T>(d, b), load<T>(d, c)));
}

/// Both halves of an f32x2 by the function of one f32.
template <Modified2 F>
uint64_t both2(const Decoded &d, uint64_t a, uint64_t b) {
  return F(d, uint32_t(a), uint32_t(b)) | F(d, a >> 32, b >> 32) << 32;
}
template <Modified3 F>
uint64_t both3(const Decoded &d, uint64_t a, uint64_t b, uint64_t c) {
  return F(d, uint32_t(a), uint32_t(b), uint32_t(c)) |
         F(d, a >> 32, b >> 32, c >> 32) << 32;
}

// Sign operations keep a NaN's bits.
template <unsigned Sign> uint64_t neg(const Decoded &d, uint64_t a) {
  if (Sign == 31)
    a = d.ftz ? mx::toBits(flush(mx::fromBits(a))) : uint32_t(a);
  return a ^ uint64_t(1) << Sign;
}
template <unsigned Sign> uint64_t abs(const Decoded &d, uint64_t a) {
  if (Sign == 31)
    a = d.ftz ? mx::toBits(flush(mx::fromBits(a))) : uint32_t(a);
  return a & ~(uint64_t(1) << Sign);
}

template <float (*F)(float)> constexpr Handler f1 = perLane<apply1<float, F>>;
template <float (*F)(float, float)>
constexpr Handler f2 = perLane<apply2<float, F>>;
template <float (*F)(float, float, float)>
constexpr Handler f3 = perLane<apply3<float, F>>;
/// Of two or three values.
template <float (*F)(float, float)> float twice(float a, float b, float c) {
  return F(F(a, b), c);
}
template <float (*F)(float, float)>
void extremum(Warp &warp, const Decoded &decoded) {
  (decoded.getNumOperands() == 4 ? f3<twice<F>> : f2<F>)(warp, decoded);
}
template <double (*F)(double)>
constexpr Handler d1 = perLane<apply1<double, F>>;
template <double (*F)(double, double)>
constexpr Handler d2 = perLane<apply2<double, F>>;
template <float (*F)(float, float)>
constexpr Handler p2 = perLane<both2<apply2<float, F>>>;
} // namespace

static const Row rows[] = {
    {"add", "f32", "rn ftz sat", "d s s", f2<add<float>>},
    {"sub", "f32", "rn ftz sat", "d s s", f2<sub<float>>},
    {"mul", "f32", "rn ftz sat", "d s s", f2<mul<float>>},
    {"fma.rn", "f32", "ftz sat", "d s s s", f3<fma<float>>},
    {"mad.rn", "f32", "ftz sat", "d s s s", f3<fma<float>>},
    {"div.rn", "f32", "ftz", "d s s", f2<div<float>>},
    {"div.full", "f32", "ftz", "d s s", f2<div<float>>},
    {"div.approx", "f32", "ftz", "d s s", f2<div<float>>},
    {"rcp.rn", "f32", "ftz", "d s", f1<rcp<float>>},
    {"rcp.approx", "f32", "ftz", "d s", f1<rcp<float>>},
    {"sqrt.rn", "f32", "ftz", "d s", f1<sqrt<float>>},
    {"sqrt.approx", "f32", "ftz", "d s", f1<sqrt<float>>},
    {"rsqrt.approx", "f32", "ftz", "d s", f1<rsqrt>},
    {"ex2.approx", "f32", "ftz", "d s", f1<ex2>},
    {"lg2.approx", "f32", "ftz", "d s", f1<lg2>},
    {"sin.approx", "f32", "ftz", "d s", f1<sin>},
    {"cos.approx", "f32", "ftz", "d s", f1<cos>},
    {"tanh.approx", "f32", "", "d s", f1<tanh>},
    {"min.NaN", "f32", "ftz", "d s s s?", extremum<orNaN<float, min<float>>>},
    {"max.NaN", "f32", "ftz", "d s s s?", extremum<orNaN<float, max<float>>>},
    {"min.xorsign.abs", "f32", "ftz", "d s s", f2<xorSign<min<float>>>},
    {"max.xorsign.abs", "f32", "ftz", "d s s", f2<xorSign<max<float>>>},
    {"min", "f32", "ftz", "d s s s?", extremum<min<float>>},
    {"max", "f32", "ftz", "d s s s?", extremum<max<float>>},
    {"neg", "f32", "ftz", "d s", perLane<neg<31>>},
    {"abs", "f32", "ftz", "d s", perLane<abs<31>>},
    {"add", "f32x2", "rn ftz", "d s s", p2<add<float>>},
    {"sub", "f32x2", "rn ftz", "d s s", p2<sub<float>>},
    {"mul", "f32x2", "rn ftz", "d s s", p2<mul<float>>},
    {"fma.rn", "f32x2", "ftz", "d s s s",
     perLane<both3<apply3<float, fma<float>>>>},
    {"add", "f64", "rn", "d s s", d2<add<double>>},
    {"sub", "f64", "rn", "d s s", d2<sub<double>>},
    {"mul", "f64", "rn", "d s s", d2<mul<double>>},
    {"fma.rn", "f64", "", "d s s s", perLane<apply3<double, fma<double>>>},
    {"div.rn", "f64", "", "d s s", d2<div<double>>},
    {"rcp.rn", "f64", "", "d s", d1<rcp<double>>},
    {"sqrt.rn", "f64", "", "d s", d1<sqrt<double>>},
    {"min", "f64", "", "d s s", d2<min<double>>},
    {"max", "f64", "", "d s s", d2<max<double>>},
    {"neg", "f64", "", "d s", perLane<neg<63>>},
    {"abs", "f64", "", "d s", perLane<abs<63>>},
};

llvm::ArrayRef<Row> mx::ptx::getFloatRows() { return rows; }
