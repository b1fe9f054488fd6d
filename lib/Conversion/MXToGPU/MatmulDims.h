// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An mx.matmul of any rank seen as a batch of products lhs[M, K] * rhs[N, K]^T,
// result[M, N] row-major: what the gemm kernels do.

#ifndef MX_LIB_CONVERSION_MXTOGPU_MATMULDIMS_H
#define MX_LIB_CONVERSION_MXTOGPU_MATMULDIMS_H

#include "mx/IR/MX.h"

namespace mx {

struct MatmulDims {
  /// True if the kernel's lhs is the op's rhs: columns of the result come from
  /// the op's lhs.
  bool swapped = false;
  /// Iteration dimensions, outermost first, that together are M, N or a batch.
  llvm::SmallVector<unsigned> m, n, batch;
  unsigned k = 0;

  /// Fails with a diagnostic if memory is not laid out so that a kernel can
  /// step through it.
  static mlir::FailureOr<MatmulDims> get(MatmulOp op);

  /// Operand 0 or 1 of the kernel.
  QuantizedOperand getOperand(MatmulOp op, int operand) const {
    return isLhs(operand) ? op.getLhsOperand() : op.getRhsOperand();
  }
  std::optional<Format> getFormat(MatmulOp op, int operand) const;
  mlir::AffineMap getMap(MatmulOp op, int operand) const {
    return isLhs(operand) ? op.getLhsMap() : op.getRhsMap();
  }

private:
  bool isLhs(int operand) const { return (operand == 0) != swapped; }
};

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOGPU_MATMULDIMS_H
