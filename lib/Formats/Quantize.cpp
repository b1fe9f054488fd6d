// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks a tensor's blocks. A tensor of any rank is seen as batches of matrices,
// block columns along the axis, block rows along the innermost other dimension.

#include "mx/Formats/Quantize.h"

#include "DoubleQuant.h"
#include "Loops.h"
#include "TorchSum.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <numeric>

using namespace llvm;
using namespace mx;
using namespace mx::detail;

//===----------------------------------------------------------------------===//
// Geometry
//===----------------------------------------------------------------------===//

static int64_t product(ArrayRef<int64_t> extents) {
  int64_t count = 1;
  for (int64_t extent : extents)
    count *= extent;
  return count;
}

bool mx::isFlattened(const Format &format) {
  switch (format.element) {
  case Element::NF4:
    return format.variant == Variant::BitsAndBytes ||
           format.variant == Variant::TorchAO;
  case Element::Int4:
    return format.variant == Variant::ModelOpt;
  default:
    return false;
  }
}

namespace {
/// One dimension of the matrices.
struct Extent {
  int64_t size;
  int64_t stride;
  int64_t block;
  int64_t numBlocks;
  int64_t scaleStride = 0;

  Extent(int64_t size, int64_t stride, int64_t block)
      : size(size), stride(stride),
        block(block == Format::Whole ? std::max<int64_t>(size, 1) : block),
        numBlocks(block == Format::Whole ? 1 : divideCeil(size, block)) {}
};

/// A tensor as `outer` x `inner` matrices of `rows` x `cols`.
struct Layout {
  int64_t outer = 1, outerStride = 0, outerScaleStride = 0;
  int64_t inner = 1, innerStride = 0, innerScaleStride = 0;
  Extent rows, cols;

  static Layout get(const Format &format, ArrayRef<int64_t> shape,
                    int64_t axis);

private:
  Layout(Extent rows, Extent cols) : rows(rows), cols(cols) {}
};
} // namespace

Layout Layout::get(const Format &format, ArrayRef<int64_t> shape,
                   int64_t axis) {
  bool tensor =
      format.blockRows == Format::Whole && format.blockCols == Format::Whole;
  if (tensor || isFlattened(format) || shape.size() == 1) {
    Layout layout({1, 0, 1}, {product(shape), 1, format.blockCols});
    layout.cols.scaleStride = 1;
    return layout;
  }

  int64_t last = shape.back();
  if (axis == int64_t(shape.size()) - 1) {
    Layout layout({shape[axis - 1], last, format.blockRows},
                  {last, 1, format.blockCols});
    layout.outer = product(shape.drop_back(2));
    layout.outerStride = shape[axis - 1] * last;
    layout.cols.scaleStride = 1;
    layout.rows.scaleStride = layout.cols.numBlocks;
    layout.outerScaleStride = layout.rows.numBlocks * layout.cols.numBlocks;
    return layout;
  }
  // (outer..., axis, inner..., rows)
  int64_t inner = product(shape.slice(axis + 1).drop_back());
  Layout layout({last, 1, format.blockRows},
                {shape[axis], inner * last, format.blockCols});
  layout.outer = product(shape.take_front(axis));
  layout.outerStride = shape[axis] * inner * last;
  layout.inner = inner;
  layout.innerStride = last;
  layout.rows.scaleStride = 1;
  layout.innerScaleStride = layout.rows.numBlocks;
  layout.cols.scaleStride = inner * layout.rows.numBlocks;
  layout.outerScaleStride = layout.cols.numBlocks * layout.cols.scaleStride;
  return layout;
}

