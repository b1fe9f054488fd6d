// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Clusters: their barrier (PTX ISA 9.7.13.3), addresses in the shared memory of
// their blocks (9.7.9.23, .24), work that is handed out anew (9.7.13.17); and
// elect, which picks a lane for such work (9.7.13.14).

#include "Bulk.h"

#include <cstring>

using namespace mx::ptx;
using llvm::Twine;

/// The threads that have not exited have all arrived.
static bool isComplete(const Cluster &cluster) {
  for (const auto &block : cluster.blocks)
    for (const auto &warp : block->warps) {
      uint32_t missing = warp->live & ~warp->clusterArrived;
      // Those that have arrived may not have seen the last generation end.
      forEachLane(warp->live & warp->clusterArrived, [&](unsigned lane) {
        missing |=
            uint32_t(warp->clusterArrivals[lane] != cluster.barrier.generation)
            << lane;
      });
      if (missing)
        return false;
    }
  return true;
}

void Cluster::updateBarrier() {
  if (barrier.arrived && isComplete(*this))
    barrier.complete();
}

/// 9.7.13.3, arrive: release unless .relaxed.
static void arrive(Warp &warp, const Decoded &decoded) {
  unsigned lane = llvm::countr_zero(warp.active);
  if (decoded.hasModifier("aligned") && warp.checkConverged())
    return;
  if (warp.clusterArrived & warp.active)
    return warp.fault(lane, "a thread arrives at the cluster's barrier twice "
                            "without barrier.cluster.wait between");
  Barrier &barrier = warp.cluster.barrier;
  if (!decoded.hasModifier("relaxed"))
    warp.releaseTo(barrier.arriving);
  warp.clusterArrived |= warp.active;
  forEachLane(warp.active, [&](unsigned i) {
    warp.clusterArrivals[i] = barrier.generation;
  });
  barrier.arrived += llvm::popcount(warp.active);
  warp.cluster.updateBarrier();
}

static std::string describeWait(uint64_t, uint64_t) {
  return "waits at the cluster's barrier";
}

/// 9.7.13.3, wait.
static void wait(Warp &warp, const Decoded &decoded) {
  unsigned lane = llvm::countr_zero(warp.active);
  if (decoded.hasModifier("aligned") && warp.checkConverged())
    return;
  if (warp.active & ~warp.clusterArrived)
    return warp.fault(lane, "a thread waits at the cluster's barrier without "
                            "barrier.cluster.arrive before");
  Barrier &barrier = warp.cluster.barrier;
  uint32_t early = 0;
  forEachLane(warp.active, [&](unsigned i) {
    early |= uint32_t(warp.clusterArrivals[i] == barrier.generation) << i;
  });
  if (early)
    return warp.block({describeWait});
  warp.clusterArrived &= ~warp.active;
  warp.clusterSeen = barrier.generation;
  warp.acquireFrom(barrier.completed);
}

/// mapa (9.7.9.23): the same place in another block's shared memory.
static void mapa(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *rank = warp.read(decoded.value(2));
  if (!a || !rank)
    return;
  bool isGeneric = decoded.space == Space::Generic;
  uint64_t results[warpSize] = {};
  forEachLane(warp.active, [&](unsigned i) {
    uint32_t to = rank[i];
    if (to >= warp.cluster.blocks.size())
      return warp.fault(i, "mapa: the cluster has no block " + Twine(to));
    uint64_t address = a[i];
    if (isGeneric && !window::isIn(address, window::shared))
      return warp.fault(i, "mapa: the address is not one of shared memory");
    if (isGeneric)
      address -= window::shared;
    results[i] = moveToRank(address, to) + (isGeneric ? window::shared : 0);
  });
  if (warp.hasFault())
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = results[i]; });
}

/// getctarank (9.7.9.24).
static void getctarank(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  if (!a)
    return;
  bool isGeneric = decoded.space == Space::Generic;
  uint64_t results[warpSize] = {};
  forEachLane(warp.active, [&](unsigned i) {
    if (isGeneric && !window::isIn(a[i], window::shared))
      return warp.fault(i, "getctarank: the address is not one of shared "
                           "memory");
    results[i] = (a[i] - (isGeneric ? window::shared : 0)) >> rankShift;
  });
  if (warp.hasFault())
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = results[i]; });
}

/// elect.sync: one lane of the mask, the same for the same mask. Programs may
/// not rely on which one, so a random run may take the highest.
static void elect(Warp &warp, const Decoded &decoded) {
  if (warp.checkMask(decoded.value(1)))
    return;
  bool takesHighest =
      warp.cluster.isRandom() && (warp.machine.options.seed & 1);
  unsigned leader = takesHighest ? 31 - llvm::countl_zero(warp.active)
                                 : llvm::countr_zero(warp.active);
  const Value &d = decoded.vector(0)[0], &p = decoded.vector(0)[1];
  if (!d.isSink) {
    uint64_t *lanes = warp.write(d);
    forEachLane(warp.active, [&](unsigned i) { lanes[i] = leader; });
  }
  if (!p.isSink)
    warp.writePredicate(p, 1u << leader);
}

/// griddepcontrol (9.7.13.16): kernels run one after the other.
static void nothing(Warp &, const Decoded &) {}

static const Row rows[] = {
    {"barrier.cluster.arrive", "", "release relaxed aligned", "", arrive},
    {"barrier.cluster.wait", "", "acquire aligned", "", wait},
    {"mapa", "u32|u64", "shared::cluster", "d s s=32", mapa},
    {"getctarank", "u32|u64", "shared::cluster", "d=32 s", getctarank},
    {"elect.sync", "", "", "d|p=32 s=32", elect},
    {"griddepcontrol.launch_dependents", "", "", "", nothing},
    {"griddepcontrol.wait", "", "", "", nothing},
};

llvm::ArrayRef<Row> mx::ptx::getClusterRows() { return rows; }
