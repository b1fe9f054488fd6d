// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BlockQuantizer.h"

#include "TorchSum.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <numeric>

using namespace llvm;
using namespace mx;
using namespace mx::detail;

void BlockQuantizer::run() {
  const Extent &rows = layout.rows, &cols = layout.cols;
  for (int64_t outer = 0; outer < layout.outer; ++outer)
    for (int64_t inner = 0; inner < layout.inner; ++inner)
      for (int64_t row = 0; row < rows.numBlocks; ++row)
        for (int64_t col = 0; col < cols.numBlocks; ++col) {
          Block block;
          block.begin =
              outer * layout.outerStride + inner * layout.innerStride +
              row * rows.block * rows.stride + col * cols.block * cols.stride;
          block.rows = std::min(rows.block, rows.size - row * rows.block);
          block.cols = std::min(cols.block, cols.size - col * cols.block);
          block.ragged = block.rows < rows.block || block.cols < cols.block;
          quantize(block, outer * layout.outerScaleStride +
                              inner * layout.innerScaleStride +
                              row * rows.scaleStride + col * cols.scaleStride);
        }
}

void BlockQuantizer::quantize(const Block &block, int64_t scaleIndex) {
  BlockRange range = getRange(block);
  BlockScale scale =
      format.fourOverSix == FourOverSix::None
          ? getBlockScale(format, type, result.tensorScale, range)
          : chooseFourOverSix(block, range.amax);
  if (!result.scaleCodes.empty())
    result.scaleCodes[scaleIndex] = scale.code;
  else
    result.scales[scaleIndex] = scale.value;
  if (format.zeroPoint)
    result.zeroPoints[scaleIndex] = scale.zeroPoint;
  encode(block, scale.scaling, result.codes.data());
}

BlockRange BlockQuantizer::getRange(const Block &block) {
  BlockRange range;
  range.ragged = block.ragged;
  if (format.rule == ScaleRule::AbsMean) {
    double sum = 0;
    forEachPiece(block, [&](const float *x, int64_t n, int64_t) {
      for (int64_t i = 0; i < n; ++i)
        sum += std::fabs(x[i]);
    });
    range.absMean = float(sum / double(block.rows * block.cols));
    return range;
  }
  uint32_t bits = 0;
  forEachPiece(block, [&](const float *x, int64_t n, int64_t) {
    bits = std::max(bits, getAbsMaxBits(x, n, /*skipNaN=*/false));
  });
  range.amax = fromBits(bits);
  if (!format.zeroPoint)
    return range;
  // NaN spoils the block: neither comparison below holds for it.
  range.low = INFINITY;
  range.high = -INFINITY;
  forEachPiece(block, [&](const float *x, int64_t n, int64_t) {
    for (int64_t i = 0; i < n; ++i) {
      range.low = x[i] < range.low ? x[i] : range.low;
      range.high = x[i] > range.high ? x[i] : range.high;
    }
  });
  if (std::isnan(range.amax))
    range.low = range.high = range.amax;
  return range;
}

void BlockQuantizer::encode(const Block &block, const ElementScaling &scaling,
                            uint8_t *codes) {
  int64_t stride = layout.cols.stride;
  forEachPiece(block, [&](const float *x, int64_t n, int64_t begin) {
    if (stride == 1)
      return encodeRun(code, scaling, x, n, begin, codes + begin);
    uint8_t piece[1024];
    encodeRun(code, scaling, x, n, begin, piece);
    for (int64_t i = 0; i < n; ++i)
      codes[begin + i * stride] = piece[i];
  });
}

//===----------------------------------------------------------------------===//
// 4 over 6
//===----------------------------------------------------------------------===//

/// The error of one element.
static float getError(FourOverSix measure, float difference) {
  return measure == FourOverSix::MSE ? difference * difference
                                     : std::fabs(difference);
}

/// The error of a block under one scale, in f32. Of an element:
/// ((q * s) * A) / (6 M) - x, its square or magnitude. They are summed along
/// each row in order, then the rows of a 16-row block by halves (Transformer
/// Engine's order), others in order; fouroversix sums in PyTorch's order.
/// `AbsMax` takes the largest.
float BlockQuantizer::getError(const Block &block, const BlockScale &scale) {
  ArrayRef<float> table = mx::getDecodeTable(format.element);
  float denominator = float(6 * format.scaleMax);
  float amax = result.tensorScale.amax;
  CodeOptions nearest = code;
  nearest.rounding = ElementRounding::NearestEven;
  SmallVector<float, 256> errors;
  SmallVector<uint8_t, 256> codes;
  forEachPiece(block, [&](const float *x, int64_t n, int64_t) {
    codes.resize_for_overwrite(n);
    encodeRun(nearest, scale.scaling, x, n, 0, codes.data());
    for (int64_t i = 0; i < n; ++i) {
      float value = table[codes[i]] * scale.value;
      value = value * amax;
      value = value / denominator;
      errors.push_back(::getError(format.fourOverSix, value - x[i]));
    }
  });
  if (format.fourOverSix == FourOverSix::AbsMax)
    return *llvm::max_element(errors);
  if (format.variant == Variant::FourOverSix)
    return computeTorchSum(errors);
  // A ragged block is padded with zeros, which have no error.
  SmallVector<float, 16> rows(format.blockRows == 16 ? 16 : block.rows, 0);
  for (auto [i, error] : enumerate(errors))
    rows[i / block.cols] += error;
  if (rows.size() == 16)
    for (unsigned half = 8; half > 1; half /= 2) {
      for (unsigned r = 0; r < half; ++r)
        rows[r] += rows[r + half];
      rows.truncate(half);
    }
  return std::accumulate(rows.begin() + 1, rows.end(), rows.front());
}

BlockScale BlockQuantizer::chooseFourOverSix(const Block &block, float amax) {
  FourOverSixScales scales =
      getFourOverSixScales(format, result.tensorScale, amax);
  // A tie goes to six.
  bool four = getError(block, scales.four) < getError(block, scales.six);
  return four ? scales.four : scales.six;
}
