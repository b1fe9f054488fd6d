// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recognises the contractions that get a tiled, vectorised kernel.

#ifndef MX_LIB_CONVERSION_LINALGTOCPU_LINALGPRODUCT_H
#define MX_LIB_CONVERSION_LINALGTOCPU_LINALGPRODUCT_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mx {

/// A contraction with one f32 sum of products for each element of the result:
///
///   out[batch.., m.., n..] += sum over k.. of lhs[batch.., m.., k..]
///                                           * rhs[batch.., n.., k..]
///
/// (dimensions of each tensor in any order; operands f32, or narrower and
/// extended). The operand called `rhs` is the one whose own dimension is the
/// innermost of the result: vectors run along it, and its panels are packed.
struct LinalgProduct {
  mlir::linalg::LinalgOp op;
  mlir::OpOperand *lhs = nullptr, *rhs = nullptr, *init = nullptr;
  /// Loops of `op`; `n.back()` is the innermost dimension of the result. `m`
  /// may be empty (a vector on the left), `n` and `k` are not.
  llvm::SmallVector<unsigned, 2> batch, m, n, k;

  mlir::AffineMap getMap(mlir::OpOperand *operand) const {
    return mlir::linalg::LinalgOp(op).getMatchingIndexingMap(operand);
  }

  /// Matches an op on tensors.
  static mlir::FailureOr<LinalgProduct> match(mlir::Operation *op);
};

/// True for a float type that extends exactly to f32.
bool isNarrowFloat(mlir::Type type);

} // namespace mx

#endif // MX_LIB_CONVERSION_LINALGTOCPU_LINALGPRODUCT_H
