// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A sum of doubles that is rounded once, whatever cancels.

#ifndef MX_LIB_EMULATOR_EXACTSUM_H
#define MX_LIB_EMULATOR_EXACTSUM_H

#include <cstdint>

namespace mx::ptx {

/// Terms are finite, multiples of 2^-448 and less than 2^384 in magnitude:
/// products of two bf16 or tf32 values lie between 2^-272 and 2^256, those of
/// scaled FP8 values between 2^-286 and 2^287.
class ExactSum {
public:
  /// Partial sums stay in a double while their errors (Knuth's two-sum) are
  /// zero; from then on the sum is in fixed point.
  void add(double value) {
    if (!isWide) {
      double sum = fast + value, part = sum - fast;
      if ((fast - (sum - part)) + (value - part) == 0) {
        fast = sum;
        return;
      }
      isWide = true;
      addWide(fast);
    }
    addWide(value);
  }
  /// The sum, or, if that has more bits than a double, it rounded to odd:
  /// rounding it to at most 50 bits is the same as rounding the exact sum.
  double get();

private:
  // Bit i of the fixed-point number is worth 2^(i - scale); two's complement.
  static constexpr int scale = 512;
  static constexpr unsigned words = 15;
  void addWide(double value);

  double fast = 0;
  bool isWide = false;
  uint64_t wide[words] = {};
};

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_EXACTSUM_H
