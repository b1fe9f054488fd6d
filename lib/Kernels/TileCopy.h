// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies of byte tiles from global to shared memory by all threads of a block.

#ifndef MX_LIB_KERNELS_TILECOPY_H
#define MX_LIB_KERNELS_TILECOPY_H

#include "Emitter.h"

#include <functional>

namespace mx::kernels {

/// A tile of `rows` x `rowBytes` that slides along the rows of a row-major
/// matrix in global memory. What lies past the end of a row is zero in shared
/// memory. A row past the last one is read as the last one.
struct TileCopyConfig {
  int64_t rows, rowBytes;
  /// A power of two that divides the distance of rows and every column at
  /// which a copy starts. From 4 on cp.async is used; below, loads and stores.
  int64_t alignment;
  /// True if every tile lies within its rows.
  bool wholeColumns;
  int64_t numThreads;
  /// Byte in shared memory of (row, byte) of the tile.
  std::function<I32(I32 row, I32 byte)> layout;
  /// Where layout takes 16 consecutive bytes apart: the largest run that stays
  /// together.
  int64_t layoutRun = 16;
};

class TileCopy {
public:
  /// `pitch` is the length of a row of the matrix, `getRow` gives the matrix
  /// row of a tile row.
  TileCopy(Emitter &emitter, const TileCopyConfig &config, mlir::Value base,
           I32 pitch, llvm::function_ref<I32(I32)> getRow);

  /// Copies the tile that starts at byte `column` of the rows to
  /// `destination`. With cp.async it is part of the next commit.
  void copy(mlir::Value destination, I32 column);

private:
  void copyAsync(mlir::Value destination, I32 column);
  void copyBytes(mlir::Value destination, I32 column);

  Emitter &emitter;
  TileCopyConfig config;
  I32 pitch;
  /// Bytes that are moved at once.
  int64_t unit;
  /// Of each pass over the tile: whether this thread takes part (null: yes),
  /// where it reads from, and where it writes to.
  struct Pass {
    mlir::Value condition;
    mlir::Value source;
    I32 destination;
  };
  llvm::SmallVector<Pass> passes;
  /// First byte of this thread's units, relative to the tile.
  I32 byte;
};

} // namespace mx::kernels

#endif // MX_LIB_KERNELS_TILECOPY_H
