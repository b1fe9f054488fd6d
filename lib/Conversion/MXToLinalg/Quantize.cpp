// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mx.quantize: the amax of each block, its scale, the codes of its elements.

#include "BlockView.h"
#include "Codecs.h"
#include "Patterns.h"
#include "Scales.h"

#include "mx/IR/MX.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mx;

namespace {

/// One op's lowering: the view and the values that the steps share.
struct QuantizeLowering {
  ImplicitLocOpBuilder &b;
  const Format &format;
  const BlockView &view;
  /// The elements by loops.
  Value input;
  /// The tensor's amax (tensor<f32>), or null.
  Value tensorAmax;

  /// The bits (i32) of each block's largest magnitude. As integers, magnitudes
  /// order like the floats, a NaN above all, and a maximum vectorises without
  /// fast-math flags.
  Value computeAmax() {
    Value zero = arith::ConstantOp::create(b, b.getI32IntegerAttr(0));
    Value empty = view.createForScales(b, b.getI32Type());
    Value init = linalg::FillOp::create(b, zero, empty).getResult(0);
    auto amax = linalg::GenericOp::create(
        b, init.getType(), input, init,
        {view.getElementMap(), view.getScaleMap()}, view.getBlockIterators(),
        [](OpBuilder &builder, Location loc, ValueRange args) {
          ImplicitLocOpBuilder b(loc, builder);
          Scalar magnitude = Scalar::load(b, args[0]).bits() & 0x7FFFFFFFu;
          Value result = max(Scalar(b, args[1]), magnitude);
          linalg::YieldOp::create(b, result);
        });
    return amax.getResult(0);
  }

  /// The stored scales into `init`, and the factors of the elements.
  std::pair<Value, Value> computeScales(Value amax, Value init) {
    AffineMap map = AffineMap::getMultiDimIdentityMap(
        cast<RankedTensorType>(init.getType()).getRank(), b.getContext());
    SmallVector<Value> inputs = {amax};
    SmallVector<AffineMap> maps = {map};
    if (tensorAmax) {
      inputs.push_back(tensorAmax);
      maps.push_back(AffineMap::get(map.getNumDims(), 0, b.getContext()));
    }
    maps.append(2, map);
    Value factors = view.createForScales(b, b.getF32Type());
    SmallVector<utils::IteratorType> iterators(map.getNumDims(),
                                               utils::IteratorType::parallel);
    Type stored = getElementTypeOrSelf(init);
    auto scales = linalg::GenericOp::create(
        b, TypeRange{init.getType(), factors.getType()}, inputs,
        ValueRange{init, factors}, maps, iterators,
        [&](OpBuilder &builder, Location loc, ValueRange args) {
          ImplicitLocOpBuilder b(loc, builder);
          std::optional<Scalar> second;
          if (tensorAmax)
            second = Scalar::load(b, args[1]);
          BlockScale scale =
              computeScale(format, Scalar(b, args[0]).asFloat(), second);
          linalg::YieldOp::create(
              b, ValueRange{scale.stored.store(stored), scale.factor});
        });
    return {scales.getResult(0), scales.getResult(1)};
  }

  /// The codes into `init`.
  Value computeCodes(Value factors, Value init) {
    auto codes = linalg::GenericOp::create(
        b, init.getType(), ValueRange{input, factors}, init,
        {view.getElementMap(), view.getScaleMap(), view.getElementMap()},
        view.getElementIterators(),
        [&](OpBuilder &builder, Location loc, ValueRange args) {
          ImplicitLocOpBuilder b(loc, builder);
          Scalar scaled = Scalar::load(b, args[0]) * Scalar(b, args[1]);
          Value code = encodeElement(scaled, format.element)
                           .store(getElementTypeOrSelf(init));
          linalg::YieldOp::create(b, code);
        });
    return codes.getResult(0);
  }
};

struct LowerQuantize : OpConversionPattern<QuantizeOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(QuantizeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    const Format &format = op.getFormat().getValue();
    BlockView view(b, adaptor.getInput(), format, op.getAxis());
    QuantizeLowering lowering{b, format, view,
                              view.expandElements(b, adaptor.getInput()),
                              adaptor.getAmax()};
    Value elementsInit = adaptor.getOutputs()[0];
    Value scalesInit = adaptor.getOutputs()[1];
    Value amax = lowering.computeAmax();
    auto [scales, factors] =
        lowering.computeScales(amax, view.collapseScales(b, scalesInit));
    Value codes =
        lowering.computeCodes(factors, view.expandInit(b, elementsInit));
    rewriter.replaceOp(
        op, {view.collapseElements(
                 b, codes, cast<RankedTensorType>(elementsInit.getType())),
             view.expandScales(b, scales,
                               cast<RankedTensorType>(scalesInit.getType()))});
    return success();
  }
};

} // namespace

void mx::populateQuantizePatterns(const TypeConverter &converter,
                                  RewritePatternSet &patterns) {
  patterns.add<LowerQuantize>(converter, patterns.getContext());
}
