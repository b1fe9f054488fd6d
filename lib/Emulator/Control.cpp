// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Branches, exits, fences of the generic proxy, clocks (PTX ISA 9.7.12, 9.7.13,
// 9.7.19, 10).

#include "Decoder.h"
#include "Warp.h"

#include "llvm/ADT/STLExtras.h"

using namespace mx::ptx;
using llvm::Twine;

static void bra(Warp &warp, const Decoded &decoded) {
  warp.branch(decoded.target, warp.active);
}

/// Each lane goes to the label that its index chooses.
static void brxIdx(Warp &warp, const Decoded &decoded) {
  if (!warp.active) {
    ++warp.stack.back().pc;
    return;
  }
  const uint64_t *index = warp.read(decoded.value(0));
  if (!index)
    return;
  // Lanes that the guard leaves out go on behind the branch.
  llvm::SmallVector<uint32_t> targets = {warp.stack.back().pc + 1};
  llvm::SmallVector<uint32_t> masks = {warp.stack.back().mask & ~warp.active};
  forEachLane(warp.active, [&](unsigned lane) {
    uint32_t number = index[lane];
    if (number >= decoded.table->size())
      return warp.fault(lane, "brx.idx: index " + Twine(number) +
                                  " is beyond the table's " +
                                  Twine(decoded.table->size()) + " labels");
    uint32_t target = decoded.target + (*decoded.table)[number];
    auto it = llvm::find(llvm::drop_begin(targets), target);
    if (it == targets.end()) {
      targets.push_back(target);
      masks.push_back(0);
      it = std::prev(targets.end());
    }
    masks[it - targets.begin()] |= 1u << lane;
  });
  if (warp.hasFault())
    return;
  if (targets.size() == 2 && !masks[0])
    warp.stack.back().pc = targets[1];
  else
    warp.branch(targets, masks);
}

static void returnFrom(Warp &warp, const Decoded &) {
  warp.leaveCall(warp.active);
}
static void exitThread(Warp &warp, const Decoded &) { warp.exit(warp.active); }

/// Time is the number of instructions that the cluster has executed, so that
/// it goes on and is the same each time.
void mx::ptx::executeClocked(Warp &warp, const Decoded &decoded) {
  uint64_t time = warp.cluster.statistics.warpInstructions;
  for (auto [special, index] : warp.machine.program.specials) {
    if (special < SpecialRegister::Clock)
      continue;
    bool isHigh = special == SpecialRegister::ClockHi ||
                  special == SpecialRegister::GlobalTimerHi;
    Value value;
    value.index = index;
    std::fill_n(warp.lanes(value), warpSize,
                isHigh                              ? time >> 32
                : special == SpecialRegister::Clock ? uint32_t(time)
                                                    : time);
  }
  decoded.clocked(warp, decoded);
}

static void trap(Warp &warp, const Decoded &) {
  warp.fault(llvm::countr_zero(warp.active), "trap");
}

static void nothing(Warp &, const Decoded &) {}
static void fence(Warp &warp, const Decoded &) { warp.fence(); }
static void nanosleep(Warp &warp, const Decoded &) { warp.yield(); }

static const Row rows[] = {
    {"bra", "", "uni", "l", bra},
    {"brx.idx", "", "uni", "s=32 t", brxIdx},
    {"ret", "", "uni", "", returnFrom},
    {"exit", "", "", "", exitThread},
    {"membar", "", "cta gl sys", "", fence},
    {"fence", "", "sc acq_rel cta cluster gpu sys", "", fence},
    {"nanosleep", "u32", "", "s", nanosleep},
    {"trap", "", "", "", trap},
    // Without a debugger or a profiler there is nobody to tell.
    {"brkpt", "", "", "", nothing},
    {"pmevent", "", "mask", "i", nothing},
    {"griddepcontrol.launch_dependents", "", "", "", nothing},
    // Grids run one after the other.
    {"griddepcontrol.wait", "", "", "", nothing},
};

llvm::ArrayRef<Row> mx::ptx::getControlRows() { return rows; }
