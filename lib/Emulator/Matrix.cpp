// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ldmatrix, stmatrix and movmatrix (PTX ISA 9.7.14.5.15 to .17). Matrices lie
// in shared memory as rows of 16 bytes, whose addresses the lanes hold; in
// registers g = lane / 4 and q = lane % 4 say which part a lane has.

#include "Warp.h"

#include <cstring>

using namespace mx::ptx;

namespace {
/// Eight rows of 16 bytes, or twice as many for the 16 x 16 forms.
using Tile = uint8_t[16][16];

enum class Unpack { None, FourBits, SixBits };

/// 16 elements of 4 or 6 bits in the first bytes of a row become a byte each,
/// in its low bits.
void unpackRow(uint8_t *row, Unpack mode) {
  unsigned bits = mode == Unpack::FourBits ? 4 : 6;
  uint8_t packed[16];
  std::memcpy(packed, row, 16);
  for (unsigned i = 0; i < 16; ++i) {
    unsigned bit = i * bits;
    unsigned pair = packed[bit / 8] | packed[bit / 8 + 1] << 8;
    row[i] = pair >> (bit % 8) & ((1u << bits) - 1);
  }
}

/// Row r of matrix m comes from lane `rows` m + r. The padding of a packed row
/// need not be initialised, so it is not read. False after a fault.
template <Unpack Mode>
bool loadRows(Warp &warp, const Decoded &decoded, const uint64_t *base,
              unsigned rows, Tile *tiles) {
  constexpr unsigned bytes = Mode == Unpack::None       ? 16
                             : Mode == Unpack::FourBits ? 8
                                                        : 12;
  for (unsigned i = 0; i < rows * decoded.count; ++i) {
    const uint8_t *from = warp.access(
        i, Space::Shared, base[i] + decoded.offset, bytes, 16, Access::Read);
    if (!from)
      return false;
    uint8_t *row = tiles[i / rows][i % rows];
    std::memset(row, 0, 16);
    std::memcpy(row, from, bytes);
    if (Mode != Unpack::None)
      unpackRow(row, Mode);
  }
  return true;
}

/// True after a fault.
bool checkCount(Warp &warp, const Decoded &decoded, size_t registers,
                size_t perMatrix) {
  if (registers == decoded.count * perMatrix)
    return false;
  warp.fault(0, "the number of registers is not that of the matrices");
  return true;
}

/// m8n8.b16, and m8n16.b8x16, whose rows are unpacked to bytes.
template <Unpack Mode> void loadMatrix8(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(1));
  llvm::ArrayRef<Value> to = decoded.vector(0);
  Tile tiles[4];
  if (!base || warp.checkConverged() || checkCount(warp, decoded, to.size(), 1))
    return;
  if (!loadRows<Mode>(warp, decoded, base, 8, tiles))
    return;
  for (auto [m, target] : llvm::enumerate(to)) {
    uint64_t *lanes = warp.write(target);
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      unsigned g = lane / 4, q = lane % 4;
      uint32_t value = 0;
      for (unsigned b = 0; b < 4; ++b) {
        // Transposed pairs of bytes stay together.
        unsigned half = 2 * q + b / 2;
        uint8_t byte = decoded.trans ? tiles[m][half][2 * g + b % 2]
                                     : tiles[m][g][4 * q + b];
        value |= uint32_t(byte) << (8 * b);
      }
      lanes[lane] = value;
    }
  }
}

/// m16n16.trans.b8: register 2m has column g, register 2m + 1 column g + 8.
template <Unpack Mode> void loadMatrix16(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(1));
  llvm::ArrayRef<Value> to = decoded.vector(0);
  Tile tiles[2];
  if (!base || warp.checkConverged() || checkCount(warp, decoded, to.size(), 2))
    return;
  if (!loadRows<Mode>(warp, decoded, base, 16, tiles))
    return;
  for (auto [r, target] : llvm::enumerate(to)) {
    uint64_t *lanes = warp.write(target);
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      unsigned g = lane / 4, q = lane % 4;
      uint32_t value = 0;
      for (unsigned b = 0; b < 4; ++b)
        value |= uint32_t(tiles[r / 2][4 * q + b][g + 8 * (r % 2)]) << (8 * b);
      lanes[lane] = value;
    }
  }
}

