// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Warp.h"

using namespace mx::ptx;

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
