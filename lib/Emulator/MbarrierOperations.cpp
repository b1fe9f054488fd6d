// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions on mbarrier objects (PTX ISA 9.7.13.15.9 to .18).

#include "Warp.h"

#include "llvm/ADT/MapVector.h"

using namespace mx::ptx;
using llvm::Twine;

/// A state token: the phase and what it still waited for.
static constexpr unsigned tokenShift = 20;
static uint64_t makeToken(const Mbarrier &mbarrier) {
  return mbarrier.phase << tokenShift | mbarrier.pending;
}

/// Calls f(lane, mbarrier) for the active lanes; `operand` is the address.
template <typename F>
static void forEachMbarrier(Warp &warp, const Decoded &decoded,
                            unsigned operand, F f) {
  const uint64_t *base = warp.read(decoded.value(operand));
  if (!base)
    return;
  Mbarrier *last = nullptr;
  uint64_t lastBase = 0;
  forEachLane(warp.active, [&](unsigned lane) {
    if (!last || base[lane] != lastBase)
      last = lookupMbarrier(warp, lane, decoded.space,
                            base[lane] + decoded.offset);
    lastBase = base[lane];
    if (last)
      f(lane, *last);
  });
}

/// 9.7.13.15.9
static void init(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(0));
  const uint64_t *count = warp.read(decoded.value(1));
  if (!base || !count)
    return;
  forEachLane(warp.active, [&](unsigned lane) {
    Space space = decoded.space;
    uint64_t address = base[lane] + decoded.offset;
    Region *region = warp.findRegion(lane, space, address);
    if (region != &warp.parent.shared)
      return warp.fault(lane, "an mbarrier is initialised in the shared memory "
                              "of its own block");
    uint32_t n = count[lane];
    if (n == 0 || n > Mbarrier::maxCount)
      return warp.fault(lane, "mbarrier.init with the count " + Twine(n) +
                                  ": it has to be 1 to 1048575");
    Mbarrier &mbarrier = warp.parent.mbarriers[address];
    if (mbarrier.isLive)
      return warp.fault(lane, "mbarrier.init of a live " + mbarrier.describe() +
                                  ": mbarrier.inval has to come first");
    if (!warp.access(lane, Space::Shared, address, 8, 8, Access::Write))
      return;
    region->setState(address, 8, ByteState::Barrier);
    mbarrier = {};
    mbarrier.address = address;
    mbarrier.isLive = true;
    mbarrier.pending = mbarrier.expected = n;
    mbarrier.initAgent = warp.agent;
    mbarrier.initEpoch = warp.knowledge.order.get(warp.agent);
  });
}

/// 9.7.13.15.10
static void inval(Warp &warp, const Decoded &decoded) {
  forEachMbarrier(warp, decoded, 0, [&](unsigned lane, Mbarrier &mbarrier) {
    if (mbarrier.address >> rankShift != warp.parent.rank)
      return warp.fault(lane, "mbarrier.inval of another block's mbarrier");
    for (auto [agent, epoch] : mbarrier.used)
      if (warp.knowledge.order.get(agent) < epoch)
        return warp.fault(lane, "mbarrier.inval while warp " +
                                    Twine(agent % warp.parent.warps.size()) +
                                    " may still use " + mbarrier.describe() +
                                    ": a barrier has to come first");
    mbarrier.isLive = false;
    warp.parent.shared.setState(mbarrier.address, 8, ByteState::Uninitialized);
  });
}

static bool reportsProblem(Warp &warp, unsigned lane,
                           const std::string &problem) {
  if (problem.empty())
    return false;
  warp.fault(lane, problem);
  return true;
}

/// expect_tx and complete_tx (9.7.13.15.11, .12); neither arrives.
template <int Sign> static void changeTx(Warp &warp, const Decoded &decoded) {
  const uint64_t *bytes = warp.read(decoded.value(1));
  if (!bytes)
    return;
  forEachMbarrier(warp, decoded, 0, [&](unsigned lane, Mbarrier &mbarrier) {
    reportsProblem(warp, lane,
                   mbarrier.expect(Sign * int64_t(uint32_t(bytes[lane]))));
  });
}

