// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantising the operands of products, each value once.

#ifndef MX_LIB_TRANSFORMS_QUANTIZEDOPERANDS_H
#define MX_LIB_TRANSFORMS_QUANTIZEDOPERANDS_H

#include "mx/IR/MX.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace mx {

/// Creates the values of quantised operands and remembers them: within a block
/// a value is quantised once for each format and axis.
class QuantizedOperands {
public:
  explicit QuantizedOperands(mlir::RewriterBase &rewriter)
      : rewriter(rewriter) {}

  /// Elements, scales, zero points and amax of `value` in `format`, blocks
  /// along `axis`, at the rewriter's insertion point or before. If a gather
  /// chose `value` from a stack of matrices, it is the stack that is quantised,
  /// and codes and scales are gathered as the values were: the codes of a
  /// weight then do not depend on which others were chosen with it (the second
  /// level is a maximum over all), and constant weights are quantised once.
  llvm::ArrayRef<mlir::Value> get(mlir::Location loc, mlir::Value value,
                                  FormatAttr format, int64_t axis);

  unsigned getNumCreated() const { return numCreated; }

private:
  using Key = std::tuple<mlir::Block *, mlir::Value, FormatAttr, int64_t>;

  llvm::SmallVector<mlir::Value> quantize(mlir::Location loc, mlir::Value value,
                                          FormatAttr format, int64_t axis);
  std::optional<llvm::SmallVector<mlir::Value>>
  quantizeTable(mlir::Location loc, mlir::Value value, FormatAttr format,
                int64_t axis);

  mlir::RewriterBase &rewriter;
  llvm::DenseMap<Key, llvm::SmallVector<mlir::Value>> known;
  unsigned numCreated = 0;
};

} // namespace mx

#endif // MX_LIB_TRANSFORMS_QUANTIZEDOPERANDS_H
