// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Conversion/MXToLinalg/MXToLinalg.h"

#include "CodeTypes.h"
#include "Layout.h"
#include "Patterns.h"

#include "mx/IR/MX.h"

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
  populateQuantizePatterns(converter, patterns);
  populateMatmulPatterns(converter, patterns);
  populateRelayoutPatterns(converter, patterns);
}

LogicalResult mx::checkSupported(Operation *op) {
  if (!cast<DestinationStyleOpInterface>(op).hasPureTensorSemantics())
    return op->emitOpError("on memrefs is not lowered to linalg; run "
                           "convert-mx-to-linalg before bufferization");
  return success();
}

/// The first narrow tensor type among an op's operands, results and block
/// arguments; null if there is none.
static Type findNarrowTensor(Operation *op) {
  for (TypeRange types :
       {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
    for (Type type : types)
      if (hasNarrowTensor(type))
        return type;
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (Type type : block.getArgumentTypes())
        if (hasNarrowTensor(type))
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

  /// Lowers the ops that no kernel was selected for; types stay.
  LogicalResult convertHostOps() {
    bool convertible = true;
    getOperation()->walk([&](Operation *op) {
      if (!isa_and_nonnull<MXDialect>(op->getDialect()) ||
          op->hasAttr("mx.kernel"))
        return;
      convertible &= succeeded(checkSupported(op));
      if (Type type = findNarrowTensor(op)) {
        op->emitOpError("has no kernel, and on the host ")
            << type << " would need codes of a byte each";
        convertible = false;
      }
    });
    if (!convertible)
      return failure();
    TypeConverter converter;
    converter.addConversion([](Type type) { return type; });
    RewritePatternSet patterns(&getContext());
    populateMXToLinalgPatterns(converter, patterns);
    ConversionTarget target(getContext());
    target.addDynamicallyLegalDialect<MXDialect>(
        [](Operation *op) { return op->hasAttr("mx.kernel"); });
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    return applyPartialConversion(getOperation(), target, std::move(patterns));
  }

  void runOnOperation() override {
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
