// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Conversion/MXToLinalg/MXToLinalg.h"

#include "CodeTypes.h"
#include "Generic.h"
#include "Layout.h"
#include "Packing.h"
#include "Patterns.h"
#include "Scales.h"
#include "Shapes.h"

#include "mx/IR/MX.h"
#include "mx/Transforms/InlineRegions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mx {
#define GEN_PASS_DEF_CONVERTMXTOLINALG
#include "mx/Conversion/MXToLinalg/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

void mx::populateMXToLinalgPatterns(const TypeConverter &converter,
                                    RewritePatternSet &patterns) {
  populateAmaxPatterns(converter, patterns);
  populateHadamardPatterns(converter, patterns);
  populateStatsPatterns(converter, patterns);
  populateQuantizePatterns(converter, patterns);
  populateMatmulPatterns(converter, patterns);
  populateRelayoutPatterns(converter, patterns);
}

/// Refuses the formats of which a lowering of `mx.quantize` would not give the
/// reference's bits.
static LogicalResult checkQuantize(QuantizeOp op) {
  Format format = op.getFormat().getValue();
  auto fail = [&] {
    return op.emitOpError("of ") << op.getFormat() << " is not lowered: ";
  };
  if (!hasScaleArithmetic(format))
    return fail() << "variant " << stringify(format.variant)
                  << " is left to constants; use variant = ocp";
  bool isWhole =
      format.blockRows == Format::Whole || format.blockCols == Format::Whole;
  if (format.fourOverSix != FourOverSix::None && isWhole)
    return fail() << "four_over_six needs blocks of a fixed size";
  if (getLayout(op.getOutputs()[1].getType()))
    return fail() << "its scales must be row-major; take them to their layout "
                     "by mx.relayout";
  bool packed = isPacked(op.getOutputs()[0].getType(), format.element);
  int64_t last = cast<ShapedType>(op.getInput().getType()).getShape().back();
  if (packed && format.zeroPoint &&
      (ShapedType::isDynamic(last) || last % getCodesPerByte(format.element)))
    return fail() << "packed elements with zero points need a last dimension "
                     "that fills whole bytes";
  return success();
}

/// The same of ops that read quantised values; `format` may be null.
static LogicalResult checkDequantize(Operation *op, FormatAttr format) {
  if (!format || hasMultiplierArithmetic(format.getValue()))
    return success();
  return op->emitOpError("of ") << format << " is not lowered: variant "
                                << stringify(format.getValue().variant)
                                << " has values of its own; use variant = ocp";
}

LogicalResult mx::checkSupported(Operation *op) {
  if (!cast<DestinationStyleOpInterface>(op).hasPureTensorSemantics())
    return op->emitOpError("on memrefs is not lowered to linalg; run "
                           "convert-mx-to-linalg before bufferization");
  if (auto quantize = dyn_cast<QuantizeOp>(op))
    return checkQuantize(quantize);
  if (auto dequantize = dyn_cast<DequantizeOp>(op))
    return checkDequantize(op, dequantize.getFormat());
  if (auto stats = dyn_cast<StatsOp>(op))
    return checkDequantize(op, stats.getFormat());
  if (auto matmul = dyn_cast<MatmulOp>(op))
    return success(succeeded(checkDequantize(op, matmul.getLhsFormatAttr())) &&
                   succeeded(checkDequantize(op, matmul.getRhsFormatAttr())));
  return success();
}

/// True for a tensor whose elements are no whole bytes, or not in the order of
/// its dimensions.
static bool hasNoBytes(Type type) {
  return hasNarrowTensor(type) &&
         (getLayout(type) ||
          getElementTypeOrSelf(type).getIntOrFloatBitWidth() < 8);
}

