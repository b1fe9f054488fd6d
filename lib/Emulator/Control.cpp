// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Branches, exits and barriers (PTX ISA 9.7.12, 9.7.13).

#include "Machine.h"

using namespace mx::ptx;

static void bra(Warp &warp, const Decoded &decoded) {
  warp.branch(decoded.target, warp.active);
}

/// ret of an entry function ends the thread.
static void exitThread(Warp &warp, const Decoded &) { warp.exit(warp.active); }

static void barSync(Warp &warp, const Decoded &decoded) {
  unsigned lane = llvm::countr_zero(warp.active);
  const uint64_t *number = warp.read(decoded.value(0));
  unsigned threads = 0;
  if (decoded.getNumOperands() == 2) {
    const uint64_t *count = warp.read(decoded.value(1));
    if (!count)
      return;
    threads = count[lane];
    if (threads == 0)
      return warp.fault(lane, "a barrier of 0 threads");
  }
  if (number)
    warp.block.arrive(warp, number[lane], threads);
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
    {"nanosleep", "u32", "", "s", nothing},
};

llvm::ArrayRef<Row> mx::ptx::getControlRows() { return rows; }
