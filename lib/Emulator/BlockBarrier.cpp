// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The 16 barriers of a block and that of a warp (PTX ISA 9.7.13.1, .2).

#include "Warp.h"

using namespace mx::ptx;
using llvm::Twine;

namespace {
enum class Use { Sync, Arrive, Reduce };
}

static std::string describeBarrier(uint64_t pointer, uint64_t number) {
  const auto *barrier = reinterpret_cast<const Barrier *>(pointer);
  return ("waits at barrier " + Twine(number) + " (" + Twine(barrier->arrived) +
          " of " + Twine(barrier->expected) + " threads have arrived)")
      .str();
}

/// The barrier's number, the same in all lanes; nothing after a fault.
static std::optional<unsigned> readNumber(Warp &warp, const Value &value) {
  std::optional<uint64_t> number =
      warp.readUniform(value, "the barrier's number");
  if (number && *number >= 16) {
    warp.fault(llvm::countr_zero(warp.active),
               "barrier " + Twine(*number) +
                   " does not exist: a block has 0 to 15");
    return std::nullopt;
  }
  return number;
}

/// The threads that a barrier is used for: `count` or all; 0 after a fault.
static unsigned getExpected(Warp &warp, const Barrier &barrier, unsigned number,
                            const Value *count) {
  unsigned lane = llvm::countr_zero(warp.active);
  unsigned all = warp.parent.warps.size() * warpSize, expected = all;
  if (count) {
    auto value = warp.readUniform(*count, "the barrier's count");
    if (!value)
      return 0;
    expected = *value;
    if (*value == 0 || *value % warpSize || *value > all) {
      warp.fault(lane, "a barrier of " + Twine(*value) +
                           " threads: the count has to be a multiple of the "
                           "warp size, up to the block's");
      return 0;
    }
  }
  if (expected == all)
    for (const auto &other : warp.parent.warps)
      if (other->hasEnded() && !barrier.lanes.count(other->number)) {
        warp.fault(lane, "barrier " + Twine(number) +
                             " is for all threads of the block, but warp " +
                             Twine(other->number) + " has exited");
        return 0;
      }
  return expected;
}

/// Threads count one by one, a warp whose threads have all come or exited as a
/// whole. False after a fault.
static bool arrive(Warp &warp, Barrier &barrier, unsigned number,
                   unsigned expected, Use use) {
  unsigned lane = llvm::countr_zero(warp.active);
  auto fail = [&](const Twine &text) {
    warp.fault(lane, "barrier " + Twine(number) + text);
    return false;
  };
  if (barrier.arrived && barrier.expected != expected)
    return fail(" is used for " + Twine(expected) + " threads, by others for " +
                Twine(barrier.expected));
  barrier.hasArrive |= use == Use::Arrive;
  barrier.hasReduction |= use == Use::Reduce;
  if (barrier.hasArrive && barrier.hasReduction)
    return fail(" is used by bar.red and by bar.arrive at once");
  uint32_t &lanes = barrier.lanes[warp.number];
  if (lanes & warp.active)
    return fail(": a thread arrives twice before it completes");
  lanes |= warp.active;
  barrier.expected = expected;
  barrier.arrived += llvm::popcount(warp.active);
  if (!(warp.live & ~lanes)) {
    barrier.arrived += warpSize - llvm::popcount(lanes);
    lanes = allLanes;
  }
  if (barrier.arrived > expected)
    return fail(": " + Twine(barrier.arrived) +
                " threads arrive, but it is "
                "for " +
                Twine(expected));
  return true;
}

/// .aligned, and bar: all threads of the warp together. True after a fault.
static bool checkAligned(Warp &warp, const Decoded &decoded) {
  bool isAligned =
      decoded.source->opcode == "bar" || decoded.hasModifier("aligned");
  if (!isAligned || warp.active == warp.live)
    return false;
  warp.fault(llvm::countr_zero(warp.active),
             "divergent barrier: not all lanes of the warp are here");
  return true;
}

