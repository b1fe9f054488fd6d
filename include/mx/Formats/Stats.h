// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What quantisation did to a tensor.

#ifndef MX_FORMATS_STATS_H
#define MX_FORMATS_STATS_H

#include "mx/Formats/Quantize.h"

namespace mx {

struct QuantizationStats {
  /// Elements that are neither inf nor NaN; the numbers below count only these.
  int64_t numFinite = 0;
  int64_t numNonFinite = 0;
  int64_t numNonZero = 0;
  /// Nonzero elements that became zero.
  int64_t numUnderflow = 0;
  /// Elements beyond the largest or smallest code's value.
  int64_t numSaturated = 0;
  /// Sums of squares of the elements and of their errors, in f64.
  double signal = 0;
  double noise = 0;
  /// How often each code occurs, of all elements.
  llvm::SmallVector<int64_t> histogram;

  /// 10 log10(signal / noise); infinite without noise.
  double getSNR() const;
  int64_t getNumUnusedCodes() const;
};

/// `original` is what was quantised (after a transform), `dequantized` what
/// `dequantize` gives.
QuantizationStats computeStats(llvm::ArrayRef<float> original,
                               const Quantized &quantized,
                               llvm::ArrayRef<float> dequantized);

} // namespace mx

#endif // MX_FORMATS_STATS_H
