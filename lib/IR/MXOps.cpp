// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/IR/MX.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/CheckedArithmetic.h"

#include <limits>
#include <numeric>

using namespace mlir;
using namespace mx;

#define GET_OP_CLASSES
#include "mx/IR/MXOps.cpp.inc"

/// On memrefs: inputs are read, outputs written; those that are also read (a
/// real accumulator) say so.
static void getDestinationStyleEffects(
    DestinationStyleOpInterface op, bool readsInits,
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    bool isInit = op.isDpsInit(&operand);
    if (!isInit || readsInits)
      effects.emplace_back(MemoryEffects::Read::get(), &operand,
                           SideEffects::DefaultResource::get());
    if (isInit)
      effects.emplace_back(MemoryEffects::Write::get(), &operand,
                           SideEffects::DefaultResource::get());
  }
}

/// Results have the shapes of the inits.
static LogicalResult reifyInits(DestinationStyleOpInterface op, OpBuilder &b,
                                ReifiedRankedShapedTypeDims &shapes) {
  for (Value init : op.getDpsInits())
    if (isa<RankedTensorType>(init.getType()))
      shapes.push_back(tensor::getMixedSizes(b, op.getLoc(), init));
  return success();
}

static Speculation::Speculatability
getDestinationStyleSpeculatability(DestinationStyleOpInterface op) {
  return op.hasPureTensorSemantics() ? Speculation::Speculatable
                                     : Speculation::NotSpeculatable;
}

#define MX_DEFINE_INTERFACES(OP, READS_INITS)                                  \
  void OP::getEffects(                                                         \
      SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>      \
          &effects) {                                                          \
    getDestinationStyleEffects(*this, READS_INITS, effects);                   \
  }                                                                            \
  Speculation::Speculatability OP::getSpeculatability() {                      \
    return getDestinationStyleSpeculatability(*this);                          \
  }                                                                            \
  LogicalResult OP::reifyResultShapes(OpBuilder &b,                            \
                                      ReifiedRankedShapedTypeDims &shapes) {   \
    return reifyInits(*this, b, shapes);                                       \
  }

MX_DEFINE_INTERFACES(QuantizeOp, false)
MX_DEFINE_INTERFACES(DequantizeOp, false)
MX_DEFINE_INTERFACES(MatmulOp, getEpilogue().empty())
MX_DEFINE_INTERFACES(AmaxOp, true)
MX_DEFINE_INTERFACES(HadamardOp, false)
MX_DEFINE_INTERFACES(RelayoutOp, false)
MX_DEFINE_INTERFACES(StatsOp, false)
#undef MX_DEFINE_INTERFACES

//===----------------------------------------------------------------------===//
// QuantizeOp
//===----------------------------------------------------------------------===//

QuantizeOp QuantizeOp::createOnTensor(OpBuilder &builder, Location loc,
                                      Value input, Value amax,
                                      FormatAttr format, int64_t axis) {
  auto type = cast<RankedTensorType>(input.getType());
  const Format &value = format.getValue();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, input);
  SmallVector<OpFoldResult> scaleSizes;
  SmallVector<int64_t> block = getBlockShape(value, type.getRank(), axis);
  for (auto [size, extent] : llvm::zip_equal(sizes, block)) {
    if (extent == Format::Whole) {
      scaleSizes.push_back(builder.getIndexAttr(1));
    } else if (std::optional<int64_t> constant = getConstantIntValue(size)) {
      scaleSizes.push_back(
          builder.getIndexAttr(llvm::divideCeil(*constant, extent)));
    } else {
      Value divisor = arith::ConstantIndexOp::create(builder, loc, extent);
      scaleSizes.push_back(
          arith::CeilDivUIOp::create(builder, loc, cast<Value>(size), divisor)
              .getResult());
    }
  }
  MLIRContext *context = builder.getContext();
  SmallVector<Value> outputs = {
      tensor::EmptyOp::create(builder, loc, sizes,
                              getElementType(context, value.element)),
      tensor::EmptyOp::create(builder, loc, scaleSizes,
                              getScaleType(context, value.scale))};
  if (value.zeroPoint)
    outputs.push_back(
        tensor::EmptyOp::create(builder, loc, scaleSizes, builder.getI8Type()));
  return create(builder, loc, TypeRange(ValueRange(outputs)), format, axis,
                Rounding::rne, input, amax, /*seed=*/Value(),
                /*offset=*/Value(), /*prologue_inputs=*/ValueRange(), outputs,
                /*random_bits=*/24, /*prologue_maps=*/builder.getArrayAttr({}),
                /*prologueCount=*/0);
}

