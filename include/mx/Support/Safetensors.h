// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading checkpoints in the safetensors format: an 8-byte little-endian
// length, a JSON header of that length, then the tensors' bytes.

#ifndef MX_SUPPORT_SAFETENSORS_H
#define MX_SUPPORT_SAFETENSORS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>
#include <string>

namespace mx {

/// A tensor of a file: a view, row-major.
struct SafetensorsEntry {
  llvm::StringRef name;
  /// As MLIR spells the element type: f32, bf16, i64, ui8, f8E4M3FN, i1 (one
  /// byte each), ...
  llvm::StringRef dtype;
  llvm::SmallVector<int64_t> shape;
  llvm::ArrayRef<char> data;
};

/// A checkpoint, mapped into memory: pages are read when they are first used
/// and can be given back.
class Safetensors {
public:
  /// Maps the file and checks its header: every tensor's range is inside the
  /// file, of the size that shape and type say, and overlaps no other; together
  /// they cover the file. An error names the file and the tensor.
  static llvm::Expected<Safetensors> open(llvm::StringRef path);

  /// As `open`, of a buffer that is already in memory.
  static llvm::Expected<Safetensors>
  parse(std::unique_ptr<llvm::MemoryBuffer> buffer);

  llvm::StringRef getPath() const { return buffer->getBufferIdentifier(); }

  /// Null if there is no such tensor.
  const SafetensorsEntry *lookup(llvm::StringRef name) const;

  /// All tensors in the order of their bytes.
  llvm::ArrayRef<SafetensorsEntry> getEntries() const { return entries; }

  /// Tells the system that the tensor's pages will not be used soon. They are
  /// read again from the file if they are.
  void releasePages(const SafetensorsEntry &entry) const;

private:
  llvm::Error parseHeader();

  std::unique_ptr<llvm::MemoryBuffer> buffer;
  /// Positions in `entries`; owns the names.
  llvm::StringMap<size_t> index;
  llvm::SmallVector<SafetensorsEntry, 0> entries;
};

} // namespace mx

#endif // MX_SUPPORT_SAFETENSORS_H
