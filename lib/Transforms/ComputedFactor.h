// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Factors that a product computes in its body, as fusion of elementwise ops
// leaves them: an activation function, a norm's scale, the division of a
// softmax.

#ifndef MX_LIB_TRANSFORMS_COMPUTEDFACTOR_H
#define MX_LIB_TRANSFORMS_COMPUTEDFACTOR_H

#include "mx/Analysis/Views.h"

namespace mx {

/// Whether `factor`, a value of the body of `op`, can be computed before the
/// op: it is f32, f16 or bf16, and what it is computed from walks no loops but
/// those of `map`, which is how its main operand is read.
bool isSeparableFactor(mlir::linalg::LinalgOp op, mlir::Value factor,
                       mlir::AffineMap map);

/// Computes such a factor by an op of its own, with a dimension for each loop
/// that `main`, how its main operand is read, walks. Returns how `op` would
/// read the result.
IndexedValue computeFactor(mlir::RewriterBase &rewriter,
                           mlir::linalg::LinalgOp op, mlir::Value factor,
                           IndexedValue main);

} // namespace mx

#endif // MX_LIB_TRANSFORMS_COMPUTEDFACTOR_H
