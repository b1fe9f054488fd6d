// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mx {
#define GEN_PASS_DEF_MXCPUEXPANDSHAPES
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;

namespace {

bool hasSeveralDynamicDims(memref::ExpandShapeOp op) {
  MemRefType type = op.getResultType();
  return llvm::any_of(op.getReassociationIndices(),
                      [&](const ReassociationIndices &group) {
                        return llvm::count_if(group, [&](int64_t dim) {
                                 return type.isDynamicDim(dim);
                               }) > 1;
                      });
}

/// The same view by its offset, sizes and strides: the innermost dimension of a
/// group has the stride of the dimension that is split, each other one the
/// stride of the next times its size.
void expand(memref::ExpandShapeOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto metadata =
      memref::ExtractStridedMetadataOp::create(builder, loc, op.getSrc());
  SmallVector<OpFoldResult> sizes = op.getMixedOutputShape();
  SmallVector<OpFoldResult> from = metadata.getConstifiedMixedStrides();
  SmallVector<OpFoldResult> strides(sizes.size());
  for (auto [stride, group] :
       llvm::zip_equal(from, op.getReassociationIndices())) {
    OpFoldResult next = stride;
    for (int64_t dim : llvm::reverse(group)) {
      strides[dim] = next;
      next =
          ArithBuilder(builder, loc)
              .mul(getValueOrCreateConstantIndexOp(builder, loc, next),
                   getValueOrCreateConstantIndexOp(builder, loc, sizes[dim]));
    }
  }
  auto view = memref::ReinterpretCastOp::create(
      builder, loc, op.getSrc(), metadata.getConstifiedMixedOffset(), sizes,
      strides);
  auto cast = memref::CastOp::create(builder, loc, op.getResultType(),
                                     view.getResult());
  op.replaceAllUsesWith(cast.getResult());
  op.erase();
}

struct ExpandShapes : mx::impl::MXCPUExpandShapesBase<ExpandShapes> {
  using MXCPUExpandShapesBase::MXCPUExpandShapesBase;

  void runOnOperation() override {
    SmallVector<memref::ExpandShapeOp> ops;
    getOperation()->walk([&](memref::ExpandShapeOp op) {
      if (hasSeveralDynamicDims(op))
        ops.push_back(op);
    });
    for (memref::ExpandShapeOp op : ops)
      expand(op);
  }
};

} // namespace
