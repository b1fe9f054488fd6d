// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The mbarrier object (PTX ISA 9.7.13.15.1 to .5) and the signals that
// asynchronous operations give it.

#include "Warp.h"

#include "llvm/ADT/StringExtras.h"

using namespace mx::ptx;
using llvm::Twine;

std::string Mbarrier::describe() const {
  return ("mbarrier 0x" + llvm::utohexstr(address) + " (phase " + Twine(phase) +
          ", " + Twine(pending) + " of " + Twine(expected) +
          " arrivals pending, tx-count " + Twine(tx) + ")")
      .str();
}

void Mbarrier::completePhase() {
  if (pending || tx)
    return;
  ++phase;
  pending = expected;
  completed = std::move(arriving);
  arriving = {};
}

std::string Mbarrier::arrive(uint32_t count) {
  if (count == 0)
    return "an arrive on " + describe() + " has the count 0";
  if (count > pending)
    return (Twine(count) + (count == 1 ? " arrival" : " arrivals") + " on " +
            describe() + ": more than it waits for")
        .str();
  pending -= count;
  completePhase();
  return {};
}

std::string Mbarrier::expect(int64_t bytes) {
  tx += bytes;
  if (std::abs(bytes) > maxCount || std::abs(tx) > maxCount)
    return "the tx-count is out of range: " + describe();
  completePhase();
  return {};
}

/// Of the cluster's shared memory; null where there is none or it is not live.
static Mbarrier *lookup(Cluster &cluster, uint64_t address) {
  uint64_t rank = address >> rankShift;
  if (rank >= cluster.blocks.size())
    return nullptr;
  auto &mbarriers = cluster.blocks[rank]->mbarriers;
  auto it = mbarriers.find(address);
  return it == mbarriers.end() || !it->second.isLive ? nullptr : &it->second;
}

/// Its mbarrier.init happened before what the warp does now: directly, or by
/// fence.mbarrier_init and a barrier of the cluster, whose arrive may then be
/// relaxed.
static bool isInitKnown(const Warp &warp, const Mbarrier &mbarrier) {
  return warp.knowledge.order.get(mbarrier.initAgent) >= mbarrier.initEpoch ||
         (mbarrier.fencedGeneration != UINT64_MAX &&
          warp.clusterSeen > mbarrier.fencedGeneration);
}

Mbarrier *mx::ptx::lookupMbarrier(Warp &warp, unsigned lane, Space space,
                                  uint64_t address) {
  Region *region = warp.findRegion(lane, space, address);
  if (warp.hasFault())
    return nullptr;
  auto fail = [&](const Twine &message) {
    warp.fault(lane, "mbarrier at 0x" + llvm::utohexstr(address) + message);
    return nullptr;
  };
  if (!region || (space != Space::Shared && space != Space::SharedCluster))
    return fail(" does not lie in shared memory");
  if (!region->contains(address, 8))
    return fail(" lies outside the shared memory of " +
                Twine(space == Space::Shared ? "its block" : "the cluster"));
  if (address % 8)
    return fail(" is misaligned: its address has to be a multiple of 8");
  Mbarrier *mbarrier = lookup(warp.cluster, address);
  if (!mbarrier)
    return fail(" is not initialised: there was no mbarrier.init, or an "
                "mbarrier.inval since");
  if (!warp.cluster.getChecks().async)
    return mbarrier;
  if (!isInitKnown(warp, *mbarrier))
    return fail(" is used without a barrier after its mbarrier.init");
  mbarrier->used[warp.agent] = warp.knowledge.order.get(warp.agent);
  return mbarrier;
}

/// Calls f(mbarrier) for a signal of `operation`.
template <typename F>
static void signal(Cluster &cluster, const AsyncOperation &operation,
                   uint64_t address, F f) {
  Mbarrier *mbarrier = lookup(cluster, address);
  if (!mbarrier)
    return cluster.fault(operation.origin,
                         "mbarrier at 0x" + llvm::utohexstr(address) +
                             " is not live when the operation completes on it");
  if (cluster.getChecks().needsOrder())
    mbarrier->arriving.join(operation.knowledge);
  std::string problem = f(*mbarrier);
  if (!problem.empty())
    cluster.fault(operation.origin, problem);
}

void mx::ptx::completeBytes(Cluster &cluster, const AsyncOperation &operation,
                            uint64_t address, uint32_t bytes) {
  signal(cluster, operation, address,
         [&](Mbarrier &mbarrier) { return mbarrier.expect(-int64_t(bytes)); });
}

void mx::ptx::arriveAsync(Cluster &cluster, const AsyncOperation &operation,
                          uint64_t address, uint32_t count) {
  signal(cluster, operation, address,
         [&](Mbarrier &mbarrier) { return mbarrier.arrive(count); });
}
