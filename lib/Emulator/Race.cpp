// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Race.h"

#include "Warp.h"

#include "llvm/ADT/StringExtras.h"

#include <cstring>

using namespace mx::ptx;
using llvm::Twine;

static constexpr uint64_t pageSize = 1024;

/// Of each byte the last write (a Stamp) and the reads since: none, a Stamp, or
/// a set of them.
struct Race::Page {
  uint64_t writes[pageSize] = {}, reads[pageSize] = {};
};

/// Who accesses now.
struct Race::Actor {
  const Knowledge &knowledge;
  /// Null for an asynchronous operation.
  const LaneOrder *lanes;
  Stamp stamp;
  Origin origin;
  /// Null for an asynchronous operation; where its access begins.
  Warp *warp = nullptr;
  uint64_t begin = 0;
  bool isInAsyncProxy = false;
};

/// Whether the values that a store brings are those that are there: compiled
/// code lets several warps store the same.
static bool storesWhatIsThere(Warp &warp, unsigned lane, const Region &region,
                              uint64_t address) {
  const Decoded &decoded = *warp.current;
  if (decoded.source->opcode != "st")
    return false;
  unsigned size = getByteWidth(decoded.types[0]);
  const uint8_t *place = region.bytes.get() + (address - region.base);
  for (const Value &value : decoded.vector(1)) {
    if (std::memcmp(place, &warp.lanes(value)[lane], size) != 0)
      return false;
    place += size;
  }
  return true;
}

static uint64_t getBits(Stamp stamp) { return llvm::bit_cast<uint64_t>(stamp); }
static Stamp getStamp(uint64_t bits) { return llvm::bit_cast<Stamp>(bits); }

/// A set of reads is kept as a stamp of an agent that does not exist.
static bool isSet(uint64_t reads) {
  return getStamp(reads).agent == Stamp::maxAgents;
}
static uint64_t makeSet(size_t index) {
  Stamp stamp = {};
  stamp.agent = Stamp::maxAgents;
  stamp.epoch = index % (uint64_t(1) << 28);
  stamp.place = index >> 28;
  return getBits(stamp);
}
static size_t getIndex(uint64_t set) {
  Stamp stamp = getStamp(set);
  return stamp.epoch | uint64_t(stamp.place) << 28;
}

void LaneOrder::learnAll(uint32_t mask, uint32_t epoch) {
  forEachLane(mask,
              [&](unsigned lane) { all[lane] = std::max(all[lane], epoch); });
}

void LaneOrder::learnPairs(uint32_t mask, uint32_t epoch) {
  pairs.resize(lanes);
  forEachLane(mask, [&](unsigned lane) {
    forEachLane(mask, [&](unsigned other) { pairs[lane][other] = epoch; });
  });
}

Race::Race(Cluster &cluster, unsigned firstAsyncAgent)
    : cluster(cluster), firstAsyncAgent(firstAsyncAgent) {}

Race::~Race() = default;

Race::Page &Race::getPage(uint64_t address) {
  uint64_t number = address / pageSize;
  auto &[cached, page] = recent[number % recent.size()];
  if (page && cached == number)
    return *page;
  std::unique_ptr<Page> &owned = pages[number];
  if (!owned)
    owned = std::make_unique<Page>();
  cached = number;
  page = owned.get();
  return *page;
}

std::string Race::describe(Stamp stamp, bool wasWrite) const {
  unsigned agent = stamp.agent, lane = stamp.lane, place = stamp.place;
  const char *verb = wasWrite ? "write" : "read";
  if (stamp.isAsync) {
    // Each agent has begun one operation in each of its epochs.
    size_t number =
        (uint64_t(stamp.epoch) - 1) * numAsyncAgents + agent - firstAsyncAgent;
    const Begin &begin = begins[number];
    agent = begin.agent;
    lane = begin.lane;
    place = begin.place;
  }
  const std::vector<Decoded> &code = cluster.machine.program.code;
  unsigned perBlock = cluster.blocks[0]->warps.size();
  std::string text = stamp.isAsync ? "asynchronous " : "";
  text += verb;
  if (place < code.size())
    text += (" in line " + Twine(code[place].source->location.line)).str();
  text += " by ";
  if (cluster.blocks.size() > 1)
    text += ("block " + Twine(agent / perBlock) + " of the cluster, ").str();
  text += ("warp " + Twine(agent % perBlock)).str();
  return text + (lane == Stamp::severalLanes ? std::string(", several lanes")
                                             : (", lane " + Twine(lane)).str());
}

/// Whether `earlier` is a write of the instruction that writes now.
bool Race::isSameWrite(const Actor &actor, Stamp earlier) {
  return actor.lanes && earlier.agent == actor.stamp.agent &&
         earlier.epoch == actor.stamp.epoch;
}

