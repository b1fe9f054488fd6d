// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ldmatrix, stmatrix and mma.sync (PTX ISA 9.7.14.5). Fragments: g = lane / 4
// is the row of A and D and the column of B, q = lane % 4 the place along k or
// n. Sums are exact, with one rounding to f32 at the end.

#include "Dot.h"
#include "Warp.h"

#include <cstring>

using namespace mx::ptx;

/// All lanes take part; true after a fault.
static bool checkConverged(Warp &warp) {
  if (warp.active == allLanes)
    return false;
  warp.fault(llvm::countr_zero(warp.active),
             "an .aligned instruction under divergence: not all lanes of the "
             "warp are here");
  return true;
}

/// Rows of 16 bytes; lane 8 m + r has the address of row r of matrix m.
static void ldmatrix(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(1));
  if (!base || checkConverged(warp))
    return;
  llvm::ArrayRef<Value> to = decoded.vector(0);
  if (to.size() != decoded.count)
    return warp.fault(0, "ldmatrix needs as many registers as matrices");
  uint16_t tiles[4][8][8];
  for (unsigned i = 0; i < 8 * decoded.count; ++i) {
    const uint8_t *row = warp.access(i, Space::Shared, base[i] + decoded.offset,
                                     16, 16, Access::Read);
    if (!row)
      return;
    std::memcpy(tiles[i / 8][i % 8], row, 16);
  }
  for (auto [m, target] : llvm::enumerate(to)) {
    uint64_t *lanes = warp.write(target);
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      unsigned g = lane / 4, q = 2 * (lane % 4);
      const auto &tile = tiles[m];
      lanes[lane] = decoded.trans ? tile[q][g] | uint32_t(tile[q + 1][g]) << 16
                                  : tile[g][q] | uint32_t(tile[g][q + 1]) << 16;
    }
  }
}

