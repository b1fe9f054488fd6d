// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner loops of a product: a packed panel of its right operand times the
// rows of its left operand, accumulated in vector registers.

#ifndef MX_LIB_CONVERSION_LINALGTOCPU_PRODUCTKERNEL_H
#define MX_LIB_CONVERSION_LINALGTOCPU_PRODUCTKERNEL_H

#include "Product.h"
#include "mx/Conversion/LinalgToCPU/CPUTarget.h"

#include "mlir/IR/PatternMatch.h"

namespace mx {

/// Elements of the result that are accumulated in registers: `rows` by
/// `vectors * lanes`.
struct ProductTile {
  int64_t rows, vectors, lanes;

  int64_t getWidth() const { return vectors * lanes; }

  /// The tile for a product, by the registers of the target and, where they are
  /// static, the product's sizes.
  static ProductTile get(const Product &product, const CPUTarget &target);
};

/// Replaces `product` (one tile of batch and `n` dimensions: at most
/// `tile.getWidth()` elements of `n.back()`, one of each other) by loops.
///
/// fill: what the result starts from; null: from the product's init.
/// isFull: every tile has all of its `getWidth()` columns.
void lowerProduct(mlir::RewriterBase &rewriter, const Product &product,
                  const ProductTile &tile, const CPUTarget &target,
                  mlir::Value fill, bool isFull);

} // namespace mx

#endif // MX_LIB_CONVERSION_LINALGTOCPU_PRODUCTKERNEL_H
