// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Bulk.h"

#include <cstring>

using namespace mx::ptx;
using llvm::Twine;

Run mx::ptx::makeRun(Warp &warp, unsigned lane, Space space, uint64_t address,
                     uint64_t size, unsigned alignment, Access access) {
  Region *region = warp.findRegion(lane, space, address);
  if (warp.hasFault())
    return {};
  bool exists = region && region->contains(address, size);
  if (exists && address % alignment == 0)
    return {region, address, size};
  llvm::StringRef name =
      space == Space::Global                                    ? "global"
      : space == Space::Shared || space == Space::SharedCluster ? "shared"
                                                                : "generic";
  warp.fault(lane, checkAccess(region, name, address, size, alignment, access));
  return {};
}

llvm::SmallVector<unsigned, 4> mx::ptx::getRanks(Warp &warp, unsigned lane,
                                                 uint64_t mask) {
  llvm::SmallVector<unsigned, 4> ranks;
  size_t count = warp.cluster.blocks.size();
  mask &= 0xFFFF;
  if (mask == 0 || mask >> count) {
    warp.fault(lane, "the multicast mask 0x" + Twine::utohexstr(mask) +
                         " names blocks that the cluster of " + Twine(count) +
                         " does not have, or none");
    return ranks;
  }
  for (unsigned rank = 0; rank < count; ++rank)
    if (mask >> rank & 1)
      ranks.push_back(rank);
  return ranks;
}

/// The bytes of `runs`, neighbours as one.
static llvm::SmallVector<Footprint, 2> getFootprints(const Runs &runs) {
  Runs sorted = runs;
  llvm::sort(sorted,
             [](const Run &a, const Run &b) { return a.address < b.address; });
  llvm::SmallVector<Footprint, 2> footprints;
  for (const Run &run : sorted) {
    if (!footprints.empty() && footprints.back().region == run.region &&
        footprints.back().address + footprints.back().size == run.address)
      footprints.back().size += run.size;
    else
      footprints.push_back({run.region, run.address, run.size});
  }
  return footprints;
}

static void gather(const Runs &from, llvm::MutableArrayRef<uint8_t> image) {
  for (const Run &run : from)
    std::memcpy(&image[run.offset], run.region->at(run.address), run.size);
}

static void scatter(llvm::ArrayRef<uint8_t> image, const Runs &to,
                    const std::optional<Reduction> &reduction) {
  for (const Run &run : to) {
    uint8_t *place = run.region->at(run.address);
    if (reduction)
      for (uint64_t i = 0; i < run.size; i += reduction->size)
        reduction->apply(place + i, &image[run.offset + i]);
    else
      std::memcpy(place, &image[run.offset], run.size);
    run.region->setState(run.address, run.size, ByteState::Initialized);
  }
}

/// A reduction is atomic: several may be under way at one place, so it claims
/// nothing. True after a fault because its destination may not be touched.
static bool checkReduction(Warp &warp, unsigned lane, const Runs &to) {
  for (const Run &run : to) {
    std::string problem =
        checkAccess(run.region, run.region->getSpaceName(), run.address,
                    run.size, 1, Access::ReadWrite);
    if (!problem.empty()) {
      warp.fault(lane, problem);
      return true;
    }
  }
  return false;
}

void mx::ptx::start(Warp &warp, SignallingCopy copy) {
  Cluster &cluster = warp.cluster;
  AsyncOperation operation;
  operation.reads = getFootprints(copy.from);
  operation.isGeneric = copy.isGeneric;
  (copy.reduction ? operation.updates : operation.writes) =
      getFootprints(copy.to);
  if (copy.reduction &&
      checkReduction(warp, llvm::countr_zero(warp.active), copy.to))
    return;
  operation.perform = [&cluster,
                       copy = std::move(copy)](AsyncOperation &self) mutable {
    gather(copy.from, copy.image);
    scatter(copy.image, copy.to, copy.reduction);
    for (const Signal &signal : copy.signals)
      completeBytes(cluster, self, signal.mbarrier, signal.bytes);
  };
  cluster.start(warp, std::move(operation));
}

namespace mx::ptx {
/// The two steps of a grouped copy.
struct BulkStore {
  struct Step {
    /// Null when it is done.
    AsyncOperation *operation = nullptr;
    /// What whoever waits for it learns.
    Knowledge knowledge;

