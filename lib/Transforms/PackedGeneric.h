// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linalg ops that move codes of fewer than 8 bits row by row: gathers of rows,
// transpositions of outer dimensions, broadcasts, copies. On packed tensors the
// same op moves bytes.

#ifndef MX_LIB_TRANSFORMS_PACKEDGENERIC_H
#define MX_LIB_TRANSFORMS_PACKEDGENERIC_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mx {

/// A type whose codes are packed: f4E2M1FN, f6E2M3FN, f6E3M2FN, i4, i2.
bool isSubByte(mlir::Type type);

/// Codes in a byte of a packed tensor: 1, 2 or 4.
int64_t getCodesPerByte(mlir::Type tensor);

/// Reports why `op`, which has sub-byte tensors among its operands or in its
/// body, is not the same op on bytes; or succeeds. It is if
///   - codes come from operands, `tensor.extract` and `arith.select`, and go
///     nowhere but to results;
///   - one parallel dimension of the iteration runs along the last dimension of
///     every sub-byte tensor, from 0 on, and along nothing else;
///   - rows end with a byte, or are as long as those they come from.
mlir::LogicalResult verifyMovesRows(mlir::linalg::GenericOp op);

/// Adds the rewriting of such ops.
void populatePackGenericPatterns(const mlir::TypeConverter &converter,
                                 mlir::RewritePatternSet &patterns);

} // namespace mx

#endif // MX_LIB_TRANSFORMS_PACKEDGENERIC_H
