// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Layout.h"

#include "mx/Formats/Quantize.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace mx;
using namespace mx::detail;

int64_t mx::detail::getNumElements(ArrayRef<int64_t> shape) {
  // An extent of zero may stand beside others whose product overflows.
  if (llvm::is_contained(shape, 0))
    return 0;
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

bool mx::isFlattened(const Format &format) {
  switch (format.element) {
  case Element::NF4:
    return format.variant == Variant::BitsAndBytes ||
           format.variant == Variant::TorchAO;
  case Element::Int4:
    return format.variant == Variant::ModelOpt;
  default:
    return false;
  }
}

Layout Layout::get(const Format &format, ArrayRef<int64_t> shape,
                   int64_t axis) {
  bool tensor =
      format.blockRows == Format::Whole && format.blockCols == Format::Whole;
  if (tensor || isFlattened(format) || shape.size() == 1) {
    Layout layout({1, 0, 1}, {getNumElements(shape), 1, format.blockCols});
    layout.cols.scaleStride = 1;
    return layout;
  }

  int64_t last = shape.back();
  if (axis == int64_t(shape.size()) - 1) {
    Layout layout({shape[axis - 1], last, format.blockRows},
                  {last, 1, format.blockCols});
    layout.outer = getNumElements(shape.drop_back(2));
    layout.outerStride = shape[axis - 1] * last;
    layout.cols.scaleStride = 1;
    layout.rows.scaleStride = layout.cols.numBlocks;
    layout.outerScaleStride = layout.rows.numBlocks * layout.cols.numBlocks;
    return layout;
  }
  // (outer..., axis, inner..., rows)
  int64_t inner = getNumElements(shape.slice(axis + 1).drop_back());
  Layout layout({last, 1, format.blockRows},
                {shape[axis], inner * last, format.blockCols});
  layout.outer = getNumElements(shape.take_front(axis));
  layout.outerStride = shape[axis] * inner * last;
  layout.inner = inner;
  layout.innerStride = last;
  layout.rows.scaleStride = 1;
  layout.innerScaleStride = layout.rows.numBlocks;
  layout.cols.scaleStride = inner * layout.rows.numBlocks;
  layout.outerScaleStride = layout.cols.numBlocks * layout.cols.scaleStride;
  return layout;
}

SmallVector<int64_t> mx::detail::getScaleShape(const Format &format,
                                               ArrayRef<int64_t> shape,
                                               int64_t axis) {
  if (isFlattened(format))
    return {int64_t(divideCeil(getNumElements(shape), format.blockCols))};
  SmallVector<int64_t> scales;
  for (auto [extent, block] :
       zip_equal(shape, getBlockShape(format, shape.size(), axis)))
    scales.push_back(block == Format::Whole ? 1 : divideCeil(extent, block));
  return scales;
}
