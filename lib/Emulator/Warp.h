// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// 32 threads in lockstep, and what the instructions that they execute may do.

#ifndef MX_LIB_EMULATOR_WARP_H
#define MX_LIB_EMULATOR_WARP_H

#include "Cluster.h"

#include "llvm/ADT/bit.h"

#include <deque>

namespace mx::ptx {

/// A cp.async that has been issued. Source and destination are touched at the
/// last moment, when the thread waits for the group.
struct PendingCopy {
  /// Its number among those of the warp.
  uint64_t number;
  uint32_t lane;
  uint32_t group;
  uint64_t destination, source;
  uint32_t size, sourceSize;
  const Decoded *issuer;
};

/// A bulk copy that is waited for by its group, in its two steps.
struct BulkStore;
struct PendingStore {
  uint32_t lane;
  uint32_t group;
  std::shared_ptr<BulkStore> store;
};

/// Lanes that execute the same instruction, until they reach `reconverge`.
struct StackEntry {
  uint32_t pc;
  uint32_t reconverge;
  uint32_t mask;
  /// The instruction at pc has been executed and could not complete.
  bool isBlocked = false;
  /// What that instruction keeps until it is executed again.
  uint64_t token = 0;
};

/// What a blocked warp waits for; `describe(a, b)` gives the words.
struct Wait {
  std::string (*describe)(uint64_t a, uint64_t b) = nullptr;
  uint64_t a = 0, b = 0;
};

/// A call of some lanes that have not all returned.
struct Activation {
  const CallSite *site = nullptr;
  /// Where the function's entries on the stack begin.
  size_t boundary = 0;
  uint32_t mask = 0;
  /// Of the caller.
  uint64_t frameBase[warpSize], stackTop[warpSize];
  /// The registers of an earlier call of the same function.
  std::vector<uint64_t> values;
  std::vector<uint32_t> initialized;
};

/// Whether others than one thread may write there.
inline bool isVisibleToOthers(Space space) {
  return space == Space::Global || space == Space::Shared ||
         space == Space::SharedCluster;
}

enum class Progress : uint8_t {
  /// It ended, or got further and then blocked.
  Advanced,
  /// It used up its quantum: it computes, or spins.
  Expired,
  /// It found that what it asks for has not happened, and will ask again or go
  /// on.
  Yielded,
  /// It waits, where it waited before.
  Blocked
};

class Warp {
public:
  Warp(Block &block, unsigned number, unsigned threads);

  /// Executes until it blocks, ends, has executed `quantum` instructions or
  /// something is wrong.
  Progress run(uint64_t quantum);
  bool hasEnded() const { return live == 0; }

  //===--------------------------------------------------------------------===//
  // For instructions: `active` are the lanes that execute
  //===--------------------------------------------------------------------===//

  uint64_t *lanes(const Value &value) {
    return &registers[size_t(value.index) * warpSize];
  }
  /// The lanes of a source, or null after a fault because one is uninitialised
  /// or belongs to an asynchronous operation.
  const uint64_t *read(const Value &value) {
    if (LLVM_LIKELY((active & ~initialized[value.index]) == 0))
      return lanes(value);
    faultUninitialized(value);
    return hasFault() ? nullptr : lanes(value);
  }
  uint32_t getInitialized(const Value &value) const {
    return initialized[value.index];
  }
  /// The lanes of a destination, which count as written.
  uint64_t *write(const Value &value) {
    if (LLVM_UNLIKELY(!owners.empty()))
      checkOwner(value);
    initialized[value.index] |= active;
    return lanes(value);
  }
  /// Notes that `to` has no value in `lanes` because one of `sources` has none,
  /// for messages. A fault if one belongs to an asynchronous operation.
  void spreadUndefined(const Value &to, uint32_t lanes,
                       std::initializer_list<const Value *> sources);
  /// Ends that `to` has a value in `lanes`.
  void clear(const Value &to, uint32_t lanes) {
    initialized[to.index] &= ~lanes;
    partly.erase(to.index);
  }
  /// The lanes in which a predicate (or its negation) holds; faults as `read`.
  uint32_t readPredicate(const Value &value) {
    if (active & ~initialized[value.index])
      faultUninitialized(value);
    uint32_t mask = uint32_t(registers[size_t(value.index) * warpSize]);
    return value.negated ? ~mask : mask;
  }
  /// `undefined` are lanes in which it has no value.
  void writePredicate(const Value &value, uint32_t mask,
                      uint32_t undefined = 0) {
    uint64_t &bits = registers[size_t(value.index) * warpSize];
    bits = (uint32_t(bits) & ~active) | (mask & active);
    initialized[value.index] |= active;
    initialized[value.index] &= ~(active & undefined);
  }
  /// The same without a fault, and the lanes in which it has a value.
  std::pair<uint32_t, uint32_t> readPartlyPredicate(const Value &value) const {
    uint32_t mask = uint32_t(registers[size_t(value.index) * warpSize]);
    return {value.negated ? ~mask : mask, initialized[value.index]};
  }
  /// The value that all active lanes have to agree on; nothing after a fault.
  std::optional<uint64_t> readUniform(const Value &value, const char *what);
  /// True after a fault because the executing lanes do not agree with the
  /// member mask of a .sync instruction.
  bool checkMask(const Value &mask);
  /// True after a fault because lanes of the warp are missing: for .aligned
  /// instructions.
  bool checkConverged();

