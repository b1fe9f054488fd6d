// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies of boxes of tensors (PTX ISA 9.7.9.25.5): cp.async.bulk.tensor,
// cp.reduce.async.bulk.tensor, their prefetches. What can be checked is checked
// when they are issued; the bytes move when they complete.

#include "TensorBox.h"

#include "llvm/ADT/StringExtras.h"

using namespace mx::ptx;
using llvm::StringRef;
using llvm::Twine;

/// A tile in shared memory is aligned to this.
static constexpr unsigned tileAlignment = 128;

/// The box that the operand [map, {coordinates}] of one lane means; nothing
/// after a fault. `operand` is the `number`-th among the address operands.
static std::optional<TensorBox> readBox(Warp &warp, const Decoded &decoded,
                                        unsigned operand, unsigned number,
                                        unsigned lane) {
  llvm::SmallVector<int32_t, 5> coordinates;
  for (const Value &value : decoded.vector(operand).drop_front())
    coordinates.push_back(int32_t(warp.lanes(value)[lane]));
  uint64_t address =
      warp.lanes(decoded.value(operand))[lane] + decoded.addressOffsets[number];
  Space space = Space::Generic;
  Region *region = warp.findRegion(lane, space, address);
  auto fail = [&](const Twine &text) {
    warp.fault(lane, text);
    return std::nullopt;
  };
  if (space != Space::Param && space != Space::Const && space != Space::Global)
    return fail("a tensor map has to lie in .param, .const or .global memory");
  constexpr unsigned size = sizeof(TensorMapBytes);
  std::string problem =
      checkAccess(region, "tensor map", address, size, 64, Access::Read);
  if (!problem.empty())
    return fail(problem);
  if (warp.parent.changedTensorMaps.count(address))
    return fail("the kernel has changed this tensor map, and "
                "fence.proxy.tensormap::generic.acquire is missing since");
  auto map = decodeTensorMap({region->at(address), size});
  if (!map)
    return fail(llvm::toString(map.takeError()));
  static constexpr StringRef dims[] = {"1d", "2d", "3d", "4d", "5d"};
  StringRef rank = dims[map->dims.size() - 1];
  if (!decoded.hasModifier(rank))
    return fail("the tensor map has rank " + Twine(map->dims.size()) +
                ", which is not the instruction's");
  bool isRows = decoded.hasModifier("tile::gather4") ||
                decoded.hasModifier("tile::scatter4");
  auto box = makeBox(std::move(*map), coordinates, isRows);
  if (!box)
    return fail(llvm::toString(box.takeError()));
  return std::move(*box);
}

/// True after a fault because a register of the operand has no value.
static bool readAll(Warp &warp, const Decoded &decoded, unsigned operand) {
  for (const Value &value : decoded.vector(operand))
    if (!warp.read(value))
      return true;
  return false;
}

/// The tensor's bytes of a box; nothing after a fault.
static Runs makeTensorRuns(Warp &warp, unsigned lane, const TensorBox &box,
                           Access access) {
  Runs runs;
  for (const Piece &piece : box.pieces) {
    Run run = makeRun(warp, lane, Space::Global, piece.address, piece.size, 1,
                      access);
    if (!run.region)
      return {};
    run.offset = piece.offset;
    runs.push_back(run);
  }
  return runs;
}

/// Where a load signals: in the block of the destination, or with
/// .cta_group::2 in that of its pair whose parity the mbarrier's address has.
static std::optional<uint64_t> getSignal(Warp &warp, const Decoded &decoded,
                                         unsigned lane, uint64_t mbarrier,
                                         unsigned rank, bool isMulticast) {
  unsigned own = mbarrier >> rankShift;
  if (decoded.hasModifier("cta_group::2"))
    return moveToRank(mbarrier, (rank & ~1u) | (own & 1));
  if (isMulticast || own == rank)
    return moveToRank(mbarrier, rank);
  warp.fault(lane, "the mbarrier at 0x" + Twine::utohexstr(mbarrier) +
                       " has to lie in the block of the destination, unless "
                       ".cta_group::2 is written");
  return std::nullopt;
}

