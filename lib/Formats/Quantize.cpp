// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Formats/Quantize.h"

#include "BlockQuantizer.h"
#include "DoubleQuant.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace llvm;
using namespace mx;
using namespace mx::detail;

float mx::computeAmax(TensorView tensor, bool propagateNaN) {
  uint32_t bits = 0;
  Reader(tensor).forEachPiece(0, 1, getNumElements(tensor.shape),
                              [&](const float *x, int64_t n, int64_t) {
                                bits = std::max(
                                    bits, getAbsMaxBits(x, n, !propagateNaN));
                              });
  return fromBits(bits);
}

SmallVector<float, 0> mx::transformTensor(const Hadamard *transform,
                                          TensorView tensor, int64_t axis) {
  int64_t count = getNumElements(tensor.shape), extent = tensor.shape[axis];
  int64_t stride = getNumElements(tensor.shape.drop_front(axis + 1));
  SmallVector<float, 0> values;
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
  SmallVector<float, 0> row(extent);
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

/// Number of scales. An empty tensor may have any number of empty blocks: more
/// than memory can hold are refused.
static Expected<int64_t> countScales(ArrayRef<int64_t> scaleShape,
                                     int64_t numElements) {
  int64_t limit = std::max(numElements, int64_t(1) << 24);
  int64_t count = llvm::is_contained(scaleShape, 0) ? 0 : 1;
  for (int64_t extent : scaleShape)
    if (count && (MulOverflow(count, extent, count) || count > limit))
      return createStringError("an empty tensor of more than " + Twine(limit) +
                               " blocks");
  return count;
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
  result.codes.resize_for_overwrite(getNumElements(tensor.shape));
  Expected<int64_t> numBlocks =
      countScales(result.scaleShape, result.codes.size());
  if (!numBlocks)
    return numBlocks.takeError();
  // Blocks of an empty tensor keep neutral scales.
  if (format.scale == ScaleType::E8M0 || format.scale == ScaleType::E4M3)
    result.scaleCodes.assign(*numBlocks,
                             format.scale == ScaleType::E8M0 ? 127 : 0x38);
  else
    result.scales.assign(*numBlocks, 1.0f);
  if (format.zeroPoint)
    result.zeroPoints.assign(*numBlocks, 0);

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

namespace {
/// Finds what a code's value is multiplied with, block by block.
class BlockDecoder {
public:
  explicit BlockDecoder(const Quantized &q)
      : q(q), table(getDecodeTable(q.format)) {
    if (q.format.doubleQuant)
      doubleQuantScales = dequantizeScales(q);
  }

  ArrayRef<float> getTable() const { return table; }

  float getMultiplier(int64_t scaleIndex) const {
    ArrayRef<float> scales =
        q.format.doubleQuant ? doubleQuantScales : q.scales;
    float scale = scales.empty()
                      ? decodeScale(q.format.scale, q.scaleCodes[scaleIndex])
                      : scales[scaleIndex];
    return getDequantMultiplier(q.format, q.tensorScale, scale);
  }

  /// To subtract from a code's value.
  float getZeroPoint(int64_t scaleIndex) const {
    return q.zeroPoints.empty() ? 0.0f : float(q.zeroPoints[scaleIndex]);
  }

private:
  const Quantized &q;
  SmallVector<float> table;
  SmallVector<float, 0> doubleQuantScales;
};
} // namespace

/// A matrix whose columns are contiguous.
static void dequantizeRows(const Quantized &q, const BlockDecoder &decoder,
                           const Layout &layout, int64_t begin,
                           int64_t scaleBegin, float *out) {
  const Extent &rows = layout.rows, &cols = layout.cols;
  SmallVector<float> table(decoder.getTable());
  for (int64_t row = 0; row < rows.size; ++row)
    for (int64_t block = 0; block < cols.numBlocks; ++block) {
      int64_t scaleIndex = scaleBegin + row / rows.block * rows.scaleStride +
                           block * cols.scaleStride;
      if (!q.zeroPoints.empty())
        for (auto [to, from] : zip_equal(table, decoder.getTable()))
          to = from - decoder.getZeroPoint(scaleIndex);
      int64_t first = begin + row * rows.stride + block * cols.block;
      decodeRun(table.data(), decoder.getMultiplier(scaleIndex),
                q.codes.data() + first,
                std::min(cols.block, cols.size - block * cols.block),
                out + first);
    }
}

/// A matrix whose rows are neighbours in memory, a column at a time.
static void dequantizeColumns(const Quantized &q, const BlockDecoder &decoder,
                              const Layout &layout, int64_t begin,
                              int64_t scaleBegin, float *out) {
  const Extent &rows = layout.rows, &cols = layout.cols;
  SmallVector<float, 0> multipliers(rows.size), zeroPoints(rows.size);
  ArrayRef<float> table = decoder.getTable();
  for (int64_t block = 0; block < cols.numBlocks; ++block) {
    for (int64_t row = 0; row < rows.size; ++row) {
      int64_t scaleIndex = scaleBegin + row / rows.block * rows.scaleStride +
                           block * cols.scaleStride;
      multipliers[row] = decoder.getMultiplier(scaleIndex);
      zeroPoints[row] = decoder.getZeroPoint(scaleIndex);
    }
    int64_t end = std::min((block + 1) * cols.block, cols.size);
    for (int64_t col = block * cols.block; col < end; ++col) {
      int64_t first = begin + col * cols.stride;
      for (int64_t row = 0; row < rows.size; ++row)
        out[first + row] =
            (table[q.codes[first + row]] - zeroPoints[row]) * multipliers[row];
    }
  }
}

void mx::dequantize(const Quantized &q, MutableArrayRef<float> out) {
  assert(out.size() == q.codes.size() && "wrong size");
  if (out.empty())
    return;
  BlockDecoder decoder(q);
  Layout layout = Layout::get(q.format, q.shape, q.axis);
  auto dequantizeMatrix =
      layout.cols.stride == 1 ? dequantizeRows : dequantizeColumns;
  for (int64_t outer = 0; outer < layout.outer; ++outer)
    for (int64_t inner = 0; inner < layout.inner; ++inner)
      dequantizeMatrix(q, decoder, layout,
                       outer * layout.outerStride + inner * layout.innerStride,
                       outer * layout.outerScaleStride +
                           inner * layout.innerScaleStride,
                       out.data());
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
