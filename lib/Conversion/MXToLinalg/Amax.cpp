// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mx.amax: the largest magnitude of a tensor.

#include "Generic.h"
#include "Patterns.h"
#include "Shapes.h"

#include "mx/IR/MX.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace mx;

/// max(init, |x|) over the loops that `outMap` lacks; a NaN in `input` counts
/// as 0.
static Value reduceMagnitudes(ImplicitLocOpBuilder &b, Value input, Value init,
                              AffineMap outMap) {
  AffineMap inMap = b.getMultiDimIdentityMap(outMap.getNumDims());
  return createGeneric(
      b, {{input, inMap}}, {init, outMap},
      [](ImplicitLocOpBuilder &b, ValueRange args) {
        Scalar x = Scalar::load(b, args[0]);
        Scalar magnitude = select(x.isNaN(), x.f32(0), x.abs());
        // A maximum, not compare and select, which only fast-math flags would
        // let a vectoriser take for one.
        return Scalar(b, arith::MaximumFOp::create(b, magnitude, args[1]));
      });
}

namespace {
struct LowerAmax : OpConversionPattern<AmaxOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(AmaxOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value input = adaptor.getInput();
    int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
    if (rank > 1) {
      // One maximum a row first, so that rows can be shared out.
      OpFoldResult rows = getTensorSizes(b, input).front();
      Value init = createZeros(b, rows, b.getF32Type());
      input = reduceMagnitudes(
          b, input, init,
          AffineMap::getMultiDimMapWithTargets(rank, {0}, b.getContext()));
      rank = 1;
    }
    rewriter.replaceOp(
        op, reduceMagnitudes(b, input, adaptor.getInit(),
                             AffineMap::get(rank, 0, b.getContext())));
    return success();
  }
};
} // namespace

void mx::populateAmaxPatterns(const TypeConverter &converter,
                              RewritePatternSet &patterns) {
  patterns.add<LowerAmax>(converter, patterns.getContext());
}
