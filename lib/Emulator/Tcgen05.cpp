// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Allocation of tensor memory, fences, waits and commit (PTX ISA 9.7.16.7, .11,
// .12).

#include "Tcgen05.h"
#include "Bulk.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

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
  bool isChecking = warp.cluster.isChecking();
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

void mx::ptx::checkTensorMemoryIsFree(Block &block) {
  if (!block.tensorMemory || block.tensorMemory->allocations.empty())
    return;
  const TensorMemory::Allocation &allocation =
      block.tensorMemory->allocations.front();
  block.cluster.fault(allocation.origin,
                      "the block ends with " +
                          Twine(allocation.end - allocation.begin) +
                          " columns of tensor memory that this allocates: "
                          "tcgen05.dealloc is missing");
}

//===----------------------------------------------------------------------===//
// Allocation
//===----------------------------------------------------------------------===//

/// Where `size` columns are free in all of `group`. Programs may not rely on
/// the place, so a random run may take the last.
static std::optional<unsigned> findFree(Warp &warp, const BlockGroup &group,
                                        unsigned size) {
  std::optional<unsigned> found;
  constexpr unsigned step = 32;
  for (unsigned begin = 0; begin < TensorMemory::numColumns; begin += step)
    if (llvm::all_of(group, [&](Block *block) {
          return getTensorMemory(*block).isFree(begin, begin + size);
        })) {
      found = begin;
      if (!warp.cluster.isRandom() || !(warp.machine.options.seed & 2))
        break;
    }
  return found;
}

/// Carries out request `index`, if all of `group` have made it and there is
/// room. False: it has to wait.
static bool serve(Warp &warp, const BlockGroup &group, uint64_t index) {
  unsigned lane = llvm::countr_zero(warp.active);
  TensorMemory &own = getTensorMemory(warp.parent);
  if (own.requests[index].isDone)
    return true;
  TensorMemory::Request request = own.requests[index];
  for (Block *block : group) {
    TensorMemory &memory = getTensorMemory(*block);
    if (memory.requests.size() <= index)
      return false;
    const TensorMemory::Request &other = memory.requests[index];
    if (other.isFree != request.isFree || other.size != request.size ||
        other.begin != request.begin) {
      warp.fault(lane, "the other block of the pair executes another "
                       "tcgen05.alloc or dealloc, in line " +
                           Twine(other.origin.source->location.line));
      return false;
    }
  }
  if (!request.isFree) {
    std::optional<unsigned> begin = findFree(warp, group, request.size);
    if (!begin)
      return false;
    request.begin = *begin;
  }
  for (Block *block : group) {
    TensorMemory &memory = getTensorMemory(*block);
    TensorMemory::Request &one = memory.requests[index];
    one.begin = request.begin;
    one.isDone = true;
    if (!request.isFree) {
      bool isChecking = warp.cluster.isChecking();
      memory.allocations.push_back({one.begin, one.begin + one.size, one.origin,
                                    one.agent,
                                    isChecking ? one.known.get(one.agent) : 0});
      continue;
    }
    TensorAccess access;
    access.range = {LaneMask::makeAll(), one.begin, one.begin + one.size};
    access.use = TensorUse::Free;
    std::string problem = warp.cluster.isChecking()
                              ? memory.checkOrder(access, one.known)
                              : std::string();
    if (!problem.empty())
      warp.cluster.fault(one.origin, problem);
    memory.free(one.begin);
  }
  return true;
}

static std::string describeRequest(uint64_t size, uint64_t isPair) {
  return ("waits for " + Twine(size) + " free columns of tensor memory" +
          (isPair ? ", or for the other block of its pair to do the same,"
                  : ""))
      .str();
}

/// Makes the request at the first execution; false: it blocks.
static bool request(Warp &warp, const BlockGroup &group,
                    TensorMemory::Request request) {
  TensorMemory &memory = getTensorMemory(warp.parent);
  unsigned size = request.size;
  if (!warp.isRetry()) {
    request.origin = warp.getOrigin(llvm::countr_zero(warp.active));
    request.agent = warp.agent;
    request.known = warp.knowledge.order;
    warp.getToken() = memory.requests.size();
    memory.requests.push_back(std::move(request));
  }
  uint64_t index = warp.getToken();
  if (serve(warp, group, index))
    return !warp.hasFault();
  if (!warp.hasFault())
    warp.block({describeRequest, size, group.size() == 2});
  return false;
}

/// The number of columns, or nothing after a fault.
static std::optional<unsigned> readColumns(Warp &warp, const Value &value) {
  std::optional<uint64_t> bits = warp.readUniform(value, "the column count");
  if (!bits)
    return std::nullopt;
  uint32_t count = *bits;
  if (count >= 32 && count <= TensorMemory::numColumns &&
      llvm::isPowerOf2_32(count))
    return count;
  warp.fault(llvm::countr_zero(warp.active),
             Twine(count) + " columns of tensor memory: the count has to be a "
                            "power of two from 32 to 512");
  return std::nullopt;
}

