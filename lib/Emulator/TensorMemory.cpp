// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TensorMemory.h"

#include "llvm/ADT/STLExtras.h"

using namespace mx::ptx;
using llvm::Twine;

unsigned LaneMask::getFirst() const {
  for (unsigned i = 0; i < numWords; ++i)
    if (words[i])
      return 32 * i + llvm::countr_zero(words[i]);
  return 32 * numWords;
}

void TensorMemory::setWritten(const TensorRange &range, unsigned halves) {
  for (unsigned half = 0; half < 2; ++half)
    for (unsigned c = range.begin; (halves >> half & 1) && c < range.end; ++c)
      written[half][c].add(range.lanes);
}

void TensorMemory::setUnwritten(const TensorRange &range, unsigned halves) {
  for (unsigned half = 0; half < 2; ++half)
    for (unsigned c = range.begin; (halves >> half & 1) && c < range.end; ++c)
      for (unsigned i = 0; i < LaneMask::numWords; ++i)
        written[half][c].words[i] &= ~range.lanes.words[i];
}

std::string TensorMemory::findUnwritten(const TensorRange &range,
                                        unsigned halves) const {
  for (unsigned half = 0; half < 2; ++half)
    for (unsigned c = range.begin; (halves >> half & 1) && c < range.end; ++c) {
      LaneMask missing;
      for (unsigned i = 0; i < LaneMask::numWords; ++i)
        missing.words[i] = range.lanes.words[i] & ~written[half][c].words[i];
      unsigned lane = missing.getFirst();
      if (lane != numLanes)
        return ("lane " + Twine(lane) + ", column " + Twine(c) +
                " of tensor memory was never written")
            .str();
    }
  return {};
}

//===----------------------------------------------------------------------===//
// Allocation
//===----------------------------------------------------------------------===//

bool TensorMemory::isFree(unsigned begin, unsigned end) const {
  return end <= numColumns &&
         llvm::none_of(allocations, [&](const Allocation &allocation) {
           return allocation.begin < end && begin < allocation.end;
         });
}

std::string TensorMemory::checkAllocated(const TensorRange &range,
                                         const Clock &known) const {
  std::string where =
      range.end == range.begin + 1
          ? ("column " + Twine(range.begin)).str()
          : ("columns " + Twine(range.begin) + " to " + Twine(range.end - 1))
                .str();
  for (const Allocation &allocation : allocations) {
    if (range.begin < allocation.begin || range.begin >= allocation.end)
      continue;
    if (range.end > allocation.end)
      return (where + " of tensor memory reach beyond the allocation, which " +
              "ends before column " + Twine(allocation.end))
          .str();
    if (known.get(allocation.agent) >= allocation.epoch ||
        allocation.epoch == 0)
      return {};
    return ("the warp does not know of the tcgen05.alloc in line " +
            Twine(allocation.origin.source->location.line) +
            ": its address has to come through "
            "tcgen05.fence::before_thread_sync, a barrier and "
            "tcgen05.fence::after_thread_sync")
        .str();
  }
  return where + " of tensor memory are not allocated: tcgen05.alloc is "
                 "missing, or tcgen05.dealloc was before";
}

void TensorMemory::free(unsigned begin) {
  auto it = llvm::find_if(allocations, [&](const Allocation &allocation) {
    return allocation.begin == begin;
  });
  TensorRange all{LaneMask::makeAll(), it->begin, it->end};
  setUnwritten(all, 3);
  llvm::erase_if(accesses, [&](const TensorAccess &access) {
    return access.range.overlaps(all);
  });
  allocations.erase(it);
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

/// Whether what one thread has begun before is ordered without help: the table
/// of pipelined instructions (PTX ISA 9.7.16.6.2). That cp follows an mma whose
/// scale factors it replaces is not in it, but CUTLASS and DeepGEMM rely on it.
static bool isPipelined(const TensorAccess &before, const TensorAccess &after) {
  if (!before.thread || before.thread != after.thread)
    return false;
  bool wasMma =
      before.use == TensorUse::Operand || before.use == TensorUse::Result;
  bool isMma =
      after.use == TensorUse::Operand || after.use == TensorUse::Result;
  if (!wasMma || !isMma)
    return true;
  return before.use == after.use && before.accumulator == after.accumulator;
}

static bool isOver(const TensorAccess &before, const TensorAccess &after,
                   const Clock &known) {
  if (before.isPending)
    // Stores of one warp follow one another.
    return before.use == TensorUse::Store && after.use == TensorUse::Store &&
           before.agent == after.agent;
  return known.get(before.agent) >= before.epoch || isPipelined(before, after);
}

static std::string describe(const TensorAccess &before,
                            const TensorAccess &after) {
  const Instruction &source = *before.origin.source;
  bool isLoad = before.use == TensorUse::Load;
  std::string text =
      ("lane " + Twine(before.range.lanes.getFirst()) + ", column " +
       Twine(std::max(before.range.begin, after.range.begin)) +
       " of tensor memory is " + (before.isWrite() ? "written" : "read") +
       " by '" + source.getSpelling() + "' in line " +
       Twine(source.location.line) + " of warp " + Twine(before.origin.warp) +
       ", which is not known to be over: ")
          .str();
  static constexpr llvm::StringRef barrier =
      "tcgen05.fence::before_thread_sync, a barrier and "
      "tcgen05.fence::after_thread_sync have to come between";
  switch (before.use) {
  case TensorUse::Load:
  case TensorUse::Store:
    if (before.isPending)
      return text + (isLoad ? "tcgen05.wait::ld" : "tcgen05.wait::st") +
             " is missing";
    return (text + barrier).str();
  case TensorUse::Free:
    return (text + barrier).str();
  default:
    if (before.thread == after.thread && after.thread)
      text += "mmas with different accumulators or shapes are not ordered, ";
    return text + "tcgen05.commit, a wait for its mbarrier and "
                  "tcgen05.fence::after_thread_sync have to come between";
  }
}

std::string TensorMemory::checkOrder(const TensorAccess &access,
                                     const Clock &known) const {
  for (const TensorAccess &before : accesses)
    if ((before.isWrite() || access.isWrite()) &&
        before.range.overlaps(access.range) && !isOver(before, access, known))
      return describe(before, access);
  return {};
}

void TensorMemory::note(const TensorAccess &access, const Clock &known) {
  // Whoever knows of `access` knows of what it followed.
  llvm::erase_if(accesses, [&](const TensorAccess &before) {
    if (!access.range.contains(before.range) ||
        (before.isWrite() && !access.isWrite()))
      return false;
    bool isSame = before.use == access.use && before.agent == access.agent &&
                  before.isPending == access.isPending;
    return access.isWrite() || isSame || isOver(before, access, known);
  });
  accesses.push_back(access);
}

void TensorMemory::finish(TensorUse use, unsigned agent, uint32_t epoch) {
  for (TensorAccess &access : accesses)
    if (access.isPending && access.use == use && access.agent == agent) {
      access.isPending = false;
      access.epoch = epoch;
    }
}
