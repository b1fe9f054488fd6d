// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Approximation.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mx {
#define GEN_PASS_DEF_MXCPUMATH
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;

namespace {

/// Lets the sums of a reduction be reordered, and nothing else: with the flag
/// on any other addition, a quantiser's (x + magic) - magic would fold to x.
void reassociate(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() == 0)
    return;
  Block *body = op.getBlock();
  for (auto [result, sum] :
       llvm::zip(body->getTerminator()->getOperands(),
                 body->getArguments().take_back(op.getNumDpsInits()))) {
    auto add = result.getDefiningOp<arith::AddFOp>();
    // Sums in narrower types are rounded at each step, in order.
    if (add && sum.hasOneUse() && (*sum.user_begin() == add) &&
        (add.getType().isF32() || add.getType().isF64()))
      add.setFastmath(add.getFastmath() | arith::FastMathFlags::reassoc);
  }
}

/// Functions that vectorise as polynomials of f32. Not sine and cosine: few,
/// and their arguments are large.
bool isApproximated(StringRef op) {
  return op == math::ExpOp::getOperationName() ||
         op == math::LogOp::getOperationName() ||
         op == math::TanhOp::getOperationName() ||
         op == math::ErfOp::getOperationName();
}

struct Math : mx::impl::MXCPUMathBase<Math> {
  using MXCPUMathBase::MXCPUMathBase;

  void runOnOperation() override {
    getOperation()->walk(reassociate);
    if (failed(expandMath()) || failed(extendMath()) || failed(emulateBF16()))
      return signalPassFailure();

    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns, isApproximated);
    arith::populateExpandBFloat16Patterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }

  /// Functions that are a few ops, in the type that they are written in: the
  /// square root of a narrow rsqrt is rounded, then its reciprocal.
  LogicalResult expandMath() {
    RewritePatternSet patterns(&getContext());
    math::populateExpansionPatterns(patterns, {"fpowi", "rsqrt"});
    return applyPatternsGreedily(getOperation(), std::move(patterns));
  }

  /// Functions of narrow types are computed in f32 and rounded.
  LogicalResult extendMath() {
    SetVector<Type> types;
    types.insert(Float32Type::get(&getContext()));
    types.insert(Float64Type::get(&getContext()));
    TypeConverter converter;
    math::populateExtendToSupportedTypesTypeConverter(
        converter, types, Float32Type::get(&getContext()));
    ConversionTarget target(getContext());
    math::populateExtendToSupportedTypesConversionTarget(target, converter);
    RewritePatternSet patterns(&getContext());
    math::populateExtendToSupportedTypesPatterns(patterns, converter);
    return applyConversion(target, std::move(patterns));
  }

  /// bf16 arithmetic is f32 arithmetic, rounded after each op.
  LogicalResult emulateBF16() {
    TypeConverter converter;
    arith::populateEmulateUnsupportedFloatsConversions(
        converter, BFloat16Type::get(&getContext()),
        Float32Type::get(&getContext()));
    ConversionTarget target(getContext());
    arith::populateEmulateUnsupportedFloatsLegality(target, converter);
    RewritePatternSet patterns(&getContext());
    arith::populateEmulateUnsupportedFloatsPatterns(patterns, converter);
    return applyConversion(target, std::move(patterns));
  }

  /// Upstream lets the conversions that it inserts cancel each other
  /// (`contract`), which would leave out roundings.
  LogicalResult applyConversion(ConversionTarget &target,
                                RewritePatternSet patterns) {
    LogicalResult result =
        applyPartialConversion(getOperation(), target, std::move(patterns));
    getOperation()->walk([](Operation *op) {
      if (auto extend = dyn_cast<arith::ExtFOp>(op))
        extend.removeFastmathAttr();
      else if (auto truncate = dyn_cast<arith::TruncFOp>(op))
        truncate.removeFastmathAttr();
    });
    return result;
  }
};

} // namespace
