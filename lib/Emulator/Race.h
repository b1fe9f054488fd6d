// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Races (PTX ISA 8.6): two accesses of one byte, one of them a write, that are
// not ordered and not both strong; or ordered, but through different proxies
// without the fence between. Per byte the last write and the reads since are
// kept, as FastTrack does (Flanagan and Freund, PLDI 2009).

#ifndef MX_LIB_EMULATOR_RACE_H
#define MX_LIB_EMULATOR_RACE_H

#include "Clock.h"
#include "Memory.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

namespace mx::ptx {

struct AsyncOperation;
class Cluster;
struct Footprint;
enum class MemoryOrder : uint8_t;
struct Origin;
struct PendingCopy;
class Warp;

/// What the lanes of one warp know of one another's accesses. They run in
/// lockstep here, but PTX does not promise that.
class LaneOrder {
public:
  /// Whether what `other` did until `epoch` of their warp happened before what
  /// `lane` does now.
  bool isKnown(unsigned lane, unsigned other, uint32_t epoch) const {
    return epoch <= all[lane] ||
           (!pairs.empty() && other < lanes && epoch <= pairs[lane][other]);
  }
  /// The lanes of `mask` know all that the warp did until `epoch`.
  void learnAll(uint32_t mask, uint32_t epoch);
  /// They know what they did until `epoch` themselves.
  void learnPairs(uint32_t mask, uint32_t epoch);

private:
  static constexpr unsigned lanes = 32;
  std::array<uint32_t, lanes> all = {};
  /// Made by the first barrier of some lanes only.
  std::vector<std::array<uint32_t, lanes>> pairs;
};

/// An access in the 64 bits that are kept of it; zero is none.
struct Stamp {
  static constexpr unsigned maxPlace = (1 << 17) - 1, severalLanes = 32,
                            maxAgents = (1 << 10) - 1, maxEpoch = (1 << 28) - 1;

  uint64_t epoch : 28;
  uint64_t agent : 10;
  uint64_t lane : 6;
  /// Of the instruction.
  uint64_t place : 17;
  uint64_t isAsync : 1;
  /// The async proxy sees it without a fence.
  uint64_t isPublished : 1;
  /// Atomic, volatile, relaxed or stronger.
  uint64_t isStrong : 1;
};
static_assert(sizeof(Stamp) == sizeof(uint64_t));

/// Finds the races of a cluster.
class Race {
public:
  Race(Cluster &cluster, unsigned firstAsyncAgent);
  ~Race();

  /// An access of the instruction that `warp` executes.
  void access(Warp &warp, unsigned lane, const Region &region, uint64_t address,
              unsigned size, Access access);
  /// A cp.async has written; its thread waited for it.
  void finish(Warp &warp, const PendingCopy &copy);
  /// The accesses of an operation that begins. They happen at some time until
  /// it has been waited for.
  void start(const AsyncOperation &operation);

private:
  struct Page;
  struct Actor;

  void touch(const Actor &actor, const Region &region, uint64_t address,
             uint64_t size, bool isWrite);
  Page &getPage(uint64_t address);
  static bool isSameWrite(const Actor &actor, Stamp earlier);
  bool checkOne(const Actor &actor, Stamp earlier, bool isWrite, bool wasWrite,
                const Region &region, uint64_t address);
  bool checkReads(const Actor &actor, uint64_t reads, const Region &region,
                  uint64_t address);
  uint64_t addRead(const Actor &actor, uint64_t reads);
  void synchronize(Warp &warp, uint64_t address, Access access);
  uint64_t beginWrite(Warp &warp);
  std::string describe(Stamp stamp, bool wasWrite) const;

  Cluster &cluster;
  unsigned firstAsyncAgent;
  llvm::DenseMap<uint64_t, std::unique_ptr<Page>> pages;
  /// Pages that were found last.
  std::array<std::pair<uint64_t, Page *>, 16> recent = {};
  /// Reads of one byte by several agents, each set once; and what comes of one
  /// by another read.
  std::vector<llvm::SmallVector<uint64_t, 4>> readSets;
  std::map<std::vector<uint64_t>, size_t> setNumbers;
  llvm::DenseMap<std::pair<uint64_t, uint64_t>, uint64_t> extended;
  /// What a release or a fence before a strong write passes on through a place
  /// in memory.
  std::unordered_map<uint64_t, Knowledge> released;
  /// Where asynchronous operations began, in that order.
  struct Begin {
    unsigned agent, lane, place;
  };
  std::vector<Begin> begins;
  /// The instruction that wrote last.
  const Warp *writer = nullptr;
  uint64_t writeNumber = 0;
};

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_RACE_H