/// IsByte: m16n8.trans.b8, where byte v of register m is row 2q + v % 2, column
/// g + 8 (v / 2). Else m8n8.b16.
template <bool IsByte> void storeMatrix(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(0));
  llvm::ArrayRef<Value> from = decoded.vector(1);
  if (!base || warp.checkConverged() ||
      checkCount(warp, decoded, from.size(), 1))
    return;
  Tile tiles[4];
  for (auto [m, source] : llvm::enumerate(from)) {
    const uint64_t *lanes = warp.read(source);
    if (!lanes)
      return;
    for (unsigned lane = 0; lane < warpSize; ++lane)
      for (unsigned b = 0; b < 4; ++b) {
        unsigned g = lane / 4, q = lane % 4;
        uint8_t byte = lanes[lane] >> (8 * b);
        if (IsByte)
          tiles[m][2 * q + b % 2][g + 8 * (b / 2)] = byte;
        else if (decoded.trans)
          tiles[m][2 * q + b / 2][2 * g + b % 2] = byte;
        else
          tiles[m][g][4 * q + b] = byte;
      }
  }
  for (unsigned i = 0; i < 8 * decoded.count; ++i) {
    uint8_t *row = warp.access(i, Space::Shared, base[i] + decoded.offset, 16,
                               16, Access::Write);
    if (!row)
      return;
    std::memcpy(row, tiles[i / 8][i % 8], 16);
  }
}

/// movmatrix: the transpose of an 8 x 8 matrix of 16 bits.
void moveMatrix(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  if (!a || warp.checkConverged())
    return;
  auto get = [&](unsigned row, unsigned column) {
    return a[4 * row + column / 2] >> (16 * (column % 2)) & 0xFFFF;
  };
  uint64_t result[warpSize];
  for (unsigned lane = 0; lane < warpSize; ++lane) {
    unsigned g = lane / 4, q = lane % 4;
    result[lane] = get(2 * q, g) | get(2 * q + 1, g) << 16;
  }
  std::copy_n(result, warpSize, warp.write(decoded.value(0)));
}
} // namespace

static const Row rows[] = {
    {"ldmatrix.sync.aligned.m8n8", "b16", "x1 x2 x4 trans shared shared::cta",
     "V=32 A", loadMatrix8<Unpack::None>},
    {"ldmatrix.sync.aligned.m8n16.b8x16.b4x16_p64", "",
     "x1 x2 x4 shared shared::cta", "V=32 A", loadMatrix8<Unpack::FourBits>},
    {"ldmatrix.sync.aligned.m8n16.b8x16.b6x16_p32", "",
     "x1 x2 x4 shared shared::cta", "V=32 A", loadMatrix8<Unpack::SixBits>},
    {"ldmatrix.sync.aligned.m16n16.trans", "b8", "x1 x2 shared shared::cta",
     "V=32 A", loadMatrix16<Unpack::None>},
    {"ldmatrix.sync.aligned.m16n16.trans.b8x16.b4x16_p64", "",
     "x1 x2 shared shared::cta", "V=32 A", loadMatrix16<Unpack::FourBits>},
    {"ldmatrix.sync.aligned.m16n16.trans.b8x16.b6x16_p32", "",
     "x1 x2 shared shared::cta", "V=32 A", loadMatrix16<Unpack::SixBits>},
    {"stmatrix.sync.aligned.m8n8", "b16", "x1 x2 x4 trans shared shared::cta",
     "A v=32", storeMatrix<false>},
    {"stmatrix.sync.aligned.m16n8.trans", "b8", "x1 x2 x4 shared shared::cta",
     "A v=32", storeMatrix<true>},
    {"movmatrix.sync.aligned.m8n8.trans", "b16", "", "d=32 s=32", moveMatrix},
};

llvm::ArrayRef<Row> mx::ptx::getMatrixRows() { return rows; }
