// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/IR/MX.h"
#include "mx/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Builders.h"

namespace mx {
#define GEN_PASS_DEF_MXMOVEKINNERMOST
#include "mx/Transforms/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

/// The permutation that moves dimension `axis` of `rank` to the end.
static SmallVector<int64_t> getPermutation(int64_t rank, int64_t axis) {
  SmallVector<int64_t> permutation;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != axis)
      permutation.push_back(dim);
  permutation.push_back(axis);
  return permutation;
}

static Value transpose(OpBuilder &b, Location loc, Value tensor,
                       ArrayRef<int64_t> permutation) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, tensor);
  applyPermutationToVector(sizes, permutation);
  Value init =
      tensor::EmptyOp::create(b, loc, sizes, getElementTypeOrSelf(tensor));
  return linalg::TransposeOp::create(b, loc, tensor, init, permutation)
      .getResult()[0];
}

namespace {
class MoveKInnermost : public mx::impl::MXMoveKInnermostBase<MoveKInnermost> {
  void runOnOperation() override {
    requantized.clear();
    SmallVector<MatmulOp> ops;
    getOperation()->walk([&](MatmulOp op) { ops.push_back(op); });
    for (MatmulOp op : ops)
      if (failed(moveOperands(op)))
        return signalPassFailure();
    // Originals of which no use is left.
    for (auto [original, moved] : requantized)
      if (original->use_empty())
        original->erase();
  }

  LogicalResult moveOperands(MatmulOp op) {
    SmallVector<Attribute> maps(op.getIndexingMaps().getValue());
    if (failed(moveOperand(op, op.getLhsMutable(), op.getLhsFormat(),
                           op.getLhsAxis(), maps[0], "lhs")) ||
        failed(moveOperand(op, op.getRhsMutable(), op.getRhsFormat(),
                           op.getRhsAxis(), maps[1], "rhs")))
      return failure();
    op.setIndexingMapsAttr(ArrayAttr::get(op.getContext(), maps));
    return success();
  }

  /// Transposes one operand, if it must be, and its map.
  LogicalResult moveOperand(MatmulOp op, MutableOperandRange operand,
                            std::optional<FormatAttr> format, int64_t axis,
                            Attribute &map, StringRef name);

  /// The quantised transpose of what `op` quantises.
  QuantizeOp requantize(QuantizeOp op, ArrayRef<int64_t> permutation);

  llvm::MapVector<QuantizeOp, QuantizeOp> requantized;
};
} // namespace

QuantizeOp MoveKInnermost::requantize(QuantizeOp op,
                                      ArrayRef<int64_t> permutation) {
  QuantizeOp &moved = requantized[op];
  if (moved)
    return moved;
  OpBuilder b(op);
  Value input = transpose(b, op.getLoc(), op.getInput(), permutation);
  moved = QuantizeOp::createOnTensor(b, op.getLoc(), input, op.getAmax(),
                                     op.getFormatAttr(),
                                     /*axis=*/permutation.size() - 1);
  moved->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  return moved;
}

LogicalResult MoveKInnermost::moveOperand(MatmulOp op,
                                          MutableOperandRange operand,
                                          std::optional<FormatAttr> format,
                                          int64_t axis, Attribute &map,
                                          StringRef name) {
  AffineMap oldMap = cast<AffineMapAttr>(map).getValue();
  int64_t rank = oldMap.getNumResults();
  if (axis == rank - 1)
    return success();
  if (!op.hasPureTensorSemantics())
    return op.emitOpError("on memrefs cannot be transposed");
  SmallVector<int64_t> permutation = getPermutation(rank, axis);
  SmallVector<AffineExpr> exprs(oldMap.getResults());
  applyPermutationToVector(exprs, permutation);
  map = AffineMapAttr::get(AffineMap::get(oldMap.getNumDims(), /*symbols=*/0,
                                          exprs, op.getContext()));
  ++numTransposed;

  Value elements = operand[0].get();
  auto quantize = elements.getDefiningOp<QuantizeOp>();
  if (quantize && format && int64_t(quantize.getAxis()) == axis &&
      operand[1].get() == quantize->getResult(1)) {
    if (failed(verifyNoElementRegion(quantize)))
      return failure();
    if (quantize.getRounding() == Rounding::sr)
      return op.emitOpError(name)
             << " is rounded stochastically and K is not its last dimension; "
                "quantise its transpose";
    QuantizeOp moved = requantize(quantize, permutation);
    for (OpOperand &value : operand)
      if (value.get().getDefiningOp() == quantize)
        value.set(
            moved->getResult(cast<OpResult>(value.get()).getResultNumber()));
    return success();
  }

  // Elements, scales and zero points; not the amax.
  OpBuilder b(op);
  int64_t count = format ? 2 + format->getValue().zeroPoint : 1;
  for (int64_t i = 0; i < count; ++i) {
    Value value = operand[i].get();
    if (getElementTypeOrSelf(value).getIntOrFloatBitWidth() < 8)
      return op.emitOpError(name)
             << " has codes of fewer than 8 bits and K is not their last "
                "dimension; quantise the transpose";
    operand[i].set(transpose(b, op.getLoc(), value, permutation));
  }
  return success();
}
