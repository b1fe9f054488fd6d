// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinalgProduct.h"
#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mx {
#define GEN_PASS_DEF_MXCPUFUSE
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;

namespace {

struct Fuse : mx::impl::MXCPUFuseBase<Fuse> {
  using MXCPUFuseBase::MXCPUFuseBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    // A product keeps its body; what feeds it is fused into its packing.
    linalg::populateElementwiseOpsFusionPatterns(
        patterns, [](OpOperand *fused) {
          return fused->get().hasOneUse() &&
                 failed(mx::LinalgProduct::match(fused->getOwner()));
        });
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    GreedyRewriteConfig config;
    config.enableConstantCSE(true);
    if (failed(
            applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace
