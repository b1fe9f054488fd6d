// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Branches, exits and barriers (PTX ISA 9.7.12, 9.7.13).

#include "Warp.h"

using namespace mx::ptx;
using llvm::Twine;

static void bra(Warp &warp, const Decoded &decoded) {
  warp.branch(decoded.target, warp.active);
}

/// ret of an entry function ends the thread.
static void exitThread(Warp &warp, const Decoded &) { warp.exit(warp.active); }

/// The threads that a barrier is used for: `count` or all; 0 after a fault.
static unsigned getExpected(Warp &warp, const Decoded &decoded) {
  unsigned lane = llvm::countr_zero(warp.active);
  unsigned all = warp.parent.warps.size() * warpSize;
  if (decoded.getNumOperands() < 2)
    return all;
  std::optional<uint64_t> count =
      warp.readUniform(decoded.value(1), "the barrier's count");
  if (!count)
    return 0;
  if (*count && *count % warpSize == 0 && *count <= all)
    return *count;
  warp.fault(lane, "a barrier of " + Twine(*count) +
                       " threads: the count has to be a multiple of the warp "
                       "size, up to the block's");
  return 0;
}

static std::string describeBarrier(uint64_t number, uint64_t) {
  return ("waits at barrier " + Twine(number)).str();
}

static void barSync(Warp &warp, const Decoded &decoded) {
  unsigned lane = llvm::countr_zero(warp.active);
  std::optional<uint64_t> number =
      warp.readUniform(decoded.value(0), "the barrier's number");
  if (!number)
    return;
  if (*number >= 16)
    return warp.fault(lane, "barrier " + Twine(*number) +
                                " does not exist: a block has 0 to 15");
  Barrier &barrier = warp.parent.barriers[*number];
  if (!warp.isRetry()) {
    if (warp.active != warp.live)
      return warp.fault(lane, "divergent barrier: not all lanes of the warp "
                              "are here");
    unsigned expected = getExpected(warp, decoded);
    if (!expected)
      return;
    if (barrier.arrived && barrier.expected != expected)
      return warp.fault(lane, "barrier " + Twine(*number) + " is used for " +
                                  Twine(expected) + " threads, by others for " +
                                  Twine(barrier.expected));
    warp.getToken() = barrier.generation;
    warp.releaseTo(barrier.arriving);
    barrier.expected = expected;
    // Counted in whole warps.
    barrier.arrived += warpSize;
    if (barrier.arrived == expected)
      barrier.complete();
  }
  if (barrier.generation == warp.getToken())
    return warp.block({describeBarrier, *number});
  warp.acquireFrom(barrier.completed);
}

/// Lanes run in lockstep, so memory is in order among those that are here.
static void barWarpSync(Warp &warp, const Decoded &decoded) {
  const uint64_t *mask = warp.read(decoded.value(0));
  if (!mask)
    return;
  unsigned lane = llvm::countr_zero(warp.active);
  if ((uint32_t(mask[lane]) & warp.live) != warp.active)
    warp.fault(lane, "bar.warp.sync: the executing lanes are not those of its "
                     "mask");
}

static void nothing(Warp &, const Decoded &) {}
static void nanosleep(Warp &warp, const Decoded &) { warp.yield(); }

static const Row rows[] = {
    {"bra", "", "uni", "l", bra},
    {"ret", "", "uni", "", exitThread},
    {"exit", "", "", "", exitThread},
    {"bar.sync", "", "", "s=32 s=32?", barSync},
    {"bar.cta.sync", "", "", "s=32 s=32?", barSync},
    {"barrier.sync", "", "aligned cta", "s=32 s=32?", barSync},
    {"bar.warp.sync", "", "", "s=32", barWarpSync},
    {"membar", "", "cta gl sys", "", nothing},
    {"fence", "", "sc acq_rel cta cluster gpu sys", "", nothing},
    {"nanosleep", "u32", "", "s", nanosleep},
};

llvm::ArrayRef<Row> mx::ptx::getControlRows() { return rows; }