    void finish(AsyncOperation &self) {
      operation = nullptr;
      knowledge = self.knowledge;
    }
    void wait(Warp &warp) {
      if (operation)
        warp.cluster.complete(operation);
      warp.acquireFrom(knowledge);
    }
  };
  Step reading, writing;
  std::vector<uint8_t> image;
};
} // namespace mx::ptx

void mx::ptx::start(Warp &warp, unsigned lane, GroupedCopy copy) {
  Cluster &cluster = warp.cluster;
  auto store = std::make_shared<BulkStore>();
  store->image.resize(copy.imageSize);
  AsyncOperation read, write;
  read.queue = write.queue = cluster.makeQueue();
  read.isGrouped = write.isGrouped = true;
  read.reads = getFootprints(copy.from);
  read.perform = [store, from = std::move(copy.from)](AsyncOperation &self) {
    gather(from, store->image);
    store->reading.finish(self);
  };
  (copy.reduction ? write.updates : write.writes) = getFootprints(copy.to);
  if (copy.reduction && checkReduction(warp, lane, copy.to))
    return;
  write.perform = [store, to = std::move(copy.to),
                   reduction = copy.reduction](AsyncOperation &self) {
    scatter(store->image, to, reduction);
    store->writing.finish(self);
  };
  store->reading.operation = cluster.start(warp, std::move(read));
  if (store->reading.operation)
    store->writing.operation = cluster.start(warp, std::move(write));
  warp.stores.push_back({lane, warp.storeGroups[lane], std::move(store)});
}

/// cp.async.bulk.commit_group (9.7.9.25.4.3).
static void commitGroup(Warp &warp, const Decoded &) {
  forEachLane(warp.active, [&](unsigned i) { ++warp.storeGroups[i]; });
}

/// cp.async.bulk.wait_group (9.7.9.25.4.4); .read: only until the sources have
/// been read.
static void waitGroup(Warp &warp, const Decoded &decoded) {
  const uint64_t *count = warp.read(decoded.value(0));
  if (!count)
    return;
  bool onlyReads = decoded.hasModifier("read");
  uint64_t newest = count[llvm::countr_zero(warp.active)];
  for (auto it = warp.stores.begin(); it != warp.stores.end();) {
    if (!(warp.active >> it->lane & 1) ||
        it->group + newest >= warp.storeGroups[it->lane]) {
      ++it;
      continue;
    }
    it->store->reading.wait(warp);
    if (!onlyReads)
      it->store->writing.wait(warp);
    it = onlyReads ? it + 1 : warp.stores.erase(it);
  }
}

namespace {
/// The operands of a copy without a tensor map: where to, where from, how many
/// bytes; false after a fault.
struct Operands {
  bool read(Warp &warp, const Decoded &decoded) {
    to = warp.read(decoded.value(0));
    from = warp.read(decoded.value(1));
    size = warp.read(decoded.value(2));
    return to && from && size;
  }
  /// True after a fault.
  bool check(Warp &warp, unsigned lane) const {
    uint32_t bytes = size[lane];
    if (bytes && bytes % 16 == 0)
      return false;
    warp.fault(lane, "a bulk copy of " + Twine(bytes) +
                         " bytes: it has to be a positive multiple of 16");
    return true;
  }

  const uint64_t *to, *from, *size;
};
} // namespace

static std::optional<Reduction> lookupOwnReduction(Warp &warp,
                                                   const Decoded &decoded) {
  if (!decoded.hasModifier("reduce"))
    return std::nullopt;
  return getReduction(warp, decoded, llvm::countr_zero(warp.active),
                      decoded.types[0]);
}

