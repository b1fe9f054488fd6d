// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all tcgen05 instructions share; fences, waits and commit (PTX ISA
// 9.7.16.11, .12).

#include "Tcgen05.h"
#include "Bulk.h"

using namespace mx::ptx;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// Shared by all tcgen05 instructions
//===----------------------------------------------------------------------===//

TensorMemory &mx::ptx::getTensorMemory(Block &block) {
  if (!block.tensorMemory)
    block.tensorMemory = std::make_unique<TensorMemory>();
  return *block.tensorMemory;
}

BlockGroup mx::ptx::getBlockGroup(Warp &warp, const Decoded &decoded) {
  Block &block = warp.parent;
  TensorMemory &memory = getTensorMemory(block);
  unsigned lane = llvm::countr_zero(warp.active);
  unsigned size = decoded.hasModifier("cta_group::2") ? 2 : 1;
  if (!memory.ctaGroup) {
    memory.ctaGroup = size;
    memory.ctaGroupLine = decoded.source->location.line;
  }
  if (memory.ctaGroup != size) {
    warp.fault(lane, "cta_group::" + Twine(size) +
                         ", but cta_group::" + Twine(memory.ctaGroup) +
                         " in line " + Twine(memory.ctaGroupLine) +
                         ": a kernel uses one of them for all tcgen05");
    return {};
  }
  if (size == 1)
    return {&block};
  unsigned even = block.rank & ~1u;
  if (even + 1 >= warp.cluster.blocks.size()) {
    warp.fault(lane, "cta_group::2 needs a pair of blocks; the cluster has " +
                         Twine(warp.cluster.blocks.size()));
    return {};
  }
  return {warp.cluster.blocks[even].get(), warp.cluster.blocks[even + 1].get()};
}

std::optional<unsigned> mx::ptx::getIssuingLane(Warp &warp) {
  if (llvm::popcount(warp.active) == 1)
    return llvm::countr_zero(warp.active);
  warp.fault(llvm::countr_zero(warp.active),
             Twine(llvm::popcount(warp.active)) +
                 " threads of the warp issue this instruction, each for "
                 "itself: one has to (elect.sync)");
  return std::nullopt;
}

BlockAccess mx::ptx::makeAccess(Warp &warp, unsigned lane, Block &block,
                                const LaneMask &lanes, unsigned column,
                                unsigned count, TensorUse use) {
  BlockAccess result{&block, {}};
  result.access.range = {lanes, column, column + count};
  result.access.use = use;
  result.access.origin = warp.getOrigin(lane);
  return result;
}

Clock mx::ptx::getTensorOrder(const Warp &warp) {
  if (!warp.machine.options.strict)
    return warp.knowledge.order;
  Clock known = warp.tensorOrder;
  known.set(warp.agent, warp.knowledge.order.get(warp.agent));
  return known;
}

static uint64_t getThread(const Warp &warp, unsigned lane) {
  return 1 + uint64_t(warp.agent) * warpSize + lane;
}

static TensorMemory::Pipeline &getPipeline(Warp &warp, unsigned lane) {
  TensorMemory::Pipeline &pipeline =
      getTensorMemory(warp.parent).pipelines[getThread(warp, lane)];
  if (!pipeline.queue)
    pipeline.queue = warp.cluster.makeQueue();
  return pipeline;
}

