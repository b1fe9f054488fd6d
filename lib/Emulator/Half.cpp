// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// f16, bf16 and their packed forms (PTX ISA 9.7.4), each with one rounding.

#include "Lanes.h"
#include "MinMax.h"
#include "Rounding.h"

#include <cmath>

using namespace mx::ptx;

namespace {
template <Type T> double load(const Decoded &decoded, uint64_t bits) {
  // A subnormal has no exponent bits.
  if (T == Type::F16 && decoded.ftz && (bits & 0x7C00) == 0)
    bits &= 0x8000;
  return decodeFloat(T, bits & 0xFFFF);
}

/// `value` is exact or rounded to odd.
template <Type T> uint64_t store(const Decoded &decoded, double value) {
  if (decoded.sat)
    value = value > 0 ? std::min(value, 1.0) : 0.0;
  if (decoded.relu && (value < 0 || (value == 0 && std::signbit(value))))
    value = 0;
  uint64_t bits = encodeFloat(T, value, Rounding::Nearest);
  if (T == Type::F16 && decoded.ftz && (bits & 0x7C00) == 0)
    bits &= 0x8000;
  return bits;
}

double sub(double a, double b) { return addOdd(a, -b); }
double mul(double a, double b) { return a * b; }

template <Type T, double (*F)(double, double)>
uint64_t apply2(const Decoded &d, uint64_t a, uint64_t b) {
  return store<T>(d, F(load<T>(d, a), load<T>(d, b)));
}
/// The product of two 11-bit significands is exact.
template <Type T>
uint64_t fma(const Decoded &d, uint64_t a, uint64_t b, uint64_t c) {
  return store<T>(d, addOdd(load<T>(d, a) * load<T>(d, b), load<T>(d, c)));
}
/// Of the magnitudes, with the product of the signs.
template <double (*F)(double, double)> double xorSign(double a, double b) {
  double result = F(std::fabs(a), std::fabs(b));
  return std::signbit(a) != std::signbit(b) ? -result : result;
}

/// Sign operations keep a NaN's bits; .ftz is for f16 only.
uint64_t flush(const Decoded &decoded, uint64_t bits) {
  return decoded.ftz && (bits & 0x7C00) == 0 ? bits & 0x8000 : bits & 0xFFFF;
}
uint64_t neg(const Decoded &d, uint64_t a) { return flush(d, a) ^ 0x8000; }
uint64_t absolute(const Decoded &d, uint64_t a) { return flush(d, a) & 0x7FFF; }

template <Modified1 F> uint64_t both1(const Decoded &d, uint64_t a) {
  return F(d, a & 0xFFFF) | F(d, a >> 16 & 0xFFFF) << 16;
}
template <Modified2 F>
uint64_t both2(const Decoded &d, uint64_t a, uint64_t b) {
  return F(d, a & 0xFFFF, b & 0xFFFF) | F(d, a >> 16 & 0xFFFF, b >> 16 & 0xFFFF)
                                            << 16;
}
template <Modified3 F>
uint64_t both3(const Decoded &d, uint64_t a, uint64_t b, uint64_t c) {
  return F(d, a & 0xFFFF, b & 0xFFFF, c & 0xFFFF) |
         F(d, a >> 16 & 0xFFFF, b >> 16 & 0xFFFF, c >> 16 & 0xFFFF) << 16;
}
} // namespace

#define HALF2(NAME, OPTIONAL, F)                                               \
  {NAME, "f16", OPTIONAL, "d s s", perLane<apply2<Type::F16, F>>},             \
      {NAME, "bf16", OPTIONAL, "d s s", perLane<apply2<Type::BF16, F>>},       \
      {NAME, "f16x2", OPTIONAL, "d s s",                                       \
       perLane<both2<apply2<Type::F16, F>>>},                                  \
  {                                                                            \
    NAME, "bf16x2", OPTIONAL, "d s s", perLane<both2<apply2<Type::BF16, F>>>   \
  }

static const Row rows[] = {
    HALF2("add", "rn ftz sat", addOdd),
    HALF2("sub", "rn ftz sat", sub),
    HALF2("mul", "rn ftz sat", mul),
    HALF2("min.NaN", "ftz", (orNaN<double, min<double>>)),
    HALF2("max.NaN", "ftz", (orNaN<double, max<double>>)),
    HALF2("min.xorsign.abs", "ftz", (xorSign<min<double>>)),
    HALF2("max.xorsign.abs", "ftz", (xorSign<max<double>>)),
    HALF2("min.NaN.xorsign.abs", "ftz", (xorSign<orNaN<double, min<double>>>)),
    HALF2("max.NaN.xorsign.abs", "ftz", (xorSign<orNaN<double, max<double>>>)),
    HALF2("min", "ftz", min<double>),
    HALF2("max", "ftz", max<double>),
    {"fma.rn", "f16", "ftz sat relu", "d s s s", perLane<fma<Type::F16>>},
    {"fma.rn", "bf16", "relu", "d s s s", perLane<fma<Type::BF16>>},
    {"fma.rn", "f16x2", "ftz sat relu", "d s s s",
     perLane<both3<fma<Type::F16>>>},
    {"fma.rn", "bf16x2", "relu", "d s s s", perLane<both3<fma<Type::BF16>>>},
    {"neg", "f16", "ftz", "d s", perLane<neg>},
    {"neg", "bf16", "", "d s", perLane<neg>},
    {"neg", "f16x2", "ftz", "d s", perLane<both1<neg>>},
    {"neg", "bf16x2", "", "d s", perLane<both1<neg>>},
    {"abs", "f16", "ftz", "d s", perLane<absolute>},
    {"abs", "bf16", "", "d s", perLane<absolute>},
    {"abs", "f16x2", "ftz", "d s", perLane<both1<absolute>>},
    {"abs", "bf16x2", "", "d s", perLane<both1<absolute>>},
};

llvm::ArrayRef<Row> mx::ptx::getHalfRows() { return rows; }
