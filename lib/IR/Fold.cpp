// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folding. Constants are computed by mx/Formats itself, from raw bytes to raw
// bytes; ops on empty tensors become their inits.

#include "mx/IR/Constants.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mx;

/// Larger constants are left to mx-fold-weights. A folder runs in one thread
/// and copies what it makes.
static constexpr uint64_t maxFoldedElements = 1 << 16;

Operation *MXDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                          Type type, Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

//===----------------------------------------------------------------------===//
// Raw data
//===----------------------------------------------------------------------===//

/// The data of a constant that is small enough and at hand: a resource may have
/// no blob.
static std::optional<Bytes> getBytes(Attribute attr) {
  auto elements = dyn_cast_or_null<ElementsAttr>(attr);
  if (!elements || hasMoreElements(elements.getShapedType(), maxFoldedElements))
    return std::nullopt;
  Bytes storage;
  std::optional<ArrayRef<char>> data =
      getRawData(elements, maxFoldedElements, storage);
  if (!data)
    return std::nullopt;
  return Bytes(*data);
}

static mx::FloatType getFloatType(Type type) {
  if (type.isF32())
    return mx::FloatType::F32;
  return type.isF16() ? mx::FloatType::F16 : mx::FloatType::BF16;
}

/// A high-precision constant as the reference takes it. `bytes` outlives it.
static TensorView getView(const Bytes &bytes, Type type) {
  auto shaped = cast<ShapedType>(type);
  return getTensorView(bytes, shaped.getElementType(), shaped.getShape());
}

static std::optional<float> getF32(Attribute attr) {
  std::optional<Bytes> bytes = getBytes(attr);
  if (!bytes || bytes->size() != sizeof(float))
    return std::nullopt;
  float value;
  std::memcpy(&value, bytes->data(), sizeof(value));
  return value;
}

static Attribute toConstant(Type type, ArrayRef<char> bytes) {
  return DenseElementsAttr::getFromRawBuffer(cast<ShapedType>(type), bytes);
}

template <typename T> static ArrayRef<char> toBytes(ArrayRef<T> values) {
  return {reinterpret_cast<const char *>(values.data()),
          values.size() * sizeof(T)};
}

/// Numbers rounded to the elements of `type`: f32, f16 or bf16.
static Attribute toConstant(Type type, ArrayRef<float> values) {
  Type element = getElementTypeOrSelf(type);
  if (element.isF32())
    return toConstant(type, toBytes(values));
  SmallVector<uint16_t, 0> bits;
  for (float value : values)
    bits.push_back(element.isF16() ? encodeF16(value) : encodeBF16(value));
  return toConstant(type, toBytes(ArrayRef<uint16_t>(bits)));
}

//===----------------------------------------------------------------------===//
// What can be folded
//===----------------------------------------------------------------------===//

/// An op none of whose results has elements is its inits.
static LogicalResult foldEmpty(DestinationStyleOpInterface op,
                               SmallVectorImpl<OpFoldResult> &results) {
  auto isEmpty = [](Type type) {
    return llvm::is_contained(cast<ShapedType>(type).getShape(), 0);
  };
  if (op->getNumResults() == 0 || !llvm::all_of(op->getResultTypes(), isEmpty))
    return failure();
  llvm::append_range(results, op.getDpsInits());
  return success();
}

/// Whether the op's results can be constants: static shapes in row-major order.
static bool hasConstantTypes(Operation *op) {
  return op->getNumResults() != 0 &&
         llvm::all_of(op->getResultTypes(), [](Type type) {
           auto tensor = cast<RankedTensorType>(type);
           return tensor.hasStaticShape() && !tensor.getEncoding();
         });
}

//===----------------------------------------------------------------------===//
// The ops
//===----------------------------------------------------------------------===//

LogicalResult QuantizeOp::fold(FoldAdaptor adaptor,
                               SmallVectorImpl<OpFoldResult> &results) {
  if (succeeded(foldEmpty(*this, results)))
    return success();
  if (!hasConstantTypes(*this) || !getPrologue().empty())
    return failure();
  std::optional<Bytes> input = getBytes(adaptor.getInput());
  if (!input)
    return failure();
  FailureOr<SmallVector<Bytes>> values = quantizeConstant(
      *this, getAxis(), getView(*input, getInput().getType()),
      adaptor.getAmax(), adaptor.getSeed(), adaptor.getOffset());
  if (failed(values))
    return failure();
  for (auto [type, bytes] : llvm::zip_equal(getResultTypes(), *values))
    results.push_back(toConstant(type, bytes));
  return success();
}

