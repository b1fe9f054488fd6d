// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tensor of any rank as batches of matrices, block columns along the axis,
// block rows along the innermost other dimension.

#ifndef MX_LIB_FORMATS_LAYOUT_H
#define MX_LIB_FORMATS_LAYOUT_H

#include "mx/Formats/Format.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

namespace mx::detail {

/// Number of elements of a shape.
int64_t getNumElements(llvm::ArrayRef<int64_t> shape);

/// One dimension of the matrices.
struct Extent {
  int64_t size;
  /// Of elements in memory, and of their numbers in the tensor: these differ in
  /// a copy.
  int64_t stride;
  int64_t indexStride;
  int64_t block;
  int64_t numBlocks;
  int64_t scaleStride = 0;

  Extent(int64_t size, int64_t stride, int64_t block)
      : size(size), stride(stride), indexStride(stride),
        block(block == Format::Whole ? std::max<int64_t>(size, 1) : block),
        numBlocks(block == Format::Whole ? 1 : llvm::divideCeil(size, block)) {}
};

/// A tensor as `outer` x `inner` matrices of `rows` x `cols`.
struct Layout {
  int64_t outer = 1, outerStride = 0, outerScaleStride = 0;
  int64_t inner = 1, innerStride = 0, innerScaleStride = 0;
  Extent rows, cols;
  /// Number of the first element in the tensor.
  int64_t indexBase = 0;

  Layout(Extent rows, Extent cols) : rows(rows), cols(cols) {}

  static Layout get(const Format &format, llvm::ArrayRef<int64_t> shape,
                    int64_t axis);
};

/// The extents of the scales; see `Quantized::scaleShape`.
llvm::SmallVector<int64_t> getScaleShape(const Format &format,
                                         llvm::ArrayRef<int64_t> shape,
                                         int64_t axis);

} // namespace mx::detail

#endif // MX_LIB_FORMATS_LAYOUT_H
