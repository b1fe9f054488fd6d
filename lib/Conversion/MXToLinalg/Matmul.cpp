// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mx.dequantize and mx.matmul.

#include "BlockView.h"
#include "Codecs.h"
#include "Generic.h"
#include "Layout.h"
#include "Packing.h"
#include "Patterns.h"
#include "Scales.h"

#include "mx/IR/MX.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mx;

/// A new f32 tensor of `value`'s shape.
static Value createF32Like(ImplicitLocOpBuilder &b, Value value) {
  return tensor::EmptyOp::create(b, getTensorSizes(b, value), b.getF32Type());
}

/// `value` rounded or widened to the type of `init`.
static Value convertElements(ImplicitLocOpBuilder &b, Value value, Value init) {
  auto type = cast<RankedTensorType>(init.getType());
  AffineMap map = b.getMultiDimIdentityMap(type.getRank());
  return createGeneric(b, {{value, map}}, {init, map},
                       [](ImplicitLocOpBuilder &b, ValueRange args) {
                         return Scalar::load(b, args[0]);
                       });
}

Value mx::dequantize(ImplicitLocOpBuilder &b, ValueRange original,
                     ValueRange values, const Format &format, int64_t axis,
                     Value init) {
  QuantizedOperand operand(values, format);
  if (isPacked(original.front().getType(), format.element))
    operand.elements = unpackCodes(b, operand.elements, format.element,
                                   getTensorSizes(b, init));
  BlockView view(b, operand.elements, format, axis);
  if (view.isEmpty())
    return init;
  Value scales = operand.scales;
  if (getLayout(QuantizedOperand(original, format).scales.getType()))
    scales = fromTiled(
        b, scales,
        tensor::EmptyOp::create(b, view.getScaleSizes(b),
                                getElementTypeOrSelf(scales.getType())));

  SmallVector<GenericOperand> inputs = {
      {view.expandElements(b, operand.elements), view.getElementMap()},
      {view.collapseScales(b, scales), view.getScaleMap()}};
  if (operand.zeroPoints)
    inputs.push_back(
        {view.collapseScales(b, operand.zeroPoints), view.getScaleMap()});
  if (operand.amax)
    inputs.push_back({operand.amax, view.getScalarMap()});
  Value result = createGeneric(
      b, inputs, {view.expandInit(b, init), view.getElementMap()},
      [&](ImplicitLocOpBuilder &b, ValueRange args) {
        Scalar value = decodeElement(Scalar::load(b, args[0]), format.element);
        unsigned next = 2;
        if (operand.zeroPoints)
          value = value - Scalar::loadSigned(b, args[next++]).toFloat();
        std::optional<Scalar> tensorAmax;
        if (operand.amax)
          tensorAmax = Scalar::load(b, args[next]);
        return value *
               computeMultiplier(format, Scalar::load(b, args[1]), tensorAmax);
      });
  return view.collapseElements(b, result, init);
}

namespace {
/// One operand of a matmul: the values as codes, and as they were.
struct MatmulOperand {
  ValueRange values, original;
  std::optional<FormatAttr> format;
  AffineMap map;

  bool isPacked() const {
    return format &&
           mx::isPacked(original.front().getType(), format->getValue().element);
  }
};
} // namespace

/// Sizes of an operand's elements. A packed dimension is as long as the other
/// operand says or, where that has it packed too, as the bytes hold.
static Sizes getElementSizes(ImplicitLocOpBuilder &b,
                             const MatmulOperand &operand,
                             const MatmulOperand &other, Value init,
                             AffineMap initMap) {
  Sizes sizes = getTensorSizes(b, operand.values.front());
  if (!operand.isPacked())
    return sizes;
  AffineExpr last = operand.map.getResults().back();
  auto lookUp = [&](AffineMap map, Value value, bool isPacked) {
    std::optional<unsigned> dim = map.getResultPosition(last);
    if (!dim || (isPacked && *dim + 1 == map.getNumResults()))
      return false;
    sizes.back() = getTensorSizes(b, value)[*dim];
    return true;
  };
  if (!lookUp(initMap, init, false) &&
      !lookUp(other.map, other.values.front(), other.isPacked()))
    sizes.back() = multiply(
        b, sizes.back(), getCodesPerByte(operand.format->getValue().element));
  return sizes;
}