//===----------------------------------------------------------------------===//
// MatmulOp
//===----------------------------------------------------------------------===//

unsigned MatmulOp::getReductionDim() {
  AffineMap map = getResultMap();
  for (unsigned dim = 0, e = map.getNumDims(); dim < e; ++dim)
    if (!map.isFunctionOfDim(dim))
      return dim;
  llvm_unreachable("the verifier wants one reduction dimension");
}

static int64_t getAxis(AffineMap map, unsigned dim) {
  MLIRContext *context = map.getContext();
  return *map.getResultPosition(getAffineDimExpr(dim, context));
}

SmallVector<int64_t> MatmulOp::getIterationShape() {
  unsigned numDims = getResultMap().getNumDims();
  SmallVector<int64_t> shape(numDims, ShapedType::kDynamic), packed(shape);
  auto add = [&](Value operand, AffineMap map, int64_t codesPerByte = 1) {
    auto type = cast<ShapedType>(operand.getType());
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      int64_t extent = type.getDimSize(dim);
      if (ShapedType::isDynamic(extent))
        continue;
      unsigned position = cast<AffineDimExpr>(expr).getPosition();
      bool isPacked = codesPerByte > 1 && int64_t(dim) + 1 == type.getRank();
      int64_t &known = (isPacked ? packed : shape)[position];
      if (isPacked)
        // An extent past all others is one that disagrees with them.
        extent = llvm::checkedMul(extent, codesPerByte)
                     .value_or(std::numeric_limits<int64_t>::max());
      if (ShapedType::isDynamic(known) || (isPacked && extent < known))
        known = extent;
    }
  };
  auto addOperand = [&](const QuantizedOperand &operand,
                        std::optional<FormatAttr> format, AffineMap map) {
    bool isPacked =
        format && isPackedType(getElementTypeOrSelf(operand.elements),
                               format->getValue().element);
    add(operand.elements, map,
        isPacked ? getCodesPerByte(format->getValue().element) : 1);
  };
  addOperand(getLhsOperand(), getLhsFormat(), getLhsMap());
  addOperand(getRhsOperand(), getRhsFormat(), getRhsMap());
  if (getBias())
    add(getBias(), getBiasMap());
  add(getInit(), getResultMap());
  for (auto [known, fromBytes] : llvm::zip_equal(shape, packed))
    if (ShapedType::isDynamic(known))
      known = fromBytes;
  return shape;
}

int64_t MatmulOp::getBlockUnit() {
  int64_t unit = 1;
  for (std::optional<FormatAttr> format : {getLhsFormat(), getRhsFormat()})
    if (format && format->getValue().blockCols != Format::Whole)
      unit = std::lcm(unit, format->getValue().blockCols);
  return unit;
}

int64_t MatmulOp::getLhsAxis() {
  return getAxis(getLhsMap(), getReductionDim());
}
int64_t MatmulOp::getRhsAxis() {
  return getAxis(getRhsMap(), getReductionDim());
}

//===----------------------------------------------------------------------===//
// AmaxOp
//===----------------------------------------------------------------------===//

AmaxOp AmaxOp::createOnTensor(OpBuilder &builder, Location loc, Value input) {
  auto type = RankedTensorType::get({}, builder.getF32Type());
  Value zero = arith::ConstantOp::create(builder, loc,
                                         DenseElementsAttr::get(type, 0.0f));
  return create(builder, loc, type, input, /*prologue_inputs=*/ValueRange(),
                zero, /*prologue_maps=*/builder.getArrayAttr({}),
                /*prologueCount=*/0);
}