/// Global to shared memory: [tile], [map, {coordinates}], [mbarrier]{,
/// multicast mask}{, cache policy}.
static void load(Warp &warp, const Decoded &decoded) {
  const uint64_t *tiles = warp.read(decoded.value(0));
  const uint64_t *mbarriers = warp.read(decoded.value(2));
  bool isMulticast = decoded.hasModifier("multicast::cluster");
  if (isMulticast && decoded.getNumOperands() < 4)
    return warp.fault(0, "a multicast needs its mask");
  const uint64_t *masks = isMulticast ? warp.read(decoded.value(3)) : nullptr;
  if (!tiles || !mbarriers || readAll(warp, decoded, 1) || warp.hasFault())
    return;
  Space space = decoded.hasModifier("shared::cluster") ? Space::SharedCluster
                                                       : Space::Shared;
  forEachLane(warp.active, [&](unsigned lane) {
    if (warp.hasFault())
      return;
    std::optional<TensorBox> box = readBox(warp, decoded, 1, 1, lane);
    if (!box)
      return;
    Run tile =
        makeRun(warp, lane, space, tiles[lane] + decoded.addressOffsets[0],
                box->tileSize, tileAlignment, Access::Write);
    if (!tile.region)
      return;
    Mbarrier *mbarrier = lookupMbarrier(
        warp, lane, space, mbarriers[lane] + decoded.addressOffsets[2]);
    if (!mbarrier)
      return;
    llvm::SmallVector<unsigned, 4> ranks = {
        unsigned(tile.address >> rankShift)};
    if (isMulticast)
      ranks = getRanks(warp, lane, masks[lane]);
    SignallingCopy copy;
    copy.from = makeTensorRuns(warp, lane, *box, Access::Read);
    copy.image = box->makeFill();
    for (unsigned rank : ranks) {
      std::optional<uint64_t> signal =
          getSignal(warp, decoded, lane, mbarrier->address, rank, isMulticast);
      Run target = makeRun(warp, lane, Space::SharedCluster,
                           moveToRank(tile.address, rank), box->tileSize, 1,
                           Access::Write);
      if (!signal || !target.region)
        return;
      copy.signals.push_back({*signal, uint32_t(box->imageSize)});
      box->addTileRuns(target.region, target.address, 0, box->imageSize,
                       copy.to);
    }
    if (!warp.hasFault())
      start(warp, std::move(copy));
  });
}

static Type getReducedType(TensorElement element, bool isBitwise) {
  using E = TensorElement;
  switch (element) {
  case E::U32:
    return isBitwise ? Type::B32 : Type::U32;
  case E::S32:
    return isBitwise ? Type::B32 : Type::S32;
  case E::U64:
    return isBitwise ? Type::B64 : Type::U64;
  case E::S64:
    return isBitwise ? Type::B64 : Type::S64;
  case E::F16:
    return Type::F16;
  case E::BF16:
    return Type::BF16;
  case E::F32:
  case E::F32Ftz:
    return Type::F32;
  case E::F64:
    return Type::F64;
  default:
    return Type::B8;
  }
}

/// Shared to global memory: [map, {coordinates}], [tile]{, cache policy}. What
/// lies outside the tensor is left out.
static void store(Warp &warp, const Decoded &decoded) {
  const uint64_t *tiles = warp.read(decoded.value(1));
  if (!tiles || readAll(warp, decoded, 0))
    return;
  forEachLane(warp.active, [&](unsigned lane) {
    if (warp.hasFault())
      return;
    std::optional<TensorBox> box = readBox(warp, decoded, 0, 0, lane);
    if (!box)
      return;
    if (box->map.element == TensorElement::U4x16Align16)
      return warp.fault(lane, "tensor maps of type 16U4_ALIGN16B are for loads "
                              "only");
    for (const Value &value : decoded.vector(0).slice(1))
      if (int32_t(warp.lanes(value)[lane]) < 0)
        return warp.fault(lane, "a store at a negative coordinate");
    Run tile = makeRun(warp, lane, Space::Shared,
                       tiles[lane] + decoded.addressOffsets[1], box->tileSize,
                       tileAlignment, Access::Read);
    if (!tile.region)
      return;
    GroupedCopy copy;
    copy.imageSize = box->imageSize;
    if (decoded.hasModifier("reduce")) {
      bool isBitwise = decoded.combine != Combine::None;
      copy.reduction = getReduction(
          warp, decoded, lane, getReducedType(box->map.element, isBitwise));
    }
    copy.to = makeTensorRuns(warp, lane, *box, Access::Write);
    for (const Piece &piece : box->pieces)
      box->addTileRuns(tile.region, tile.address, piece.offset, piece.size,
                       copy.from);
    if (!warp.hasFault())
      start(warp, lane, std::move(copy));
  });
}

/// A prefetch changes nothing that a program can see; its box has to be right.
static void prefetch(Warp &warp, const Decoded &decoded) {
  if (readAll(warp, decoded, 0))
    return;
  forEachLane(warp.active,
              [&](unsigned lane) { readBox(warp, decoded, 0, 0, lane); });
}

#define DIMS "1d 2d 3d 4d 5d L2::cache_hint tile "
static constexpr char loading[] =
    DIMS "tile::gather4 multicast::cluster cta_group::1 cta_group::2";

static const Row rows[] = {
    {"cp.async.bulk.tensor.shared::cluster.global.mbarrier::complete_tx::bytes",
     "", loading, "A T A s*? s*?", load},
    {"cp.async.bulk.tensor.shared::cta.global.mbarrier::complete_tx::bytes", "",
     DIMS "tile::gather4", "A T A s*?", load},
    {"cp.async.bulk.tensor.global.shared::cta.bulk_group", "",
     DIMS "tile::scatter4", "T A s*?", store},
    {"cp.reduce.async.bulk.tensor.global.shared::cta.bulk_group", "",
     DIMS "add min max inc dec and or xor", "T A s*?", store},
    {"cp.async.bulk.prefetch.tensor.L2.global", "", DIMS "tile::gather4",
     "T s*?", prefetch},
};

llvm::ArrayRef<Row> mx::ptx::getTensorRows() { return rows; }
