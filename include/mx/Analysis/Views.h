// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The value that an operand of a product is a rearrangement of.

#ifndef MX_ANALYSIS_VIEWS_H
#define MX_ANALYSIS_VIEWS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mx {

/// A value as the loops of an op read it: `map` goes from loops to dimensions.
struct IndexedValue {
  mlir::Value value;
  mlir::AffineMap map;
};

/// Looks through ops that only copy `value`: transpositions, broadcasts to new
/// dimensions (named, a generic that yields its input, or TOSA's), reshapes
/// that only add or drop dimensions of extent one, and conversions to a wider
/// float type. If `map` is a projected permutation, so is the result's but for
/// a constant 0 where a dimension of extent one is read. The ops looked through
/// are appended to `copies`, last first.
IndexedValue
lookThroughCopies(IndexedValue indexed,
                  llvm::SmallVectorImpl<mlir::Operation *> *copies = nullptr);

} // namespace mx

#endif // MX_ANALYSIS_VIEWS_H
