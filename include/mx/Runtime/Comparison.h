// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How far a tensor is from the one that was expected.

#ifndef MX_RUNTIME_COMPARISON_H
#define MX_RUNTIME_COMPARISON_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace mx {

/// A row-major tensor in memory; `dtype` as MLIR spells it.
struct HostTensorView {
  llvm::StringRef dtype;
  llvm::ArrayRef<int64_t> shape;
  const char *data;

  int64_t getNumElements() const;
};

/// Element `i` of `data`, exactly where a double can hold it.
using ElementDecoder = double (*)(const char *data, int64_t i);

/// The decoder of a type as MLIR spells it (i1: a byte each); null for a type
/// that has none.
ElementDecoder getElementDecoder(llvm::StringRef dtype);

struct TensorError {
  /// max |x - y|; infinite if x or y is NaN where the other is not.
  double maxAbs = 0;
  /// |x - y| / |y| in the Frobenius norm; 0 if both are 0.
  double relative = 0;
  /// x . y / (|x| |y|); 1 if both are 0.
  double cosine = 1;
  /// Part of the rows (along the last dimension) whose largest element is at
  /// the same position.
  double top1 = 1;
};

/// Compares `is` (x) with `expected` (y), which has the same shape; both types
/// have decoders. NaN equals
/// NaN, and an infinity itself.
TensorError compareTensors(const HostTensorView &is,
                           const HostTensorView &expected);

} // namespace mx

#endif // MX_RUNTIME_COMPARISON_H