static void stmatrix(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(0));
  if (!base || checkConverged(warp))
    return;
  llvm::ArrayRef<Value> from = decoded.vector(1);
  if (from.size() != decoded.count)
    return warp.fault(0, "stmatrix needs as many registers as matrices");
  uint16_t tiles[4][8][8];
  for (auto [m, source] : llvm::enumerate(from)) {
    const uint64_t *lanes = warp.read(source);
    if (!lanes)
      return;
    for (unsigned lane = 0; lane < warpSize; ++lane)
      for (unsigned h = 0; h < 2; ++h) {
        unsigned g = lane / 4, q = 2 * (lane % 4) + h;
        uint16_t value = lanes[lane] >> (16 * h);
        (decoded.trans ? tiles[m][q][g] : tiles[m][g][q]) = value;
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

namespace {
/// D = A B + C of 16 x 8 x K with elements of Bits, Scales of them a row.
template <unsigned K, unsigned Bits, unsigned Scales>
void mma(Warp &warp, const Decoded &decoded) {
  constexpr unsigned perRegister = 32 / Bits;
  constexpr unsigned registersA = 16 * K / warpSize / perRegister;
  constexpr unsigned registersB = registersA / 2;
  if (checkConverged(warp))
    return;
  llvm::ArrayRef<Value> d = decoded.vector(0), a = decoded.vector(1),
                        b = decoded.vector(2), c = decoded.vector(3);
  if (d.size() != 4 || a.size() != registersA || b.size() != registersB ||
      c.size() != 4)
    return warp.fault(0, "the numbers of registers are not those of the shape");
  Type typeA = decoded.types[1], typeB = decoded.types[2];
  uint32_t codesA[16][K], codesB[8][K];
  auto unpack = [&](const Value &value, Type type, auto &&place) {
    const uint64_t *lanes = warp.read(value);
    for (unsigned lane = 0; lanes && lane < warpSize; ++lane)
      for (unsigned e = 0; e < perRegister; ++e) {
        uint32_t code = lanes[lane] >> (Bits * e) & ((1u << Bits) - 1);
        if (Bits == 8 && code & getPaddingMask(type))
          return warp.fault(lane, "an element of the matrix has bits set "
                                  "outside its type");
        place(lane / 4, (lane % 4) * perRegister + e) =
            Bits == 8 ? unpadElement(type, code) : code;
      }
  };
  // Registers of A alternate between the rows g and g + 8, then go along k.
  for (unsigned i = 0; i < registersA; ++i)
    unpack(a[i], typeA, [&](unsigned g, unsigned k) -> uint32_t & {
      return codesA[g + 8 * (i & 1)][k + 4 * perRegister * (i >> 1)];
    });
  for (unsigned i = 0; i < registersB; ++i)
    unpack(b[i], typeB, [&](unsigned g, unsigned k) -> uint32_t & {
      return codesB[g][k + 4 * perRegister * i];
    });
  if (warp.hasFault())
    return;
  DotRow rowsA[16], rowsB[8];
  for (unsigned r = 0; r < 16; ++r)
    rowsA[r].assign(typeA, codesA[r]);
  for (unsigned n = 0; n < 8; ++n)
    rowsB[n].assign(typeB, codesB[n]);
  if constexpr (Scales != 0) {
    Type type = decoded.types[4];
    const uint64_t *bytesA = warp.read(decoded.value(4));
    const uint64_t *bytesB = warp.read(decoded.value(6));
    llvm::ArrayRef<Value> idA = decoded.vector(5), idB = decoded.vector(7);
    if (!bytesA || !bytesB)
      return;
    if (idA.size() != 2 || idB.size() != 2)
      return warp.fault(0, "expected {byte-id, thread-id} behind a scale");
    auto getId = [&](const Value &value, unsigned most, unsigned step) {
      const uint64_t *lanes = warp.read(value);
      for (unsigned lane = 0; lanes && lane < warpSize; ++lane)
        if (lanes[lane] != lanes[0] || lanes[lane] > most || lanes[lane] % step)
          warp.fault(lane, "the id of a scale is out of range or differs "
                           "between lanes");
      return lanes && !warp.hasFault() ? unsigned(lanes[0]) : 0;
    };
    unsigned byteA = getId(idA[0], 4 - Scales, Scales);
    unsigned byteB = getId(idB[0], 4 - Scales, Scales);
    unsigned threadA = getId(idA[1], 1, 1), threadB = getId(idB[1], 3, 1);
    auto setScales = [&](DotRow &row, uint64_t bytes, unsigned first) {
      uint8_t codes[Scales];
      for (unsigned s = 0; s < Scales; ++s)
        codes[s] = bytes >> (8 * (first + s));
      row.setScales(type, codes);
    };
    for (unsigned r = 0; r < 16; ++r)
      setScales(rowsA[r], bytesA[4 * (r & 7) + 2 * threadA + (r >> 3)], byteA);
    for (unsigned n = 0; n < 8; ++n)
      setScales(rowsB[n], bytesB[4 * n + threadB], byteB);
  }
  DotUnit unit(Type::F32, std::nullopt);
  uint32_t result[4][warpSize];
  for (unsigned i = 0; i < 4; ++i) {
    const uint64_t *lanes = warp.read(c[i]);
    if (!lanes)
      return;
    for (unsigned lane = 0; lane < warpSize; ++lane)
      result[i][lane] = unit(rowsA[lane / 4 + 8 * (i >> 1)],
                             rowsB[2 * (lane % 4) + (i & 1)], lanes[lane]);
  }
  for (unsigned i = 0; i < 4; ++i) {
    if (d[i].isSink)
      continue;
    uint64_t *lanes = warp.write(d[i]);
    for (unsigned lane = 0; lane < warpSize; ++lane)
      lanes[lane] = result[i][lane];
  }
}
} // namespace

#define FP8 "e4m3|e5m2"
#define NARROW "e4m3|e5m2|e2m3|e3m2|e2m1"

static const Row rows[] = {
    {"ldmatrix.sync.aligned.m8n8", "b16", "x1 x2 x4 trans shared shared::cta",
     "V=32 A", ldmatrix},
    {"stmatrix.sync.aligned.m8n8", "b16", "x1 x2 x4 trans shared shared::cta",
     "A v=32", stmatrix},
    {"mma.sync.aligned.m16n8k16.row.col", "f32 bf16 bf16 f32", "",
     "V=32 v=32 v=32 v=32", mma<16, 16, 0>},
    {"mma.sync.aligned.m16n8k16.row.col", "f32 f16 f16 f32", "",
     "V=32 v=32 v=32 v=32", mma<16, 16, 0>},
    {"mma.sync.aligned.m16n8k32.row.col", "f32 " FP8 " " FP8 " f32", "",
     "V=32 v=32 v=32 v=32", mma<32, 8, 0>},
    {"mma.sync.aligned.m16n8k32.row.col.kind::mxf8f6f4.block_scale",
     "f32 " NARROW " " NARROW " f32 ue8m0", "scale_vec::1X",
     "V=32 v=32 v=32 v=32 s=32 v=16 s=32 v=16", mma<32, 8, 1>},
    {"mma.sync.aligned.m16n8k64.row.col.kind::mxf4.block_scale",
     "f32 e2m1 e2m1 f32 ue8m0", "scale_vec::2X",
     "V=32 v=32 v=32 v=32 s=32 v=16 s=32 v=16", mma<64, 4, 2>},
    {"mma.sync.aligned.m16n8k64.row.col.kind::mxf4nvf4.block_scale.scale_vec::"
     "4X",
     "f32 e2m1 e2m1 f32 ue4m3", "", "V=32 v=32 v=32 v=32 s=32 v=16 s=32 v=16",
     mma<64, 4, 4>},
};

llvm::ArrayRef<Row> mx::ptx::getMmaRows() { return rows; }
