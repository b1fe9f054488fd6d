// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The verifiers of all ops but mx.matmul. Each checks the constraints C1, C2,
// ... of dialects/mx/README.md in their order.

#include "VerifyUtils.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// mx.quantize, mx.dequantize, mx.stats
//===----------------------------------------------------------------------===//

LogicalResult QuantizeOp::verify() {
  const Format &format = getFormat().getValue();
  if (failed(verifyUnmixed(*this)) ||                          // C1
      failed(verifyHighPrecision(*this, getInput(), "input"))) // C2
    return failure();
  ArrayRef<int64_t> shape = getShape(getInput());
  int64_t axis = getAxis();
  if (failed(verifyAxis(*this, axis, shape.size()))) // C3
    return failure();

  if (bool(getAmax()) != format.secondLevel) // C4
    return emitOpError() << getFormat()
                         << (format.secondLevel
                                 ? " needs the tensor's amax"
                                 : " has no second level and takes no amax");
  if (getAmax() && failed(verifyScalar(*this, getAmax(), "amax")))
    return failure();

  bool isStochastic = getRounding() == Rounding::sr; // C5
  if (bool(getSeed()) != isStochastic || bool(getOffset()) != isStochastic)
    return emitOpError(isStochastic
                           ? "rounding = sr needs random(seed, offset)"
                           : "random(seed, offset) needs rounding = sr");
  int64_t randomBits = getRandomBits();
  if (randomBits < 8 || randomBits > 24)
    return emitOpError() << "random_bits must be 8 to 24, got " << randomBits;

  size_t numOutputs = 2 + format.zeroPoint; // C6
  if (getOutputs().size() != numOutputs)
    return emitOpError() << "must have " << numOutputs
                         << " outputs (elements, scales"
                         << (format.zeroPoint ? ", zero points" : "")
                         << "), got " << getOutputs().size();
  if (failed(verifyQuantized(*this, QuantizedOperand(getOutputs(), format),
                             format, shape, axis))) // C7
    return failure();
  return verifyElementRegion(*this, getElementRegion(), shape,
                             getElementTypeOrSelf(getInput())); // C8
}

LogicalResult DequantizeOp::verify() {
  const Format &format = getFormat().getValue();
  if (failed(verifyUnmixed(*this)) ||                          // C1
      failed(verifyHighPrecision(*this, getInit(), "output"))) // C2
    return failure();
  ArrayRef<int64_t> shape = getShape(getInit());
  if (failed(verifyAxis(*this, getAxis(), shape.size())) ||      // C3
      failed(verifyCount(*this, getInputs(), format, "inputs"))) // C4
    return failure();
  return verifyQuantized(*this, getQuantized(), format, shape,
                         getAxis()); // C4
}

LogicalResult StatsOp::verify() {
  const Format &format = getFormat().getValue();
  if (failed(verifyUnmixed(*this)) ||                          // C1
      failed(verifyHighPrecision(*this, getInput(), "input"))) // C2
    return failure();
  ArrayRef<int64_t> shape = getShape(getInput());
  if (failed(verifyAxis(*this, getAxis(), shape.size())) || // C3
      failed(verifyCount(*this, getQuantized(), format, "quantized")) ||
      failed(verifyQuantized(*this, QuantizedOperand(getQuantized(), format),
                             format, shape, getAxis()))) // C4
    return failure();
  if (failed(verifyType(*this, getInit(), "output",
                        Float32Type::get(getContext()), {4}))) // C5
    return failure();
  return verifyRowMajor(*this, getInit(), "output");
}

//===----------------------------------------------------------------------===//
// mx.amax, mx.hadamard, mx.relayout
//===----------------------------------------------------------------------===//

LogicalResult AmaxOp::verify() {
  if (failed(verifyUnmixed(*this)) ||                          // C1
      failed(verifyHighPrecision(*this, getInput(), "input"))) // C2
    return failure();
  if (failed(verifyScalar(*this, getInit(), "output"))) // C3
    return failure();
  return verifyElementRegion(*this, getElementRegion(), getShape(getInput()),
                             getElementTypeOrSelf(getInput())); // C4
}

LogicalResult HadamardOp::verify() {
  if (failed(verifyUnmixed(*this)) ||                            // C1
      failed(verifyHighPrecision(*this, getInput(), "input")) || // C2
      failed(verifyHighPrecision(*this, getInit(), "output")))
    return failure();
  ArrayRef<int64_t> shape = getShape(getInput());
  if (failed(verifyAxis(*this, getAxis(), shape.size())) || // C3
      failed(verifyType(*this, getInit(), "output",
                        getElementTypeOrSelf(getInit()), shape))) // C4
    return failure();
  int64_t extent = shape[getAxis()], size = getTransform().getSize(); // C5
  if (!ShapedType::isDynamic(extent) && extent % size != 0)
    return emitOpError() << "extent of axis " << getAxis()
                         << " must be a multiple of the transform's size "
                         << size << ", got " << extent;
  return success();
}

LogicalResult RelayoutOp::verify() {
  auto input = dyn_cast<RankedTensorType>(getInput().getType());
  auto output = dyn_cast<RankedTensorType>(getInit().getType());
  if (!input || !output) // C1
    return emitOpError("operands must be tensors: the type of a memref does "
                       "not carry the layout");
  for (RankedTensorType type : {input, output}) // C2
    if (type.getEncoding() && !isa<LayoutAttr>(type.getEncoding()))
      return emitOpError() << "encoding must be a #mx.layout or none, got "
                           << type.getEncoding();
  if (input.getEncoding() == output.getEncoding()) // C3
    return emitOpError("must change the layout");
  return verifyType(*this, getInit(), "output", input.getElementType(),
                    input.getShape()); // C4
}