  /// The bits of a register that have a value: moves may carry others along.
  uint64_t getDefined(const Value &value, unsigned lane) const;
  /// Writes `bits` of which only `defined` have a value; the register has
  /// `width` of them.
  void writePartly(const Value &value, unsigned lane, uint64_t bits,
                   uint64_t defined, unsigned width);

  /// Gives a register to an asynchronous operation: it may not be written, and
  /// (unless `readable`) not be read until `release`. `what` names the wait
  /// that is missing: "wgmma.wait_group".
  void own(const Value &value, const char *what, bool readable);
  bool isOwned(const Value &value) const { return owners.count(value.index); }
  /// Ends that; `isWritten`: the register has a value in the lanes of `mask`.
  void release(const Value &value, uint32_t mask, bool isWritten);

  /// Bytes of memory, checked; null after a fault. `address` is in `space`. A
  /// write marks the bytes as initialised.
  uint8_t *access(unsigned lane, Space space, uint64_t address, unsigned size,
                  unsigned alignment, Access access) {
    Region *region = findRegion(lane, space, address);
    if (LLVM_LIKELY(region && region->contains(address, size) &&
                    address % alignment == 0 &&
                    areStatesFine(region->stateAt(address), size, access) &&
                    (!isWrite(access) ||
                     (space < Space::Param || space > Space::Const) &&
                         !region->isBeingRead(address, size)))) {
      if (isWrite(access))
        region->setState(address, size, ByteState::Initialized);
      if (LLVM_UNLIKELY(race != nullptr) && isVisibleToOthers(space))
        race->access(*this, lane, *region, address, size, access);
      return region->at(address);
    }
    if (access == Access::Read && !cluster.getChecks().uninitialized)
      return this->access(lane, space, address, size, alignment,
                          Access::ReadAny);
    faultAccess(lane, region, space, address, size, alignment, access);
    return nullptr;
  }
  /// Notes an access to the shared memory of block `rank` of the cluster; true
  /// after a fault because it may not exist.
  bool visit(unsigned lane, unsigned rank);
  /// The space of a generic address, which is made relative to it.
  static void resolveGeneric(Space &space, uint64_t &address);
  /// The region of an address, which is made relative to its space, and the
  /// space if it was generic; may be null.
  Region *findRegion(unsigned lane, Space &space, uint64_t &address);

  /// Records an error of the current instruction; the first one counts.
  void fault(unsigned lane, const llvm::Twine &message);
  bool hasFault() const { return cluster.hasFault(); }
  void faultUninitialized(const Value &value);

  //===--------------------------------------------------------------------===//
  // Waiting. An instruction that cannot complete calls `block` and returns; it
  // is executed again later.
  //===--------------------------------------------------------------------===//

  void block(Wait wait);
  /// Lets others run first: for an instruction that is used to spin, and what
  /// it spins for.
  void yield(Wait reason = {}) {
    wait = reason;
    isYielding = true;
  }
  /// Whether the current instruction was executed before and blocked.
  bool isRetry() const { return stack.back().isBlocked; }
  /// Kept between the executions of one blocked instruction.
  uint64_t &getToken() { return stack.back().token; }

  //===--------------------------------------------------------------------===//
  // Order of memory accesses
  //===--------------------------------------------------------------------===//

