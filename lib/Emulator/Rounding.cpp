// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Rounding.h"

#include "mx/Formats/Codec.h"

#include <cmath>
#include <limits>

using namespace mx::ptx;

double mx::ptx::roundToIntegral(double value, Rounding mode) {
  switch (mode) {
  case Rounding::Zero:
    return std::trunc(value);
  case Rounding::Down:
    return std::floor(value);
  case Rounding::Up:
    return std::ceil(value);
  case Rounding::NearestAway:
    return std::round(value);
  default:
    return std::nearbyint(value);
  }
}

double mx::ptx::roundTo(double value, int precision, int minExponent,
                        Rounding mode) {
  if (value == 0 || !std::isfinite(value))
    return value;
  int step = std::max(getExponent(value), minExponent) - (precision - 1);
  // What a double subnormal holds is less than half a step, so that scaling it
  // to another tiny number loses nothing.
  double scaled = roundToIntegral(value * getPower(-step), mode);
  return std::copysign(scaled * getPower(step), value);
}

/// The neighbour of `value` with an odd last bit toward an exact result that
/// lies beyond it by a number of the sign of `error`; itself if exact or odd.
static double makeOdd(double value, double error) {
  if (error == 0 || llvm::bit_cast<uint64_t>(value) & 1)
    return value;
  return std::nextafter(value, error > 0 ? HUGE_VAL : -HUGE_VAL);
}

double mx::ptx::addOdd(double x, double y) {
  double sum = x + y;
  if (!std::isfinite(sum))
    return sum;
  // Knuth's two-sum: the error is exact.
  double part = sum - x;
  return makeOdd(sum, (x - (sum - part)) + (y - part));
}

/// Of values of at most 24 bits and f32's range: no remainder underflows.
double mx::ptx::divideOdd(double x, double y) {
  double quotient = x / y;
  if (!std::isfinite(quotient) || quotient == 0 || !std::isfinite(y))
    return quotient;
  double remainder = std::fma(-quotient, y, x);
  return makeOdd(quotient, y > 0 ? remainder : -remainder);
}

double mx::ptx::rootOdd(double x) {
  double root = std::sqrt(x);
  if (!std::isfinite(root) || root == 0)
    return root;
  return makeOdd(root, std::fma(-root, root, x));
}

double mx::ptx::decodeFloat(Type type, uint64_t bits) {
  switch (type) {
  case Type::F16:
    return decodeF16(bits);
  case Type::BF16:
    return decodeBF16(bits);
  case Type::TF32:
    return fromBits(bits & ~uint64_t(0x1FFF));
  case Type::F32:
    return fromBits(bits);
  default:
    return llvm::bit_cast<double>(bits);
  }
}

uint64_t mx::ptx::encodeFloat(Type type, double value, Rounding mode,
                              bool saturate) {
  if (type == Type::F64)
    return std::isnan(value) ? nanF64 : llvm::bit_cast<uint64_t>(value);
  bool isHalf = type == Type::F16 || type == Type::BF16;
  if (std::isnan(value))
    return isHalf ? nanF16 : nanF32;
  int precision = type == Type::F32 ? 24 : type == Type::BF16 ? 8 : 11;
  int minExponent = type == Type::F16 ? -14 : -126;
  double most =
      (2 - getPower(1 - precision)) * getPower(type == Type::F16 ? 15 : 127);
  double rounded = roundTo(value, precision, minExponent, mode);
  if (std::fabs(rounded) > most) {
    bool isFinite = std::isfinite(value);
    bool toMost = mode == Rounding::Zero ||
                  (mode == Rounding::Down && value > 0) ||
                  (mode == Rounding::Up && value < 0);
    rounded = std::copysign(saturate || (toMost && isFinite) ? most : HUGE_VAL,
                            value);
  }
  if (type == Type::F16)
    return encodeF16(float(rounded));
  if (type == Type::BF16)
    return encodeBF16(float(rounded));
  return toBits(float(rounded));
}
