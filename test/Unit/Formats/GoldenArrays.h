// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading the unpacked golden arrays.

#ifndef MX_UNITTEST_FORMATS_GOLDENARRAYS_H
#define MX_UNITTEST_FORMATS_GOLDENARRAYS_H

#include "mx/Formats/Quantize.h"
#include "mx/Support/Npy.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace mx {

using Bytes = llvm::SmallVector<uint8_t, 0>;

template <typename T> Bytes toBytes(llvm::ArrayRef<T> values) {
  auto *begin = reinterpret_cast<const uint8_t *>(values.data());
  return Bytes(begin, begin + values.size() * sizeof(T));
}

/// Where the arrays are; null if this run has none.
const char *getGoldenDir();

/// The array ARCHIVE/NAME.npy.
NpyArray readGolden(llvm::StringRef archive, const llvm::Twine &name);

/// Calls `fn(case, array, values)` for all arrays KEY.case.array of an archive.
void forEachGoldenArray(
    llvm::StringRef archive, llvm::StringRef key,
    llvm::function_ref<void(llvm::StringRef, llvm::StringRef, const NpyArray &)>
        fn);

/// Bytes that differ; NaNs of any kind are equal, and all that is not finite if
/// `nonFiniteIsEqual`. All of them if the sizes differ.
int64_t countDifferingBytes(const Bytes &ours, const NpyArray &theirs,
                            bool nonFiniteIsEqual = false);

/// A matrix that the libraries were given.
struct GoldenInput {
  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<float, 0> values;
  /// Not empty if they were given as bf16.
  llvm::SmallVector<uint16_t, 0> bf16;

  /// Makes a bf16 input one of f32.
  void widen() { bf16.clear(); }
  void transpose();
  TensorView getView() const { return getView(0, shape); }
  /// From a row on.
  TensorView getView(int64_t row, llvm::ArrayRef<int64_t> viewShape) const;
};

GoldenInput readGoldenInput(llvm::StringRef name);

} // namespace mx

#endif // MX_UNITTEST_FORMATS_GOLDENARRAYS_H
