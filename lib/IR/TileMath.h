// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on the offsets and sizes of tiles, and what is known of them.

#ifndef MX_LIB_IR_TILEMATH_H
#define MX_LIB_IR_TILEMATH_H

#include "mx/Formats/Format.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"

namespace mx {

using OpFoldResults = llvm::SmallVector<mlir::OpFoldResult>;

/// The part of a tensor or of an iteration space, a dimension at a time.
struct Tile {
  OpFoldResults offsets, sizes;

  void push(mlir::OpFoldResult offset, mlir::OpFoldResult size) {
    offsets.push_back(offset);
    sizes.push_back(size);
  }
};

/// Builds index arithmetic, folded and composed as upstream's tiling does.
class TileMath {
public:
  TileMath(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  mlir::OpFoldResult constant(int64_t value) {
    return builder.getIndexAttr(value);
  }
  mlir::OpFoldResult multiply(mlir::OpFoldResult value, int64_t factor);
  mlir::OpFoldResult floorDiv(mlir::OpFoldResult value, int64_t divisor);
  mlir::OpFoldResult ceilDiv(mlir::OpFoldResult value, int64_t divisor);
  /// min(size, extent - offset): a size that ends with the dimension. If the
  /// extent is a multiple of `unit`, which offset and size are counted in, the
  /// size needs no bound and stays static.
  mlir::OpFoldResult clamp(mlir::OpFoldResult offset, mlir::OpFoldResult size,
                           mlir::OpFoldResult extent, int64_t unit);

  /// Extents of a tensor or memref.
  OpFoldResults getSizes(mlir::Value value);
  /// The whole of a tensor or memref.
  Tile getWhole(mlir::Value value);

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
};

/// The largest number that is known to divide an index (0 for a zero):
/// constants, affine.apply, min and max, products, and loop variables whose
/// bounds and steps it is known of.
int64_t getKnownDivisor(mlir::OpFoldResult value);

/// True if the part [offset, offset + size) of dimension `dim` is known to
/// consist of whole blocks, the dimension's last one ragged or not. All of
/// `tensors` have the dimension's extent. `block` may be `Format::Whole`.
bool isKnownWholeBlocks(mlir::OpFoldResult offset, mlir::OpFoldResult size,
                        int64_t block, mlir::ValueRange tensors, int64_t dim);

/// True if an index is computed from a variable of a parallel loop.
bool dependsOnParallelLoop(mlir::OpFoldResult value);

} // namespace mx

#endif // MX_LIB_IR_TILEMATH_H
