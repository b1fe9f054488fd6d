// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/IR/Constants.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/Alignment.h"

#include <cstring>

using namespace mlir;
using namespace mx;

size_t mx::getNumBytes(Type element) {
  return llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

bool mx::hasMoreElements(ShapedType type, uint64_t limit) {
  ArrayRef<int64_t> shape = type.getShape();
  if (llvm::is_contained(shape, 0))
    return false;
  uint64_t count = 1;
  for (int64_t extent : shape)
    count = llvm::SaturatingMultiply<uint64_t>(count, extent);
  return count > limit;
}

std::optional<ArrayRef<char>>
mx::getRawData(ElementsAttr attr, int64_t maxSplatElements, Bytes &storage) {
  Type element = attr.getShapedType().getElementType();
  ArrayRef<char> raw;
  if (auto dense = dyn_cast<DenseIntOrFPElementsAttr>(attr)) {
    raw = dense.getRawData();
    if (dense.isSplat()) {
      if (hasMoreElements(dense.getType(), maxSplatElements))
        return std::nullopt;
      storage.clear();
      for (int64_t i = 0, e = dense.getNumElements(); i < e; ++i)
        storage.append(raw.begin(), raw.end());
      return ArrayRef<char>(storage);
    }
  } else if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return std::nullopt;
    raw = blob->getData();
    // A blob says nothing of the type that it is read as.
    uint64_t numElements = raw.size() / getNumBytes(element);
    if (hasMoreElements(resource.getType(), numElements))
      return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (raw.size() != attr.getNumElements() * getNumBytes(element))
    return std::nullopt;
  if (llvm::isAddrAligned(llvm::Align(getNumBytes(element)), raw.data()))
    return raw;
  storage.assign(raw.begin(), raw.end());
  return ArrayRef<char>(storage);
}

TensorView mx::getTensorView(ArrayRef<char> data, Type element,
                             ArrayRef<int64_t> shape) {
  mx::FloatType type = element.isF32()   ? mx::FloatType::F32
                       : element.isF16() ? mx::FloatType::F16
                                         : mx::FloatType::BF16;
  return TensorView(type, data.data(), shape);
}

static std::optional<int64_t> getInteger(Attribute attr) {
  if (auto integer = dyn_cast_or_null<IntegerAttr>(attr))
    return integer.getInt();
  return std::nullopt;
}

static std::optional<float> getF32(Attribute attr) {
  auto elements = dyn_cast_or_null<ElementsAttr>(attr);
  Bytes storage;
  std::optional<ArrayRef<char>> data;
  if (elements)
    data = getRawData(elements, /*maxSplatElements=*/1, storage);
  if (!data || data->size() != sizeof(float))
    return std::nullopt;
  float value;
  std::memcpy(&value, data->data(), sizeof(value));
  return value;
}

template <typename T> static Bytes toBytes(ArrayRef<T> values) {
  const char *data = reinterpret_cast<const char *>(values.data());
  return Bytes(data, data + values.size() * sizeof(T));
}

/// Scales that are numbers, in the type in which they are stored.
static Bytes toBytes(ArrayRef<float> values, Type element) {
  if (element.isF32())
    return toBytes(values);
  SmallVector<uint16_t, 0> bits;
  for (float value : values)
    bits.push_back(element.isF16() ? encodeF16(value) : encodeBF16(value));
  return toBytes(ArrayRef<uint16_t>(bits));
}

FailureOr<SmallVector<Bytes>>
mx::quantizeConstant(QuantizeOp op, int64_t axis, TensorView input,
                     Attribute amax, Attribute seed, Attribute offset) {
  // Packed and double-quantised forms are made late, by passes of their own.
  const Format &format = op.getFormat().getValue();
  if (format.doubleQuant ||
      isPackedType(getElementTypeOrSelf(op.getElementsInit()),
                   format.element) ||
      llvm::any_of(op.getOutputs(), [](Value output) {
        auto type = dyn_cast<RankedTensorType>(output.getType());
        return !type || type.getEncoding();
      }))
    return failure();
  QuantizeOptions options;
  options.axis = axis;
  if (format.secondLevel) {
    options.amax = getF32(amax);
    if (!options.amax)
      return failure();
  }
  if (op.getRounding() == Rounding::sr) {
    std::optional<int64_t> seedValue = getInteger(seed);
    std::optional<int64_t> offsetValue = getInteger(offset);
    if (!seedValue || !offsetValue)
      return failure();
    options.rounding = ElementRounding::Stochastic;
    options.seed = *seedValue;
    options.offset = *offsetValue;
    options.randomBits = op.getRandomBits();
  }
  llvm::Expected<Quantized> quantized = quantize(format, options, input);
  if (!quantized) {
    llvm::consumeError(quantized.takeError());
    return failure();
  }
  SmallVector<Bytes> results;
  results.push_back(toBytes(ArrayRef<uint8_t>(quantized->codes)));
  results.push_back(quantized->scales.empty()
                        ? toBytes(ArrayRef<uint8_t>(quantized->scaleCodes))
                        : toBytes(quantized->scales,
                                  getElementTypeOrSelf(op.getScalesInit())));
  if (format.zeroPoint)
    results.push_back(toBytes(ArrayRef<int8_t>(quantized->zeroPoints)));
  return results;
}
