// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "VerifyUtils.h"

#include "mx/Formats/Quantize.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mx;

ArrayRef<int64_t> mx::getShape(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

LogicalResult mx::verifyUnmixed(Operation *op) {
  auto isMemRef = [](Type type) { return isa<MemRefType>(type); };
  auto isTensor = [](Type type) { return isa<RankedTensorType>(type); };
  if (llvm::any_of(op->getOperandTypes(), isMemRef) &&
      llvm::any_of(op->getOperandTypes(), isTensor))
    return op->emitOpError("operands must be all tensors or all memrefs");
  return success();
}

LogicalResult mx::verifyRowMajor(Operation *op, Value value,
                                 const Twine &name) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (type && type.getEncoding())
    return op->emitOpError()
           << name << " must be row-major, got encoding " << type.getEncoding();
  return success();
}

LogicalResult mx::verifyHighPrecision(Operation *op, Value value,
                                      const Twine &name) {
  Type type = getElementTypeOrSelf(value);
  if (!isHighPrecisionType(type))
    return op->emitOpError()
           << name << " must be of f32, f16 or bf16, got " << type;
  return verifyRowMajor(op, value, name);
}

LogicalResult mx::verifyAxis(Operation *op, int64_t axis, int64_t rank) {
  if (axis < 0 || axis >= rank)
    return op->emitOpError() << "axis must be a dimension of a rank-" << rank
                             << " tensor, got " << axis;
  return success();
}

LogicalResult mx::verifyType(Operation *op, Value value, const Twine &name,
                             Type element, ArrayRef<int64_t> shape) {
  auto type = cast<ShapedType>(value.getType());
  if (type.getElementType() == element &&
      succeeded(verifyCompatibleShape(type.getShape(), shape)))
    return success();
  ShapedType expected = MemRefType::get(shape, element);
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    expected = RankedTensorType::get(shape, element, tensor.getEncoding());
  return op->emitOpError() << name << " must be " << expected << ", got "
                           << type;
}

LogicalResult mx::verifyScalar(Operation *op, Value value, const Twine &name) {
  if (failed(verifyRowMajor(op, value, name)))
    return failure();
  return verifyType(op, value, name, Float32Type::get(op->getContext()), {});
}

LogicalResult mx::verifyCount(Operation *op, ValueRange values,
                              const Format &format, const Twine &name) {
  unsigned count = QuantizedOperand::getNumValues(format);
  if (values.size() == count)
    return success();
  return op->emitOpError() << name << " must be " << count
                           << " values (elements, scales"
                           << (format.zeroPoint ? ", zero points" : "")
                           << (format.secondLevel ? ", amax" : "") << "), got "
                           << values.size();
}

LogicalResult mx::verifyElements(Operation *op, Value elements,
                                 const Format &format, ArrayRef<int64_t> shape,
                                 const Twine &name) {
  Type type = getElementTypeOrSelf(elements);
  Type expected = getElementType(op->getContext(), format.element);
  SmallVector<int64_t> stored(shape);
  if (isPackedType(type, format.element)) {
    expected = type;
    if (!ShapedType::isDynamic(stored.back()))
      stored.back() =
          llvm::divideCeil(stored.back(), getCodesPerByte(format.element));
  }
  if (failed(verifyRowMajor(op, elements, name)))
    return failure();
  return verifyType(op, elements, name, expected, stored);
}

/// Q3 and Q4: a scale a block, in row-major order or a layout of the dialect.
static LogicalResult verifyScales(Operation *op, Value scales,
                                  const Format &format, ArrayRef<int64_t> shape,
                                  const Twine &name) {
  if (isFlattened(format))
    return op->emitOpError()
           << name << " of variant " << stringify(format.variant)
           << " are those of the flattened tensor, whose blocks cross its "
              "rows; use variant = ocp";
  auto type = dyn_cast<RankedTensorType>(scales.getType());
  if (!type || !isa_and_nonnull<LayoutAttr>(type.getEncoding()))
    if (failed(verifyRowMajor(op, scales, name)))
      return failure();
  return verifyType(op, scales, name,
                    getScaleType(op->getContext(), format.scale), shape);
}

/// Q5: an i8 a block.
static LogicalResult verifyZeroPoints(Operation *op, Value zeroPoints,
                                      ArrayRef<int64_t> shape,
                                      const Twine &name) {
  if (failed(verifyRowMajor(op, zeroPoints, name)))
    return failure();
  return verifyType(op, zeroPoints, name, IntegerType::get(op->getContext(), 8),
                    shape);
}

LogicalResult mx::verifyScaling(Operation *op, const QuantizedOperand &operand,
                                const Format &format, ArrayRef<int64_t> shape,
                                int64_t axis, const Twine &prefix) {
  SmallVector<int64_t> scaleShape = getScaleShape(format, shape, axis);
  if (failed(verifyScales(op, operand.scales, format, scaleShape,
                          prefix + "scales")))
    return failure();
  if (operand.zeroPoints &&
      failed(verifyZeroPoints(op, operand.zeroPoints, scaleShape,
                              prefix + "zero points")))
    return failure();
  if (operand.amax)
    return verifyScalar(op, operand.amax, prefix + "amax");
  return success();
}

LogicalResult mx::verifyQuantized(Operation *op,
                                  const QuantizedOperand &operand,
                                  const Format &format, ArrayRef<int64_t> shape,
                                  int64_t axis) {
  if (failed(verifyElements(op, operand.elements, format, shape, "elements")))
    return failure();
  return verifyScaling(op, operand, format, shape, axis);
}
