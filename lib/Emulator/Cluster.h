// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What runs: a launch, its clusters, their blocks, and the asynchronous
// operations that are under way.

#ifndef MX_LIB_EMULATOR_CLUSTER_H
#define MX_LIB_EMULATOR_CLUSTER_H

#include "Clock.h"
#include "Mbarrier.h"
#include "Memory.h"
#include "Program.h"
#include "Race.h"
#include "Trace.h"

#include "mx/Emulator/Device.h"

#include "llvm/ADT/Twine.h"

#include <functional>
#include <list>
#include <random>
#include <set>

namespace mx::ptx {

class Block;
class Cluster;
class TensorMemory;
class Warp;
class Warpgroup;

inline constexpr unsigned warpSize = 32;
inline constexpr uint32_t allLanes = ~0u;
/// Agents for asynchronous operations; more under way at once share one, which
/// can hide a race between two of them but not make one up.
inline constexpr unsigned numAsyncAgents = 64;

/// What all clusters of a launch share.
struct Machine {
  Machine(const Program &program, GlobalMemory &memory,
          const LaunchConfig &config, const ExecutionOptions &options)
      : program(program), memory(memory), config(config), options(options),
        params("the parameters", 0, program.paramSize),
        constants("the constants", 0, program.constantSize) {}

  /// Runs all clusters; side by side where they cannot see each other. The
  /// result is that of running one after another, by ascending number.
  void run();

  const Program &program;
  GlobalMemory &memory;
  const LaunchConfig &config;
  const ExecutionOptions &options;
  Region params, constants;
  LaunchStatistics statistics;
  /// The first error; empty if there is none.
  std::string fault;
};

/// Where an instruction is executed, for messages.
struct Origin {
  const Instruction *source = nullptr;
  Block *block = nullptr;
  unsigned warp = 0, lane = 0;
};

/// Bytes that an asynchronous operation reads or writes.
struct Footprint {
  Region *region = nullptr;
  uint64_t address = 0, size = 0;
};

/// Work that an instruction has begun and that takes effect later. Until then
/// its sources may not be written, its destinations not be touched.
struct AsyncOperation {
  Origin origin;
  /// Operations of one queue (not 0) take effect in the order of their start.
  uint64_t queue = 0;
  /// Nobody blocks until it is done: its own thread asks for it by a wait for
  /// a group.
  bool isGrouped = false;
  /// Its accesses go through the generic proxy: st.async, red.async.
  bool isGeneric = false;
  llvm::SmallVector<Footprint, 2> reads, writes;
  /// Bytes that it changes atomically: others may do so at the same time.
  llvm::SmallVector<Footprint, 2> updates;
  /// Moves the data and signals whoever waits. `self` is this operation.
  std::function<void(AsyncOperation &self)> perform;

  /// What it may rely on, to which Cluster::start adds what its warp knows;
  /// what it passes on when it signals. And which agent it is.
  Knowledge knowledge;
  unsigned agent = 0;
};

/// One of the 16 barriers of a block, or that of a cluster.
struct Barrier {
  unsigned arrived = 0, expected = 0;
  /// Counts how often it has completed.
  uint64_t generation = 0;
  Knowledge arriving, completed;
  /// Of a block: the lanes of each warp that have arrived.
  std::map<unsigned, uint32_t> lanes;
  bool hasArrive = false, hasReduction = false;
  /// Predicates that a bar.red brings, and whether they held; and those of the
  /// last generation.
  unsigned held = 0, brought = 0, lastHeld = 0, lastBrought = 0;

  /// All have arrived.
  void complete() {
    arrived = expected = 0;
    ++generation;
    completed = std::move(arriving);
    arriving = {};
    lanes.clear();
    hasArrive = hasReduction = false;
    lastHeld = held;
    lastBrought = brought;
    held = brought = 0;
  }
};

class Block {
public:
  /// `rank` in its cluster, `index` in the grid.
  Block(Cluster &cluster, unsigned rank, Dim3 index);
  ~Block();

  bool hasEnded() const;
  /// Threads of `warp` have exited: barriers do not wait for them, and what the
  /// block leaves behind is looked at when the last one goes.
  void noteExit(Warp &warp);
  uint64_t getSharedBase() const {
    return (uint64_t(rank) << rankShift) + sharedBase;
  }

  Cluster &cluster;
  Machine &machine;
  unsigned rank;
  Dim3 index;
  Region shared;
  std::vector<std::unique_ptr<Warp>> warps;
  Barrier barriers[16];
  /// By address; an entry stays when the object's life ends.
  std::map<uint64_t, Mbarrier> mbarriers;
  /// By the first of their warps / 4; null where there was no wgmma.
  std::vector<std::unique_ptr<Warpgroup>> warpgroups;
  /// Null before it is used.
  std::unique_ptr<TensorMemory> tensorMemory;
  /// Warps of other blocks that have touched its shared memory, and when last.
  std::map<unsigned, uint32_t> visitors;
  /// Tensor maps that the kernel has changed and not acquired here since.
  std::set<uint64_t> changedTensorMaps;
  /// Registers that setmaxnreg.dec has given back, and per warpgroup what each
  /// setmaxnreg in turn was for.
  uint64_t freeRegisters = 0;
  std::map<unsigned, std::vector<unsigned>> registerCounts;

private:
  void end(Warp &last);

  /// What warps knew when they ended.
  Clock ended;
};

/// Blocks that run together.
class Cluster {
public:
  /// `index` in the grid, in clusters.
  Cluster(Machine &machine, uint64_t number, Dim3 index);
  ~Cluster();

  /// Runs until all warps have ended and nothing is under way, or something is
  /// wrong.
  void run();

  /// Begins an asynchronous operation of `warp`; checks that its footprints
  /// may be touched. Null after a fault.
  AsyncOperation *start(Warp &warp, AsyncOperation operation);
  /// Lets `operation` take effect, and those before it in its queue.
  void complete(AsyncOperation *operation);
  /// Ends the generation of the cluster's barrier that all threads have arrived
  /// at, but those that have exited.
  void updateBarrier();
  /// One that is under way and touches `region`; may be null.
  const AsyncOperation *findUser(const Region &region) const;
  /// A number for a queue of its own.
  uint64_t makeQueue() { return ++numQueues; }

  /// Records an error; the first one counts.
  void fault(const Origin &origin, const llvm::Twine &message);
  bool hasFault() const { return !faultText.empty(); }

  /// A random number that the launch's seed decides; 0 <= result < bound.
  uint64_t getRandom(uint64_t bound) { return random() % bound; }
  bool isRandom() const {
    return machine.options.completion == Completion::Random;
  }
  const Checks &getChecks() const { return machine.options.checks; }

  Machine &machine;
  uint64_t number;
  std::vector<std::unique_ptr<Block>> blocks;
  Barrier barrier;
  /// Null if nothing is checked.
  std::unique_ptr<Race> race;
  /// Null if nothing is counted or traced.
  std::unique_ptr<Trace> trace;
  LaunchStatistics statistics;
  std::string faultText;

private:
  bool completeOne();
  void finish(std::list<AsyncOperation>::iterator it);
  void reportDeadlock();

  std::list<AsyncOperation> pending;
  std::mt19937_64 random;
  /// Agents are warps, then a ring of asynchronous operations.
  unsigned firstAsyncAgent = 0;
  uint64_t numStarted = 0, numQueues = 0;
  std::vector<uint32_t> asyncEpochs;
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

#endif // MX_LIB_EMULATOR_CLUSTER_H
