// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "QuantizedOperands.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;
using namespace mx;

Operation *mx::getUserOutsideOfLoops(Operation *op, Value value) {
  while (value.getParentBlock() != op->getBlock() &&
         isa<LoopLikeOpInterface>(op->getParentOp()) &&
         !op->getParentOp()->isAncestor(value.getParentBlock()->getParentOp()))
    op = op->getParentOp();
  return op;
}

ArrayRef<Value> QuantizedOperands::get(Location loc, Value value,
                                       OperandAttr how, int64_t axis) {
  Key key = {rewriter.getInsertionBlock(), value, how, axis};
  auto it = known.find(key);
  if (it == known.end()) {
    auto values = quantizeTable(loc, value, how, axis);
    if (!values)
      values = quantizeSliced(loc, value, how, axis);
    if (!values)
      values = quantize(loc, value, how, axis);
    it = known.try_emplace(key, std::move(*values)).first;
  }
  return it->second;
}

Value QuantizedOperands::moveLast(Location loc, Value value, int64_t axis) {
  Value &result = moved[{rewriter.getInsertionBlock(), value, axis}];
  if (result)
    return result;
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> permutation =
      llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  permutation.erase(permutation.begin() + axis);
  permutation.push_back(axis);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, value);
  applyPermutationToVector(sizes, permutation);
  Value init =
      tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType());
  return result = linalg::TransposeOp::create(rewriter, loc, value, init,
                                              permutation)
                      .getResult()[0];
}

SmallVector<Value> QuantizedOperands::quantize(Location loc, Value value,
                                               OperandAttr how, int64_t axis) {
  ++numCreated;
  FormatAttr format = how.getFormat();
  if (HadamardAttr transform = how.getTransform()) {
    Value init = tensor::EmptyOp::create(
        rewriter, loc, tensor::getMixedSizes(rewriter, loc, value),
        getElementTypeOrSelf(value));
    value = HadamardOp::create(rewriter, loc, init.getType(), transform, axis,
                               value, init)
                .getResult();
  }
  Value amax;
  if (format.getValue().secondLevel)
    amax = AmaxOp::createOnTensor(rewriter, loc, value).getResult();
  auto op =
      QuantizeOp::createOnTensor(rewriter, loc, value, amax, format, axis);
  if (how.getRounding() == Rounding::sr) {
    rewriter.setInsertionPoint(op);
    auto [seed, offset] = random.create(rewriter, loc);
    op.setRounding(Rounding::sr);
    op.getSeedMutable().assign(seed);
    op.getOffsetMutable().assign(offset);
    rewriter.setInsertionPointAfter(op);
  }
  SmallVector<Value> values(op.getResults());
  if (amax)
    values.push_back(amax);
  return values;
}
