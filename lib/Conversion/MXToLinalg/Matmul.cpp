// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mx.dequantize and mx.matmul.

#include "BlockView.h"
#include "Codecs.h"
#include "Layout.h"
#include "Patterns.h"
#include "Scales.h"

#include "mx/IR/MX.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mx;

using BodyBuilder =
    function_ref<Scalar(ImplicitLocOpBuilder &, ValueRange arguments)>;

/// An all-parallel generic whose body computes one scalar, rounded to `init`'s
/// element type.
static Value createElementwise(ImplicitLocOpBuilder &b, ValueRange inputs,
                               Value init, ArrayRef<AffineMap> maps,
                               BodyBuilder body) {
  SmallVector<utils::IteratorType> iterators(maps.front().getNumDims(),
                                             utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, init.getType(), inputs, init, maps, iterators,
      [&](OpBuilder &builder, Location loc, ValueRange args) {
        ImplicitLocOpBuilder nested(loc, builder);
        Value result = body(nested, args).store(getElementTypeOrSelf(init));
        linalg::YieldOp::create(nested, result);
      });
  return generic.getResult(0);
}

/// The values that elements and scales stand for, into `init` (a float type).
/// `operand` are tensors of codes, `original` what they were converted from.
static Value dequantize(ImplicitLocOpBuilder &b,
                        const QuantizedOperand &original,
                        const QuantizedOperand &operand, const Format &format,
                        int64_t axis, Value init) {
  BlockView view(b, operand.elements, format, axis);
  Value scales = operand.scales;
  if (getLayout(original.scales.getType()))
    scales = fromTiled(b, scales, view.getScaleSizes(b));
  SmallVector<Value> inputs = {view.expandElements(b, operand.elements),
                               view.collapseScales(b, scales)};
  SmallVector<AffineMap> maps = {view.getElementMap(), view.getScaleMap()};
  if (operand.amax) {
    inputs.push_back(operand.amax);
    maps.push_back(view.getScalarMap());
  }
  maps.push_back(view.getElementMap());
  Value values = createElementwise(
      b, inputs, view.expandInit(b, init), maps,
      [&](ImplicitLocOpBuilder &b, ValueRange args) {
        std::optional<Scalar> second;
        if (operand.amax)
          second = Scalar::load(b, args[2]);
        Scalar unit = computeUnit(format, Scalar::load(b, args[1]), second);
        return decodeElement(Scalar::load(b, args[0]), format.element) * unit;
      });
  return view.collapseElements(b, values,
                               cast<RankedTensorType>(init.getType()));
}

/// A new f32 tensor of `value`'s shape.
static Value createF32Like(ImplicitLocOpBuilder &b, Value value) {
  return tensor::EmptyOp::create(b, tensor::getMixedSizes(b, b.getLoc(), value),
                                 b.getF32Type());
}

/// An operand of a matmul in f32.
static Value createF32Operand(ImplicitLocOpBuilder &b, ValueRange original,
                              ValueRange values,
                              std::optional<FormatAttr> format, int64_t axis) {
  if (format) {
    const Format &value = format->getValue();
    return dequantize(b, {original, value}, {values, value}, value, axis,
                      createF32Like(b, values.front()));
  }
  Value value = values.front();
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementType().isF32())
    return value;
  AffineMap map = b.getMultiDimIdentityMap(type.getRank());
  return createElementwise(b, value, createF32Like(b, value), {map, map},
                           [](ImplicitLocOpBuilder &b, ValueRange args) {
                             return Scalar::load(b, args[0]);
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
    const Format &format = op.getFormat().getValue();
    rewriter.replaceOp(op, dequantize(b, {op.getInputs(), format},
                                      {adaptor.getInputs(), format}, format,
                                      op.getAxis(), adaptor.getInit()));
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
    Value lhs = createF32Operand(b, op.getLhs(), adaptor.getLhs(),
                                 op.getLhsFormat(), op.getLhsAxis());
    Value rhs = createF32Operand(b, op.getRhs(), adaptor.getRhs(),
                                 op.getRhsFormat(), op.getRhsAxis());
    Value sum = createAccumulator(b, op, adaptor);

    SmallVector<utils::IteratorType> iterators(op.getResultMap().getNumDims(),
                                               utils::IteratorType::parallel);
    iterators[op.getReductionDim()] = utils::IteratorType::reduction;
    // The discardable attributes (role, policy) stay with the contraction.
    sum = linalg::GenericOp::create(
              b, sum.getType(), ValueRange{lhs, rhs}, sum,
              {op.getLhsMap(), op.getRhsMap(), op.getResultMap()}, iterators,
              [](OpBuilder &builder, Location loc, ValueRange args) {
                Value product =
                    arith::MulFOp::create(builder, loc, args[0], args[1]);
                Value sum =
                    arith::AddFOp::create(builder, loc, args[2], product);
                linalg::YieldOp::create(builder, loc, sum);
              },
              llvm::to_vector(op->getDiscardableAttrs()))
              .getResult(0);

    Value init = adaptor.getInit();
    auto type = cast<RankedTensorType>(init.getType());
    if (!type.getElementType().isF32()) {
      AffineMap map = b.getMultiDimIdentityMap(type.getRank());
      Value rounded = tensor::EmptyOp::create(
          b, tensor::getMixedSizes(b, b.getLoc(), init), type.getElementType());
      sum = createElementwise(b, sum, rounded, {map, map},
                              [](ImplicitLocOpBuilder &b, ValueRange args) {
                                return Scalar::load(b, args[0]);
                              });
    }
    rewriter.replaceOp(op, sum);
    return success();
  }

  /// init + bias in f32: the contraction's initial sum, a tensor over the
  /// dimensions of the result.
  Value createAccumulator(ImplicitLocOpBuilder &b, MatmulOp op,
                          OpAdaptor adaptor) const {
    Value init = adaptor.getInit();
    auto type = cast<RankedTensorType>(init.getType());
    bool isF32 = type.getElementType().isF32();
    if (isF32 && !op.getBias())
      return init;
    AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
    SmallVector<Value> inputs = {init};
    SmallVector<AffineMap> maps = {identity};
    if (Value bias = adaptor.getBias()) {
      inputs.push_back(bias);
      // Over the result's dimensions instead of the iteration space's.
      SmallVector<unsigned> positions;
      for (AffineExpr dim : op.getBiasMap().getResults())
        positions.push_back(*op.getResultMap().getResultPosition(dim));
      maps.push_back(AffineMap::getMultiDimMapWithTargets(
          type.getRank(), positions, b.getContext()));
    }
    maps.push_back(identity);
    return createElementwise(b, inputs, createF32Like(b, init), maps,
                             [](ImplicitLocOpBuilder &b, ValueRange args) {
                               Scalar sum = Scalar::load(b, args[0]);
                               return args.size() < 3
                                          ? sum
                                          : sum + Scalar::load(b, args[1]);
                             });
  }
};

} // namespace

void mx::populateMatmulPatterns(const TypeConverter &converter,
                                RewritePatternSet &patterns) {
  patterns.add<LowerDequantize, LowerMatmul>(converter, patterns.getContext());
}
