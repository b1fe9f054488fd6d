// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner loops of a product.

#ifndef MX_LIB_CONVERSION_LINALGTOCPU_PRODUCTKERNEL_H
#define MX_LIB_CONVERSION_LINALGTOCPU_PRODUCTKERNEL_H

#include "LinalgProduct.h"
#include "mx/Conversion/LinalgToCPU/CPUTarget.h"

#include "mlir/IR/PatternMatch.h"

namespace mx {

/// How one tile of a product is computed.
struct ProductTile {
  enum Kind {
    /// The right operand's columns are packed into a panel [k.., columns] for
    /// all rows of the left one.
    Panel,
    /// Few rows, the right operand has its columns contiguous: it is read where
    /// it is.
    Columns,
    /// Few rows, both operands have K contiguous: vectors run along K.
    Dot,
  };
  Kind kind = Panel;
  /// Elements of f32 in a register.
  int64_t lanes;
  /// Panel, Columns: the sums in registers are `rows` by `vectors * lanes`.
  /// Dot: `rows` by `columns` vectors of partial sums.
  int64_t rows, columns;
  /// True if each tile has all of its columns.
  bool isFull;
  /// True if a multiply-add is one instruction.
  bool hasFMA;

  int64_t getVectors() const { return columns / lanes; }

  /// The tile for a product, by the registers of the target and, where they are
  /// static, the product's sizes. The number of columns is a power of two, so
  /// that blocks of scales begin where tiles do.
  static ProductTile get(const LinalgProduct &product, const CPUTarget &target);
};

/// Replaces `product` (at most `tile.columns` elements of `n.back()`, one of
/// each batch dimension and each other of `n`) by loops. The result starts from
/// `fill` or, if that is null, from the product's init.
void lowerProduct(mlir::RewriterBase &rewriter, const LinalgProduct &product,
                  const ProductTile &tile, mlir::Value fill);

} // namespace mx

#endif // MX_LIB_CONVERSION_LINALGTOCPU_PRODUCTKERNEL_H
