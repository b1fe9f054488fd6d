// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Machine.h"

#include "llvm/ADT/Twine.h"

using namespace mx::ptx;
using llvm::Twine;

Block::Block(Machine &machine, Dim3 index)
    : machine(machine), index(index),
      shared("shared memory", sharedBase,
             machine.program.staticShared + machine.dynamicShared) {
  uint64_t threads = machine.block.count();
  for (uint64_t first = 0; first < threads; first += warpSize)
    warps.push_back(
        std::make_unique<Warp>(*this, first / warpSize, threads - first));
}

void Block::arrive(Warp &warp, unsigned number, unsigned threads) {
  unsigned lane = llvm::countr_zero(warp.active);
  unsigned all = warps.size() * warpSize;
  if (number >= 16)
    return warp.fault(lane, "barrier " + Twine(number) +
                                " does not exist: a block has 0 to 15");
  if (threads % warpSize || threads > all)
    return warp.fault(lane, "a barrier of " + Twine(threads) +
                                " threads: the count has to be a multiple of "
                                "the warp size, up to the block's");
  if (warp.active != warp.live)
    return warp.fault(lane, "divergent barrier: not all lanes of the warp are "
                            "here");
  Barrier &barrier = barriers[number];
  unsigned expected = threads ? threads : all;
  if (barrier.arrived && barrier.expected != expected)
    return warp.fault(lane, "barrier " + Twine(number) + " is used for " +
                                Twine(expected) + " threads, by others for " +
                                Twine(barrier.expected));
  barrier.expected = expected;
  // Counted in whole warps.
  barrier.arrived += warpSize;
  warp.waitingAt = number;
  if (barrier.arrived != expected)
    return;
  barrier = {};
  for (auto &other : warps)
    if (other->waitingAt == int(number))
      other->waitingAt = -1;
}

void Block::reportDeadlock() {
  const Warp *first = nullptr;
  std::string where;
  for (auto &warp : warps) {
    if (warp->waitingAt < 0) {
      where += (" warp " + Twine(warp->number) + " has ended;").str();
      continue;
    }
    first = first ? first : warp.get();
    where += (" warp " + Twine(warp->number) + " waits at barrier " +
              Twine(warp->waitingAt) + " in line " +
              Twine(warp->current->source->location.line) + ";")
                 .str();
  }
  where.back() = '.';
  const_cast<Warp *>(first)->fault(llvm::countr_zero(first->live),
                                   "deadlock:" + where);
}

void Block::run() {
  while (machine.fault.empty()) {
    bool isRunning = false, isWaiting = false;
    for (auto &warp : warps) {
      if (warp->waitingAt < 0 && !warp->stack.empty()) {
        warp->run();
        isRunning = true;
      }
      isWaiting |= warp->waitingAt >= 0;
    }
    if (isRunning)
      continue;
    if (isWaiting)
      reportDeadlock();
    return;
  }
}

void Machine::run() {
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) {
        if (!fault.empty())
          return;
        Block(*this, {x, y, z}).run();
      }
}