/// arrive and arrive_drop (9.7.13.15.13, .14): the count or the expected bytes
/// are operand 2.
template <bool Drops> static void arrive(Warp &warp, const Decoded &decoded) {
  const uint64_t *amount =
      decoded.getNumOperands() > 2 ? warp.read(decoded.value(2)) : nullptr;
  if (warp.hasFault())
    return;
  bool expectsTx = decoded.hasModifier("expect_tx");
  bool mayComplete = !decoded.hasModifier("noComplete");
  bool releases = !decoded.hasModifier("relaxed");
  uint64_t tokens[warpSize] = {};
  // Lanes that arrive in one phase release together.
  const Mbarrier *released = nullptr;
  uint64_t releasedPhase = 0;
  forEachMbarrier(warp, decoded, 1, [&](unsigned lane, Mbarrier &mbarrier) {
    tokens[lane] = makeToken(mbarrier);
    uint32_t count = amount && !expectsTx ? uint32_t(amount[lane]) : 1;
    if (releases && (released != &mbarrier || releasedPhase != mbarrier.phase))
      warp.releaseTo(mbarrier.arriving);
    released = &mbarrier;
    releasedPhase = mbarrier.phase;
    if (expectsTx && amount &&
        reportsProblem(warp, lane, mbarrier.expect(uint32_t(amount[lane]))))
      return;
    if (!mayComplete && count >= mbarrier.pending)
      return warp.fault(lane, "an arrive.noComplete would complete the phase "
                              "of " +
                                  mbarrier.describe());
    if (Drops && count <= mbarrier.expected)
      mbarrier.expected -= count;
    reportsProblem(warp, lane, mbarrier.arrive(count));
  });
  if (warp.hasFault() || decoded.value(0).isSink)
    return;
  uint64_t *state = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { state[i] = tokens[i]; });
}

/// cp.async.mbarrier.arrive (9.7.9.25.3.5): arrives when the copies that the
/// thread has begun are done. Without .noinc the arrival is an additional one.
static void arriveAfterCopies(Warp &warp, const Decoded &decoded) {
  bool isCounted = decoded.hasModifier("noinc");
  llvm::MapVector<Mbarrier *, uint32_t> lanes;
  forEachMbarrier(warp, decoded, 0, [&](unsigned lane, Mbarrier &mbarrier) {
    if (!isCounted && ++mbarrier.pending > Mbarrier::maxCount)
      return warp.fault(lane, "too many arrivals on " + mbarrier.describe());
    lanes[&mbarrier] |= 1u << lane;
  });
  for (auto [mbarrier, mask] : lanes) {
    if (warp.hasFault())
      return;
    std::vector<PendingCopy> copies;
    llvm::copy_if(warp.copies, std::back_inserter(copies),
                  [mask = mask](const PendingCopy &copy) {
                    return mask >> copy.lane & 1;
                  });
    AsyncOperation operation;
    operation.perform = [&warp, copies = std::move(copies),
                         address = mbarrier->address,
                         count = llvm::popcount(mask)](AsyncOperation &self) {
      warp.completeCopies(copies);
      if (!warp.hasFault())
        arriveAsync(warp.cluster, self, address, count);
    };
    warp.cluster.start(warp, std::move(operation));
  }
}

static std::string describeMbarrierWait(uint64_t mbarrier, uint64_t parity) {
  std::string what =
      parity > 1 ? "" : ("parity " + Twine(parity) + " of ").str();
  return "waits for " + what +
         reinterpret_cast<const Mbarrier *>(mbarrier)->describe();
}

/// Whether the phase that `operand` names, by its parity or by a token, is
/// complete.
template <bool IsParity>
static bool isComplete(Warp &warp, unsigned lane, Mbarrier &mbarrier,
                       uint64_t operand) {
  if (IsParity) {
    operand = uint32_t(operand);
    if (operand > 1)
      warp.fault(lane, "the parity of a wait is " + Twine(operand) +
                           ": it has to be 0 or 1");
    return (mbarrier.phase & 1) != operand;
  }
  uint64_t phase = operand >> tokenShift;
  if (phase > mbarrier.phase || phase + 1 < mbarrier.phase)
    warp.fault(lane, "the state is of phase " + Twine(phase) + " of " +
                         mbarrier.describe() +
                         ": neither the current nor the one before");
  return phase != mbarrier.phase;
}

