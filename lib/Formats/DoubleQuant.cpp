// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DoubleQuant.h"
#include "TorchSum.h"

#include "llvm/ADT/STLExtras.h"

#include <array>
#include <cmath>

using namespace llvm;
using namespace mx;

/// Scales that share a number.
static constexpr size_t groupSize = 256;

ArrayRef<float> mx::getDynamicMap() {
  static const auto map = [] {
    std::array<float, 256> map;
    size_t next = 0;
    for (int i = 0; i < 7; ++i) {
      int parts = 1 << i;
      // The boundaries are those of torch.linspace, which steps from both ends.
      float step = (1.0f - 0.1f) / float(parts);
      auto boundary = [&](int j) {
        return j < (parts + 1) / 2 ? 0.1f + step * float(j)
                                   : 1.0f - step * float(parts - j);
      };
      for (int j = 0; j < parts; ++j) {
        float centre = (boundary(j) + boundary(j + 1)) / 2.0f;
        float value = float(std::pow(10.0, i - 6)) * centre;
        map[next++] = value;
        map[next++] = -value;
      }
    }
    map[next++] = 0;
    map[next++] = 1;
    llvm::sort(map);
    return map;
  }();
  return map;
}

static float computeMean(Variant variant, ArrayRef<float> values) {
  if (variant != Variant::OCP)
    return mx::detail::computeTorchSum(values) / float(values.size());
  double sum = 0;
  for (float value : values)
    sum += value;
  return float(sum / double(values.size()));
}

/// The point nearest to `v` of 65,536 in [-1, 1]: bitsandbytes looks codes up
/// in a table of these.
static float snapToTable(float v) {
  float clamped = std::clamp(v, -1.0f, 1.0f);
  int index = int((clamped + 1.0f) * 0.5f * 65535.0f + 0.5f);
  return -1.0f + (2.0f * float(index)) / 65535.0f;
}

/// Index of the value of the map nearest to `v`, the lower one of two; 0 for
/// NaN, which only a group of equal or infinite scales gives.
static uint8_t encodeDynamic(Variant variant, float v) {
  if (std::isnan(v))
    return 0;
  if (variant == Variant::BitsAndBytes)
    v = snapToTable(v);
  ArrayRef<float> map = getDynamicMap();
  uint8_t code = 0;
  while (code < 255 && (map[code] + map[code + 1]) * 0.5f < v)
    ++code;
  return code;
}

void mx::detail::quantizeScales(Quantized &q) {
  Variant variant = q.format.variant;
  if (!q.scales.empty())
    q.scaleOffset = computeMean(variant, q.scales);
  q.scaleCodes.resize_for_overwrite(q.scales.size());
  for (size_t begin = 0; begin < q.scales.size(); begin += groupSize) {
    size_t size = std::min(groupSize, q.scales.size() - begin);
    float amax = 0;
    for (size_t i = begin; i < begin + size; ++i)
      amax = std::max(amax, std::fabs(q.scales[i] - q.scaleOffset));
    bool linear = variant == Variant::TorchAO;
    float group = linear ? 256.0f / (2.0f * amax) : amax;
    float inverse = 1.0f / amax;
    for (size_t i = begin; i < begin + size; ++i) {
      float v = q.scales[i] - q.scaleOffset;
      q.scaleCodes[i] = linear ? uint8_t(roundToInteger(v * group, -128, 127))
                               : encodeDynamic(variant, v * inverse);
    }
    q.groupScales.push_back(group);
  }
  q.scales.clear();
}

SmallVector<float, 0> mx::detail::dequantizeScales(const Quantized &q) {
  SmallVector<float, 0> scales;
  scales.reserve(q.scaleCodes.size());
  for (auto [i, code] : enumerate(q.scaleCodes)) {
    float group = q.groupScales[i / groupSize];
    float v = q.format.variant == Variant::TorchAO
                  ? float(int8_t(code)) / group
                  : getDynamicMap()[code] * group;
    scales.push_back(v + q.scaleOffset);
  }
  return scales;
}
