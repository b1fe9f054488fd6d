// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ExactSum.h"

#include "llvm/ADT/bit.h"

#include <cmath>

using namespace mx::ptx;

void ExactSum::addWide(double value) {
  if (value == 0)
    return;
  int exponent;
  int64_t significand = int64_t(std::ldexp(std::frexp(value, &exponent), 53));
  unsigned position = exponent - 53 + scale;
  unsigned word = position / 64, shift = position % 64;
  // A product: negative numbers are not shifted.
  __int128 term = __int128(significand) * (__int128(1) << shift);
  bool carry = false;
  for (unsigned i = word; i < words; ++i) {
    uint64_t part = i == word       ? uint64_t(term)
                    : i == word + 1 ? uint64_t(term >> 64)
                                    : uint64_t(term < 0 ? -1 : 0);
    unsigned __int128 sum = (unsigned __int128)(wide[i]) + part + carry;
    wide[i] = uint64_t(sum);
    carry = sum >> 64;
  }
}

double ExactSum::get() {
  if (!isWide)
    return fast;
  bool isNegative = int64_t(wide[words - 1]) < 0;
  uint64_t magnitude[words];
  bool carry = isNegative;
  for (unsigned i = 0; i < words; ++i) {
    magnitude[i] = isNegative ? ~wide[i] + carry : wide[i];
    carry = carry && magnitude[i] == 0;
  }
  int top = words - 1;
  while (top >= 0 && magnitude[top] == 0)
    --top;
  if (top < 0)
    return 0;
  // The top 52 bits, the lowest set if anything lies below them.
  int high = 64 * top + 63 - llvm::countl_zero(magnitude[top]);
  uint64_t significand = 0;
  for (int bit = high; bit > high - 52; --bit)
    significand = significand << 1 |
                  (bit >= 0 ? magnitude[bit / 64] >> (bit % 64) & 1 : 0);
  bool isSticky = false;
  for (int bit = high - 52; bit >= 0 && !isSticky; --bit)
    isSticky = magnitude[bit / 64] >> (bit % 64) & 1;
  double value = std::ldexp(double(significand | isSticky), high - 51 - scale);
  return isNegative ? -value : value;
}
