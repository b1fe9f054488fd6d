// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The random Hadamard transform: x reshaped to (..., n) along the contraction
// dimension, times diag(signs) * H_n / sqrt(n), H_n the Sylvester matrix.

#ifndef MX_FORMATS_HADAMARD_H
#define MX_FORMATS_HADAMARD_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>

namespace mx {

/// A transform of groups of `signs.size()` (a power of two) elements; each sign
/// is 1 or -1.
struct Hadamard {
  llvm::SmallVector<int8_t> signs;

  int64_t size() const { return signs.size(); }

  /// All signs 1.
  static Hadamard getPlain(int64_t size);
  /// Transformer Engine's fixed signs of size 16.
  static Hadamard getTransformerEngine();
  /// Sign i is bit i % 32 of word i / 32 % 4 of Philox block i / 128 of the
  /// seed (see Random.h), offset 0: 1 if it is clear.
  static Hadamard getSeeded(int64_t size, uint64_t seed);

  /// Transforms each group of a contiguous row in place; its length must be a
  /// multiple of the size. In f32: y_j = (sum over i, ascending, of
  /// x_i * signs_i * H_ij) * (1 / sqrt(n) rounded to f32).
  void apply(llvm::MutableArrayRef<float> row) const;
};

} // namespace mx

#endif // MX_FORMATS_HADAMARD_H