/// False after a fault because an earlier access and the one that `actor` makes
/// now, of the byte at `address`, are a race.
bool Race::checkOne(const Actor &actor, Stamp earlier, bool isWrite,
                    bool wasWrite, const Region &region, uint64_t address) {
  if (earlier.isStrong && actor.stamp.isStrong)
    return true;
  bool isGlobal = region.isGlobal();
  bool isOwnWarp = actor.lanes && earlier.agent == actor.stamp.agent;
  const char *missing = nullptr;
  if (isOwnWarp) {
    // An instruction that writes begins an epoch: in one epoch it is the same.
    // What several lanes have stored at once is what each of them has stored.
    bool isSame = wasWrite && (earlier.lane == Stamp::severalLanes ||
                               (isWrite && isSameWrite(actor, earlier)));
    if (earlier.lane != actor.stamp.lane && !isSame &&
        !actor.lanes->isKnown(actor.stamp.lane, earlier.lane, earlier.epoch))
      missing = "not ordered with the %: bar.warp.sync, or a barrier, has to "
                "come between";
  } else if (actor.knowledge.order.get(earlier.agent) < earlier.epoch) {
    missing = earlier.isAsync
                  ? "the % may not be done: the wait for it is missing, or a "
                    "barrier behind the wait of another thread"
                  : "not ordered with the %: a barrier or a pair of release "
                    "and acquire has to come between";
  } else if (actor.isInAsyncProxy && !earlier.isAsync && !earlier.isPublished &&
             wasWrite &&
             actor.knowledge.published[isGlobal].get(earlier.agent) <
                 earlier.epoch) {
    missing = "through the async proxy, not ordered with the % through the "
              "generic proxy: fence.proxy.async has to come between, before "
              "the barrier that orders them";
  }
  if (!missing ||
      (isWrite && wasWrite && actor.warp &&
       storesWhatIsThere(*actor.warp, actor.stamp.lane, region, actor.begin)))
    return true;
  auto [before, after] = llvm::StringRef(missing).split('%');
  cluster.fault(actor.origin,
                Twine("race: ") + (actor.lanes ? "" : "asynchronous ") +
                    (isWrite ? "write" : "read") + " at " +
                    (isGlobal ? "global" : "shared") + " address 0x" +
                    llvm::utohexstr(address) + ", byte " +
                    Twine(address - region.base) + " of " + region.name + ", " +
                    before + describe(earlier, wasWrite) + after);
  return false;
}

bool Race::checkReads(const Actor &actor, uint64_t reads, const Region &region,
                      uint64_t address) {
  auto check = [&](uint64_t read) {
    return checkOne(actor, getStamp(read), true, false, region, address);
  };
  if (isSet(reads))
    return llvm::all_of(readSets[getIndex(reads)], check);
  return check(reads);
}

/// What is kept when `actor` reads a byte with `reads`. A read that happened
/// before this one need not be kept: who comes after this one comes after it.
uint64_t Race::addRead(const Actor &actor, uint64_t reads) {
  uint64_t now = getBits(actor.stamp);
  if (reads == 0 || reads == now)
    return now;
  auto isOver = [&](Stamp read) {
    if (actor.lanes && read.agent == actor.stamp.agent)
      return read.lane == actor.stamp.lane ||
             actor.lanes->isKnown(actor.stamp.lane, read.lane, read.epoch);
    return actor.knowledge.order.get(read.agent) >= read.epoch;
  };
  // Of the lanes of one warp one stamp is kept.
  auto merge = [&](Stamp read) {
    Stamp both = actor.stamp;
    both.lane = Stamp::severalLanes;
    both.isStrong &= read.isStrong;
    return getBits(both);
  };
  if (!isSet(reads)) {
    Stamp read = getStamp(reads);
    if (isOver(read))
      return now;
    if (read.agent == actor.stamp.agent)
      return merge(read);
  }
  // What is known only grows, so what was found for this pair stays right.
  auto [it, isNew] = extended.try_emplace({reads, now});
  if (!isNew)
    return it->second;
  llvm::SmallVector<uint64_t, 4> set;
  if (isSet(reads))
    set = readSets[getIndex(reads)];
  else
    set = {reads};
  uint64_t added = now;
  llvm::erase_if(set, [&](uint64_t bits) {
    Stamp read = getStamp(bits);
    if (isOver(read))
      return true;
    if (read.agent != actor.stamp.agent)
      return false;
    added = merge(read);
    return true;
  });
  if (set.empty())
    return it->second = added;
  set.push_back(added);
  llvm::sort(set);
  auto [known, isNewSet] = setNumbers.try_emplace(
      std::vector<uint64_t>(set.begin(), set.end()), readSets.size());
  if (isNewSet)
    readSets.push_back(std::move(set));
  return it->second = makeSet(known->second);
}

