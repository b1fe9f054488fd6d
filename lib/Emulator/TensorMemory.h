// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tensor memory of a block (PTX ISA 9.7.16.1): 128 lanes of 512 columns of
// 32 bits; what is allocated, what was written, and which tcgen05 instructions
// use it that may not be over.

#ifndef MX_LIB_EMULATOR_TENSORMEMORY_H
#define MX_LIB_EMULATOR_TENSORMEMORY_H

#include "Cluster.h"

namespace mx::ptx {

/// Some of the 128 lanes.
struct LaneMask {
  static constexpr unsigned numWords = 4;
  uint32_t words[numWords] = {};

  static LaneMask makeRange(unsigned first, unsigned count) {
    LaneMask mask;
    for (unsigned i = first; i < first + count; ++i)
      mask.words[i / 32] |= 1u << i % 32;
    return mask;
  }
  static LaneMask makeAll() { return makeRange(0, 32 * numWords); }
  bool overlaps(const LaneMask &other) const {
    uint32_t common = 0;
    for (unsigned i = 0; i < numWords; ++i)
      common |= words[i] & other.words[i];
    return common;
  }
  bool contains(const LaneMask &other) const {
    uint32_t missing = 0;
    for (unsigned i = 0; i < numWords; ++i)
      missing |= other.words[i] & ~words[i];
    return !missing;
  }
  void add(const LaneMask &other) {
    for (unsigned i = 0; i < numWords; ++i)
      words[i] |= other.words[i];
  }
  unsigned getFirst() const;
};

/// Lanes of the columns [begin, end).
struct TensorRange {
  LaneMask lanes;
  unsigned begin = 0, end = 0;

  bool overlaps(const TensorRange &other) const {
    return begin < other.end && other.begin < end &&
           lanes.overlaps(other.lanes);
  }
  bool contains(const TensorRange &other) const {
    return begin <= other.begin && other.end <= end &&
           lanes.contains(other.lanes);
  }
};

enum class TensorUse : uint8_t {
  Load,
  Store,
  Copy,
  Shift,
  /// A or scale factors of an mma.
  Operand,
  /// D of an mma.
  Result,
  Free
};

/// A use of tensor memory by an instruction.
struct TensorAccess {
  TensorRange range;
  TensorUse use = TensorUse::Load;
  /// Results: which accumulator, of which shape.
  uint64_t accumulator = 0;
  Origin origin;
  /// The thread whose pipeline it is in; 0: none.
  uint64_t thread = 0;
  /// Of its end; a load or store without tcgen05.wait has none.
  bool isPending = false;
  unsigned agent = 0;
  uint32_t epoch = 0;

  bool isWrite() const {
    return use != TensorUse::Load && use != TensorUse::Operand;
  }
};

class TensorMemory {
public:
  static constexpr unsigned numLanes = 128, numColumns = 512;

  TensorMemory() : cells(numLanes * numColumns) {}

  /// The cells of a column, by lane.
  uint32_t *getColumn(unsigned column) {
    return cells.get() + column * numLanes;
  }
  /// Halves of cells (1: low, 2: high) that have a value.
  void setWritten(const TensorRange &range, unsigned halves);
  /// Makes those undefined.
  void setUnwritten(const TensorRange &range, unsigned halves);
  /// The first cell of `range` that has not all of `halves`, in words; empty if
  /// there is none.
  std::string findUnwritten(const TensorRange &range, unsigned halves) const;

  //===--------------------------------------------------------------------===//
  // Allocation
  //===--------------------------------------------------------------------===//

  struct Allocation {
    unsigned begin, end;
    Origin origin;
    unsigned agent;
    uint32_t epoch;
  };
  /// A tcgen05.alloc or dealloc that a warp has executed. With cta_group::2
  /// both blocks of the pair have to, and get the same.
  struct Request {
    bool isFree = false, isDone = false;
    unsigned begin = 0, size = 0;
    Origin origin;
    unsigned agent = 0;
    Clock known;
  };

  bool isFree(unsigned begin, unsigned end) const;
  /// Why columns of `range` may not be used by someone who knows `known`;
  /// empty: they may.
  std::string checkAllocated(const TensorRange &range,
                             const Clock &known) const;
  void free(unsigned begin);

  std::vector<Allocation> allocations;
  std::vector<Request> requests;
  /// Columns of the last allocation, which later ones may not exceed.
  unsigned lastSize = numColumns;
  /// After tcgen05.relinquish_alloc_permit.
  bool hasRelinquished = false;
  /// The only cta_group that the kernel may use, and where it was first.
  unsigned ctaGroup = 0;
  unsigned ctaGroupLine = 0;

  //===--------------------------------------------------------------------===//
  // Order (PTX ISA 9.7.16.6)
  //===--------------------------------------------------------------------===//

  /// Which access before `access` is not known to be over to someone who knows
  /// `known`, in words; empty if there is none.
  std::string checkOrder(const TensorAccess &access, const Clock &known) const;
  /// Adds an access that was checked, in place of those that it follows.
  void note(const TensorAccess &access, const Clock &known);
  /// tcgen05.wait::ld or ::st of a warp, in its epoch `epoch`.
  void finish(TensorUse use, unsigned agent, uint32_t epoch);

  /// By thread: the queue of its mma, cp, shift and commit, and what those that
  /// it has begun pass on.
  struct Pipeline {
    uint64_t queue = 0;
    Knowledge begun;
  };
  std::map<uint64_t, Pipeline> pipelines;

private:
  LazyArray<uint32_t> cells;
  LaneMask written[2][numColumns];
  std::vector<TensorAccess> accesses;
};

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_TENSORMEMORY_H
