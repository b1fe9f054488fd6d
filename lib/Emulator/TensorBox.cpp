// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TensorBox.h"

#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mx::ptx;
using llvm::Error;
using llvm::Twine;

/// A tile is moved by such units of 16 bytes; so many of them hold elements.
static constexpr unsigned unit = 16;
static unsigned getPayload(TensorElement element) {
  return element == TensorElement::U4x16Align16   ? 8
         : element == TensorElement::U6x16Align16 ? 12
                                                  : unit;
}

void TensorBox::addTileRuns(Region *region, uint64_t tile, uint64_t offset,
                            uint64_t size, Runs &runs) const {
  unsigned payload = getPayload(map.element);
  if (map.swizzle == TensorSwizzle::None && payload == unit) {
    runs.push_back({region, tile + offset, size, offset});
    return;
  }
  for (uint64_t end = offset + size; offset < end;) {
    uint64_t number = offset / payload, begin = offset % payload;
    uint64_t count = std::min(payload - begin, end - offset);
    uint64_t address = applySwizzle(map.swizzle, tile + number * unit) + begin;
    runs.push_back({region, address, count, offset});
    offset += count;
  }
}

/// NaN as tensor copies write it: all bits set but the sign.
std::vector<uint8_t> TensorBox::makeFill() const {
  std::vector<uint8_t> image(imageSize);
  if (map.fill == TensorFill::Zero)
    return image;
  unsigned size = getTensorElementBits(map.element) / 8;
  for (uint64_t i = 0; i < imageSize; ++i)
    image[i] = i % size == size - 1 ? 0x7F : 0xFF;
  return image;
}

/// No block has more shared memory.
static constexpr uint64_t mostTileSize = 1 << 18;

namespace {
/// Visits the rows of a box: everything but the contiguous dimension.
class BoxBuilder {
public:
  BoxBuilder(TensorBox &box, llvm::ArrayRef<int32_t> coordinates)
      : box(box), map(box.map), coordinates(coordinates),
        bits(getTensorElementBits(map.element)) {}

  /// True if the tile is larger than shared memory can be.
  bool setSize(uint64_t rows) {
    rowSize = map.box[0] * bits / 8;
    box.imageSize = rows * rowSize;
    box.tileSize = box.imageSize / getPayload(map.element) * unit;
    return box.tileSize > mostTileSize;
  }
  bool setTileSize() {
    uint64_t rows = 1;
    for (size_t i = 1; i < map.box.size(); ++i)
      rows *= getExtent(i);
    return setSize(rows);
  }

  void addTile() {
    uint64_t rows = box.imageSize / rowSize;
    llvm::SmallVector<uint32_t, 4> index(map.box.size());
    for (uint64_t row = 0; row < rows; ++row) {
      bool isInside = true;
      uint64_t address = map.address;
      for (size_t i = 1; i < index.size(); ++i) {
        int64_t at =
            int64_t(coordinates[i]) + int64_t(index[i]) * map.elementStrides[i];
        isInside &= at >= 0 && uint64_t(at) < map.dims[i];
        address += at * map.strides[i - 1];
      }
      if (isInside)
        addRow(row, address);
      for (size_t i = 1; i < index.size() && ++index[i] == getExtent(i); ++i)
        index[i] = 0;
    }
  }

  void addRows() {
    for (size_t row = 0; row + 1 < coordinates.size(); ++row) {
      int64_t at = coordinates[row + 1];
      if (at >= 0 && uint64_t(at) < map.dims[1])
        addRow(row, map.address + at * map.strides[0]);
    }
  }

private:
  /// Elements of dimension i that are moved.
  uint32_t getExtent(size_t i) const {
    return llvm::divideCeil(map.box[i], map.elementStrides[i]);
  }

  /// `address` is that of element 0 of the row.
  void addRow(uint64_t row, uint64_t address) {
    int64_t first = coordinates[0];
    int64_t begin = std::max<int64_t>(first, 0);
    int64_t end = std::min<int64_t>(first + map.box[0], map.dims[0]);
    if (begin >= end)
      return;
    Piece piece;
    piece.address = address + begin * bits / 8;
    piece.size = (end - begin) * bits / 8;
    piece.offset = row * rowSize + (begin - first) * bits / 8;
    if (!box.pieces.empty()) {
      Piece &last = box.pieces.back();
      if (last.address + last.size == piece.address &&
          last.offset + last.size == piece.offset) {
        last.size += piece.size;
        return;
      }
    }
    box.pieces.push_back(piece);
  }

  TensorBox &box;
  const TensorMapParams &map;
  llvm::ArrayRef<int32_t> coordinates;
  unsigned bits;
  uint64_t rowSize = 0;
};
} // namespace

llvm::Expected<TensorBox> mx::ptx::makeBox(TensorMapParams map,
                                           llvm::ArrayRef<int32_t> coordinates,
                                           bool isRows) {
  auto fail = [](const Twine &text) { return llvm::createStringError(text); };
  size_t rank = map.dims.size();
  if (map.interleave != TensorInterleave::None)
    return fail("interleaved tensor maps are not implemented");
  if (isRows && (rank != 2 || map.box[1] != 1))
    return fail("gather4 and scatter4 need a tensor map of rank 2 whose box "
                "has one row");
  if (!isRows && coordinates.size() != rank)
    return fail(Twine(coordinates.size()) +
                " coordinates for a tensor map of "
                "rank " +
                Twine(rank));
  unsigned multiple = getPayload(map.element) != unit             ? 128
                      : map.element == TensorElement::U4x16Align8 ? 2
                                                                  : 1;
  if (coordinates[0] % int(multiple))
    return fail("coordinate 0 is " + Twine(coordinates[0]) +
                ": it has to be a multiple of " + Twine(multiple) +
                " for this element type");
  TensorBox box;
  box.map = std::move(map);
  BoxBuilder builder(box, coordinates);
  if (isRows ? builder.setSize(coordinates.size() - 1) : builder.setTileSize())
    return fail("a box of " + Twine(box.tileSize) +
                " bytes is larger than shared memory");
  if (isRows)
    builder.addRows();
  else
    builder.addTile();
  return std::move(box);
}
