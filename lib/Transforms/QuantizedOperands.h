// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantising the operands of products, each value once.

#ifndef MX_LIB_TRANSFORMS_QUANTIZEDOPERANDS_H
#define MX_LIB_TRANSFORMS_QUANTIZEDOPERANDS_H

#include "RandomBits.h"
#include "mx/IR/MX.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace mx {

/// `op`, or the outermost loop around it that does not compute `value`: what is
/// done to the value is done once, before it.
mlir::Operation *getUserOutsideOfLoops(mlir::Operation *op, mlir::Value value);

/// Creates the values of quantised operands and remembers them: within a block
/// a value is quantised once for each way and axis.
class QuantizedOperands {
public:
  QuantizedOperands(mlir::RewriterBase &rewriter, RandomBits &random)
      : rewriter(rewriter), random(random) {}

  /// Elements, scales, zero points and amax of `value`, transformed, rounded
  /// and in the format as `how` says, blocks along `axis`, at the rewriter's
  /// insertion point or before. If a gather
  /// chose `value` from a stack of matrices, it is the stack that is quantised,
  /// and codes and scales are gathered as the values were: the codes of a
  /// weight then do not depend on which others were chosen with it (the second
  /// level is a maximum over all), and constant weights are quantised once. So
  /// it is with what a loop slices from a stack that stands before it.
  llvm::ArrayRef<mlir::Value> get(mlir::Location loc, mlir::Value value,
                                  OperandAttr how, int64_t axis);

  /// `value` with dimension `axis` last, once in each block.
  mlir::Value moveLast(mlir::Location loc, mlir::Value value, int64_t axis);

  /// Why a value cannot be quantised so before `op`; empty if it can.
  std::string check(mlir::Operation *op, OperandAttr how) {
    return how.getRounding() == Rounding::sr ? random.check(op) : "";
  }

  unsigned getNumCreated() const { return numCreated; }

private:
  using Key = std::tuple<mlir::Block *, mlir::Value, OperandAttr, int64_t>;

  llvm::SmallVector<mlir::Value> quantize(mlir::Location loc, mlir::Value value,
                                          OperandAttr how, int64_t axis);
  std::optional<llvm::SmallVector<mlir::Value>>
  quantizeTable(mlir::Location loc, mlir::Value value, OperandAttr how,
                int64_t axis);

  std::optional<llvm::SmallVector<mlir::Value>>
  quantizeSliced(mlir::Location loc, mlir::Value value, OperandAttr how,
                 int64_t axis);

  mlir::RewriterBase &rewriter;
  RandomBits &random;
  llvm::DenseMap<Key, llvm::SmallVector<mlir::Value>> known;
  llvm::DenseMap<std::tuple<mlir::Block *, mlir::Value, int64_t>, mlir::Value>
      moved;
  unsigned numCreated = 0;
};

} // namespace mx

#endif // MX_LIB_TRANSFORMS_QUANTIZEDOPERANDS_H
