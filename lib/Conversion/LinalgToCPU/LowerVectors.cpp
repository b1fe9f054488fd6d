// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mx {
#define GEN_PASS_DEF_MXCPULOWERVECTORS
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;

namespace {

/// The transposition of a square block of a power of two rows, as a network of
/// shuffles of two rows: for h = 1, 2, 4.. rows i and i + h exchange the h-wide
/// pieces above the diagonal of their 2h by 2h blocks for those below.
struct TransposeBlock : OpRewritePattern<vector::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vector::TransposeOp op,
                                PatternRewriter &rewriter) const override {
    VectorType type = op.getSourceVectorType();
    if (type.getRank() != 2 || op.getPermutation() != ArrayRef<int64_t>{1, 0})
      return rewriter.notifyMatchFailure(op, "not of a matrix");
    int64_t size = type.getDimSize(0);
    if (type.isScalable() || type.getDimSize(1) != size ||
        !llvm::isPowerOf2_64(size) || size > 16)
      return rewriter.notifyMatchFailure(op, "not of a square block");
    Location loc = op.getLoc();
    SmallVector<Value> rows;
    for (int64_t i = 0; i < size; ++i)
      rows.push_back(
          vector::ExtractOp::create(rewriter, loc, op.getVector(), i));
    for (int64_t h = 1; h < size; h *= 2)
      for (int64_t i = 0; i < size; ++i) {
        if (i & h)
          continue;
        // Lanes of the second row are numbered after those of the first.
        SmallVector<int64_t> low, high;
        for (int64_t lane = 0; lane < size; ++lane) {
          low.push_back(lane & h ? size + lane - h : lane);
          high.push_back(lane & h ? size + lane : lane + h);
        }
        Value first = rows[i], second = rows[i + h];
        rows[i] = vector::ShuffleOp::create(rewriter, loc, first, second, low);
        rows[i + h] =
            vector::ShuffleOp::create(rewriter, loc, first, second, high);
      }
    Value result =
        arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(type));
    for (int64_t i = 0; i < size; ++i)
      result = vector::InsertOp::create(rewriter, loc, rows[i], result, i);
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerVectors : mx::impl::MXCPULowerVectorsBase<LowerVectors> {
  using MXCPULowerVectorsBase::MXCPULowerVectorsBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<TransposeBlock>(&getContext());
    vector::populateVectorTransposeLoweringPatterns(
        patterns, vector::VectorTransposeLowering::EltWise);
    populateVectorToSCFConversionPatterns(
        patterns, VectorTransferToSCFOptions().enableFullUnroll());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
