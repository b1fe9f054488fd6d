// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of the floating types as doubles, and rounding them back exactly once.

#ifndef MX_LIB_EMULATOR_ROUNDING_H
#define MX_LIB_EMULATOR_ROUNDING_H

#include "mx/Emulator/Types.h"

#include "llvm/ADT/bit.h"

#include <cstdint>

namespace mx::ptx {

/// .rn, .rz, .rm, .rp, .rna (nearest, ties away) and .rs (PTX ISA 6.5.2).
enum class Rounding : uint8_t {
  Nearest,
  Zero,
  Down,
  Up,
  NearestAway,
  Stochastic
};

/// What a NaN result is for f32, and for f16 and bf16 (PTX ISA 9.7.3, 9.7.4).
inline constexpr uint32_t nanF32 = 0x7FFFFFFF;
inline constexpr uint16_t nanF16 = 0x7FFF;
inline constexpr uint64_t nanF64 = 0x7FF8000000000000;

/// 2^exponent, which has to be a normal number.
inline double getPower(int exponent) {
  return llvm::bit_cast<double>(uint64_t(exponent + 1023) << 52);
}
/// The exponent of a value that is not zero or subnormal; 1024 for inf, NaN.
inline int getExponent(double value) {
  return int(llvm::bit_cast<uint64_t>(value) >> 52 & 0x7FF) - 1023;
}

/// `value` rounded to `precision` significant bits, to multiples of
/// 2^(minExponent - precision + 1) below 2^minExponent; it has to be exact or
/// rounded to odd. Not for Rounding::Stochastic.
double roundTo(double value, int precision, int minExponent, Rounding mode);
/// To an integral value.
double roundToIntegral(double value, Rounding mode);

/// x + y, x / y and the root of x rounded to odd: rounding the result to at
/// most 51 bits is the same as rounding the exact one.
double addOdd(double x, double y);
double divideOdd(double x, double y);
double rootOdd(double x);

/// The value of a code of f16, bf16, tf32, f32 or f64.
double decodeFloat(Type type, uint64_t bits);

/// `value`, rounded by `mode` (see `roundTo`), as bits of the type. What is
/// beyond the largest finite value becomes it or inf, as IEEE 754 says for the
/// mode; `saturate`: always the largest finite value.
uint64_t encodeFloat(Type type, double value, Rounding mode,
                     bool saturate = false);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_ROUNDING_H
