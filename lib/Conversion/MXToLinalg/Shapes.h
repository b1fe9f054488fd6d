// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of tensors, constant where they are known.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_SHAPES_H
#define MX_LIB_CONVERSION_MXTOLINALG_SHAPES_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mx {

using Sizes = llvm::SmallVector<mlir::OpFoldResult>;

/// ceil(size / divisor) and size * factor.
mlir::OpFoldResult ceilDiv(mlir::ImplicitLocOpBuilder &builder,
                           mlir::OpFoldResult size, int64_t divisor);
mlir::OpFoldResult multiply(mlir::ImplicitLocOpBuilder &builder,
                            mlir::OpFoldResult size, int64_t factor);

/// The type of a tensor of these sizes.
mlir::RankedTensorType getTensorType(llvm::ArrayRef<mlir::OpFoldResult> sizes,
                                     mlir::Type element);

/// `value` as `type`, which differs at most in how much of the shape is known.
mlir::Value castTo(mlir::ImplicitLocOpBuilder &builder, mlir::Value value,
                   mlir::Type type);

/// `value`, of these sizes, padded with zeros at the end of each dimension.
mlir::Value padTo(mlir::ImplicitLocOpBuilder &builder, mlir::Value value,
                  llvm::ArrayRef<mlir::OpFoldResult> sizes,
                  llvm::ArrayRef<mlir::OpFoldResult> paddedSizes);
/// The first `sizes` elements of each dimension of `value`.
mlir::Value sliceTo(mlir::ImplicitLocOpBuilder &builder, mlir::Value value,
                    llvm::ArrayRef<mlir::OpFoldResult> sizes);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_SHAPES_H
