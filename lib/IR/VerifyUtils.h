// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constraints that ops share. Q1 to Q6 are those of a quantised operand in
// dialects/mx/README.md. Each function reports on the op and names the operand.

#ifndef MX_LIB_IR_VERIFYUTILS_H
#define MX_LIB_IR_VERIFYUTILS_H

#include "mx/IR/MX.h"

namespace mx {

/// All shaped operands are tensors, or all are memrefs.
llvm::LogicalResult verifyUnmixed(mlir::Operation *op);

/// A tensor without an encoding, or a memref.
llvm::LogicalResult verifyRowMajor(mlir::Operation *op, mlir::Value value,
                                   const llvm::Twine &name);

/// Row-major, of f32, f16 or bf16.
llvm::LogicalResult verifyHighPrecision(mlir::Operation *op, mlir::Value value,
                                        const llvm::Twine &name);

/// The axis is a dimension of the tensor that is quantised.
llvm::LogicalResult verifyAxis(mlir::Operation *op, int64_t axis, int64_t rank);

/// `value` has these elements and a shape compatible with `shape`.
llvm::LogicalResult verifyType(mlir::Operation *op, mlir::Value value,
                               const llvm::Twine &name, mlir::Type element,
                               llvm::ArrayRef<int64_t> shape);

/// A row-major f32 of rank 0.
llvm::LogicalResult verifyScalar(mlir::Operation *op, mlir::Value value,
                                 const llvm::Twine &name);

/// Q1: one value each for elements, scales, zero points and amax as the format
/// has them.
llvm::LogicalResult verifyCount(mlir::Operation *op, mlir::ValueRange values,
                                const Format &format, const llvm::Twine &name);

/// Q2: the elements of a tensor of `shape`, packed or not.
llvm::LogicalResult verifyElements(mlir::Operation *op, mlir::Value elements,
                                   const Format &format,
                                   llvm::ArrayRef<int64_t> shape,
                                   const llvm::Twine &name);

/// Q3 to Q6 for the values of a tensor of `shape`; zero points and amax are
/// checked where they are present. `prefix` tells operands apart ("lhs ").
llvm::LogicalResult verifyScaling(mlir::Operation *op,
                                  const QuantizedOperand &operand,
                                  const Format &format,
                                  llvm::ArrayRef<int64_t> shape, int64_t axis,
                                  const llvm::Twine &prefix = "");

/// Q2 to Q6, in this order.
llvm::LogicalResult verifyQuantized(mlir::Operation *op,
                                    const QuantizedOperand &operand,
                                    const Format &format,
                                    llvm::ArrayRef<int64_t> shape,
                                    int64_t axis);

/// R1 to R6 for a prologue or an epilogue that is applied to a tensor of
/// `shape` with elements of this type. It yields `result`, or any
/// high-precision type if that is null.
llvm::LogicalResult verifyElementRegion(mlir::Operation *op,
                                        const ElementRegion &region,
                                        llvm::ArrayRef<int64_t> shape,
                                        mlir::Type element,
                                        mlir::Type result = {});

/// The extents of a tensor or memref.
llvm::ArrayRef<int64_t> getShape(mlir::Value value);

} // namespace mx

#endif // MX_LIB_IR_VERIFYUTILS_H
