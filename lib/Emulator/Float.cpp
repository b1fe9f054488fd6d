// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// f32, f32x2 and f64 arithmetic (PTX ISA 9.7.3) and f32 with a 16-bit operand
// (9.7.5), correctly rounded in each direction. Compiled with -frounding-math.

#include "Lanes.h"
#include "MinMax.h"
#include "Rounding.h"

#include "mx/Formats/Codec.h"

#include <cfenv>
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

/// The sign of a, the rest of b; nothing is computed.
template <unsigned Sign> uint64_t copysign(uint64_t a, uint64_t b) {
  uint64_t sign = uint64_t(1) << Sign;
  return ((a & sign) | (b & ~sign)) & (sign | (sign - 1));
}

enum class Property { Finite, Infinite, Number, NotANumber, Normal, Subnormal };
/// Zero counts as normal.
template <typename T, Property P>
void testp(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  if (!a)
    return;
  uint32_t mask = 0;
  forEachLane(warp.active, [&](unsigned i) {
    int kind = std::fpclassify(load<T>(decoded, a[i]));
    bool isNaN = kind == FP_NAN, isInf = kind == FP_INFINITE;
    bool holds = P == Property::Finite       ? !isNaN && !isInf
                 : P == Property::Infinite   ? isInf
                 : P == Property::Number     ? !isNaN
                 : P == Property::NotANumber ? isNaN
                 : P == Property::Normal ? kind == FP_NORMAL || kind == FP_ZERO
                                         : kind == FP_SUBNORMAL;
    mask |= uint32_t(holds) << i;
  });
  warp.writePredicate(decoded.value(0), mask);
}

/// The 16-bit sources are of the second type.
float widen(const Decoded &decoded, uint64_t bits) {
  return float(decodeFloat(decoded.types[1], bits & 0xFFFF));
}
template <bool IsSub>
uint64_t addMixed(const Decoded &decoded, uint64_t a, uint64_t c) {
  float x = widen(decoded, a), y = mx::fromBits(c);
  return store<float>(decoded, IsSub ? x - y : x + y);
}
uint64_t fmaMixed(const Decoded &decoded, uint64_t a, uint64_t b, uint64_t c) {
  return store<float>(
      decoded, std::fma(widen(decoded, a), widen(decoded, b), mx::fromBits(c)));
}

//===----------------------------------------------------------------------===//
// Handlers
//===----------------------------------------------------------------------===//

/// Executes in the processor's own rounding mode of the instruction: what a
/// handler loads and stores is memory that the calls may change, so the
/// arithmetic stays between them.
template <Handler H> void directed(Warp &warp, const Decoded &decoded) {
  if (decoded.rounding == Rounding::Nearest)
    return H(warp, decoded);
  std::fesetround(decoded.rounding == Rounding::Zero   ? FE_TOWARDZERO
                  : decoded.rounding == Rounding::Down ? FE_DOWNWARD
                                                       : FE_UPWARD);
  H(warp, decoded);
  std::fesetround(FE_TONEAREST);
}

template <typename T, T (*F)(T)>
constexpr Handler unary = directed<perLane<apply1<T, F>>>;
template <typename T, T (*F)(T, T)>
constexpr Handler binary = directed<perLane<apply2<T, F>>>;
template <typename T, T (*F)(T, T, T)>
constexpr Handler ternary = directed<perLane<apply3<T, F>>>;
template <float (*F)(float, float)>
constexpr Handler twin = directed<perLane<both2<apply2<float, F>>>>;

/// Of two or three values.
template <float (*F)(float, float)> float twice(float a, float b, float c) {
  return F(F(a, b), c);
}
template <float (*F)(float, float)> float ofAbs(float a, float b) {
  return F(std::fabs(a), std::fabs(b));
}
template <float (*F)(float, float)>
void extremum(Warp &warp, const Decoded &decoded) {
  (decoded.getNumOperands() == 4 ? perLane<apply3<float, twice<F>>>
                                 : perLane<apply2<float, F>>)(warp, decoded);
}
} // namespace

#define EXTREMUM(NAME, F)                                                      \
  {NAME ".NaN", "f32", "ftz", "d s s s?", extremum<orNaN<float, F<float>>>},   \
      {NAME, "f32", "ftz", "d s s s?", extremum<F<float>>},                    \
      {NAME ".abs", "f32", "ftz", "d s s s", extremum<ofAbs<F<float>>>},       \
      {NAME ".NaN.abs", "f32", "ftz", "d s s s",                               \
       extremum<ofAbs<orNaN<float, F<float>>>>},                               \
      {NAME ".xorsign.abs", "f32", "ftz", "d s s",                             \
       perLane<apply2<float, xorSign<F<float>>>>},                             \
      {NAME ".NaN.xorsign.abs", "f32", "ftz", "d s s",                         \
       perLane<apply2<float, xorSign<orNaN<float, F<float>>>>>},               \
  {                                                                            \
    NAME, "f64", "", "d s s", perLane<apply2<double, F<double>>>               \
  }
