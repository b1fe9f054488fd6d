// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fences between proxies (PTX ISA 9.7.13.4).

#include "Warp.h"

using namespace mx::ptx;

/// What the warp has written becomes visible to the async proxy, in all memory
/// unless a space is named.
static void proxyAsync(Warp &warp, const Decoded &decoded) {
  warp.publish(decoded.space != Space::Global,
               decoded.space == Space::Generic ||
                   decoded.space == Space::Global);
}

/// The mbarriers that the warp has initialised are visible to those that the
/// cluster's barrier then lets go on, even if the arrive there is relaxed.
static void mbarrierInit(Warp &warp, const Decoded &) {
  for (auto &[address, mbarrier] : warp.parent.mbarriers)
    if (mbarrier.isLive && mbarrier.initAgent == warp.agent &&
        mbarrier.fencedGeneration == UINT64_MAX)
      mbarrier.fencedGeneration = warp.cluster.barrier.generation;
}

/// A tensor map that the kernel has changed may be used.
static void acquireTensorMap(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(0));
  if (!base)
    return;
  forEachLane(warp.active, [&](unsigned lane) {
    Space space = Space::Generic;
    uint64_t address = base[lane] + decoded.offset;
    Warp::resolveGeneric(space, address);
    warp.parent.changedTensorMaps.erase(address);
  });
}

/// One address is one place; and a tensor map is read when a copy is issued,
/// which sees what was written before.
static void nothing(Warp &, const Decoded &) {}

static const Row rows[] = {
    {"fence.proxy.async", "", "global shared::cta shared::cluster", "",
     proxyAsync},
    {"fence.proxy.alias", "", "", "", nothing},
    {"fence.proxy.async::generic", "",
     "acquire release sync_restrict::shared::cta "
     "sync_restrict::shared::cluster cluster",
     "", proxyAsync},
    {"fence.mbarrier_init.release.cluster", "", "", "", mbarrierInit},
    {"fence.proxy.tensormap::generic.release", "", "cta cluster gpu sys", "",
     nothing},
    {"fence.proxy.tensormap::generic.acquire", "", "cta cluster gpu sys", "A i",
     acquireTensorMap},
};

llvm::ArrayRef<Row> mx::ptx::getFenceRows() { return rows; }
