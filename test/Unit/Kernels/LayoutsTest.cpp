// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layouts are permutations, and meet the bank and coverage rules that they were
// made for. That they agree with the tensor core is what GemmTest shows.

#include "mx/Kernels/Layouts.h"

#include <gtest/gtest.h>
#include <set>

using namespace mx::kernels;

/// Eight lanes read 16 bytes each: all 32 banks once.
static void expectNoConflict(int64_t rowBytes, int64_t step,
                             Coord<int64_t> (*getAddress)(int64_t)) {
  for (int64_t matrix = 0; matrix < 4; ++matrix) {
    std::set<int64_t> groups;
    for (int64_t lane = 8 * matrix; lane < 8 * matrix + 8; ++lane) {
      Coord<int64_t> at = getAddress(lane);
      int64_t address =
          swizzle(at.row * rowBytes + at.column, rowBytes) ^ (32 * step);
      groups.insert(address % 128 / 16);
    }
    EXPECT_EQ(groups.size(), 8u) << rowBytes << " bytes, step " << step;
  }
}

TEST(Layouts, Swizzle) {
  for (int64_t rowBytes : {32, 64, 128}) {
    std::set<int64_t> seen;
    for (int64_t byte = 0; byte < 64 * rowBytes; ++byte) {
      int64_t moved = swizzle(byte, rowBytes);
      EXPECT_EQ(moved / rowBytes, byte / rowBytes) << "stays in its row";
      EXPECT_EQ(moved % 16, byte % 16);
      seen.insert(moved);
    }
    EXPECT_EQ(int64_t(seen.size()), 64 * rowBytes);
    for (int64_t step = 0; step < rowBytes / 32; ++step) {
      expectNoConflict(rowBytes, step, getMatrixAddressA);
      expectNoConflict(rowBytes, step, getMatrixAddressB);
    }
  }
}

TEST(Layouts, ScaleWords) {
  std::set<int64_t> seen;
  for (int64_t row = 0; row < 128; ++row)
    for (int64_t word = 0; word < 4; ++word)
      for (int64_t byte = 0; byte < 4; ++byte)
        seen.insert(getScaleWordOffset(row, word) + byte);
  EXPECT_EQ(seen.size(), 4u * scaleAtomBytes);
  EXPECT_EQ(*seen.rbegin(), 4 * scaleAtomBytes - 1);
}

TEST(Layouts, WarpsCoverTheTile) {
  for (int64_t tile : {32, 64, 128})
    for (int64_t warps : {1, 2, 4, 8}) {
      if (tile < 16 * warps)
        continue;
      WarpGrid grid{tile, tile, warps, warps};
      std::multiset<int64_t> m, n;
      for (int64_t warp = 0; warp < warps; ++warp) {
        for (int64_t i = 0; i < grid.getNumM(); ++i)
          m.insert(grid.getOriginM(warp) + grid.getRowM(i));
        for (int64_t i = 0; i < grid.getNumN(); ++i)
          n.insert(grid.getOriginN(warp) + grid.getRowN(i));
      }
      std::multiset<int64_t> expected;
      for (int64_t row = 0; row < tile; row += 16)
        expected.insert(row);
      EXPECT_EQ(m, expected) << tile << " rows, " << warps << " warps";
      EXPECT_EQ(n, expected) << tile << " rows, " << warps << " warps";
    }
}

// Scales of the 256 or 128 rows of two warpgroups have places of their own, and
// a thread's, of the rows of its sums, are neighbours.
TEST(Layouts, WgmmaScaleSlots) {
  for (int64_t tiles : {1, 2}) {
    std::set<int64_t> slots;
    for (int64_t row = 0; row < 2 * wgmmaM * tiles; ++row)
      slots.insert(getWgmmaScaleSlot(row, tiles));
    EXPECT_EQ(int64_t(slots.size()), 2 * wgmmaM * tiles);
    EXPECT_EQ(*slots.rbegin(), 2 * wgmmaM * tiles - 1);
    for (int64_t group = 0; group < 2; ++group)
      for (int64_t thread = 0; thread < 128; ++thread) {
        int64_t first =
            group * wgmmaM * tiles + getWgmmaAccumulatorCoord(thread, 0).row;
        int64_t slot = getWgmmaScaleSlot(first, tiles);
        EXPECT_EQ(slot % (2 * tiles), 0);
        for (int64_t tile = 0; tile < tiles; ++tile)
          for (int64_t half : {0, 1}) {
            int64_t row = group * wgmmaM * tiles + tile * wgmmaM +
                          getWgmmaAccumulatorCoord(thread, 2 * half).row;
            EXPECT_EQ(getWgmmaScaleSlot(row, tiles), slot + 2 * tile + half);
          }
      }
  }
}

// 64 x 256 sums of 128 threads, each once.
TEST(Layouts, WgmmaAccumulators) {
  std::set<std::pair<int64_t, int64_t>> seen;
  for (int64_t thread = 0; thread < 128; ++thread)
    for (int64_t i = 0; i < 128; ++i) {
      Coord<int64_t> at = getWgmmaAccumulatorCoord(thread, i);
      EXPECT_TRUE(at.row < 64 && at.column < 256);
      seen.emplace(at.row, at.column);
    }
  EXPECT_EQ(seen.size(), 64u * 256u);
}
