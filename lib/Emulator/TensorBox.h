// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The box that a tensor copy moves: its bytes in global memory and in a tile of
// shared memory (PTX ISA 5.5).

#ifndef MX_LIB_EMULATOR_TENSORBOX_H
#define MX_LIB_EMULATOR_TENSORBOX_H

#include "Bulk.h"

#include "mx/Emulator/TensorMap.h"

namespace mx::ptx {

/// Bytes of the tensor that exist, and where they lie in the box's image.
struct Piece {
  uint64_t address = 0, size = 0, offset = 0;
};

/// The image of a box holds the bits of its elements, the first dimension
/// contiguous, without padding.
struct TensorBox {
  TensorMapParams map;
  /// Bytes of the image: what an mbarrier counts, elements outside the tensor
  /// included.
  uint64_t imageSize = 0;
  /// Bytes of the tile in shared memory; more than `imageSize` where elements
  /// are unpacked.
  uint64_t tileSize = 0;
  llvm::SmallVector<Piece, 0> pieces;

  /// The runs of [offset, offset + size) of the image in a tile at `tile`.
  void addTileRuns(Region *region, uint64_t tile, uint64_t offset,
                   uint64_t size, Runs &runs) const;
  /// The image before elements of the tensor come: zeros or NaNs.
  std::vector<uint8_t> makeFill() const;
};

/// The box at `coordinates`, one for each dimension; `rows` instead are the
/// first coordinate and four rows of a tensor of two dimensions (tile::gather4,
/// tile::scatter4). The error says what is wrong.
llvm::Expected<TensorBox>
makeBox(TensorMapParams map, llvm::ArrayRef<int32_t> coordinates, bool isRows);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_TENSORBOX_H
