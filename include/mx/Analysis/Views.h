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
/// dimensions (named, or a generic that yields its input), and conversions to a
/// wider float type. If `map` is a projected permutation, so is the result's.
/// The ops looked through are appended to `copies`, last first.
IndexedValue
lookThroughCopies(IndexedValue indexed,
                  llvm::SmallVectorImpl<mlir::Operation *> *copies = nullptr);

} // namespace mx

#endif // MX_ANALYSIS_VIEWS_H
