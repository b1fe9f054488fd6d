// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Formats/Quantize.h"

#include "BlockQuantizer.h"
#include "DoubleQuant.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

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
  result.codes.resize_for_overwrite(getNumElements(tensor.shape));
  int64_t numBlocks = getNumElements(result.scaleShape);
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