/// Arrives at the barrier of operand `first`, whose count may follow, and
/// waits; null while it does, and after a fault. `holds` are lanes whose
/// predicate does.
static const Barrier *join(Warp &warp, const Decoded &decoded, unsigned first,
                           const Value *count, Use use, uint32_t holds) {
  std::optional<unsigned> number = readNumber(warp, decoded.value(first));
  if (!number)
    return nullptr;
  Barrier &barrier = warp.parent.barriers[*number];
  if (!warp.isRetry()) {
    if (checkAligned(warp, decoded))
      return nullptr;
    unsigned expected = getExpected(warp, barrier, *number, count);
    if (!expected)
      return nullptr;
    warp.getToken() = barrier.generation;
    warp.releaseTo(barrier.arriving);
    if (!arrive(warp, barrier, *number, expected, use))
      return nullptr;
    barrier.held += llvm::popcount(holds & warp.active);
    barrier.brought += llvm::popcount(warp.active);
    if (barrier.arrived == expected)
      barrier.complete();
  }
  if (use == Use::Arrive)
    return nullptr;
  if (barrier.generation == warp.getToken()) {
    warp.block({describeBarrier, uint64_t(uintptr_t(&barrier)), *number});
    return nullptr;
  }
  warp.acquireFrom(barrier.completed);
  return &barrier;
}

static const Value *getCount(const Decoded &decoded, unsigned operand) {
  return decoded.getNumOperands() > operand ? &decoded.value(operand) : nullptr;
}

static void sync(Warp &warp, const Decoded &decoded) {
  join(warp, decoded, 0, getCount(decoded, 1), Use::Sync, 0);
}

/// Releases, and does not wait.
static void arriveOnly(Warp &warp, const Decoded &decoded) {
  join(warp, decoded, 0, getCount(decoded, 1), Use::Arrive, 0);
}

namespace {
enum class Reduction { Popc, And, Or };
}

/// d, barrier{, count}, predicate.
template <Reduction Operation>
static void reduce(Warp &warp, const Decoded &decoded) {
  unsigned last = decoded.getNumOperands() - 1;
  if (!decoded.value(last).isPredicate)
    return warp.fault(0, "the last operand of a reduction has to be a "
                         "predicate");
  uint32_t holds = warp.readPredicate(decoded.value(last));
  if (warp.hasFault())
    return;
  const Value *count = last == 3 ? &decoded.value(2) : nullptr;
  const Barrier *barrier = join(warp, decoded, 1, count, Use::Reduce, holds);
  if (!barrier)
    return;
  if (Operation == Reduction::Popc) {
    uint64_t *d = warp.write(decoded.value(0));
    forEachLane(warp.active, [&](unsigned i) { d[i] = barrier->lastHeld; });
    return;
  }
  bool result = Operation == Reduction::And
                    ? barrier->lastHeld == barrier->lastBrought
                    : barrier->lastHeld != 0;
  warp.writePredicate(decoded.value(0), result ? allLanes : 0);
}

/// Puts memory accesses in order among the lanes that are here.
static void warpSync(Warp &warp, const Decoded &decoded) {
  const uint64_t *mask = warp.read(decoded.value(0));
  if (!mask)
    return;
  unsigned lane = llvm::countr_zero(warp.active);
  if ((uint32_t(mask[lane]) & warp.live) != warp.active)
    return warp.fault(lane, "bar.warp.sync: the executing lanes are not those "
                            "of its mask");
  warp.synchronizeLanes(warp.active);
}

static const Row rows[] = {
    {"bar.sync", "", "cta", "s=32 s=32?", sync},
    {"bar.arrive", "", "cta", "s=32 s=32", arriveOnly},
    {"bar.red.popc", "u32", "cta", "d s=32 x x?", reduce<Reduction::Popc>},
    {"bar.red.and", "pred", "cta", "p s=32 x x?", reduce<Reduction::And>},
    {"bar.red.or", "pred", "cta", "p s=32 x x?", reduce<Reduction::Or>},
    {"barrier.sync", "", "aligned cta", "s=32 s=32?", sync},
    {"barrier.arrive", "", "aligned cta", "s=32 s=32", arriveOnly},
    {"barrier.red.popc", "u32", "aligned cta", "d s=32 x x?",
     reduce<Reduction::Popc>},
    {"barrier.red.and", "pred", "aligned cta", "p s=32 x x?",
     reduce<Reduction::And>},
    {"barrier.red.or", "pred", "aligned cta", "p s=32 x x?",
     reduce<Reduction::Or>},
    {"bar.warp.sync", "", "", "s=32", warpSync},
};

llvm::ArrayRef<Row> mx::ptx::getBarrierRows() { return rows; }
