// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// min and max of floating-point values (PTX ISA 9.7.3, 9.7.4).

#ifndef MX_LIB_EMULATOR_MINMAX_H
#define MX_LIB_EMULATOR_MINMAX_H

#include <algorithm>
#include <cmath>

namespace mx::ptx {

/// One NaN gives the other operand; -0 is less than +0.
template <typename T> T min(T a, T b) {
  return std::isnan(a)   ? b
         : std::isnan(b) ? a
         : a == b        ? (std::signbit(a) ? a : b)
                         : std::min(a, b);
}
template <typename T> T max(T a, T b) {
  return std::isnan(a)   ? b
         : std::isnan(b) ? a
         : a == b        ? (std::signbit(a) ? b : a)
                         : std::max(a, b);
}

/// F, or NaN if one operand is.
template <typename T, T (*F)(T, T)> T orNaN(T a, T b) {
  return std::isnan(a) || std::isnan(b) ? T(NAN) : F(a, b);
}

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_MINMAX_H