void mx::ptx::startTensorOperation(Warp &warp, unsigned lane,
                                   AsyncOperation operation,
                                   llvm::ArrayRef<BlockAccess> accesses) {
  uint64_t thread = getThread(warp, lane);
  TensorMemory::Pipeline &pipeline = getPipeline(warp, lane);
  bool isChecking = warp.cluster.getChecks().tensorMemory;
  Clock known = getTensorOrder(warp);
  for (const BlockAccess &use : accesses) {
    TensorMemory &memory = getTensorMemory(*use.block);
    std::string problem = memory.checkAllocated(use.access.range, known);
    if (problem.empty() && isChecking) {
      TensorAccess access = use.access;
      access.thread = thread;
      problem = memory.checkOrder(access, known);
    }
    if (!problem.empty())
      return warp.fault(lane, problem);
  }
  operation.queue = pipeline.queue;
  AsyncOperation *started = warp.cluster.start(warp, std::move(operation));
  if (!started || !isChecking)
    return;
  pipeline.begun.join(started->knowledge);
  for (const BlockAccess &use : accesses) {
    TensorAccess access = use.access;
    access.thread = thread;
    access.agent = started->agent;
    access.epoch = started->knowledge.order.get(started->agent);
    getTensorMemory(*use.block).note(access, known);
  }
}

//===----------------------------------------------------------------------===//
// Fences, waits, commit
//===----------------------------------------------------------------------===//

/// 9.7.16.6.4. Triton's kernels rely on barriers alone, so only strict mode
/// asks for these.
static void fenceBefore(Warp &warp, const Decoded &) {
  if (!warp.cluster.getChecks().tensorMemory)
    return;
  warp.knowledge.fenced.join(warp.knowledge.order);
  ++warp.knowledge.order.time[warp.agent];
}

static void fenceAfter(Warp &warp, const Decoded &) {
  warp.tensorOrder.join(warp.knowledge.fenced);
}

template <TensorUse Use> static void wait(Warp &warp, const Decoded &) {
  if (!warp.checkConverged() && warp.cluster.getChecks().tensorMemory)
    getTensorMemory(warp.parent)
        .finish(Use, warp.agent, warp.knowledge.order.get(warp.agent));
}

/// 9.7.16.12: arrives on an mbarrier when what the thread has begun is over.
static void commit(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(0));
  std::optional<unsigned> lane = getIssuingLane(warp);
  if (!base || !lane || getBlockGroup(warp, decoded).empty())
    return;
  Mbarrier *mbarrier =
      lookupMbarrier(warp, *lane, decoded.space, base[*lane] + decoded.offset);
  if (!mbarrier)
    return;
  llvm::SmallVector<uint64_t, 2> addresses;
  bool isMulticast = decoded.hasModifier("multicast::cluster");
  if (isMulticast != (decoded.getNumOperands() == 2))
    return warp.fault(*lane, ".multicast::cluster comes with a mask of blocks");
  if (isMulticast) {
    const uint64_t *mask = warp.read(decoded.value(1));
    if (!mask)
      return;
    for (unsigned rank : getRanks(warp, *lane, mask[*lane]))
      addresses.push_back(moveToRank(mbarrier->address, rank));
  } else {
    addresses.push_back(mbarrier->address);
  }
  if (warp.hasFault())
    return;
  AsyncOperation operation;
  operation.knowledge = getPipeline(warp, *lane).begun;
  operation.perform = [&cluster = warp.cluster,
                       addresses](AsyncOperation &self) {
    // A commit is a fence::before_thread_sync as well.
    self.knowledge.fenced.join(self.knowledge.order);
    for (uint64_t address : addresses)
      if (!cluster.hasFault())
        arriveAsync(cluster, self, address, 1);
  };
  startTensorOperation(warp, *lane, std::move(operation), {});
}

static constexpr char commitModifiers[] =
    "cta_group::1 cta_group::2 shared::cluster shared::cta "
    "multicast::cluster";

static const Row rows[] = {
    {"tcgen05.fence::before_thread_sync", "", "", "", fenceBefore},
    {"tcgen05.fence::after_thread_sync", "", "", "", fenceAfter},
    {"tcgen05.wait::ld.sync.aligned", "", "", "", wait<TensorUse::Load>},
    {"tcgen05.wait::st.sync.aligned", "", "", "", wait<TensorUse::Store>},
    {"tcgen05.commit.mbarrier::arrive::one", "b64", commitModifiers, "A s=16?",
     commit},
};

llvm::ArrayRef<Row> mx::ptx::getTcgen05Rows() { return rows; }