/// Codes as 8-bit floats, or back.
static Value reinterpret(OpBuilder &builder, RankedTensorType type,
                         ValueRange values, Location loc) {
  ImplicitLocOpBuilder b(loc, builder);
  Value input = values[0];
  AffineMap map = b.getMultiDimIdentityMap(type.getRank());
  Value init = tensor::EmptyOp::create(b, getTensorSizes(b, input),
                                       type.getElementType());
  SmallVector<GenericOperand> inputs = {{input, map}}, inits = {{init, map}};
  SmallVector<Value> result = createGeneric(
      b, inputs, inits,
      [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
        return {arith::BitcastOp::create(b, type.getElementType(), args[0])};
      });
  return castTo(b, result[0], type);
}

/// The first tensor type of such a kind among an op's operands, results and
/// block arguments; null if there is none.
static Type
findNarrowTensor(Operation *op,
                 function_ref<bool(Type)> isNarrow = hasNarrowTensor) {
  for (TypeRange types :
       {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
    for (Type type : types)
      if (isNarrow(type))
        return type;
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (Type type : block.getArgumentTypes())
        if (isNarrow(type))
          return type;
  return {};
}

namespace {
struct ConvertMXToLinalgPass
    : mx::impl::ConvertMXToLinalgBase<ConvertMXToLinalgPass> {
  using ConvertMXToLinalgBase::ConvertMXToLinalgBase;

  /// Reports what the patterns could not convert, each op once.
  LogicalResult checkConvertible() {
    bool convertible = true;
    getOperation()->walk([&](Operation *op) {
      if (isa_and_nonnull<MXDialect>(op->getDialect())) {
        convertible &= succeeded(checkSupported(op));
        return;
      }
      Type type = findNarrowTensor(op);
      if (!type || hasCodeForm(op))
        return;
      InFlightDiagnostic error = op->emitOpError("has no form on codes for ");
      error << type << "; ";
      if (getLayout(type))
        error << "make it row-major by mx.relayout first";
      else
        error << "lower it to func, cf, scf (for, if, while), tensor, linalg "
                 "or elementwise arith ops first";
      convertible = false;
    });
    return success(convertible);
  }

  /// Lowers the ops that no kernel was selected for; types stay. Tensors of
  /// 8-bit floats are reinterpreted as codes and back.
  LogicalResult convertHostOps() {
    bool convertible = true;
    getOperation()->walk([&](Operation *op) {
      if (!isa_and_nonnull<MXDialect>(op->getDialect()) ||
          op->hasAttr("mx.kernel"))
        return;
      convertible &= succeeded(checkSupported(op));
      Type type = findNarrowTensor(op, hasNoBytes);
      if (!type)
        return;
      op->emitOpError("has no kernel, and on the host ")
          << type
          << " would need codes of a byte each; run mx-select-kernels and "
             "mx-pack-sub-byte first, or convert-mx-to-linalg without host-ops";
      convertible = false;
    });
    if (!convertible)
      return failure();
    CodeTypeConverter converter;
    converter.addSourceMaterialization(reinterpret);
    converter.addTargetMaterialization(reinterpret);
    RewritePatternSet patterns(&getContext());
    populateMXToLinalgPatterns(converter, patterns);
    ConversionTarget target(getContext());
    target.addDynamicallyLegalDialect<MXDialect>(
        [](Operation *op) { return op->hasAttr("mx.kernel"); });
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    return applyPartialConversion(getOperation(), target, std::move(patterns));
  }

  void runOnOperation() override {
    if (failed(inlineRegions(getOperation())))
      return signalPassFailure();
    if (hostOps) {
      if (failed(convertHostOps()))
        signalPassFailure();
      return;
    }
    if (failed(checkConvertible()))
      return signalPassFailure();
    MLIRContext *context = &getContext();
    CodeTypeConverter converter;
    RewritePatternSet patterns(context);
    ConversionTarget target(*context);
    populateCodeTypePatterns(converter, patterns, target);
    populateMXToLinalgPatterns(converter, patterns);
    target.addIllegalDialect<MXDialect>();
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