/// A parity means the current phase or the one before. A warp that is late by
/// two phases takes a later phase for the one that it wants.
static void checkParityIsClear(Warp &warp, unsigned lane, Mbarrier &mbarrier) {
  auto [it, isFirst] = mbarrier.seen.try_emplace(warp.agent, mbarrier.phase);
  if (!isFirst && mbarrier.phase >= it->second + 3)
    warp.fault(lane, "the wait is late: the warp has last seen phase " +
                         Twine(it->second) + " of " + mbarrier.describe() +
                         ", so the parity does not tell phases apart");
  it->second = mbarrier.phase;
}

/// test_wait and try_wait (9.7.13.15.16).
template <bool IsParity, bool MayBlock>
static void wait(Warp &warp, const Decoded &decoded) {
  const uint64_t *operand = warp.read(decoded.value(2));
  if (!operand)
    return;
  uint32_t done = 0;
  Wait reason;
  llvm::SmallVector<const Mbarrier *, 1> acquired;
  forEachMbarrier(warp, decoded, 1, [&](unsigned lane, Mbarrier &mbarrier) {
    if (mbarrier.address >> rankShift != warp.parent.rank)
      return warp.fault(lane, "a wait for an mbarrier of another block");
    if (isComplete<IsParity>(warp, lane, mbarrier, operand[lane])) {
      done |= 1u << lane;
      if (acquired.empty() || acquired.back() != &mbarrier) {
        acquired.push_back(&mbarrier);
        if (IsParity)
          checkParityIsClear(warp, lane, mbarrier);
      }
    } else if (!reason.describe) {
      reason = {describeMbarrierWait, uint64_t(uintptr_t(&mbarrier)),
                IsParity ? uint64_t(uint32_t(operand[lane])) : 2};
    }
  });
  if (warp.hasFault())
    return;
  // try_wait gives up after a time that the machine decides.
  bool isOver = warp.cluster.isRandom() && warp.cluster.getRandom(4) == 0;
  if (MayBlock && !done && !isOver)
    return warp.block(reason);
  if (!done)
    warp.yield(reason);
  if (!decoded.hasModifier("relaxed"))
    for (const Mbarrier *mbarrier : acquired)
      warp.acquireFrom(mbarrier->completed);
  warp.writePredicate(decoded.value(0), done);
}

/// 9.7.13.15.17
static void pendingCount(Warp &warp, const Decoded &decoded) {
  const uint64_t *state = warp.read(decoded.value(1));
  if (!state)
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active,
              [&](unsigned i) { d[i] = state[i] & ((1 << tokenShift) - 1); });
}

static constexpr char local[] = "shared shared::cta";
static constexpr char scoped[] =
    "shared shared::cta shared::cluster relaxed release cta cluster";
static constexpr char arrival[] = "shared shared::cta shared::cluster relaxed "
                                  "release cta cluster expect_tx noComplete";
static constexpr char waiting[] =
    "shared shared::cta relaxed acquire cta cluster";

static const Row rows[] = {
    {"mbarrier.init", "b64", local, "A s=32", init},
    {"mbarrier.inval", "b64", local, "A", inval},
    {"mbarrier.expect_tx", "b64", scoped, "A s=32", changeTx<1>},
    {"mbarrier.complete_tx", "b64", scoped, "A s=32", changeTx<-1>},
    {"mbarrier.arrive", "b64", arrival, "d A s=32?", arrive<false>},
    {"mbarrier.arrive_drop", "b64", arrival, "d A s=32?", arrive<true>},
    {"cp.async.mbarrier.arrive", "b64", "noinc shared shared::cta", "A",
     arriveAfterCopies},
    {"mbarrier.test_wait.parity", "b64", waiting, "p A s=32",
     wait<true, false>},
    {"mbarrier.test_wait", "b64", waiting, "p A s", wait<false, false>},
    {"mbarrier.try_wait.parity", "b64", waiting, "p A s=32 s=32?",
     wait<true, true>},
    {"mbarrier.try_wait", "b64", waiting, "p A s s=32?", wait<false, true>},
    {"mbarrier.pending_count", "b64", "", "d=32 s", pendingCount},
};

llvm::ArrayRef<Row> mx::ptx::getMbarrierRows() { return rows; }
