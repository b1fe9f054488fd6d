// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The wgmma atom: a warpgroup multiplies m64 tiles of two operands in shared
// memory (PTX ISA 9.7.15).

#ifndef MX_LIB_KERNELS_WGMMA_H
#define MX_LIB_KERNELS_WGMMA_H

#include "Emitter.h"
#include "mx/Kernels/Gemm.h"

namespace mx::kernels {

class Wgmma {
public:
  /// One f32 for each accumulator register of a thread.
  using Registers = llvm::SmallVector<mlir::Value>;

  Wgmma(Emitter &emitter, const GemmConfig &config);

  /// Registers of undefined contents, for `multiply` without `accumulate`.
  Registers getUndefined();

  /// Descriptor of the operand tile at `address`; a tile elsewhere is reached
  /// by offsets, so that the loop has one base and constants.
  mlir::Value getDescriptor(I32 address);

  /// Starts the products of a K tile at byte offsets `offsetA` and `offsetB`
  /// from the descriptors. `accumulate`: they are added to `sums`; else `sums`
  /// only says which registers to take: give the same ones to all m64 tiles, so
  /// that ptxas does not overlap them and spill.
  Registers multiply(const Registers &sums, bool accumulate, mlir::Value a,
                     int64_t offsetA, mlir::Value b, int64_t offsetB);

  /// The mbarrier that says that a stage is empty, and what has to hold for
  /// this thread to arrive there.
  struct Release {
    /// Base address of the pipeline; the rest is a constant.
    I32 base;
    int64_t offset;
    mlir::Value condition;
  };
  /// Waits until at most `pending` calls of `multiply` are under way, so that
  /// those before no longer read their stage.
  Registers wait(const Registers &sums, int64_t pending,
                 std::optional<Release> released = std::nullopt);
  /// Waits for all of a tile's sums. `thread` comes back as a value of its own,
  /// so that nothing that the epilogue makes of it is kept during the loop.
  Registers finish(const Registers &sums, I32 &thread,
                   std::optional<Release> released);
  /// Arrives. Part of the atom (as the commit is that of tcgen05) because a
  /// branch around it would let LLVM move the uses of sums behind it, past the
  /// next products.
  void release(const Release &released);

private:
  /// Inline PTX that changes `registers`, f32 or i32, in place.
  Registers emitAssembly(const std::string &text, const Registers &registers,
                         mlir::ValueRange others);
  /// The arrival, whose operands are the `first`-th and the next one.
  static std::string getArrival(const Release &released, size_t first);

  Emitter &e;
  const GemmConfig &config;
};

} // namespace mx::kernels

#endif // MX_LIB_KERNELS_WGMMA_H
