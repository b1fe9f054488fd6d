// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a product is: one result of a linalg op that sums lhs * rhs, in any
// spelling (named op, linalg.contract, generic).

#ifndef MX_ANALYSIS_CONTRACTION_H
#define MX_ANALYSIS_CONTRACTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mx {

/// One result of `op` is init + sum over k of lhs * rhs. An op with several
/// results (fused QKV, gate and up) has one contraction a result.
struct Contraction {
  mlir::linalg::LinalgOp op;
  /// Number of the result, and of its init among the inits.
  unsigned result = 0;
  mlir::OpOperand *lhs = nullptr;
  mlir::OpOperand *rhs = nullptr;
  mlir::OpOperand *init = nullptr;
  /// Loops of `op` by who reads them: both operands and the result; lhs and
  /// result; rhs and result; both operands only.
  llvm::SmallVector<unsigned, 2> batch, m, n, k;
  /// The factors are the operands themselves, possibly extended to a wider
  /// type; false if the body computes them (a scale is applied, a value is
  /// rounded or dequantised), in which case lhs or rhs is the operand of the
  /// factor that has most dimensions.
  bool isPlain = true;

  mlir::AffineMap getLhsMap() { return op.getMatchingIndexingMap(lhs); }
  mlir::AffineMap getRhsMap() { return op.getMatchingIndexingMap(rhs); }
  mlir::AffineMap getResultMap() { return op.getMatchingIndexingMap(init); }
};

/// Matches result number `result` of `op`: a body that adds (either order; or
/// fma) the product (either order) of two factors that depend on different
/// operands to the init, with casts anywhere, and indexing maps that are
/// projected permutations (a unit dimension may be read at constant 0). A
/// generic without m and n is a reduction, not a product; a sum of squares is
/// none either.
mlir::FailureOr<Contraction> matchContraction(mlir::linalg::LinalgOp op,
                                              unsigned result);

/// True if a result of `op` is a product in the sense of matchContraction.
bool isContraction(mlir::Operation *op);

} // namespace mx

#endif // MX_ANALYSIS_CONTRACTION_H