#define TESTP(NAME, P)                                                         \
  {"testp." NAME, "f32", "", "p s", testp<float, Property::P>}, {              \
    "testp." NAME, "f64", "", "p s", testp<double, Property::P>                \
  }
static constexpr char f32Modifiers[] = "rn rz rm rp ftz sat";
static constexpr char f64Modifiers[] = "rn rz rm rp";

/// Without a rounding mode div, rcp, sqrt and fma do not exist.
#define EACH_ROUNDING(NAME, TYPE, OPTIONAL, OPERANDS, H)                       \
  {NAME ".rn", TYPE, OPTIONAL, OPERANDS, H},                                   \
      {NAME ".rz", TYPE, OPTIONAL, OPERANDS, H},                               \
      {NAME ".rm", TYPE, OPTIONAL, OPERANDS, H}, {                             \
    NAME ".rp", TYPE, OPTIONAL, OPERANDS, H                                    \
  }

static const Row rows[] = {
    {"add", "f32", f32Modifiers, "d s s", binary<float, add<float>>},
    {"sub", "f32", f32Modifiers, "d s s", binary<float, sub<float>>},
    {"mul", "f32", f32Modifiers, "d s s", binary<float, mul<float>>},
    EACH_ROUNDING("fma", "f32", "ftz sat", "d s s s",
                  (ternary<float, fma<float>>)),
    EACH_ROUNDING("mad", "f32", "ftz sat", "d s s s",
                  (ternary<float, fma<float>>)),
    EACH_ROUNDING("div", "f32", "ftz", "d s s", (binary<float, div<float>>)),
    EACH_ROUNDING("rcp", "f32", "ftz", "d s", (unary<float, rcp<float>>)),
    EACH_ROUNDING("sqrt", "f32", "ftz", "d s", (unary<float, sqrt<float>>)),
    EXTREMUM("min", min),
    EXTREMUM("max", max),
    {"neg", "f32", "ftz", "d s", perLane<neg<31>>},
    {"abs", "f32", "ftz", "d s", perLane<abs<31>>},
    {"copysign", "f32", "", "d s s", perLane<copysign<31>>},
    TESTP("finite", Finite),
    TESTP("infinite", Infinite),
    TESTP("number", Number),
    TESTP("notanumber", NotANumber),
    TESTP("normal", Normal),
    TESTP("subnormal", Subnormal),
    {"add", "f32x2", "rn rz rm rp ftz", "d s s", twin<add<float>>},
    {"sub", "f32x2", "rn rz rm rp ftz", "d s s", twin<sub<float>>},
    {"mul", "f32x2", "rn rz rm rp ftz", "d s s", twin<mul<float>>},
    EACH_ROUNDING("fma", "f32x2", "ftz", "d s s s",
                  (directed<perLane<both3<apply3<float, fma<float>>>>>)),
    {"add", "f64", f64Modifiers, "d s s", binary<double, add<double>>},
    {"sub", "f64", f64Modifiers, "d s s", binary<double, sub<double>>},
    {"mul", "f64", f64Modifiers, "d s s", binary<double, mul<double>>},
    EACH_ROUNDING("fma", "f64", "", "d s s s", (ternary<double, fma<double>>)),
    EACH_ROUNDING("mad", "f64", "", "d s s s", (ternary<double, fma<double>>)),
    EACH_ROUNDING("div", "f64", "", "d s s", (binary<double, div<double>>)),
    EACH_ROUNDING("rcp", "f64", "", "d s", (unary<double, rcp<double>>)),
    EACH_ROUNDING("sqrt", "f64", "", "d s", (unary<double, sqrt<double>>)),
    {"neg", "f64", "", "d s", perLane<neg<63>>},
    {"abs", "f64", "", "d s", perLane<abs<63>>},
    {"copysign", "f64", "", "d s s", perLane<copysign<63>>},
    {"add", "f32 f16|bf16", "rn rz rm rp sat", "d s1 s",
     directed<perLane<addMixed<false>>>},
    {"sub", "f32 f16|bf16", "rn rz rm rp sat", "d s1 s",
     directed<perLane<addMixed<true>>>},
    EACH_ROUNDING("fma", "f32 f16|bf16", "sat", "d s1 s1 s",
                  directed<perLane<fmaMixed>>),
};

llvm::ArrayRef<Row> mx::ptx::getFloatRows() { return rows; }
