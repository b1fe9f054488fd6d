// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state of a running grid: warps in lockstep, blocks, one grid.

#ifndef MX_LIB_EMULATOR_MACHINE_H
#define MX_LIB_EMULATOR_MACHINE_H

#include "Memory.h"
#include "Program.h"

#include "llvm/ADT/bit.h"

#include <deque>

namespace mx::ptx {

inline constexpr unsigned warpSize = 32;
inline constexpr uint32_t allLanes = ~0u;

class Block;

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
  uint64_t count() const { return uint64_t(x) * y * z; }
};

/// What all blocks share.
struct Machine {
  Machine(const Program &program, GlobalMemory &memory)
      : program(program), memory(memory), params("the parameters", 0, 0),
        constants("the constants", 0, 0) {}

  const Program &program;
  GlobalMemory &memory;
  Region params, constants;
  Dim3 grid, block;
  uint64_t dynamicShared = 0;
  /// The first error; once it is set nothing else runs.
  std::string fault;
  uint64_t warpInstructions = 0, laneInstructions = 0;

  /// Runs all blocks, one after another.
  void run();
};

/// A cp.async that has been issued. Source and destination are touched at the
/// last moment, when the thread waits for the group.
struct PendingCopy {
  uint32_t lane;
  uint32_t group;
  uint64_t destination, source;
  uint32_t size, sourceSize;
};

/// Lanes that execute the same instruction, until they reach `reconverge`.
struct StackEntry {
  uint32_t pc;
  uint32_t reconverge;
  uint32_t mask;
};

class Warp {
public:
  Warp(Block &block, unsigned number, unsigned threads);

  /// Executes until it blocks, ends, or something is wrong.
  void run();

  //===--------------------------------------------------------------------===//
  // For instructions: `active` are the lanes that execute
  //===--------------------------------------------------------------------===//

  uint64_t *lanes(const Value &value) {
    return &registers[size_t(value.index) * warpSize];
  }
  /// The lanes of a source, or null after a fault because one is uninitialised.
  const uint64_t *read(const Value &value) {
    if (LLVM_LIKELY((active & ~initialized[value.index]) == 0))
      return lanes(value);
    faultUninitialized(value);
    return nullptr;
  }
  uint32_t getInitialized(const Value &value) const {
    return initialized[value.index];
  }
  /// The lanes of a destination, which count as written.
  uint64_t *write(const Value &value) {
    initialized[value.index] |= active;
    return lanes(value);
  }
  /// The lanes in which a predicate (or its negation) holds; faults as `read`.
  uint32_t readPredicate(const Value &value) {
    if (active & ~initialized[value.index])
      faultUninitialized(value);
    uint32_t mask = uint32_t(registers[size_t(value.index) * warpSize]);
    return value.negated ? ~mask : mask;
  }
  void writePredicate(const Value &value, uint32_t mask) {
    uint64_t &bits = registers[size_t(value.index) * warpSize];
    bits = (uint32_t(bits) & ~active) | (mask & active);
    initialized[value.index] |= active;
  }

  /// Bytes of memory, checked; null after a fault. `address` is in `space`. A
  /// write marks the bytes as initialised.
  uint8_t *access(unsigned lane, Space space, uint64_t address, unsigned size,
                  unsigned alignment, Access access);
  /// The region of an address, which is made relative to it; may be null.
  Region *findRegion(unsigned lane, Space &space, uint64_t &address);

  /// Records an error of the current instruction; the first one counts.
  void fault(unsigned lane, const llvm::Twine &message);
  bool hasFault() const;
  void faultUninitialized(const Value &value);

  /// Carries out the copies of the active lanes but those of their newest
  /// `pending` groups.
  void completeCopies(uint32_t pending);

  void exit(uint32_t mask);
  void branch(uint32_t target, uint32_t taken);

  Block &block;
  Machine &machine;
  unsigned number;
  uint32_t active = 0;
  /// Lanes that have not exited.
  uint32_t live;
  std::vector<StackEntry> stack;
  /// Barrier that it waits at, or -1.
  int waitingAt = -1;
  const Decoded *current = nullptr;
  std::deque<PendingCopy> copies;
  uint32_t groups[warpSize] = {};

private:
  /// Values of one register lie side by side, a lane each; a predicate is a
  /// mask in the first.
  std::vector<uint64_t> registers;
  std::vector<uint32_t> initialized;
  std::vector<std::unique_ptr<Region>> local;
};

/// One of the 16 barriers of a block.
struct Barrier {
  unsigned arrived = 0;
  unsigned expected = 0;
};

class Block {
public:
  Block(Machine &machine, Dim3 index);

  /// Runs its warps in turn until all have ended, or something is wrong.
  void run();
  /// A warp has arrived at a barrier for `threads` (0: all) threads.
  void arrive(Warp &warp, unsigned barrier, unsigned threads);

  Machine &machine;
  Dim3 index;
  Region shared;

private:
  void reportDeadlock();

  std::vector<std::unique_ptr<Warp>> warps;
  Barrier barriers[16];
};

/// Calls `f(lane)` for the active lanes.
template <typename F> inline void forEachLane(uint32_t mask, F &&f) {
  if (mask == allLanes) {
    for (unsigned lane = 0; lane < warpSize; ++lane)
      f(lane);
    return;
  }
  for (; mask; mask &= mask - 1)
    f(unsigned(llvm::countr_zero(mask)));
}

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_MACHINE_H
