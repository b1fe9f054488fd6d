// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BlockQuantizer.h"

#include "TorchSum.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <numeric>

using namespace llvm;
using namespace mx;
using namespace mx::detail;

void BlockQuantizer::run() {
  for (int64_t outer = 0; outer < layout.outer; ++outer)
    for (int64_t inner = 0; inner < layout.inner; ++inner) {
      int64_t begin = outer * layout.outerStride + inner * layout.innerStride;
      int64_t scaleBegin =
          outer * layout.outerScaleStride + inner * layout.innerScaleStride;
      if (layout.cols.stride == 1)
        runMatrix(begin, scaleBegin);
      else
        runTransposed(begin, scaleBegin);
    }
}

void BlockQuantizer::runMatrix(int64_t begin, int64_t scaleBegin) {
  const Extent &rows = layout.rows, &cols = layout.cols;
  for (int64_t rowBlock = 0; rowBlock < rows.numBlocks; ++rowBlock)
    for (int64_t colBlock = 0; colBlock < cols.numBlocks; ++colBlock) {
      int64_t row = rowBlock * rows.block, col = colBlock * cols.block;
      Block block;
      block.begin = begin + row * rows.stride + col * cols.stride;
      block.index = layout.indexBase + begin + row * rows.indexStride +
                    col * cols.indexStride;
      block.rows = std::min(rows.block, rows.size - row);
      block.cols = std::min(cols.block, cols.size - col);
      block.ragged = block.rows < rows.block || block.cols < cols.block;
      quantize(block, scaleBegin + rowBlock * rows.scaleStride +
                          colBlock * cols.scaleStride);
    }
}

/// Quantises a matrix whose columns are not contiguous: a panel of its rows
/// (which are neighbours in memory) at a time is copied, so that each row is
/// contiguous, and its codes are copied back.
void BlockQuantizer::runTransposed(int64_t begin, int64_t scaleBegin) {
  const Extent &rows = layout.rows, &cols = layout.cols;
  assert(rows.stride == 1 && "rows are the innermost dimension");
  // Tiles of this size lie in the first cache.
  constexpr int64_t tile = 64;
  int64_t step = alignTo(tile, rows.block);
  // A few elements longer: rows a power of two apart would share cache sets.
  int64_t rowStride = cols.size + 16;
  SmallVector<float, 0> values;
  Quantized part;
  for (int64_t first = 0; first < rows.size; first += step) {
    int64_t numRows = std::min(step, rows.size - first);
    values.resize_for_overwrite(numRows * rowStride);
    for (int64_t row = 0; row < numRows; row += tile)
      for (int64_t col = 0; col < cols.size; ++col)
        reader.forEachPiece(begin + first + row + col * cols.stride, 1,
                            std::min(tile, numRows - row),
                            [&](const float *x, int64_t n, int64_t) {
                              for (int64_t i = 0; i < n; ++i)
                                values[(row + i) * rowStride + col] = x[i];
                            });

    Layout panel({numRows, rowStride, rows.block}, {cols.size, 1, cols.block});
    panel.rows.indexStride = rows.indexStride;
    panel.cols.indexStride = cols.indexStride;
    panel.rows.scaleStride = cols.numBlocks;
    panel.cols.scaleStride = 1;
    panel.indexBase = layout.indexBase + begin + first;
    int64_t numScales = panel.rows.numBlocks * cols.numBlocks;
    part.tensorScale = result.tensorScale;
    part.codes.resize_for_overwrite(values.size());
    part.scaleCodes.resize(result.scaleCodes.empty() ? 0 : numScales);
    part.scales.resize(result.scales.empty() ? 0 : numScales);
    part.zeroPoints.resize(result.zeroPoints.empty() ? 0 : numScales);
    int64_t shape[] = {numRows, rowStride};
    BlockQuantizer(format, options, type, TensorView(values, shape), panel,
                   part)
        .runMatrix(0, 0);

    for (int64_t row = 0; row < numRows; row += tile)
      for (int64_t col = 0; col < cols.size; ++col)
        for (int64_t i = row; i < std::min(row + tile, numRows); ++i)
          result.codes[begin + first + i + col * cols.stride] =
              part.codes[i * rowStride + col];
    for (int64_t i = 0; i < numScales; ++i) {
      int64_t to =
          scaleBegin +
          (first / rows.block + i / cols.numBlocks) * rows.scaleStride +
          i % cols.numBlocks * cols.scaleStride;
      if (!part.scaleCodes.empty())
        result.scaleCodes[to] = part.scaleCodes[i];
      else
        result.scales[to] = part.scales[i];
      if (!part.zeroPoints.empty())
        result.zeroPoints[to] = part.zeroPoints[i];
    }
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
    forEachPiece(block, [&](const float *x, int64_t n, int64_t, int64_t) {
      for (int64_t i = 0; i < n; ++i)
        sum += std::fabs(x[i]);
    });
    range.absMean = float(sum / double(block.rows * block.cols));
    return range;
  }
  uint32_t bits = 0;
  forEachPiece(block, [&](const float *x, int64_t n, int64_t, int64_t) {
    bits = std::max(bits, getAbsMaxBits(x, n, /*skipNaN=*/false));
  });
  range.amax = fromBits(bits);
  if (!format.zeroPoint)
    return range;
  // NaN spoils the block: neither comparison below holds for it.
  range.low = INFINITY;
  range.high = -INFINITY;
  forEachPiece(block, [&](const float *x, int64_t n, int64_t, int64_t) {
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
  forEachPiece(block, [&](const float *x, int64_t n, int64_t row, int64_t col) {
    encodeRun(code, scaling, x, n,
              block.index + row * layout.rows.indexStride +
                  col * layout.cols.indexStride,
              codes + block.begin + row * layout.rows.stride + col);
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
  forEachPiece(block, [&](const float *x, int64_t n, int64_t, int64_t) {
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
