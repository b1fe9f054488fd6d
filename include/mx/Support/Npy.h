// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's .npy files (format versions 1 to 3): a Python dict literal with
// type, order and shape, then the elements.

#ifndef MX_SUPPORT_NPY_H
#define MX_SUPPORT_NPY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cassert>
#include <memory>

namespace mx {

/// An array of a file, row-major and little-endian. The file is mapped into
/// memory; elements are copied only if the file has them in Fortran order or at
/// an address that their type cannot be read from.
class NpyArray {
public:
  /// Maps and checks the file. An error names it and says what is wrong.
  static llvm::Expected<NpyArray> open(llvm::StringRef path);

  /// As `open`, of a buffer that is already in memory; its identifier names it.
  static llvm::Expected<NpyArray>
  parse(std::unique_ptr<llvm::MemoryBuffer> buffer);

  /// As MLIR spells the element type: f64, f32, f16, bf16 (the two-byte void
  /// type as which ml_dtypes saves it), i64, i32, i16, i8, i1 (a byte each),
  /// ui64, ui32, ui16, ui8.
  llvm::StringRef getDType() const { return dtype; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getNumElements() const { return numElements; }
  /// The elements' bytes, aligned for their type.
  llvm::ArrayRef<char> getData() const { return data; }

  /// The elements as `T`, which must have the width of the type.
  template <typename T> llvm::ArrayRef<T> getValues() const {
    assert(data.size() == numElements * sizeof(T) && "wrong width");
    return {reinterpret_cast<const T *>(data.data()),
            static_cast<size_t>(numElements)};
  }

private:
  std::unique_ptr<llvm::MemoryBuffer> buffer;
  llvm::StringRef dtype;
  llvm::SmallVector<int64_t> shape;
  int64_t numElements = 0;
  llvm::ArrayRef<char> data;
};

/// Writes an array as a .npy file of version 1.0 that numpy and `NpyArray`
/// read, through a temporary file. `dtype` is spelled as in `getDType`; `data`
/// holds the elements row-major, as many as `shape` says.
llvm::Error writeNpy(llvm::StringRef path, llvm::StringRef dtype,
                     llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<char> data);

/// As above, of typed elements.
template <typename T>
llvm::Error writeNpy(llvm::StringRef path, llvm::StringRef dtype,
                     llvm::ArrayRef<int64_t> shape,
                     llvm::ArrayRef<T> elements) {
  return writeNpy(
      path, dtype, shape,
      llvm::ArrayRef<char>(reinterpret_cast<const char *>(elements.data()),
                           elements.size() * sizeof(T)));
}

} // namespace mx

#endif // MX_SUPPORT_NPY_H
