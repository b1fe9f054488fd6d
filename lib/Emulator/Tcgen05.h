// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the instructions on tensor memory share (PTX ISA 9.7.16).

#ifndef MX_LIB_EMULATOR_TCGEN05_H
#define MX_LIB_EMULATOR_TCGEN05_H

#include "Descriptor.h"
#include "TensorMemory.h"
#include "Warp.h"

namespace mx::ptx {

/// An address of tensor memory: lane in the high 16 bits, column in the low.
struct TensorAddress {
  unsigned lane = 0, column = 0;
};
inline TensorAddress makeTensorAddress(uint64_t bits) {
  return {unsigned(bits >> 16 & 0xFFFF), unsigned(bits & 0xFFFF)};
}

/// The block's own, made when it is first asked for.
TensorMemory &getTensorMemory(Block &block);

/// Those that the instruction works on: its own, or with cta_group::2 the pair,
/// the even rank first. None after a fault.
using BlockGroup = llvm::SmallVector<Block *, 2>;
BlockGroup getBlockGroup(Warp &warp, const Decoded &decoded);

/// The only executing lane, for instructions that one thread issues; nothing
/// after a fault.
std::optional<unsigned> getIssuingLane(Warp &warp);

/// What the warp may rely on when it uses tensor memory: all that is known to
/// be over; in strict mode, of others only what came through tcgen05.fence.
Clock getTensorOrder(const Warp &warp);

/// An access to the tensor memory of one of the blocks.
struct BlockAccess {
  Block *block;
  TensorAccess access;
};
/// A range of columns that a thread's instruction uses.
BlockAccess makeAccess(Warp &warp, unsigned lane, Block &block,
                       const LaneMask &lanes, unsigned column, unsigned count,
                       TensorUse use);
/// Begins an asynchronous operation of the thread's pipeline, after those that
/// it has begun before; checks and notes what it uses of tensor memory.
void startTensorOperation(Warp &warp, unsigned lane, AsyncOperation operation,
                          llvm::ArrayRef<BlockAccess> accesses);

/// A fault if the block ends with tensor memory that was not freed.
void checkTensorMemoryIsFree(Block &block);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_TCGEN05_H
