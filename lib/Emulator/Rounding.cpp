// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Rounding.h"

#include "mx/Formats/Codec.h"

#include <cmath>
#include <limits>

using namespace mx::ptx;

double mx::ptx::roundTo(double value, int precision, int minExponent,
                        llvm::StringRef mode) {
  if (value == 0 || !std::isfinite(value))
    return value;
  int step = std::max(std::ilogb(value), minExponent) - (precision - 1);
  double scaled = std::ldexp(value, -step);
  if (mode == "rz")
    scaled = std::trunc(scaled);
  else if (mode == "rm")
    scaled = std::floor(scaled);
  else if (mode == "rp")
    scaled = std::ceil(scaled);
  else if (mode == "rna")
    scaled = std::round(scaled);
  else
    scaled = std::nearbyint(scaled);
  return std::copysign(std::ldexp(scaled, step), value);
}

double mx::ptx::addOdd(double x, double y) {
  double sum = x + y;
  if (!std::isfinite(sum))
    return sum;
  // Knuth's two-sum: the error is exact.
  double part = sum - x;
  double error = (x - (sum - part)) + (y - part);
  if (error != 0 && (llvm::bit_cast<uint64_t>(sum) & 1) == 0)
    sum = std::nextafter(sum, error > 0 ? HUGE_VAL : -HUGE_VAL);
  return sum;
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

uint64_t mx::ptx::encodeFloat(Type type, double value, llvm::StringRef mode,
                              bool saturate) {
  if (type == Type::F64)
    return std::isnan(value) ? nanF64 : llvm::bit_cast<uint64_t>(value);
  bool isHalf = type == Type::F16 || type == Type::BF16;
  if (std::isnan(value))
    return isHalf ? nanF16 : nanF32;
  int precision = type == Type::F32 ? 24 : type == Type::BF16 ? 8 : 11;
  int minExponent = type == Type::F16 ? -14 : -126;
  double most = std::ldexp(2 - std::ldexp(1, 1 - precision),
                           type == Type::F16 ? 15 : 127);
  double rounded = roundTo(value, precision, minExponent, mode);
  if (std::fabs(rounded) > most) {
    bool isFinite = std::isfinite(value);
    bool toMost = mode == "rz" || (mode == "rm" && value > 0) ||
                  (mode == "rp" && value < 0);
    rounded = std::copysign(saturate || (toMost && isFinite) ? most : HUGE_VAL,
                            value);
  }
  if (type == Type::F16)
    return encodeF16(float(rounded));
  if (type == Type::BF16)
    return encodeBF16(float(rounded));
  return toBits(float(rounded));
}
