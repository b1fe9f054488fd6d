// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the ops' implementations of TilingInterface share.

#ifndef MX_LIB_IR_TILING_H
#define MX_LIB_IR_TILING_H

#include "TileMath.h"

#include "mx/IR/MX.h"

namespace mx {

/// Says why an op is not tiled. A remark: whether that is an error is the
/// caller's business.
mlir::LogicalResult refuseTiling(mlir::Operation *op, const llvm::Twine &why);

/// Fails for an op that no tile can be taken of: on memrefs or with a layout.
mlir::LogicalResult verifyTileable(mlir::Operation *op);

/// Fails if elements are packed: their last dimension does not count them.
mlir::LogicalResult verifyNotPacked(mlir::Operation *op, mlir::Value elements,
                                    const Format &format);

/// The iteration space of `value`'s elements.
llvm::SmallVector<mlir::Range> getElementDomain(mlir::OpBuilder &builder,
                                                mlir::Location loc,
                                                mlir::Value value);

/// The scales of a tile of elements. The tile starts with a block; a block that
/// it ends in is counted.
Tile getScaleTile(TileMath &math, llvm::ArrayRef<int64_t> block,
                  const Tile &elements);

/// Collects the operands of one op's tile.
class TiledOperands {
public:
  TiledOperands(mlir::OpBuilder &builder, mlir::Operation *op)
      : builder(builder), op(op) {}

  /// A slice of the next operand.
  void addSlice(mlir::Value value, const Tile &tile);
  /// Slices of the further operands of a prologue or an epilogue: those that
  /// the tile of the tensor to which it is applied needs.
  void addSlices(const ElementRegion &region, const Tile &tile);
  /// The next operand as it is.
  void add(mlir::Value value) { operands.push_back(value); }

  /// The op on these operands.
  mlir::TilingResult build();

private:
  mlir::OpBuilder &builder;
  mlir::Operation *op;
  llvm::SmallVector<mlir::Value> operands;
  llvm::SmallVector<mlir::Operation *> slices;
};

} // namespace mx

#endif // MX_LIB_IR_TILING_H
