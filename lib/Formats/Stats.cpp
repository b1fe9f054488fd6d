// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Formats/Stats.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace llvm;
using namespace mx;

double QuantizationStats::getSNR() const {
  return noise == 0 ? INFINITY : 10 * std::log10(signal / noise);
}

int64_t QuantizationStats::getNumUnusedCodes() const {
  return llvm::count(histogram, 0);
}

QuantizationStats mx::computeStats(ArrayRef<float> original,
                                   const Quantized &quantized,
                                   ArrayRef<float> dequantized) {
  SmallVector<float> table = getDecodeTable(quantized.format);
  float low = 0, high = 0;
  for (float value : table)
    if (std::isfinite(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }

  QuantizationStats stats;
  stats.histogram.assign(table.size(), 0);
  for (auto [x, y, code] :
       llvm::zip_equal(original, dequantized, quantized.codes)) {
    ++stats.histogram[code];
    if (!std::isfinite(x)) {
      ++stats.numNonFinite;
      continue;
    }
    ++stats.numFinite;
    double error = double(y) - double(x);
    stats.signal += double(x) * double(x);
    stats.noise += error * error;
    stats.numNonZero += x != 0;
    stats.numUnderflow += x != 0 && y == 0;
    stats.numSaturated +=
        (table[code] == high && x > y) || (table[code] == low && x < y);
  }
  return stats;
}