/// The scales of a quantised tensor from those of a constant.
static void setScales(Quantized &quantized, const Bytes &bytes, Type element) {
  const auto *data = bytes.data();
  if (getNumBytes(element) == 1) {
    quantized.scaleCodes.assign(bytes.begin(), bytes.end());
    return;
  }
  quantized.scales.resize(bytes.size() / getNumBytes(element));
  for (auto [i, scale] : llvm::enumerate(quantized.scales)) {
    if (element.isF32()) {
      std::memcpy(&scale, data + i * sizeof(float), sizeof(float));
      continue;
    }
    uint16_t bits;
    std::memcpy(&bits, data + i * sizeof(bits), sizeof(bits));
    scale = element.isF16() ? decodeF16(bits) : decodeBF16(bits);
  }
}

LogicalResult DequantizeOp::fold(FoldAdaptor adaptor,
                                 SmallVectorImpl<OpFoldResult> &results) {
  if (succeeded(foldEmpty(*this, results)))
    return success();
  const Format &format = getFormat().getValue();
  QuantizedOperand operand = getQuantized();
  if (!hasConstantTypes(*this) ||
      isPackedType(getElementTypeOrSelf(operand.elements), format.element))
    return failure();
  SmallVector<Bytes> data;
  for (Attribute attr : adaptor.getInputs()) {
    std::optional<Bytes> bytes = getBytes(attr);
    if (!bytes)
      return failure();
    data.push_back(std::move(*bytes));
  }

  auto type = cast<RankedTensorType>(getResult().getType());
  Quantized quantized;
  quantized.format = format;
  // The op's scales are the numbers that double quantisation stands for.
  quantized.format.doubleQuant = false;
  quantized.axis = getAxis();
  quantized.shape.assign(type.getShape().begin(), type.getShape().end());
  quantized.scaleShape = getScaleShape(format, type.getShape(), getAxis());
  // Literals may have anything above a code's bits.
  uint8_t mask = (1u << getBitWidth(format.element)) - 1;
  for (char byte : data[0])
    quantized.codes.push_back(uint8_t(byte) & mask);
  setScales(quantized, data[1], getElementTypeOrSelf(operand.scales));
  if (operand.zeroPoints)
    quantized.zeroPoints.assign(data[2].begin(), data[2].end());
  if (operand.amax) {
    float amax;
    std::memcpy(&amax, data.back().data(), sizeof(amax));
    quantized.tensorScale =
        getTensorScale(format, getFloatType(type.getElementType()), amax);
  }
  SmallVector<float, 0> values(quantized.codes.size());
  dequantize(quantized, values);
  results.push_back(toConstant(type, ArrayRef<float>(values)));
  return success();
}

LogicalResult AmaxOp::fold(FoldAdaptor adaptor,
                           SmallVectorImpl<OpFoldResult> &results) {
  auto type = cast<ShapedType>(getInput().getType());
  if (getResult() && llvm::is_contained(type.getShape(), 0)) {
    results.push_back(getInit());
    return success();
  }
  if (!getPrologue().empty())
    return failure();
  std::optional<float> init = getF32(adaptor.getInit());
  std::optional<Bytes> input = getBytes(adaptor.getInput());
  if (!hasConstantTypes(*this) || !init || !input)
    return failure();
  float amax = computeAmax(getView(*input, type), /*propagateNaN=*/false);
  if (std::isnan(*init) || *init > amax)
    amax = *init;
  results.push_back(toConstant(getResult().getType(), ArrayRef<float>(amax)));
  return success();
}

LogicalResult HadamardOp::fold(FoldAdaptor adaptor,
                               SmallVectorImpl<OpFoldResult> &results) {
  if (succeeded(foldEmpty(*this, results)))
    return success();
  std::optional<Bytes> input = getBytes(adaptor.getInput());
  if (!hasConstantTypes(*this) || !input)
    return failure();
  // In f32, rounded once to the type of the result.
  Hadamard transform = getTransform().getValue();
  TensorView view = getView(*input, getInput().getType());
  SmallVector<float, 0> values = transformTensor(nullptr, view, getAxis());
  values =
      transformTensor(&transform, TensorView(values, view.shape), getAxis());
  results.push_back(toConstant(getResult().getType(), ArrayRef<float>(values)));
  return success();
}

LogicalResult MatmulOp::fold(FoldAdaptor adaptor,
                             SmallVectorImpl<OpFoldResult> &results) {
  if (succeeded(foldEmpty(*this, results)))
    return success();
  // An empty sum.
  if (!getResult() || getBias() || !getEpilogue().empty() ||
      getIterationShape()[getReductionDim()] != 0)
    return failure();
  results.push_back(getInit());
  return success();
}

LogicalResult RelayoutOp::fold(FoldAdaptor adaptor,
                               SmallVectorImpl<OpFoldResult> &results) {
  if (succeeded(foldEmpty(*this, results)))
    return success();
  // There and back.
  auto producer = getInput().getDefiningOp<RelayoutOp>();
  if (!producer || !getResult() ||
      producer.getInput().getType() != getResult().getType())
    return failure();
  results.push_back(producer.getInput());
  return success();
}
