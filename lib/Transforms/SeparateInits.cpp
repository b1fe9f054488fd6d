// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/IR/MX.h"
#include "mx/Transforms/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

namespace mx {
#define GEN_PASS_DEF_MXSEPARATEINITS
#include "mx/Transforms/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

namespace {
struct SeparateInits : mx::impl::MXSeparateInitsBase<SeparateInits> {
  void runOnOperation() override {
    getOperation()->walk([&](MatmulOp op) {
      auto fill = op.getInit().getDefiningOp<linalg::FillOp>();
      if (!fill || !fill.hasPureTensorSemantics() || fill->hasOneUse())
        return;
      OpBuilder b(op);
      Value init = fill.getDpsInits()[0];
      Value empty = tensor::EmptyOp::create(
          b, fill.getLoc(), tensor::getMixedSizes(b, fill.getLoc(), init),
          getElementTypeOrSelf(init));
      // A cast keeps a type that says less than its sizes do.
      if (empty.getType() != init.getType())
        empty = tensor::CastOp::create(b, fill.getLoc(), init.getType(), empty);
      auto own =
          linalg::FillOp::create(b, fill.getLoc(), fill.getInputs()[0], empty);
      op.getInitMutable().assign(own.getResult(0));
      ++numSeparated;
    });
  }
};
} // namespace