void Race::touch(const Actor &actor, const Region &region, uint64_t address,
                 uint64_t size, bool isWrite) {
  uint64_t bits = getBits(actor.stamp);
  Stamp bySeveral = actor.stamp;
  bySeveral.lane = Stamp::severalLanes;
  // Neighbours mostly have the same history.
  uint64_t lastWrite = 0, lastReads = 0, lastAdded = bits;
  for (uint64_t end = address + size; address < end;) {
    Page &page = getPage(address);
    uint64_t begin = address % pageSize;
    uint64_t count = std::min(pageSize - begin, end - address);
    uint64_t *writes = page.writes + begin, *reads = page.reads + begin;
    for (uint64_t i = 0; i < count; ++i) {
      if (writes[i] != lastWrite && writes[i] &&
          !checkOne(actor, getStamp(writes[i]), isWrite, true, region,
                    address + i))
        return;
      lastWrite = writes[i];
      if (isWrite) {
        if (reads[i] != lastReads && reads[i] &&
            !checkReads(actor, reads[i], region, address + i))
          return;
        lastReads = reads[i];
        reads[i] = 0;
        writes[i] =
            isSameWrite(actor, getStamp(lastWrite)) ? getBits(bySeveral) : bits;
      } else {
        if (reads[i] != lastReads) {
          lastReads = reads[i];
          lastAdded = addRead(actor, lastReads);
        }
        reads[i] = lastAdded;
      }
    }
    address += count;
  }
}

/// The epoch of a write. Each instruction that writes has one of its own, which
/// tells its lanes from those of another.
uint64_t Race::beginWrite(Warp &warp) {
  uint64_t number = cluster.statistics.warpInstructions;
  uint32_t &epoch = warp.knowledge.order.time[warp.agent];
  if (writer != &warp || writeNumber != number)
    ++epoch;
  writer = &warp;
  writeNumber = number;
  return epoch;
}

static Stamp makeStamp(const Warp &warp, unsigned lane, uint64_t epoch,
                       const Decoded *decoded) {
  size_t place = decoded - warp.machine.program.code.data();
  Stamp stamp = {};
  stamp.epoch = epoch;
  stamp.agent = warp.agent;
  stamp.lane = lane;
  stamp.place = std::min<size_t>(place, Stamp::maxPlace);
  return stamp;
}

void Race::access(Warp &warp, unsigned lane, const Region &region,
                  uint64_t address, unsigned size, Access access) {
  bool isWrite = mx::ptx::isWrite(access);
  uint64_t epoch =
      isWrite ? beginWrite(warp) : warp.knowledge.order.get(warp.agent);
  if (epoch >= Stamp::maxEpoch)
    return;
  Stamp stamp = makeStamp(warp, lane, epoch, warp.current);
  stamp.isStrong = warp.current->order != MemoryOrder::Weak;
  // tcgen05.alloc leaves its address where the next copy comes to lie in
  // compiled code, and no fence between.
  stamp.isPublished = warp.current->source->opcode == "tcgen05";
  touch({warp.knowledge, &warp.laneOrder, stamp, warp.getOrigin(lane), &warp,
         address},
        region, address, size, isWrite);
  if (stamp.isStrong)
    synchronize(warp, address, access);
}

/// Release and acquire through a place in memory (PTX ISA 8.8).
void Race::synchronize(Warp &warp, uint64_t address, Access access) {
  MemoryOrder order = warp.current->order;
  bool isBoth = order == MemoryOrder::AcquireRelease;
  if (access != Access::Write) {
    auto it = released.find(address);
    if (it != released.end() && (isBoth || order == MemoryOrder::Acquire))
      warp.acquireFrom(it->second);
    else if (it != released.end())
      warp.observed.join(it->second);
  }
  if (!mx::ptx::isWrite(access))
    return;
  if (isBoth || order == MemoryOrder::Release)
    warp.releaseTo(released[address]);
  else if (warp.hasFenced)
    released[address].join(warp.fenced);
}

void Race::finish(Warp &warp, const PendingCopy &copy) {
  uint64_t epoch = beginWrite(warp);
  if (epoch >= Stamp::maxEpoch)
    return;
  touch({warp.knowledge, &warp.laneOrder,
         makeStamp(warp, copy.lane, epoch, copy.issuer),
         warp.getOrigin(copy.lane)},
        warp.parent.shared, copy.destination, copy.size, true);
}

void Race::start(const AsyncOperation &operation) {
  const Origin &origin = operation.origin;
  const Warp &warp = *origin.block->warps[origin.warp];
  Stamp stamp =
      makeStamp(warp, origin.lane,
                operation.knowledge.order.get(operation.agent), warp.current);
  begins.push_back({warp.agent, origin.lane, unsigned(stamp.place)});
  stamp.agent = operation.agent;
  stamp.isAsync = true;
  if (stamp.epoch == Stamp::maxEpoch)
    return;
  Actor actor = {operation.knowledge, nullptr, stamp, origin};
  actor.isInAsyncProxy = !operation.isGeneric;
  auto touchAll = [&](llvm::ArrayRef<Footprint> footprints, bool isWrite) {
    for (const Footprint &f : footprints)
      touch(actor, *f.region, f.address, f.size, isWrite);
  };
  touchAll(operation.reads, false);
  touchAll(operation.writes, true);
  actor.stamp.isStrong = true;
  touchAll(operation.updates, true);
}
