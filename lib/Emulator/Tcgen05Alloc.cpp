// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Allocation of tensor memory (PTX ISA 9.7.16.7).

#include "Tcgen05.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using namespace mx::ptx;
using llvm::Twine;

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
      bool isChecking = warp.cluster.getChecks().tensorMemory;
      memory.allocations.push_back({one.begin, one.begin + one.size, one.origin,
                                    one.agent,
                                    isChecking ? one.known.get(one.agent) : 0});
      continue;
    }
    TensorAccess access;
    access.range = {LaneMask::makeAll(), one.begin, one.begin + one.size};
    access.use = TensorUse::Free;
    std::string problem = warp.cluster.getChecks().tensorMemory
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

static constexpr char groups[] = "cta_group::1 cta_group::2";
static constexpr char allocModifiers[] =
    "cta_group::1 cta_group::2 shared::cta shared";

static const Row rows[] = {
    {"tcgen05.alloc.sync.aligned", "b32", allocModifiers, "A s=32", alloc},
    {"tcgen05.dealloc.sync.aligned", "b32", groups, "s=32 s=32", dealloc},
    {"tcgen05.relinquish_alloc_permit.sync.aligned", "", groups, "",
     relinquish},
};

llvm::ArrayRef<Row> mx::ptx::getTcgen05AllocRows() { return rows; }
