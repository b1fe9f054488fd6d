// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory as a warp sees it: where an address lies, and what happened before.

#include "Warp.h"

using namespace mx::ptx;
using llvm::Twine;

bool Warp::visit(unsigned lane, unsigned rank) {
  Block &other = *cluster.blocks[rank];
  auto fail = [&](const char *why) {
    fault(lane, "access to the shared memory of block " + Twine(rank) +
                    " of the cluster, which " + why);
    return true;
  };
  if (other.hasEnded())
    return fail("has ended");
  if (!cluster.getChecks().needsOrder())
    return false;
  // It has started if it came to the cluster's barrier, or if something that
  // one of its warps did happened before this.
  if (clusterSeen == 0 && llvm::none_of(other.warps, [&](const auto &warp) {
        return knowledge.order.get(warp->agent) != 0;
      }))
    return fail("may not have started: a barrier of the cluster has to come "
                "first");
  other.visitors[agent] = knowledge.order.get(agent);
  return false;
}

void Warp::resolveGeneric(Space &space, uint64_t &address) {
  if (space != Space::Generic)
    return;
  space = Space::Global;
  for (auto [base, candidate] :
       {std::pair(window::shared, Space::SharedCluster),
        std::pair(window::local, Space::Local),
        std::pair(window::param, Space::Param),
        std::pair(window::constant, Space::Const)})
    if (window::isIn(address, base)) {
      space = candidate;
      address -= base;
      return;
    }
}

Region *Warp::findRegion(unsigned lane, Space &space, uint64_t &address) {
  resolveGeneric(space, address);
  switch (space) {
  case Space::Shared:
    // The rank may be left out of an address of the block itself.
    if (address >> rankShift == 0)
      address += uint64_t(parent.rank) << rankShift;
    return &parent.shared;
  case Space::SharedCluster: {
    uint64_t rank = address >> rankShift;
    if (rank >= cluster.blocks.size() ||
        (rank != parent.rank && visit(lane, rank)))
      return nullptr;
    return &cluster.blocks[rank]->shared;
  }
  case Space::Param:
    return &machine.params;
  case Space::Const:
    return &machine.constants;
  case Space::Local:
    if (!local[lane])
      local[lane] = std::make_unique<Region>("the thread's local memory", 0,
                                             machine.program.localSize);
    return local[lane].get();
  default:
    if (!lastGlobal || !lastGlobal->contains(address, 1))
      lastGlobal = machine.memory.find(address);
    return lastGlobal;
  }
}

void Warp::faultAccess(unsigned lane, Region *region, Space space,
                       uint64_t address, unsigned size, unsigned alignment,
                       Access access) {
  static constexpr llvm::StringRef names[] = {
      "generic", "global", "shared", "local", "param", "const", "shared"};
  std::string problem = checkAccess(region, names[unsigned(space)], address,
                                    size, alignment, access);
  if (problem.empty())
    problem = "write to memory that cannot be written";
  fault(lane, problem);
}

void Warp::releaseTo(Knowledge &object) {
  if (!cluster.getChecks().needsOrder())
    return;
  object.join(knowledge);
  ++knowledge.order.time[agent];
}

void Warp::acquireFrom(const Knowledge &object) {
  if (!cluster.getChecks().needsOrder())
    return;
  knowledge.join(object);
  laneOrder.learnAll(active, object.order.get(agent));
}

void Warp::publish(bool isShared, bool isGlobal) {
  if (!cluster.getChecks().needsOrder())
    return;
  if (isShared)
    knowledge.published[0].join(knowledge.order);
  if (isGlobal)
    knowledge.published[1].join(knowledge.order);
  ++knowledge.order.time[agent];
}

void Warp::fence() {
  if (!cluster.getChecks().needsOrder())
    return;
  acquireFrom(observed);
  observed = {};
  fenced = knowledge;
  hasFenced = true;
  ++knowledge.order.time[agent];
}

void Warp::synchronizeLanes(uint32_t mask) {
  if (!cluster.getChecks().needsOrder())
    return;
  uint32_t &epoch = knowledge.order.time[agent];
  if (mask == live)
    laneOrder.learnAll(mask, epoch);
  else
    laneOrder.learnPairs(mask, epoch);
  ++epoch;
}