/// An operand in f32, its elements of these sizes and K at `axis`.
static Value createF32Operand(ImplicitLocOpBuilder &b,
                              const MatmulOperand &operand, int64_t axis,
                              ArrayRef<OpFoldResult> sizes) {
  Value value = operand.values.front();
  if (!operand.format && getElementTypeOrSelf(value.getType()).isF32())
    return value;
  Value init = tensor::EmptyOp::create(b, sizes, b.getF32Type());
  if (!operand.format)
    return convertElements(b, value, init);
  return dequantize(b, operand.original, operand.values,
                    operand.format->getValue(), axis, init);
}

/// init + bias in f32: a contraction's initial sum, over the dimensions of the
/// result.
static Value createAccumulator(ImplicitLocOpBuilder &b, MatmulOp op,
                               MatmulOp::Adaptor adaptor) {
  Value init = adaptor.getInit();
  auto type = cast<RankedTensorType>(init.getType());
  if (type.getElementType().isF32() && !op.getBias())
    return init;
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  SmallVector<GenericOperand> inputs = {{init, identity}};
  if (Value bias = adaptor.getBias()) {
    // Over the result's dimensions instead of the iteration space's.
    SmallVector<unsigned> positions;
    for (AffineExpr dim : op.getBiasMap().getResults())
      positions.push_back(*op.getResultMap().getResultPosition(dim));
    inputs.push_back({bias, AffineMap::getMultiDimMapWithTargets(
                                type.getRank(), positions, b.getContext())});
  }
  return createGeneric(b, inputs, {createF32Like(b, init), identity},
                       [](ImplicitLocOpBuilder &b, ValueRange args) {
                         Scalar sum = Scalar::load(b, args[0]);
                         return args.size() < 3
                                    ? sum
                                    : sum + Scalar::load(b, args[1]);
                       });
}

namespace {

struct LowerDequantize : OpConversionPattern<DequantizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(DequantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, dequantize(b, op.getInputs(), adaptor.getInputs(),
                                      op.getFormat().getValue(), op.getAxis(),
                                      adaptor.getInit()));
    return success();
  }
};

struct LowerMatmul : OpConversionPattern<MatmulOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(MatmulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value init = adaptor.getInit();
    MatmulOperand lhsOperand{adaptor.getLhs(), op.getLhs(), op.getLhsFormat(),
                             op.getLhsMap()};
    MatmulOperand rhsOperand{adaptor.getRhs(), op.getRhs(), op.getRhsFormat(),
                             op.getRhsMap()};
    Value lhs = createF32Operand(
        b, lhsOperand, op.getLhsAxis(),
        getElementSizes(b, lhsOperand, rhsOperand, init, op.getResultMap()));
    Value rhs = createF32Operand(
        b, rhsOperand, op.getRhsAxis(),
        getElementSizes(b, rhsOperand, lhsOperand, init, op.getResultMap()));
    // The discardable attributes (role, policy) stay with the contraction.
    Value sum = createGeneric(
        b, {{lhs, op.getLhsMap()}, {rhs, op.getRhsMap()}},
        {createAccumulator(b, op, adaptor), op.getResultMap()},
        [](ImplicitLocOpBuilder &b, ValueRange args) {
          return Scalar(b, args[2]) + Scalar(b, args[0]) * Scalar(b, args[1]);
        },
        llvm::to_vector(op->getDiscardableAttrs()));
    if (Type type = getElementTypeOrSelf(init.getType()); !type.isF32())
      sum = convertElements(
          b, sum, tensor::EmptyOp::create(b, getTensorSizes(b, init), type));
    rewriter.replaceOp(op, sum);
    return success();
  }
};

} // namespace

void mx::populateMatmulPatterns(const TypeConverter &converter,
                                RewritePatternSet &patterns) {
  patterns.add<LowerDequantize, LowerMatmul>(converter, patterns.getContext());
}
