// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MX_LIB_FORMATS_BLOCKQUANTIZER_H
#define MX_LIB_FORMATS_BLOCKQUANTIZER_H

#include "Layout.h"
#include "Loops.h"
#include "Reader.h"

#include "mx/Formats/Quantize.h"

namespace mx::detail {

/// A rectangle of a matrix.
struct Block {
  /// Position of its first element in memory, and its number in the tensor.
  int64_t begin;
  int64_t index;
  int64_t rows, cols;
  bool ragged;
};

/// Quantises a tensor block by block into `result`.
class BlockQuantizer {
public:
  /// `type` is that of the original, where `tensor` is its transform.
  BlockQuantizer(const Format &format, const QuantizeOptions &options,
                 FloatType type, TensorView tensor, const Layout &layout,
                 Quantized &result)
      : format(format), options(options), type(type), reader(tensor),
        layout(layout), result(result) {
    code.element = format.element;
    code.rounding = options.rounding;
    code.random = {options.seed, options.offset, options.randomBits};
    code.randomStride = layout.cols.indexStride;
    code.variant = format.variant;
  }

  void run();

private:
  void runMatrix(int64_t begin, int64_t scaleBegin);
  void runTransposed(int64_t begin, int64_t scaleBegin);
  void quantize(const Block &block, int64_t scaleIndex);
  BlockRange getRange(const Block &block);
  void encode(const Block &block, const ElementScaling &scaling,
              uint8_t *codes);
  BlockScale chooseFourOverSix(const Block &block, float amax);
  float getError(const Block &block, const BlockScale &scale);

  /// Calls `fn(values, n, row, col)` for the contiguous pieces of a block, row
  /// by row.
  template <typename Fn> void forEachPiece(const Block &block, Fn fn) {
    for (int64_t row = 0; row < block.rows; ++row)
      reader.forEachPiece(
          block.begin + row * layout.rows.stride, layout.cols.stride,
          block.cols,
          [&](const float *x, int64_t n, int64_t col) { fn(x, n, row, col); });
  }

  const Format &format;
  const QuantizeOptions &options;
  FloatType type;
  Reader reader;
  const Layout &layout;
  Quantized &result;
  CodeOptions code;
};

} // namespace mx::detail

#endif // MX_LIB_FORMATS_BLOCKQUANTIZER_H
