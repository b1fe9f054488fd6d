// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tcgen05.cp, from shared to tensor memory, and tcgen05.shift (PTX ISA
// 9.7.16.9, 9.7.16.8.3).

#include "Tcgen05.h"

#include "llvm/Support/Endian.h"

using namespace mx::ptx;
using llvm::Twine;

namespace {
struct CopyShape {
  const char *name, *multicast;
  unsigned rows, rowBytes;
};
} // namespace

static constexpr CopyShape copyShapes[] = {
    {"128x256b", "", 128, 32},
    {"128x128b", "", 128, 16},
    {"4x256b", "", 4, 32},
    {"64x128b", "warpx2::02_13", 64, 16},
    {"64x128b", "warpx2::01_23", 64, 16},
    {"32x128b", "warpx4", 32, 16},
};

/// The lanes, beyond that of the address, that get a row.
static llvm::SmallVector<unsigned, 4> getLanes(const CopyShape &shape,
                                               unsigned row) {
  llvm::StringRef multicast = shape.multicast;
  if (multicast == "warpx4")
    return {row, row + 32, row + 64, row + 96};
  if (multicast == "warpx2::02_13")
    return {row, row + 64};
  if (multicast == "warpx2::01_23")
    return {row + row / 32 * 32, row + row / 32 * 32 + 32};
  return {shape.rows == 4 ? 32 * row : row};
}

static const CopyShape *getCopyShape(const Decoded &decoded) {
  for (const CopyShape &shape : copyShapes)
    if (decoded.hasModifier(shape.name) &&
        (!*shape.multicast || decoded.hasModifier(shape.multicast)))
      return &shape;
  return nullptr;
}

static void copy(Warp &warp, const Decoded &decoded) {
  const uint64_t *to = warp.read(decoded.value(0));
  const uint64_t *from = warp.read(decoded.value(1));
  std::optional<unsigned> lane = getIssuingLane(warp);
  if (!to || !from || !lane)
    return;
  BlockGroup group = getBlockGroup(warp, decoded);
  const CopyShape *shape = getCopyShape(decoded);
  if (group.empty())
    return;
  if (!shape)
    return warp.fault(*lane, ".64x128b comes with .warpx2::02_13 or "
                             ".warpx2::01_23, .32x128b with .warpx4");
  std::string problem;
  std::optional<SharedDescriptor> descriptor =
      decodeSharedDescriptor(from[*lane], DescriptorKind::Tcgen05, problem);
  TensorAddress address = makeTensorAddress(to[*lane] + decoded.offset);
  if (descriptor && descriptor->mode == TensorSwizzle::B128Atom32)
    problem = "the swizzle of 32-byte atoms is for MN-major operands";
  if (address.lane)
    problem = ("the address has lane " + Twine(address.lane) +
               ": rows go to lanes from 0 on")
                  .str();
  if (!problem.empty())
    return warp.fault(*lane, problem);

  LaneMask lanes;
  for (unsigned row = 0; row < shape->rows; ++row)
    for (unsigned to : getLanes(*shape, row))
      lanes.add(LaneMask::makeRange(to, 1));
  AsyncOperation operation;
  std::vector<SharedOperand> operands(group.size());
  llvm::SmallVector<BlockAccess, 2> accesses;
  for (auto [block, operand] : llvm::zip_equal(group, operands)) {
    if (!operand.assign(block->shared, *descriptor, /*isMNMajor=*/false,
                        shape->rows, shape->rowBytes, 1, chunkBytes, problem))
      return warp.fault(*lane, "the source: " + problem);
    operand.addFootprints(operation.reads);
    accesses.push_back(makeAccess(warp, *lane, *block, lanes, address.column,
                                  shape->rowBytes / 4, TensorUse::Copy));
  }
  operation.perform = [accesses, operands = std::move(operands), shape,
                       column = address.column](AsyncOperation &) {
    std::vector<uint8_t> image(shape->rows * shape->rowBytes);
    for (auto [use, operand] : llvm::zip_equal(accesses, operands)) {
      TensorMemory &memory = getTensorMemory(*use.block);
      operand.gather(image.data());
      for (unsigned row = 0; row < shape->rows; ++row)
        for (unsigned c = 0; c < shape->rowBytes / 4; ++c)
          for (unsigned to : getLanes(*shape, row))
            memory.getColumn(column + c)[to] = llvm::support::endian::read32le(
                &image[row * shape->rowBytes + 4 * c]);
      memory.setWritten(use.access.range, 3);
    }
  };
  startTensorOperation(warp, *lane, std::move(operation), accesses);
}

/// Rows of eight columns move down by one lane, within 32 lanes; the last
/// stays.
static void shift(Warp &warp, const Decoded &decoded) {
  constexpr unsigned numRows = 32, numColumns = 8;
  const uint64_t *bits = warp.read(decoded.value(0));
  std::optional<unsigned> lane = getIssuingLane(warp);
  if (!bits || !lane)
    return;
  BlockGroup group = getBlockGroup(warp, decoded);
  if (group.empty())
    return;
  TensorAddress address = makeTensorAddress(bits[*lane] + decoded.offset);
  if (address.lane % numRows || address.lane >= TensorMemory::numLanes)
    return warp.fault(*lane, "the address has lane " + Twine(address.lane) +
                                 ": it has to be 0, 32, 64 or 96");
  llvm::SmallVector<BlockAccess, 2> accesses;
  for (Block *block : group)
    accesses.push_back(makeAccess(
        warp, *lane, *block, LaneMask::makeRange(address.lane, numRows),
        address.column, numColumns, TensorUse::Shift));
  AsyncOperation operation;
  operation.perform = [&cluster = warp.cluster, accesses,
                       address](AsyncOperation &self) {
    for (const BlockAccess &use : accesses) {
      TensorMemory &memory = getTensorMemory(*use.block);
      std::string problem = memory.findUnwritten(use.access.range, 3);
      if (!problem.empty() && cluster.getChecks().tensorMemory)
        return cluster.fault(self.origin, problem);
      for (unsigned c = 0; c < numColumns; ++c) {
        uint32_t *first = memory.getColumn(address.column + c) + address.lane;
        std::copy(first + 1, first + numRows, first);
      }
    }
  };
  startTensorOperation(warp, *lane, std::move(operation), accesses);
}

static constexpr char shapeModifiers[] =
    "cta_group::1 cta_group::2 128x256b 128x128b 4x256b 64x128b 32x128b "
    "warpx2::02_13 warpx2::01_23 warpx4";

static const Row rows[] = {
    {"tcgen05.cp", "", shapeModifiers, "A s=64", copy},
    {"tcgen05.shift.down", "", "cta_group::1 cta_group::2", "A", shift},
};

llvm::ArrayRef<Row> mx::ptx::getTcgen05CopyRows() { return rows; }