/// 9.7.16.7.1: writes the address to shared memory.
static void alloc(Warp &warp, const Decoded &decoded) {
  unsigned lane = llvm::countr_zero(warp.active);
  if (warp.checkConverged())
    return;
  std::optional<uint64_t> address =
      warp.readUniform(decoded.value(0), "the address");
  std::optional<unsigned> count = readColumns(warp, decoded.value(1));
  if (!address || !count)
    return;
  BlockGroup group = getBlockGroup(warp, decoded);
  if (group.empty())
    return;
  TensorMemory &memory = getTensorMemory(warp.parent);
  if (memory.hasRelinquished && !warp.isRetry())
    return warp.fault(lane, "tcgen05.alloc after "
                            "tcgen05.relinquish_alloc_permit");
  if (*count > memory.lastSize)
    return warp.fault(
        lane, "an allocation of " + Twine(*count) + " columns after one of " +
                  Twine(memory.lastSize) + ": later ones may not be larger");
  TensorMemory::Request wanted;
  wanted.size = *count;
  if (!request(warp, group, std::move(wanted)))
    return;
  memory.lastSize = *count;
  uint32_t column = memory.requests[warp.getToken()].begin;
  uint8_t *place = warp.access(lane, decoded.space, *address + decoded.offset,
                               4, 4, Access::Write);
  if (place)
    llvm::support::endian::write32le(place, column);
}

/// 9.7.16.7.2
static void dealloc(Warp &warp, const Decoded &decoded) {
  unsigned lane = llvm::countr_zero(warp.active);
  if (warp.checkConverged())
    return;
  std::optional<uint64_t> bits =
      warp.readUniform(decoded.value(0), "the address");
  std::optional<unsigned> count = readColumns(warp, decoded.value(1));
  if (!bits || !count)
    return;
  BlockGroup group = getBlockGroup(warp, decoded);
  if (group.empty())
    return;
  TensorAddress address = makeTensorAddress(*bits);
  TensorMemory &memory = getTensorMemory(warp.parent);
  if (!warp.isRetry()) {
    if (llvm::none_of(memory.allocations, [&](const auto &allocation) {
          return address.lane == 0 && allocation.begin == address.column &&
                 allocation.end == address.column + *count;
        }))
      return warp.fault(lane, "tcgen05.alloc has not given " + Twine(*count) +
                                  " columns at column " +
                                  Twine(address.column) + ", lane " +
                                  Twine(address.lane));
    std::string problem = memory.checkAllocated(
        {LaneMask::makeAll(), address.column, address.column + *count},
        warp.knowledge.order);
    if (!problem.empty())
      return warp.fault(lane, problem);
  }
  TensorMemory::Request wanted;
  wanted.isFree = true;
  wanted.begin = address.column;
  wanted.size = *count;
  request(warp, group, std::move(wanted));
}

static void relinquish(Warp &warp, const Decoded &decoded) {
  if (!warp.checkConverged() && !getBlockGroup(warp, decoded).empty())
    getTensorMemory(warp.parent).hasRelinquished = true;
}

//===----------------------------------------------------------------------===//
// Fences, waits, commit
//===----------------------------------------------------------------------===//

/// 9.7.16.6.4. Triton's kernels rely on barriers alone, so only strict mode
/// asks for these.
static void fenceBefore(Warp &warp, const Decoded &) {
  if (!warp.cluster.isChecking())
    return;
  warp.knowledge.fenced.join(warp.knowledge.order);
  ++warp.knowledge.order.time[warp.agent];
}

static void fenceAfter(Warp &warp, const Decoded &) {
  warp.tensorOrder.join(warp.knowledge.fenced);
}

template <TensorUse Use> static void wait(Warp &warp, const Decoded &) {
  if (!warp.checkConverged() && warp.cluster.isChecking())
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

static constexpr char groups[] = "cta_group::1 cta_group::2";
static constexpr char allocModifiers[] =
    "cta_group::1 cta_group::2 shared::cta shared";
static constexpr char commitModifiers[] =
    "cta_group::1 cta_group::2 shared::cluster shared::cta "
    "multicast::cluster";

static const Row rows[] = {
    {"tcgen05.alloc.sync.aligned", "b32", allocModifiers, "A s=32", alloc},
    {"tcgen05.dealloc.sync.aligned", "b32", groups, "s=32 s=32", dealloc},
    {"tcgen05.relinquish_alloc_permit.sync.aligned", "", groups, "",
     relinquish},
    {"tcgen05.fence::before_thread_sync", "", "", "", fenceBefore},
    {"tcgen05.fence::after_thread_sync", "", "", "", fenceAfter},
    {"tcgen05.wait::ld.sync.aligned", "", "", "", wait<TensorUse::Load>},
    {"tcgen05.wait::st.sync.aligned", "", "", "", wait<TensorUse::Store>},
    {"tcgen05.commit.mbarrier::arrive::one", "b64", commitModifiers, "A s=16?",
     commit},
};

llvm::ArrayRef<Row> mx::ptx::getTcgen05Rows() { return rows; }