/// cp.async.bulk and cp.reduce.async.bulk into shared memory (9.7.9.25.4.1,
/// .2): [to], [from], size, [mbarrier]{, multicast mask}{, cache policy}.
template <Space From> static void copyIn(Warp &warp, const Decoded &decoded) {
  Operands operands;
  const uint64_t *mbarriers = warp.read(decoded.value(3));
  bool isMulticast = decoded.hasModifier("multicast::cluster");
  const uint64_t *masks = nullptr;
  if (isMulticast && decoded.getNumOperands() < 5)
    return warp.fault(0, "a multicast needs its mask");
  if (isMulticast)
    masks = warp.read(decoded.value(4));
  std::optional<Reduction> reduction = lookupOwnReduction(warp, decoded);
  if (!operands.read(warp, decoded) || !mbarriers || warp.hasFault())
    return;
  Space space = decoded.hasModifier("shared::cluster") ? Space::SharedCluster
                                                       : Space::Shared;
  forEachLane(warp.active, [&](unsigned lane) {
    if (operands.check(warp, lane))
      return;
    uint32_t size = operands.size[lane];
    Run from = makeRun(warp, lane, From,
                       operands.from[lane] + decoded.addressOffsets[1], size,
                       16, Access::Read);
    Run to = makeRun(warp, lane, space,
                     operands.to[lane] + decoded.addressOffsets[0], size, 16,
                     Access::Write);
    if (!from.region || !to.region)
      return;
    Mbarrier *mbarrier = lookupMbarrier(
        warp, lane, space, mbarriers[lane] + decoded.addressOffsets[2]);
    if (!mbarrier)
      return;
    if (mbarrier->address >> rankShift != to.address >> rankShift)
      return warp.fault(lane, "the mbarrier of a bulk copy has to lie in the "
                              "block of its destination");
    SignallingCopy copy;
    copy.from = {from};
    copy.image.resize(size);
    copy.reduction = reduction;
    if (!isMulticast) {
      copy.to = {to};
      copy.signals = {{mbarrier->address, size}};
      return start(warp, std::move(copy));
    }
    for (unsigned rank : getRanks(warp, lane, masks[lane])) {
      copy.to.push_back(makeRun(warp, lane, Space::SharedCluster,
                                moveToRank(to.address, rank), size, 16,
                                Access::Write));
      copy.signals.push_back({moveToRank(mbarrier->address, rank), size});
    }
    if (!warp.hasFault())
      start(warp, std::move(copy));
  });
}

/// The same from shared to global memory: [to], [from], size{, cache
/// policy}{, byte mask}.
static void copyOut(Warp &warp, const Decoded &decoded) {
  Operands operands;
  bool isMasked = decoded.hasModifier("cp_mask");
  const uint64_t *masks =
      isMasked ? warp.read(decoded.value(decoded.getNumOperands() - 1))
               : nullptr;
  std::optional<Reduction> reduction = lookupOwnReduction(warp, decoded);
  if (!operands.read(warp, decoded) || warp.hasFault())
    return;
  forEachLane(warp.active, [&](unsigned lane) {
    if (operands.check(warp, lane))
      return;
    uint32_t size = operands.size[lane];
    Run to = makeRun(warp, lane, Space::Global,
                     operands.to[lane] + decoded.addressOffsets[0], size, 16,
                     Access::Write);
    Run from = makeRun(warp, lane, Space::Shared,
                       operands.from[lane] + decoded.addressOffsets[1], size,
                       16, Access::Read);
    if (!from.region || !to.region)
      return;
    GroupedCopy copy;
    copy.imageSize = size;
    copy.reduction = reduction;
    copy.from = {from};
    if (!isMasked)
      copy.to = {to};
    // Bit i: byte i of each 16.
    for (uint32_t i = 0; isMasked && i < size; ++i)
      if (masks[lane] >> i % 16 & 1)
        copy.to.push_back({to.region, to.address + i, 1, i});
    start(warp, lane, std::move(copy));
  });
}

/// A prefetch changes nothing that a program can see.
static void prefetch(Warp &, const Decoded &) {}

#define NUMBERS "u32|s32|u64|s64|b32|b64|f16|bf16|f32|f64"
static constexpr char operations[] =
    "L2::cache_hint add min max inc dec and or xor noftz";

static const Row rows[] = {
    {"cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes", "",
     "L2::cache_hint multicast::cluster", "A A s=32 A s*? s*?",
     copyIn<Space::Global>},
    {"cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes", "",
     "L2::cache_hint", "A A s=32 A s*?", copyIn<Space::Global>},
    {"cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes",
     "", "", "A A s=32 A", copyIn<Space::Shared>},
    {"cp.async.bulk.global.shared::cta.bulk_group", "",
     "L2::cache_hint cp_mask", "A A s=32 s*? s*?", copyOut},
    {"cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::"
     "bytes",
     NUMBERS, operations, "A A s=32 A", copyIn<Space::Shared>},
    {"cp.reduce.async.bulk.global.shared::cta.bulk_group", NUMBERS, operations,
     "A A s=32 s*?", copyOut},
    {"cp.async.bulk.prefetch.L2.global", "", "L2::cache_hint", "A s=32 s*?",
     prefetch},
    {"cp.async.bulk.commit_group", "", "", "", commitGroup},
    {"cp.async.bulk.wait_group", "", "read", "i", waitGroup},
};

llvm::ArrayRef<Row> mx::ptx::getBulkRows() { return rows; }
