// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of tensors, constant where they are known.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_SHAPES_H
#define MX_LIB_CONVERSION_MXTOLINALG_SHAPES_H

#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mx {

using Sizes = llvm::SmallVector<mlir::OpFoldResult>;

/// The sizes of a tensor, as attributes where they are constant.
Sizes getTensorSizes(mlir::ImplicitLocOpBuilder &builder, mlir::Value tensor);

/// ceil(size / divisor) and size * factor.
mlir::OpFoldResult ceilDiv(mlir::ImplicitLocOpBuilder &builder,
                           mlir::OpFoldResult size, int64_t divisor);
mlir::OpFoldResult multiply(mlir::ImplicitLocOpBuilder &builder,
                            mlir::OpFoldResult size, int64_t factor);

/// The type of a tensor of these sizes.
mlir::RankedTensorType getTensorType(llvm::ArrayRef<mlir::OpFoldResult> sizes,
                                     mlir::Type element);

/// `init` filled with zeros, and a new tensor of zeros.
mlir::Value fillZeros(mlir::ImplicitLocOpBuilder &builder, mlir::Value init);
mlir::Value createZeros(mlir::ImplicitLocOpBuilder &builder,
                        llvm::ArrayRef<mlir::OpFoldResult> sizes,
                        mlir::Type element);

/// `value` as `type`, which differs at most in how much of the shape is known.
mlir::Value castTo(mlir::ImplicitLocOpBuilder &builder, mlir::Value value,
                   mlir::Type type);

/// `value`, of these sizes, padded at the end of each dimension; with zeros if
/// `padding` is null.
mlir::Value padTo(mlir::ImplicitLocOpBuilder &builder, mlir::Value value,
                  llvm::ArrayRef<mlir::OpFoldResult> sizes,
                  llvm::ArrayRef<mlir::OpFoldResult> paddedSizes,
                  mlir::TypedAttr padding = {});
/// The first elements of each dimension of `value`, as many as `init` has,
/// copied into `init`. (A slice returned as it is would be a strided buffer,
/// which one-shot-bufferize takes for a contiguous one at the boundary of a
/// function with dynamic shapes.)
mlir::Value copySlice(mlir::ImplicitLocOpBuilder &builder, mlir::Value value,
                      mlir::Value init);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_SHAPES_H
