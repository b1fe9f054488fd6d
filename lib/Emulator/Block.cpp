// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Tcgen05.h"
#include "Warpgroup.h"

using namespace mx::ptx;
using llvm::Twine;

Block::Block(Cluster &cluster, unsigned rank, Dim3 index)
    : cluster(cluster), machine(cluster.machine), rank(rank), index(index),
      shared("shared memory", getSharedBase(),
             machine.program.staticShared + machine.config.dynamicShared) {
  uint64_t threads = machine.config.block.count();
  for (uint64_t first = 0; first < threads; first += warpSize)
    warps.push_back(
        std::make_unique<Warp>(*this, first / warpSize, threads - first));
}

Block::~Block() = default;

bool Block::hasEnded() const {
  return llvm::all_of(warps, [](const auto &warp) { return warp->hasEnded(); });
}

void Block::noteExit(Warp &warp) {
  for (unsigned i = 0; i < std::size(barriers); ++i) {
    Barrier &barrier = barriers[i];
    if (!barrier.arrived)
      continue;
    auto lanes = barrier.lanes.find(warp.number);
    bool isHere = lanes != barrier.lanes.end();
    // The rest of the warp has arrived: it counts as a whole.
    if (isHere && !(warp.live & ~lanes->second)) {
      barrier.arrived += warpSize - llvm::popcount(lanes->second);
      lanes->second = allLanes;
      if (barrier.arrived >= barrier.expected)
        barrier.complete();
    } else if (warp.hasEnded() && !isHere &&
               barrier.expected == warps.size() * warpSize) {
      return warp.fault(0, "the warp exits while others wait at barrier " +
                               Twine(i) + " for all threads of the block");
    }
  }
  cluster.updateBarrier();
  if (!warp.hasEnded())
    return;
  ended.join(warp.knowledge.order);
  if (hasEnded())
    end(warp);
}

void Block::end(Warp &last) {
  auto fail = [&](const Twine &text) { last.fault(0, text); };
  for (const auto &[address, mbarrier] : mbarriers)
    if (mbarrier.isLive && mbarrier.tx)
      return fail("the block ends while bytes are missing from, or too many "
                  "for, " +
                  mbarrier.describe());
  checkWarpgroupsAreIdle(*this);
  checkTensorMemoryIsFree(*this);
  if (const AsyncOperation *user = cluster.findUser(shared)) {
    const Instruction &source = *user->origin.source;
    return fail("the block ends while '" + source.getSpelling() + "' of line " +
                Twine(source.location.line) +
                " may still touch its shared memory: a wait is missing");
  }
  for (auto [group, counts] : registerCounts)
    for (const auto &warp : warps)
      if (warp->number / 4 == group && warp->registerChanges != counts.size())
        return fail("warp " + Twine(warp->number) + " has executed " +
                    Twine(warp->registerChanges) +
                    " setmaxnreg, others of its warpgroup " +
                    Twine(counts.size()));
  for (auto [agent, epoch] : visitors)
    if (ended.get(agent) < epoch)
      return fail("the block ends while block " + Twine(agent / warps.size()) +
                  " of the cluster may still use its shared memory: a barrier "
                  "of the cluster is missing");
}
