// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a product is: one result of an op that sums lhs * rhs, in any spelling
// (a named linalg op, linalg.contract, linalg.generic, tosa.matmul).

#ifndef MX_ANALYSIS_CONTRACTION_H
#define MX_ANALYSIS_CONTRACTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mx {

/// One result of `op` is init + sum over k of lhs * rhs. An op with several
/// results (fused QKV, gate and up) has one contraction a result.
struct Contraction {
  mlir::Operation *op = nullptr;
  /// Number of the result, and of its init among the inits.
  unsigned result = 0;
  mlir::OpOperand *lhs = nullptr;
  mlir::OpOperand *rhs = nullptr;
  /// Null if the op starts at zero without saying so.
  mlir::OpOperand *init = nullptr;
  /// From the loops of `op`, of which these are the extents (kDynamic if not
  /// known), to dimensions.
  mlir::AffineMap lhsMap, rhsMap, resultMap;
  llvm::SmallVector<int64_t> ranges;
  /// Loops by who reads them: both operands and the result; lhs and result;
  /// rhs and result; both operands only.
  llvm::SmallVector<unsigned, 2> batch, m, n, k;
  /// The factors are the operands themselves, possibly extended to a wider
  /// type; false if the op computes them (a scale is applied, a value is
  /// rounded or dequantised, a zero point subtracted), in which case lhs or rhs
  /// is the operand of the factor that has most dimensions.
  bool isPlain = true;
  /// The values of the body that are factors and no operands, as said above;
  /// null where the factor is plain, and of TOSA's ops.
  mlir::Value lhsFactor, rhsFactor;
};

/// Matches result number `result` of `op`, a tosa.matmul or a linalg op with a
/// body that adds (either order; or
/// fma) the product (either order) of two factors that depend on different
/// operands to the init, with casts anywhere, and indexing maps that are
/// projected permutations (a unit dimension may be read at constant 0). A
/// generic without m and n is a reduction, not a product; a sum of squares is
/// none either.
mlir::FailureOr<Contraction> matchContraction(mlir::Operation *op,
                                              unsigned result);

} // namespace mx

#endif // MX_ANALYSIS_CONTRACTION_H
