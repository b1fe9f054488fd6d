// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mbarrier objects (PTX ISA 9.7.13.15). Their state is kept beside the bytes,
// which are opaque.

#ifndef MX_LIB_EMULATOR_MBARRIER_H
#define MX_LIB_EMULATOR_MBARRIER_H

#include "Clock.h"

#include <cstdint>
#include <map>
#include <string>

namespace mx::ptx {

struct AsyncOperation;
class Cluster;
struct Origin;
enum class Space : uint8_t;
class Warp;

struct Mbarrier {
  static constexpr uint32_t maxCount = (1 << 20) - 1;

  /// These change the state, complete the phase if that is due, and say what is
  /// wrong (empty: nothing).
  std::string arrive(uint32_t count);
  /// Adds to the bytes that the phase waits for; less than zero: these have
  /// come.
  std::string expect(int64_t bytes);

  /// Its name and state, for messages.
  std::string describe() const;

  /// In the cluster's shared memory.
  uint64_t address = 0;
  /// Between mbarrier.init and mbarrier.inval.
  bool isLive = false;
  /// Phases that are complete.
  uint64_t phase = 0;
  /// Arrivals that the phase waits for, at its beginning and still.
  uint32_t expected = 0, pending = 0;
  int64_t tx = 0;
  /// What arrivals of this phase, and of the last, pass on.
  Knowledge arriving, completed;
  /// The warp that initialised it, and in which epoch; the generation of the
  /// cluster's barrier at its fence.mbarrier_init.
  unsigned initAgent = 0;
  uint32_t initEpoch = 0;
  uint64_t fencedGeneration = UINT64_MAX;
  /// By agent: the phase that a wait has last seen, and the epoch of its last
  /// use.
  std::map<unsigned, uint64_t> seen;
  std::map<unsigned, uint32_t> used;

private:
  void completePhase();
};

/// The mbarrier that an operand of `warp` means, ready for use; null after a
/// fault.
Mbarrier *lookupMbarrier(Warp &warp, unsigned lane, Space space,
                         uint64_t address);

/// An asynchronous operation has moved `bytes`; the phase passes on what it
/// did. `address` is in the cluster's shared memory.
void completeBytes(Cluster &cluster, const AsyncOperation &operation,
                   uint64_t address, uint32_t bytes);
/// An asynchronous operation arrives `count` times.
void arriveAsync(Cluster &cluster, const AsyncOperation &operation,
                 uint64_t address, uint32_t count);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_MBARRIER_H