  /// What this warp has done and knows becomes known through `object`.
  void releaseTo(Knowledge &object);
  /// What `object` passes on becomes known here.
  void acquireFrom(const Knowledge &object);
  /// fence.proxy.async for shared memory, for global memory.
  void publish(bool isShared, bool isGlobal);
  /// A fence of the generic proxy: what strong reads have seen becomes known,
  /// and strong writes from now on pass on what is known.
  void fence();
  /// bar.warp.sync.
  void synchronizeLanes(uint32_t mask);

  /// Carries out the copies of the active lanes but those of their newest
  /// `pending` groups.
  void completeCopies(uint32_t pending);
  /// Carries out those of `chosen` that have not been.
  void completeCopies(llvm::ArrayRef<PendingCopy> chosen);

  void exit(uint32_t mask);
  void branch(uint32_t target, uint32_t taken);
  /// Lanes go to targets of their own: those of targets[i] to masks[i].
  void branch(llvm::ArrayRef<uint32_t> targets, llvm::ArrayRef<uint32_t> masks);
  /// The lanes return from their function, or exit if they are in none.
  void leaveCall(uint32_t mask);
  /// Registers count as never written in the active lanes.
  void forget(uint32_t first, uint32_t count);
  /// Where the warp is and why, for deadlocks.
  std::string describeWait() const;
  Origin getOrigin(unsigned lane) const;

  Block &parent;
  Cluster &cluster;
  Machine &machine;
  unsigned number;
  /// Its number among the agents of the cluster.
  unsigned agent;
  uint32_t active = 0;
  /// Lanes that have not exited.
  uint32_t live;
  std::vector<StackEntry> stack;
  std::vector<Activation> calls;
  /// In local memory: of the function that runs, and the end of what is used.
  uint64_t frameBase[warpSize] = {}, stackTop[warpSize];
  const Decoded *current = nullptr;
  std::deque<PendingCopy> copies;
  uint64_t numCopies = 0;
  uint32_t groups[warpSize] = {};
  /// Bulk stores and the number of their group (cp.async.bulk.commit_group).
  std::deque<PendingStore> stores;
  uint32_t storeGroups[warpSize] = {};
  /// Lanes that have arrived at the cluster's barrier and not yet waited, the
  /// generation in which each did, and how many a wait has seen complete.
  uint32_t clusterArrived = 0;
  uint64_t clusterArrivals[warpSize] = {};
  uint64_t clusterSeen = 0;
  /// Registers of a thread and how often setmaxnreg has changed them; 0: the
  /// kernel does not say.
  unsigned registerCount = 0, registerChanges = 0;
  /// For registers of A and D of wgmma: the line that has accessed each since
  /// wgmma.fence, or 0; `unwatched` for others. Empty before the first fence.
  static constexpr uint32_t unwatched = ~0u;
  std::vector<uint32_t> touches;
  Knowledge knowledge;
  /// Uses of tensor memory that are over, through
  /// tcgen05.fence::after_thread_sync.
  Clock tensorOrder;
  LaneOrder laneOrder;
  /// What strong reads have seen since the last fence; what was known at it.
  Knowledge observed, fenced;
  bool hasFenced = false;
  /// The cluster's; null if nothing is checked.
  Race *race = nullptr;

private:
  void finishCall();
  void checkOwner(const Value &value);
  bool perform(const PendingCopy &copy, bool hasWaited);
  void faultAccess(unsigned lane, Region *region, Space space, uint64_t address,
                   unsigned size, unsigned alignment, Access access);
  bool rotate();
  void noteTouches();

  /// Values of one register lie side by side, a lane each; a predicate is a
  /// mask in the first.
  LazyArray<uint64_t> registers;
  std::vector<uint32_t> initialized;
  /// Registers that belong to asynchronous operations, and to how many.
  struct Owner {
    const char *what;
    unsigned count;
    uint32_t initialized;
  };
  std::map<uint32_t, Owner> owners;
  /// Of registers that are not initialised, the bits that have a value.
  std::map<uint32_t, std::array<uint64_t, warpSize>> partly;
  /// Of registers that have been computed from others without a value: which,
  /// and by what.
  struct Spread {
    uint32_t from;
    const Instruction *by;
  };
  std::map<uint32_t, Spread> spread;
  std::vector<std::unique_ptr<Region>> local;
  Region *lastGlobal = nullptr;
  Wait wait;
  bool isBlocking = false, isYielding = false;
};

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_WARP_H
