// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors in a layout other than row-major as row-major tensors of the shape
// that the layout has in memory.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_LAYOUT_H
#define MX_LIB_CONVERSION_MXTOLINALG_LAYOUT_H

#include "mx/IR/MX.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mx {

/// The layout of a tensor type; null for row-major.
LayoutAttr getLayout(mlir::Type type);

/// The type in memory of a tensor [..., M, K] with `#mx.layout<tile_128x4>`:
/// [..., ceil(M/128), ceil(K/4), 32, 4, 4]. Row r and column c of a tile are at
/// [r mod 32, r div 32, c] (cuBLAS: layout of 1D block scaling factors).
mlir::RankedTensorType getTiledType(mlir::RankedTensorType type);
/// Sizes of the same, from those of the row-major tensor.
llvm::SmallVector<mlir::OpFoldResult>
getTiledSizes(mlir::ImplicitLocOpBuilder &builder,
              llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// From row-major to tiles, padded with zeros.
mlir::Value toTiled(mlir::ImplicitLocOpBuilder &builder, mlir::Value value);
/// From tiles to row-major, into `init`.
mlir::Value fromTiled(mlir::ImplicitLocOpBuilder &builder, mlir::Value tiled,
                      mlir::Value init);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_LAYOUT_H
