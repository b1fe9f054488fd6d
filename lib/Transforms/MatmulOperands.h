// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Giving products another quantised operand, of other order of dimensions.

#ifndef MX_LIB_TRANSFORMS_MATMULOPERANDS_H
#define MX_LIB_TRANSFORMS_MATMULOPERANDS_H

#include "mx/IR/MX.h"

namespace mx {

/// True if only mx.matmul reads the results of `op`, as an operand of the same
/// format with K along the same axis: the order of its dimensions is then free.
bool isReadByMatmulsOnly(QuantizeOp op);

/// Lets those products read `values` instead of the results of `op`. Dimension
/// i of the new values is dimension `permutation[i]` of the old ones.
void replaceInMatmuls(QuantizeOp op, mlir::ValueRange values,
                      llvm::ArrayRef<int64_t> permutation);

} // namespace mx

#endif // MX_LIB_TRANSFORMS_MATMULOPERANDS_H
