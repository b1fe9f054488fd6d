// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What bulk and tensor copies share: bytes that move between memory and an
// image of what is copied, signals, groups (PTX ISA 9.7.9.25.4, .5).

#ifndef MX_LIB_EMULATOR_BULK_H
#define MX_LIB_EMULATOR_BULK_H

#include "Warp.h"

namespace mx::ptx {

/// Consecutive bytes of memory, and where they lie in the image.
struct Run {
  Region *region = nullptr;
  uint64_t address = 0, size = 0, offset = 0;
};
using Runs = llvm::SmallVector<Run, 2>;

/// Combines an element in memory with one that comes.
struct Reduction {
  unsigned size = 0;
  void (*apply)(uint8_t *to, const uint8_t *from) = nullptr;
};
/// That of the instruction (.add, .min, .max, .inc, .dec, .and, .or, .xor) for
/// elements of `type`; nothing after a fault because there is none.
std::optional<Reduction> getReduction(Warp &warp, const Decoded &decoded,
                                      unsigned lane, Type type);

/// Consecutive bytes of one region, or a null region after a fault because they
/// do not all exist or are misaligned. Their states are not looked at.
Run makeRun(Warp &warp, unsigned lane, Space space, uint64_t address,
            uint64_t size, unsigned alignment, Access access);

/// Bytes that an mbarrier hears of.
struct Signal {
  uint64_t mbarrier = 0;
  uint32_t bytes = 0;
};

/// A copy that signals an mbarrier.
struct SignallingCopy {
  Runs from, to;
  llvm::SmallVector<Signal, 1> signals;
  bool isGeneric = false;
  /// The image before the source is copied into it.
  std::vector<uint8_t> image;
  /// Combines instead of writing.
  std::optional<Reduction> reduction;
};
void start(Warp &warp, SignallingCopy copy);

/// A copy that its thread waits for by its group, out of shared memory. The
/// bytes are read, and later written.
struct GroupedCopy {
  Runs from, to;
  uint64_t imageSize = 0;
  std::optional<Reduction> reduction;
};
void start(Warp &warp, unsigned lane, GroupedCopy copy);

/// The ranks that a multicast goes to; none after a fault.
llvm::SmallVector<unsigned, 4> getRanks(Warp &warp, unsigned lane,
                                        uint64_t mask);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_BULK_H
