// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Report/OperandStats.h"

#include "mx/Formats/Quantize.h"
#include "mx/Formats/Stats.h"

#include "llvm/ADT/StringSwitch.h"

#include <algorithm>
#include <cmath>

using namespace llvm;
using namespace mx;

/// Odd, so that zero is inside of a bin.
static constexpr int64_t numBins = 65;

SmallVector<float> mx::getCodePoints(const Format &format) {
  SmallVector<float> points = getDecodeTable(format);
  erase_if(points, [](float point) { return !std::isfinite(point); });
  sort(points);
  points.erase(llvm::unique(points), points.end());
  return points;
}

/// The values' distances from zero in units of the code points, counted.
static json::Array countValues(ArrayRef<float> original, const Quantized &q,
                               ArrayRef<float> dequantized, float range) {
  // With every code that of one, and of zero, what is left is the scales.
  SmallVector<float> table = getDecodeTable(q.format);
  Quantized constant = q;
  auto decodeConstant = [&](float value) {
    std::vector<float> decoded(q.codes.size());
    std::fill(constant.codes.begin(), constant.codes.end(),
              std::distance(table.begin(), llvm::find(table, value)));
    dequantize(constant, decoded);
    return decoded;
  };
  std::vector<float> one = decodeConstant(1), zero = decodeConstant(0);
  std::array<int64_t, numBins> bins = {};
  for (auto [i, x] : enumerate(original)) {
    double scale = double(one[i]) - zero[i];
    double value = table[q.codes[i]] + (double(x) - dequantized[i]) / scale;
    if (std::isfinite(value))
      ++bins[std::clamp<int64_t>((value + range) / (2 * range) * numBins, 0,
                                 numBins - 1)];
  }
  return json::Array(bins);
}

json::Value mx::getOperandStats(const Format &format, int64_t axis,
                                StringRef dtype, const void *data,
                                ArrayRef<int64_t> shape) {
  std::optional<FloatType> type = StringSwitch<std::optional<FloatType>>(dtype)
                                      .Case("f32", FloatType::F32)
                                      .Case("f16", FloatType::F16)
                                      .Case("bf16", FloatType::BF16)
                                      .Default(std::nullopt);
  if (!type)
    return nullptr;
  TensorView tensor(*type, data, shape);
  QuantizeOptions options;
  options.axis = axis;
  Expected<Quantized> q = quantize(format, options, tensor);
  if (!q) {
    consumeError(q.takeError());
    return nullptr;
  }
  SmallVector<float, 0> original = transformTensor(nullptr, tensor, q->axis);
  std::vector<float> decoded(original.size());
  dequantize(*q, decoded);
  QuantizationStats stats = computeStats(original, *q, decoded);

  // A block's largest value is at most a little beyond the largest code (twice
  // 4 where a rule rounds an E2M1 block's scale down).
  SmallVector<float> points = getCodePoints(format);
  float range = std::max(-points.front(), points.back()) * 1.125f;
  auto part = [](int64_t n, int64_t of) { return of ? double(n) / of : 0; };
  double snr = stats.getSNR();
  return json::Object{
      {"snr", std::isfinite(snr) ? json::Value(snr) : json::Value(nullptr)},
      {"underflow", part(stats.numUnderflow, stats.numNonZero)},
      {"saturation", part(stats.numSaturated, stats.numFinite)},
      {"used_codes",
       int64_t(stats.histogram.size()) - stats.getNumUnusedCodes()},
      {"range", range},
      {"bins", countValues(original, *q, decoded, range)}};
}
