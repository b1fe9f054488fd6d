// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The verifier of mx.matmul: C1, C2, ... of dialects/mx/README.md in their
// order.

#include "VerifyUtils.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mx;

/// C3: the values of one operand.
static LogicalResult verifyValues(MatmulOp op, ValueRange values,
                                  std::optional<FormatAttr> format,
                                  StringRef name) {
  if (format)
    return verifyCount(op, values, format->getValue(), name);
  if (values.size() != 1)
    return op.emitOpError() << name << " without a format must be one tensor, "
                            << "got " << values.size();
  return verifyHighPrecision(op, values.front(), name);
}

/// C5, C6: projected permutations of one iteration space, a result for each
/// dimension of the operand.
static LogicalResult verifyMap(MatmulOp op, AffineMap map, unsigned numDims,
                               Value operand, StringRef name) {
  if (map.getNumDims() != numDims || !map.isProjectedPermutation())
    return op.emitOpError()
           << "indexing map of " << name << " must be a projected permutation "
           << "of " << numDims << " dimensions, got "
           << AffineMapAttr::get(map);
  int64_t rank = getShape(operand).size();
  if (map.getNumResults() != rank)
    return op.emitOpError()
           << "indexing map of " << name << " must have " << rank
           << " results, one a dimension of " << operand.getType() << ", got "
           << AffineMapAttr::get(map);
  return success();
}

/// C7 to C9: which maps each dimension is in.
static LogicalResult verifyDims(MatmulOp op) {
  AffineMap lhs = op.getLhsMap(), rhs = op.getRhsMap();
  AffineMap bias = op.getBiasMap(), result = op.getResultMap();
  unsigned numDims = result.getNumDims();
  if (result.getNumResults() + 1 != numDims)
    return op.emitOpError() << "exactly one dimension must be reduced, the "
                            << "result's map " << AffineMapAttr::get(result)
                            << " lacks " << numDims - result.getNumResults();
  unsigned k = op.getReductionDim();
  if (!lhs.isFunctionOfDim(k) || !rhs.isFunctionOfDim(k))
    return op.emitOpError() << "the reduced dimension d" << k << " must be in "
                            << "the maps of lhs and rhs";
  if (bias && bias.isFunctionOfDim(k))
    return op.emitOpError() << "the reduced dimension d" << k
                            << " must not be in the bias's map";
  for (unsigned dim = 0; dim < numDims; ++dim)
    if (!lhs.isFunctionOfDim(dim) && !rhs.isFunctionOfDim(dim))
      return op.emitOpError()
             << "dimension d" << dim << " must be in the map of lhs or rhs";
  return success();
}

/// C10 with Q2: elements of the shape that the iteration space says.
static LogicalResult verifyExtents(MatmulOp op, ValueRange values,
                                   std::optional<FormatAttr> format,
                                   AffineMap map, const Twine &name) {
  SmallVector<int64_t> shape =
      applyPermutationMap(map, ArrayRef(op.getIterationShape()));
  Value elements = values.front();
  if (format)
    return verifyElements(op, elements, format->getValue(), shape,
                          name + " elements");
  return verifyType(op, elements, name, getElementTypeOrSelf(elements), shape);
}

/// C11: scales, zero points and amax of an operand with a format.
static LogicalResult verifyOperandScaling(MatmulOp op, ValueRange values,
                                          std::optional<FormatAttr> format,
                                          AffineMap map, int64_t axis,
                                          const Twine &prefix) {
  if (!format)
    return success();
  const Format &value = format->getValue();
  SmallVector<int64_t> shape =
      applyPermutationMap(map, ArrayRef(op.getIterationShape()));
  return verifyScaling(op, QuantizedOperand(values, value), value, shape, axis,
                       prefix);
}

/// C12: no block of one operand ends within a block of the other.
static LogicalResult verifyBlocks(MatmulOp op) {
  if (!op.getLhsFormat() || !op.getRhsFormat())
    return success();
  int64_t lhs = op.getLhsFormat()->getValue().blockCols;
  int64_t rhs = op.getRhsFormat()->getValue().blockCols;
  if (lhs == Format::Whole || rhs == Format::Whole || lhs % rhs == 0 ||
      rhs % lhs == 0)
    return success();
  return op.emitOpError() << "blocks along K must be multiples of each other, "
                          << "got " << lhs << " (lhs) and " << rhs << " (rhs)";
}

LogicalResult MatmulOp::verify() {
  std::optional<FormatAttr> lhsFormat = getLhsFormat();
  std::optional<FormatAttr> rhsFormat = getRhsFormat();
  Value bias = getBias(), init = getInit();
  if (failed(verifyUnmixed(*this))) // C1
    return failure();
  if (!lhsFormat && !rhsFormat) // C2
    return emitOpError("lhs or rhs must have a format");
  if (failed(verifyValues(*this, getLhs(), lhsFormat, "lhs")) ||
      failed(verifyValues(*this, getRhs(), rhsFormat, "rhs"))) // C3
    return failure();
  if ((bias && failed(verifyHighPrecision(*this, bias, "bias"))) ||
      failed(verifyHighPrecision(*this, init, "output"))) // C4
    return failure();

  size_t numMaps = bias ? 4 : 3; // C5
  if (getIndexingMaps().size() != numMaps)
    return emitOpError() << "must have " << numMaps
                         << " indexing maps (lhs, rhs, "
                         << (bias ? "bias, " : "") << "result), got "
                         << getIndexingMaps().size();
  unsigned numDims = getLhsMap().getNumDims();
  if (failed(verifyMap(*this, getLhsMap(), numDims, getLhs().front(), "lhs")) ||
      failed(verifyMap(*this, getRhsMap(), numDims, getRhs().front(), "rhs")) ||
      (bias && failed(verifyMap(*this, getBiasMap(), numDims, bias, "bias"))) ||
      failed(verifyMap(*this, getResultMap(), numDims, init, "result"))) // C6
    return failure();
  if (failed(verifyDims(*this))) // C7, C8, C9
    return failure();

  AffineMap lhsMap = getLhsMap(), rhsMap = getRhsMap();
  if (failed(verifyExtents(*this, getLhs(), lhsFormat, lhsMap, "lhs")) ||
      failed(verifyExtents(*this, getRhs(), rhsFormat, rhsMap, "rhs")) ||
      (bias && failed(verifyExtents(*this, bias, std::nullopt, getBiasMap(),
                                    "bias"))) ||
      failed(verifyExtents(*this, init, std::nullopt, getResultMap(),
                           "output"))) // C10
    return failure();
  if (failed(verifyOperandScaling(*this, getLhs(), lhsFormat, lhsMap,
                                  getLhsAxis(), "lhs ")) ||
      failed(verifyOperandScaling(*this, getRhs(), rhsFormat, rhsMap,
                                  getRhsAxis(),
                                  "rhs "))) // C11
    return failure();
  if (failed(verifyBlocks(*this))) // C12
    return failure();
  if (!getAccumulate().isF32()) // C13
    return emitOpError() << "accumulate must be f32, got " << getAccumulate();
  int64_t unit = getBlockUnit(); // C14
  if (int64_t every = getPromoteEvery(); every < 0 || every % unit != 0)
    return emitOpError() << "promote_every must be 0 or a multiple of the "
                         << unit << " elements of a block along K, got "
                         << every;
  return verifyElementRegion(*this, getElementRegion(), getShape(init),
                             getAccumulate(),
                             getElementTypeOrSelf(init)); // C15
}
