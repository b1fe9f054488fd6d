// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prologues and epilogues: what may be in one, and R1 to R6 of
// dialects/mx/README.md in their order.

#include "mx/IR/ElementRegion.h"

#include "VerifyUtils.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mx;

bool mx::isElementInputType(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.isSignless() &&
           llvm::is_contained({1u, 8u, 16u, 32u, 64u}, integer.getWidth());
  return isHighPrecisionType(type) || type.isF64();
}

bool mx::isElementOp(Operation *op) {
  auto isScalar = [](Type type) { return type.isIntOrIndexOrFloat(); };
  return isa_and_nonnull<arith::ArithDialect, math::MathDialect>(
             op->getDialect()) &&
         op->getNumRegions() == 0 && isPure(op) &&
         llvm::all_of(op->getOperandTypes(), isScalar) &&
         llvm::all_of(op->getResultTypes(), isScalar);
}

bool mx::hasElementRegion(Operation *op) { return op->getNumRegions() != 0; }

Operation *mx::replaceRegions(OpBuilder &builder, Operation *op,
                              unsigned count) {
  OperationState state(op->getLoc(), op->getName(), op->getOperands(),
                       op->getResultTypes(), op->getAttrs());
  for (unsigned i = 0; i < count; ++i)
    state.addRegion();
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(op);
  Operation *copy = builder.create(state);
  op->replaceAllUsesWith(copy);
  op->erase();
  return copy;
}

LogicalResult mx::verifyNoElementRegion(Operation *op) {
  if (!hasElementRegion(op))
    return success();
  return op->emitOpError("has a region, which is not lowered here; run "
                         "mx-inline-regions first");
}

/// R2 to R4: one of the further inputs.
static LogicalResult verifyInput(Operation *op, const ElementRegion &region,
                                 unsigned index, ArrayRef<int64_t> shape) {
  std::string name = (region.name + " input " + Twine(index)).str();
  Value input = region.inputs[index];
  Type element = getElementTypeOrSelf(input);
  if (!isElementInputType(element)) // R2
    return op->emitOpError()
           << name << " must be of f64, f32, f16, bf16 or signless integers of "
           << "1, 8, 16, 32 or 64 bits, got " << element;
  if (failed(verifyRowMajor(op, input, name)))
    return failure();

  AffineMap map = region.getMap(index); // R3
  int64_t rank = getShape(input).size();
  if (map.getNumDims() != shape.size() || map.getNumResults() != rank ||
      !map.isProjectedPermutation())
    return op->emitOpError()
           << "map of " << name << " must be a projected permutation of "
           << shape.size() << " dimensions to " << rank << ", got "
           << AffineMapAttr::get(map);
  return verifyType(op, input, name, element,
                    applyPermutationMap(map, shape)); // R4
}

LogicalResult mx::verifyElementRegion(Operation *op,
                                      const ElementRegion &region,
                                      ArrayRef<int64_t> shape, Type element,
                                      Type result) {
  if (region.regions.size() > 1) // R1
    return op->emitOpError() << "must have one " << region.name << ", got "
                             << region.regions.size();
  if (region.maps.size() != region.inputs.size())
    return op->emitOpError()
           << region.name << " must have a map for each of its "
           << region.inputs.size() << " inputs, got " << region.maps.size();
  if (region.empty()) {
    if (!region.inputs.empty())
      return op->emitOpError()
             << region.name << " inputs need a " << region.name;
    return success();
  }
  for (unsigned i = 0; i < region.inputs.size(); ++i)
    if (failed(verifyInput(op, region, i, shape)))
      return failure();

  SmallVector<Type> types = {element}; // R5
  for (Value input : region.inputs)
    types.push_back(getElementTypeOrSelf(input));
  Block &block = region.getBlock();
  if (block.getArgumentTypes() != TypeRange(types)) {
    InFlightDiagnostic error = op->emitOpError();
    error << region.name << " arguments must be (" << types << "), got ("
          << block.getArgumentTypes() << ")";
    return error;
  }

  auto yield =
      block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back()); // R6
  if (!yield)
    return op->emitOpError() << region.name << " must end with mx.yield";
  for (Operation &inner : block.without_terminator())
    if (!isElementOp(&inner))
      return inner.emitOpError("is no pure arith or math op on scalars, and "
                               "nothing else may be in a ")
             << region.name;
  Type yielded = yield.getValue().getType();
  if (result ? yielded == result : isHighPrecisionType(yielded))
    return success();
  InFlightDiagnostic error = op->emitOpError();
  error << region.name << " must yield ";
  if (result)
    error << result;
  else
    error << "f32, f16 or bf16";
  error << ", got " << yielded;
  return error;
}
