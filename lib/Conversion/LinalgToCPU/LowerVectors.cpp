// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Utils.h"
#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Dialect/X86Vector/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mx {
#define GEN_PASS_DEF_MXCPULOWERVECTORS
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;

namespace {

struct LowerVectors : mx::impl::MXCPULowerVectorsBase<LowerVectors> {
  using MXCPULowerVectorsBase::MXCPULowerVectorsBase;

  void runOnOperation() override {
    FailureOr<mx::CPUTarget> target = mx::getTargetOrError(getOperation(), cpu);
    if (failed(target))
      return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    if (target->lanes == 8)
      x86vector::avx2::populateSpecializedTransposeLoweringPatterns(
          patterns,
          x86vector::avx2::LoweringOptions().setTransposeOptions(
              x86vector::avx2::TransposeLoweringOptions().lower8x8xf32()),
          /*benefit=*/2);
    vector::populateVectorTransposeLoweringPatterns(
        patterns, vector::VectorTransposeLowering::Shuffle16x16);
    populateVectorToSCFConversionPatterns(
        patterns, VectorTransferToSCFOptions().enableFullUnroll());
    vector::populateVectorShapeCastLoweringPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
