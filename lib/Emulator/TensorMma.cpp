// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TensorMma.h"
#include "Rounding.h"

#include "llvm/Support/Endian.h"

#include <cmath>

using namespace mx::ptx;
using llvm::Twine;

LaneMask TensorMma::getLanes() const {
  if (form.m != 64)
    return LaneMask::makeAll();
  LaneMask lanes;
  for (unsigned first = 0; first < TensorMemory::numLanes; first += quadrant)
    lanes.add(LaneMask::makeRange(first + d.lane, 16));
  return lanes;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// `half` of layout B: its rows are in tensor memory for both.
bool TensorMma::gatherA(unsigned cta, unsigned half, OperandRows &rows,
                        AsyncOperation &self) const {
  uint8_t image[128 * operandBytes];
  ElementForm layout = getSharedForm(form.a, isWideKind(form.kind));
  if (isTensorA) {
    if (layout == ElementForm::Padded)
      layout = ElementForm::Bytes;
    TensorMemory &memory = getTensorMemory(*blocks[cta]);
    TensorRange range{getLanes(), a.column, a.column + operandColumns};
    std::string problem = memory.findUnwritten(range, 3);
    Cluster &cluster = blocks[cta]->cluster;
    if (!problem.empty() && cluster.getChecks().tensorMemory) {
      cluster.fault(self.origin, "matrix A: " + problem);
      return false;
    }
    for (unsigned row = 0; row < getRows(); ++row)
      for (unsigned c = 0; c < operandColumns; ++c)
        llvm::support::endian::write32le(
            image + row * operandBytes + 4 * c,
            memory.getColumn(a.column + c)[getLane(row, half * form.n / 2)]);
  } else {
    sharedA[cta].gather(image);
  }
  if (!rows.assign(form.a, layout, image, getRows())) {
    blocks[cta]->cluster.fault(self.origin,
                               "an element of A has bits set outside its type");
    return false;
  }
  if (form.negatesA)
    rows.negate();
  return true;
}

bool TensorMma::gatherB(OperandRows &rows) const {
  uint8_t image[256 * operandBytes];
  for (unsigned cta = 0; cta < form.ctas; ++cta)
    sharedB[cta].gather(image + cta * (form.n / form.ctas) * operandBytes);
  bool isFine = rows.assign(
      form.b, getSharedForm(form.b, isWideKind(form.kind)), image, form.n);
  if (form.negatesB)
    rows.negate();
  return isFine;
}

/// The scale factors of row r lie in lanes r % 32 of the quadrants, column r /
/// 32 (PTX ISA 9.7.16.10.7); for B with layout B each half of N has two
/// quadrants.
bool TensorMma::setScales(unsigned cta, OperandRows &rows, TensorAddress place,
                          unsigned id, unsigned half, bool isA,
                          AsyncOperation &self) const {
  TensorMemory &memory = getTensorMemory(*blocks[cta]);
  Cluster &cluster = blocks[cta]->cluster;
  const char *name = isA ? "scale factors of A: " : "scale factors of B: ";
  bool isHalved = isSplit() && !isA;
  unsigned columns = isA ? getScaleColumnsA() : getScaleColumnsB();
  TensorRange range{LaneMask::makeAll(), place.column, place.column + columns};
  std::string problem = memory.findUnwritten(range, 3);
  if (!problem.empty() && cluster.getChecks().tensorMemory) {
    cluster.fault(self.origin, name + problem);
    return false;
  }
  unsigned count = isHalved ? form.n / 2 : rows.getCount();
  unsigned firstRow = isHalved ? half * count : 0;
  unsigned firstLane = isHalved ? half * 64 : 0;
  unsigned numCopies = isHalved ? 2 : 4;
  for (unsigned r = 0; r < count; ++r) {
    const uint32_t *cells = memory.getColumn(place.column + r / quadrant) +
                            firstLane + r % quadrant;
    uint8_t codes[4];
    for (unsigned s = 0; s < form.scales; ++s)
      codes[s] = cells[0] >> (8 * (id + s));
    for (unsigned j = 1; j < numCopies; ++j)
      for (unsigned s = 0; s < form.scales; ++s)
        if (uint8_t(cells[j * quadrant] >> (8 * (id + s))) != codes[s]) {
          cluster.fault(
              self.origin,
              name + ("lanes " + Twine(firstLane + r % quadrant) + " and " +
                      Twine(firstLane + r % quadrant + j * quadrant) +
                      " of column " + Twine(place.column + r / quadrant) +
                      " differ: all quadrants have to hold them "
                      "(tcgen05.cp.32x128b.warpx4)")
                         .str());
          return false;
        }
    rows.rows[firstRow + r].setScales(form.scaleType,
                                      llvm::ArrayRef(codes, form.scales));
  }
  return true;
}

//===----------------------------------------------------------------------===//
// The product
//===----------------------------------------------------------------------===//

/// C, which counts 2^-shift of its value.
static uint32_t scaleDown(uint32_t bits, Type type, unsigned shift) {
  double value = std::ldexp(decodeFloat(type, bits), -int(shift));
  return encodeFloat(type, value, Rounding::Nearest);
}

void TensorMma::run(const MatrixProduct &product, AsyncOperation &self) const {
  static thread_local OperandRows rowsA, rowsB;
  static thread_local std::vector<uint32_t> tile;
  unsigned halves = isSplit() ? 2 : 1, columns = form.n / halves;
  if (!gatherB(rowsB))
    return;
  bool isHalfFloat = form.d == Type::F16;
  for (unsigned cta = 0; cta < form.ctas; ++cta) {
    Block &block = *blocks[cta];
    TensorMemory &memory = getTensorMemory(block);
    TensorRange range{getLanes(), d.column, d.column + getColumns()};
    if (accumulates && block.cluster.getChecks().tensorMemory) {
      std::string problem = memory.findUnwritten(range, isHalfFloat ? 1 : 3);
      if (!problem.empty())
        return block.cluster.fault(self.origin,
                                   "D is added to, but " + problem);
    }
    for (unsigned h = 0; h < halves; ++h) {
      if (!gatherA(cta, h, rowsA, self))
        return;
      if (form.scales &&
          (!setScales(cta, rowsA, scaleA, form.scaleIdA, 0, true, self) ||
           !setScales(cta, rowsB, scaleB, form.scaleIdB, h, false, self)))
        return;
      tile.assign(getRows() * columns, 0);
      auto forEach = [&](auto f) {
        for (unsigned row = 0, i = 0; row < getRows(); ++row) {
          unsigned lane = getLane(row, h * columns);
          for (unsigned n = 0; n < columns; ++n, ++i)
            f(tile[i], memory.getColumn(d.column + n)[lane], lane);
        }
      };
      if (accumulates)
        forEach([&](uint32_t &c, uint32_t cell, unsigned) {
          c = isHalfFloat ? cell & 0xFFFF : cell;
          if (scaleInput)
            c = scaleDown(c, form.d, scaleInput);
        });
      product.run(rowsA, rowsB, h * columns, columns, tile.data());
      const LaneMask &off = disabled[cta];
      forEach([&](uint32_t result, uint32_t &cell, unsigned lane) {
        if (!(off.words[lane / 32] >> lane % 32 & 1))
          cell = result;
      });
    }
    for (unsigned i = 0; i < LaneMask::numWords; ++i)
      range.lanes.words[i] &= ~disabled[cta].words[i];
    memory.setWritten(range, 3);
  }
}
