// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wgmma operations that are under way in four warps (PTX ISA 9.7.15).

#ifndef MX_LIB_EMULATOR_WARPGROUP_H
#define MX_LIB_EMULATOR_WARPGROUP_H

#include "Cluster.h"

#include <deque>

namespace mx::ptx {

struct WgmmaProduct;

/// A wgmma.mma_async, from the first warp that executes it until all have
/// waited for it.
struct WarpgroupOperation {
  Origin origin;
  const Decoded *decoded = nullptr;
  uint64_t descriptorA = 0, descriptorB = 0;
  bool accumulates = false;
  /// Warps that have executed it, and that have waited for it.
  unsigned arrived = 0, released = 0;
  /// The product; null before all warps have arrived and when it is done.
  AsyncOperation *operation = nullptr;
  /// What each warp's part reads of shared memory: its rows of A, and B. It is
  /// under way from the warp's arrival to its wait; null when it is done, and
  /// then what it passes on.
  AsyncOperation *reads[4] = {};
  Knowledge done[4];
  std::shared_ptr<WgmmaProduct> product;
};

class Warpgroup {
public:
  static constexpr unsigned numWarps = 4;
  static constexpr unsigned allWarps = (1 << numWarps) - 1;

  explicit Warpgroup(uint64_t queue) : queue(queue) {}

  /// Operations have numbers from 0 on, the same in all warps.
  WarpgroupOperation &get(uint64_t number) {
    return operations[number - first];
  }
  /// Appends one if no warp has executed it.
  bool makeOperation(uint64_t number) {
    if (number < first + operations.size())
      return false;
    operations.emplace_back();
    return true;
  }
  /// Forgets those that all warps have waited for.
  void discard() {
    while (!operations.empty() && operations.front().released == allWarps) {
      operations.pop_front();
      ++first;
    }
  }
  bool isIdle() const { return operations.empty(); }

  struct Member {
    /// Operations that the warp has executed, and that it has waited for.
    uint64_t begun = 0, released = 0;
    /// Where each group ends that may be pending (wgmma.commit_group).
    std::deque<uint64_t> groups;
  };
  Member members[numWarps];
  /// Of its asynchronous operations, which take effect in order.
  const uint64_t queue;

private:
  std::deque<WarpgroupOperation> operations;
  uint64_t first = 0;
};

/// That of the warp; null if its block has no four warps there.
Warpgroup *getWarpgroup(Warp &warp);
/// A fault if the block's warps have ended before their wgmmas.
void checkWarpgroupsAreIdle(Block &block);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_WARPGROUP_H
