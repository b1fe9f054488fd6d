// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MX_LIB_FORMATS_READER_H
#define MX_LIB_FORMATS_READER_H

#include "Loops.h"

#include "mx/Formats/Quantize.h"

#include <algorithm>

namespace mx::detail {

/// Runs of a tensor as contiguous f32, in pieces.
class Reader {
public:
  explicit Reader(TensorView tensor) : tensor(tensor) {}

  /// Calls `fn(values, n, done)` for pieces of `n` elements that start at
  /// `begin` and lie `stride` apart; `done` counts the elements before.
  template <typename Fn>
  void forEachPiece(int64_t begin, int64_t stride, int64_t n, Fn fn) {
    if (stride == 1 && tensor.type == FloatType::F32)
      return fn(static_cast<const float *>(tensor.data) + begin, n, 0);
    for (int64_t done = 0; done < n; done += pieceSize) {
      int64_t size = std::min(pieceSize, n - done);
      load(begin + done * stride, stride, size);
      fn(static_cast<const float *>(piece), size, done);
    }
  }

private:
  static constexpr int64_t pieceSize = 1024;

  void load(int64_t begin, int64_t stride, int64_t n) {
    if (tensor.type == FloatType::F32) {
      const float *from = static_cast<const float *>(tensor.data) + begin;
      for (int64_t i = 0; i < n; ++i)
        piece[i] = from[i * stride];
      return;
    }
    const uint16_t *from = static_cast<const uint16_t *>(tensor.data) + begin;
    if (stride == 1)
      return widenRun(tensor.type, from, n, piece);
    uint16_t gathered[pieceSize];
    for (int64_t i = 0; i < n; ++i)
      gathered[i] = from[i * stride];
    widenRun(tensor.type, gathered, n, piece);
  }

  TensorView tensor;
  float piece[pieceSize];
};

} // namespace mx::detail

#endif // MX_LIB_FORMATS_READER_H
