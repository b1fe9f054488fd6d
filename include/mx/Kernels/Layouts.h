// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where things are: which lane holds which element of a tensor core's operand,
// which bytes of shared memory a tile's rows and scales occupy, which part of a
// block's tile a warp owns. The one place for these formulas; they are
// templates, so that the same text computes addresses while a kernel is
// generated (T is an integer), emits them into the kernel (T is kernels::I32),
// and is tested.
//
// Sources: PTX ISA 9.7.14.5 (mma fragments), 9.7.14.3 (block scale lanes),
// 9.7.14.5.15 (ldmatrix), 9.7.15.5 (wgmma fragments and descriptors), 5.5.7
// (swizzles); the order of scales is that of
// cuBLAS's VEC16/VEC32 scale tensors. All operands of T are non-negative.

#ifndef MX_KERNELS_LAYOUTS_H
#define MX_KERNELS_LAYOUTS_H

#include <cstdint>

namespace mx::kernels {

/// Row and column, or row and byte.
template <typename T> struct Coord {
  T row, column;
};

//===----------------------------------------------------------------------===//
// mma.sync
//===----------------------------------------------------------------------===//

/// Rows and columns of the accumulator tile of every mma.sync here.
constexpr int64_t mmaM = 16, mmaN = 8;
/// Bytes of K that one mma.sync takes from each row of A and B: 16 elements of
/// 16 bits, 32 of 8, 64 of 4.
constexpr int64_t mmaRowBytes = 32;

/// Accumulator element `i` (0 to 3) of a lane.
template <typename T> Coord<T> getAccumulatorCoord(T lane, int64_t i) {
  return {(lane >> 2) + T(8 * (i >> 1)), ((lane & 3) << 1) + T(i & 1)};
}

/// Row and byte whose address a lane gives to ldmatrix.x4 so that it returns
/// the four A registers of one mma: rows 0-7 and 8-15 of bytes 0-15, then of
/// bytes 16-31.
template <typename T> Coord<T> getMatrixAddressA(T lane) {
  return {lane & 15, (lane >> 4) << 4};
}

/// The same for B, stored with K contiguous: the two registers of n 0-7, then
/// the two of n 8-15.
template <typename T> Coord<T> getMatrixAddressB(T lane) {
  return {(lane & 7) + ((lane >> 4) << 3), ((lane >> 3) & 1) << 4};
}

/// Row of A whose scales a lane supplies (thread id 0 or 1, the same for lanes
/// of one quad that differ in bit 1).
template <typename T> T getScaleRowA(T lane) {
  return (lane >> 2) + ((lane & 1) << 3);
}

/// Column of B whose scales a lane supplies (any thread id).
template <typename T> T getScaleColumnB(T lane) { return lane >> 2; }

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

/// The permutation of 16-byte chunks that makes ldmatrix of rows of `rowBytes`
/// (32, 64 or 128) free of bank conflicts: address bits [6:4] ^= [9:7], cut to
/// the chunks of a row. `address` is relative to the start of a tile that is
/// aligned to 8 rows.
template <typename T> T swizzle(T address, int64_t rowBytes) {
  // Rows of less than 128 bytes share a 128-byte line.
  int64_t mask = rowBytes - 16;
  return address ^ ((address >> 3) & T(mask));
}

/// Scales of a tile of at most 128 rows, four bytes (a word of the tensor core)
/// at a time: the atom of 128 rows x 4 scales in which rows r, r+32, r+64, r+96
/// are adjacent, one atom after another along K.
constexpr int64_t scaleAtomBytes = 512;
template <typename T> T getScaleWordOffset(T row, T word) {
  return ((row & 31) << 4) + ((row >> 5) << 2) + word * T(scaleAtomBytes);
}

//===----------------------------------------------------------------------===//
// wgmma
//===----------------------------------------------------------------------===//

/// Rows of one wgmma, 16 of each warp of the warpgroup.
constexpr int64_t wgmmaM = 64;
/// Bytes of K that one wgmma takes from each row.
constexpr int64_t wgmmaRowBytes = 32;
/// Rows of both operands in shared memory: as long as the widest swizzle.
constexpr int64_t tensorRowBytes = 128;
/// Alignment at which the swizzle of a tile's offsets is that of its addresses.
constexpr int64_t tensorTileAlignment = 8 * tensorRowBytes;

/// Accumulator element `i` of a thread of the warpgroup, with f32 sums.
template <typename T> Coord<T> getWgmmaAccumulatorCoord(T thread, int64_t i) {
  Coord<T> coord = getAccumulatorCoord(thread & 31, i & 3);
  return {((thread >> 5) << 4) + coord.row, coord.column + T(8 * (i >> 2))};
}

/// The upper word of the descriptor of a K-major operand whose rows are
/// tensorRowBytes long, swizzled over as many bytes: the mode (1 at bit 30),
/// and the distance of groups of eight rows.
constexpr int64_t wgmmaDescriptorHigh =
    int64_t(1) << 30 | tensorTileAlignment >> 4;
/// The lower word: where the operand starts, in units of 16 bytes.
template <typename T> T getWgmmaDescriptorLow(T address) {
  return (address & 0x3FFFF) >> 4;
}

/// Where the scale of a row lies in a tile whose rows are those of two
/// warpgroups with `tiles` m64 tiles each: the scales that a thread needs, of
/// rows g, g + 8, g + 64, ..., are adjacent.
template <typename T> T getWgmmaScaleSlot(T row, int64_t tiles) {
  T inGroup = row % T(wgmmaM * tiles);
  T warpAndLane = (((inGroup >> 4) & 3) << 3) + (inGroup & 7);
  return ((row / T(wgmmaM * tiles) << 5) + warpAndLane) * T(2 * tiles) +
         (inGroup >> 6 << 1) + ((inGroup >> 3) & 1);
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

/// What part of a block's tile the warps own. Along M the m16 tiles of a warp
/// are 32 rows apart, along N its n16 pairs, so that the scales of all of them
/// lie in the same 16 bytes of a scale atom.
struct WarpGrid {
  int64_t tileM, tileN, warpsM, warpsN;

  /// Tiles of 32 rows that a warp goes through.
  int64_t getStepsM() const { return getSteps(tileM, warpsM); }
  int64_t getStepsN() const { return getSteps(tileN, warpsN); }
  /// m16 tiles of a warp within 32 rows: both if there is one warp.
  int64_t getHalvesM() const { return warpsM == 1 ? 2 : 1; }
  int64_t getHalvesN() const { return warpsN == 1 ? 2 : 1; }
  /// Number of m16 tiles, and of n16 pairs, of a warp.
  int64_t getNumM() const { return getStepsM() * getHalvesM(); }
  int64_t getNumN() const { return getStepsN() * getHalvesN(); }

  /// First row of the warp at `warp` along M; its tile i is getRowM(i) further.
  template <typename T> T getOriginM(T warp) const {
    return getOrigin(warp, warpsM, getStepsM());
  }
  template <typename T> T getOriginN(T warp) const {
    return getOrigin(warp, warpsN, getStepsN());
  }
  int64_t getRowM(int64_t i) const {
    return 32 * (i / getHalvesM()) + 16 * (i % getHalvesM());
  }
  int64_t getRowN(int64_t i) const {
    return 32 * (i / getHalvesN()) + 16 * (i % getHalvesN());
  }

private:
  static int64_t getSteps(int64_t tile, int64_t warps) {
    return tile / 32 / (warps > 1 ? warps / 2 : 1);
  }
  template <typename T>
  static T getOrigin(T warp, int64_t warps, int64_t steps) {
    if (warps == 1)
      return T(0);
    return ((warp & 1) << 4) + (warp >> 1) * T(32 * steps);
  }
};

} // namespace mx::kernels

#endif // MX_KERNELS_LAYOUTS_H
