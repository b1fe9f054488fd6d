// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MatmulOperands.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mx;

/// Whether the values of one operand of a product are those of `op`.
static bool isOperand(QuantizeOp op, OperandRange values,
                      std::optional<FormatAttr> format, int64_t axis) {
  return format == op.getFormatAttr() && axis == int64_t(op.getAxis()) &&
         values.take_front(op->getNumResults()) == op->getResults();
}

bool mx::isReadByMatmulsOnly(QuantizeOp op) {
  return llvm::all_of(op->getUsers(), [&](Operation *user) {
    auto matmul = dyn_cast<MatmulOp>(user);
    if (!matmul || !matmul.hasPureTensorSemantics())
      return false;
    unsigned numUses = llvm::count_if(matmul->getOperands(), [&](Value value) {
      return value.getDefiningOp() == op;
    });
    unsigned numOperands = isOperand(op, matmul.getLhs(), matmul.getLhsFormat(),
                                     matmul.getLhsAxis()) +
                           isOperand(op, matmul.getRhs(), matmul.getRhsFormat(),
                                     matmul.getRhsAxis());
    return numUses == numOperands * op->getNumResults();
  });
}

void mx::replaceInMatmuls(QuantizeOp op, ValueRange values,
                          ArrayRef<int64_t> permutation) {
  llvm::SmallSetVector<Operation *, 4> users(op->user_begin(), op->user_end());
  for (Operation *user : users) {
    auto matmul = cast<MatmulOp>(user);
    SmallVector<Attribute> maps(matmul.getIndexingMaps().getValue());
    auto replace = [&](MutableOperandRange operand, Attribute &map) {
      if (operand[0].get() != op->getResult(0))
        return;
      for (auto [index, value] : llvm::enumerate(values))
        operand[index].set(value);
      AffineMap old = cast<AffineMapAttr>(map).getValue();
      SmallVector<AffineExpr> exprs(old.getResults());
      applyPermutationToVector(exprs, permutation);
      map = AffineMapAttr::get(AffineMap::get(old.getNumDims(), /*symbols=*/0,
                                              exprs, op.getContext()));
    };
    replace(matmul.getLhsMutable(), maps[0]);
    replace(matmul.getRhsMutable(), maps[1]);
    matmul.setIndexingMapsAttr(ArrayAttr::get(op.getContext(), maps));
  }
}
