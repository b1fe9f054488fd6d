// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of the floating types as doubles, and rounding them back exactly once.

#ifndef MX_LIB_EMULATOR_ROUNDING_H
#define MX_LIB_EMULATOR_ROUNDING_H

#include "mx/Emulator/Types.h"

#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace mx::ptx {

/// What a NaN result is for f32, and for f16 and bf16 (PTX ISA 9.7.3, 9.7.4).
inline constexpr uint32_t nanF32 = 0x7FFFFFFF;
inline constexpr uint16_t nanF16 = 0x7FFF;
inline constexpr uint64_t nanF64 = 0x7FF8000000000000;

/// `value` rounded to `precision` significant bits, to multiples of
/// 2^(minExponent - precision + 1) below 2^minExponent. `mode` is rn, rz, rm,
/// rp or rna (nearest, ties away); `value` has to be exact or rounded to odd.
double roundTo(double value, int precision, int minExponent,
               llvm::StringRef mode);

/// x + y rounded to odd: rounding the result to at most 51 bits is the same as
/// rounding the exact sum.
double addOdd(double x, double y);

/// The value of a code of f16, bf16, tf32, f32 or f64.
double decodeFloat(Type type, uint64_t bits);

/// `value`, rounded by `mode` (see `roundTo`), as bits of the type. What is
/// beyond the largest finite value becomes it or inf, as IEEE 754 says for the
/// mode; `saturate`: always the largest finite value.
uint64_t encodeFloat(Type type, double value, llvm::StringRef mode,
                     bool saturate = false);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_ROUNDING_H