/// The extents of the scales; see `Quantized::scaleShape`.
static SmallVector<int64_t>
getScaleShape(const Format &format, ArrayRef<int64_t> shape, int64_t axis) {
  if (isFlattened(format))
    return {int64_t(divideCeil(product(shape), format.blockCols))};
  SmallVector<int64_t> scales;
  for (auto [extent, block] :
       zip_equal(shape, getBlockShape(format, shape.size(), axis)))
    scales.push_back(block == Format::Whole ? 1 : divideCeil(extent, block));
  return scales;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {
/// Runs of a tensor as contiguous f32, in pieces.
class Reader {
public:
  explicit Reader(TensorView tensor) : tensor(tensor) {}

  /// Calls `fn(values, n, done)` for pieces of `n` elements that start at
  /// `begin` and lie `stride` apart; `done` counts the elements before.
  template <typename Fn>
  void forEachPiece(int64_t begin, int64_t stride, int64_t n, Fn fn) {
    if (stride == 1 && tensor.type == FloatType::F32)
      return fn(static_cast<const float *>(tensor.data) + begin, n, 0);
    for (int64_t done = 0; done < n; done += pieceSize) {
      int64_t size = std::min(pieceSize, n - done);
      load(begin + done * stride, stride, size);
      fn(static_cast<const float *>(piece), size, done);
    }
  }

private:
  static constexpr int64_t pieceSize = 1024;

  void load(int64_t begin, int64_t stride, int64_t n) {
    if (tensor.type == FloatType::F32) {
      const float *from = static_cast<const float *>(tensor.data) + begin;
      for (int64_t i = 0; i < n; ++i)
        piece[i] = from[i * stride];
      return;
    }
    const uint16_t *from = static_cast<const uint16_t *>(tensor.data) + begin;
    if (stride == 1)
      return widenRun(tensor.type, from, n, piece);
    uint16_t gathered[pieceSize];
    for (int64_t i = 0; i < n; ++i)
      gathered[i] = from[i * stride];
    widenRun(tensor.type, gathered, n, piece);
  }

  TensorView tensor;
  float piece[pieceSize];
};
} // namespace

float mx::computeAmax(TensorView tensor, bool propagateNaN) {
  uint32_t bits = 0;
  Reader(tensor).forEachPiece(
      0, 1, product(tensor.shape), [&](const float *x, int64_t n, int64_t) {
        bits = std::max(bits, getAbsMaxBits(x, n, !propagateNaN));
      });
  return fromBits(bits);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

namespace {
/// A rectangle of a matrix.
struct Block {
  /// Index of its first element in the tensor.
  int64_t begin;
  int64_t rows, cols;
  bool ragged;
};

/// Quantises a tensor block by block into `result`.
class BlockQuantizer {
public:
  /// `type` is that of the original, where `tensor` is its transform.
  BlockQuantizer(const Format &format, const QuantizeOptions &options,
                 FloatType type, TensorView tensor, const Layout &layout,
                 Quantized &result)
      : format(format), type(type), reader(tensor), layout(layout),
        result(result) {
    code.element = format.element;
    code.rounding = options.rounding;
    code.random = {options.seed, options.offset, options.randomBits};
    code.randomStride = layout.cols.stride;
    code.variant = format.variant;
  }

  void run();

private:
  void quantize(const Block &block, int64_t scaleIndex);
  BlockRange getRange(const Block &block);
  void encode(const Block &block, const ElementScaling &scaling,
              uint8_t *codes);
  BlockScale chooseFourOverSix(const Block &block, float amax);
  float getError(const Block &block, const BlockScale &scale);

  /// Calls `fn(values, n, begin)` for the contiguous pieces of a block, row by
  /// row.
  template <typename Fn> void forEachPiece(const Block &block, Fn fn) {
    for (int64_t r = 0; r < block.rows; ++r) {
      int64_t begin = block.begin + r * layout.rows.stride;
      reader.forEachPiece(begin, layout.cols.stride, block.cols,
                          [&](const float *x, int64_t n, int64_t done) {
                            fn(x, n, begin + done * layout.cols.stride);
                          });
    }
  }

  const Format &format;
  FloatType type;
  Reader reader;
  const Layout &layout;
  Quantized &result;
  CodeOptions code;
};
} // namespace

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
/// each row in order, then the rows by halves where there are 16 (Transformer
/// Engine's order) and in order where not; fouroversix sums in PyTorch's order.
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
  SmallVector<float, 16> rows(block.rows, 0);
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

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

SmallVector<float, 0> mx::transformTensor(const Hadamard *transform,
                                          TensorView tensor, int64_t axis) {
  int64_t count = product(tensor.shape), extent = tensor.shape[axis];
  int64_t stride = product(tensor.shape.drop_front(axis + 1));
  SmallVector<float, 0> values, row(extent);
  values.resize_for_overwrite(count);
  if (count == 0)
    return values;
  Reader reader(tensor);
  if (!transform) {
    reader.forEachPiece(0, 1, count, [&](const float *x, int64_t n, int64_t i) {
      std::copy(x, x + n, values.begin() + i);
    });
    return values;
  }
  for (int64_t outer = 0; outer < count; outer += extent * stride)
    for (int64_t inner = outer; inner < outer + stride; ++inner) {
      reader.forEachPiece(inner, stride, extent,
                          [&](const float *x, int64_t n, int64_t done) {
                            std::copy(x, x + n, row.begin() + done);
                          });
      transform->apply(row);
      for (auto [i, value] : enumerate(row))
        values[inner + i * stride] = roundTo(tensor.type, value);
    }
  return values;
}

/// Checks that the options fit the format and the tensor.
static Error checkOptions(const Format &format, const QuantizeOptions &options,
                          ArrayRef<int64_t> shape, int64_t axis) {
  if (shape.empty())
    return createStringError(
        "a tensor of rank 0 has no axis to quantise along");
  if (axis < 0 || axis >= int64_t(shape.size()))
    return createStringError("axis " + Twine(options.axis) +
                             " is outside a tensor of rank " +
                             Twine(shape.size()));
  if (options.randomBits < 8 || options.randomBits > 24)
    return createStringError("stochastic rounding takes 8 to 24 random bits, "
                             "got " +
                             Twine(options.randomBits));
  if (options.transform && shape[axis] % options.transform->size())
    return createStringError("extent " + Twine(shape[axis]) + " of axis " +
                             Twine(axis) +
                             " is not a multiple of the transform's size " +
                             Twine(options.transform->size()));
  return format.verify();
}

Expected<Quantized> mx::quantize(const Format &format,
                                 const QuantizeOptions &options,
                                 TensorView tensor) {
  int64_t rank = tensor.shape.size();
  int64_t axis = options.axis < 0 ? options.axis + rank : options.axis;
  if (Error error = checkOptions(format, options, tensor.shape, axis))
    return std::move(error);

  Quantized result;
  result.format = format;
  result.axis = axis;
  result.shape.assign(tensor.shape.begin(), tensor.shape.end());
  result.scaleShape = getScaleShape(format, tensor.shape, axis);
  result.codes.resize_for_overwrite(product(tensor.shape));
  int64_t numBlocks = product(result.scaleShape);
  // Blocks of an empty tensor keep neutral scales.
  if (format.scale == ScaleType::E8M0 || format.scale == ScaleType::E4M3)
    result.scaleCodes.assign(numBlocks,
                             format.scale == ScaleType::E8M0 ? 127 : 0x38);
  else
    result.scales.assign(numBlocks, 1.0f);
  if (format.zeroPoint)
    result.zeroPoints.assign(numBlocks, 0);

  SmallVector<float, 0> transformed;
  FloatType type = tensor.type;
  if (options.transform) {
    transformed = transformTensor(&*options.transform, tensor, axis);
    tensor = TensorView(transformed, result.shape);
  }
  if (format.secondLevel) {
    float amax = options.amax ? *options.amax
                              : computeAmax(tensor, propagatesNaN(format));
    result.tensorScale = getTensorScale(format, type, amax);
  }
  if (!result.codes.empty())
    BlockQuantizer(format, options, type, tensor,
                   Layout::get(format, result.shape, axis), result)
        .run();
  if (format.doubleQuant)
    quantizeScales(result);
  return result;
}

SmallVector<float> mx::getDecodeTable(const Format &format) {
  SmallVector<float> table(mx::getDecodeTable(format.element));
  if (format.element == Element::Int4 && format.zeroPoint &&
      format.variant == Variant::TorchAO)
    for (auto [code, value] : enumerate(table))
      value = float(code);
  if (format.element == Element::NF4 && format.variant == Variant::TorchAO)
    for (float &value : table)
      value = std::round(value * 10000.0f) / 10000.0f;
  return table;
}

void mx::dequantize(const Quantized &q, MutableArrayRef<float> out) {
  assert(out.size() == q.codes.size() && "wrong size");
  if (out.empty())
    return;
  const Format &format = q.format;
  SmallVector<float, 0> groupScales;
  ArrayRef<float> scales = q.scales;
  if (format.doubleQuant) {
    groupScales = dequantizeScales(q);
    scales = groupScales;
  }
  SmallVector<float> table = getDecodeTable(format), shifted = table;
  Layout layout = Layout::get(format, q.shape, q.axis);
  const Extent &rows = layout.rows, &cols = layout.cols;
  SmallVector<float, 0> piece;
  auto decode = [&](int64_t begin, int64_t scaleIndex, int64_t n) {
    float scale = scales.empty()
                      ? decodeScale(format.scale, q.scaleCodes[scaleIndex])
                      : scales[scaleIndex];
    if (format.zeroPoint)
      for (auto [to, from] : zip_equal(shifted, table))
        to = from - float(q.zeroPoints[scaleIndex]);
    float multiplier = getDequantMultiplier(format, q.tensorScale, scale);
    const uint8_t *codes = q.codes.data() + begin;
    if (cols.stride == 1)
      return decodeRun(shifted.data(), multiplier, codes, n,
                       out.data() + begin);
    for (int64_t i = 0; i < n; ++i)
      out[begin + i * cols.stride] =
          shifted[codes[i * cols.stride]] * multiplier;
  };
  for (int64_t outer = 0; outer < layout.outer; ++outer)
    for (int64_t inner = 0; inner < layout.inner; ++inner)
      for (int64_t row = 0; row < rows.size; ++row)
        for (int64_t col = 0; col < cols.numBlocks; ++col)
          decode(outer * layout.outerStride + inner * layout.innerStride +
                     row * rows.stride + col * cols.block * cols.stride,
                 outer * layout.outerScaleStride +
                     inner * layout.innerScaleStride +
                     row / rows.block * rows.scaleStride +
                     col * cols.scaleStride,
                 std::min(cols.block, cols.size - col * cols.block));
}

SmallVector<uint8_t, 0> mx::packCodes(Element element, ArrayRef<uint8_t> codes,
                                      int64_t rowLength) {
  unsigned width = getBitWidth(element);
  SmallVector<uint8_t, 0> bytes;
  if (width == 8) {
    bytes.assign(codes.begin(), codes.end());
    return bytes;
  }
  bytes.reserve(codes.size() * width / 8 + 1);
  for (; !codes.empty(); codes = codes.drop_front(rowLength)) {
    uint32_t pending = 0;
    unsigned bits = 0;
    auto flush = [&] {
      bytes.push_back(element == Element::NF4
                          ? uint8_t((pending & 0xF) << 4 | pending >> 4)
                          : uint8_t(pending));
      pending >>= 8;
      bits -= 8;
    };
    for (uint8_t code : codes.take_front(rowLength)) {
      pending |= uint32_t(code) << bits;
      bits += width;
      if (bits >= 8)
        flush();
    }
    if (bits) {
      bits = 8;
      flush();
    }
  }
  return bytes;
}
