// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The frame of gemms whose operands are brought to shared memory by one warp
// with tensor copies, and multiplied by other warps: persistent blocks, a
// pipeline of K tiles between the two roles. The atom is wgmma; others will
// have consumers of their own, with the same producer, pipeline and scheduler.

#ifndef MX_LIB_KERNELS_WARPSPECIALIZEDGEMM_H
#define MX_LIB_KERNELS_WARPSPECIALIZEDGEMM_H

#include "GemmArguments.h"
#include "WarpSpecializedPlan.h"
#include "Wgmma.h"

namespace mx::kernels {

/// The body of the kernel, at the emitter's place.
void buildWarpSpecializedGemm(Emitter &e, const GemmConfig &config,
                              const GemmArguments &arguments);

/// The warp that fills stages.
class GemmProducer {
public:
  GemmProducer(Emitter &emitter, const WarpSpecializedPlan &plan,
               const GemmArguments &arguments, Pipeline &pipeline, I32 lane);

  /// Arrivals that make a stage full.
  static int64_t getArrivals(const WarpSpecializedPlan &plan);

  void build();

private:
  /// Fills a stage with K tile `tileK`.
  void fill(Pipeline::Position position, I32 tileK);
  /// Passes a stage on as it is.
  void skip(Pipeline::Position position);
  void copyScales(I32 stage, I32 tileK);
  void copyScale(int operand, I32 slot, I32 stage, I32 row, I32 tileK);

  Emitter &e;
  const WarpSpecializedPlan &plan;
  const GemmArguments &arguments;
  Pipeline &pipeline;
  I32 lane;
  mlir::Value elected;
  TileScheduler::Tile tile;
  /// Of the scales, at the tile's batch.
  std::optional<GemmArguments> ofBatch;
};

/// The two warpgroups that multiply. Stages are used in order from the first
/// on for each tile, so that all places in the ring are constants: stages are
/// named by number.
class WgmmaConsumer {
public:
  WgmmaConsumer(Emitter &emitter, const WarpSpecializedPlan &plan,
                const GemmArguments &arguments, Pipeline &pipeline, I32 thread);

  /// Arrivals that make a stage empty: one of each warp.
  static constexpr int64_t arrivals = 8;

  void build();

private:
  using Registers = Wgmma::Registers;

  /// All sums of a tile of the result. `phase`: that of the first stage; after
  /// it, that of the next tile's. `epilogueThread`: see Wgmma::finish.
  Registers multiplyTile(I32 &phase, I32 &epilogueThread);
  /// Adds the K tiles in the first `count` stages to the sums.
  /// `isPreviousUsed`: whether the stage before the first is still to be
  /// released; null: it is not.
  void multiplyStages(int64_t count, I32 phase, Registers &sums,
                      mlir::Value isPreviousUsed);
  /// One of them: the tensor core's sums are scaled and added, ...
  void multiplyPromoted(int64_t index, Registers &sums);
  /// ... or the tensor core adds; the stage is in use until a wait.
  void multiplyInPlace(int64_t index, Registers &sums);
  /// Starts the products of the m64 tile `tile` of this warpgroup.
  Registers multiply(int64_t index, int64_t tile, const Registers &sums,
                     bool accumulate);
  /// What the sums of this thread's rows, two in each m64 tile, are scaled
  /// with; null: nothing.
  llvm::SmallVector<mlir::Value> loadScales(int64_t index);
  /// One lane of each warp says that a stage is free. `when`: only then.
  Wgmma::Release getRelease(int64_t index, mlir::Value when = {});
  void storeTile(const TileScheduler::Tile &tile, const Registers &sums,
                 I32 thread);

  Emitter &e;
  const WarpSpecializedPlan &plan;
  const GemmConfig &config;
  const GemmArguments &arguments;
  Pipeline &pipeline;
  Wgmma atom;
  /// The warpgroup, and the thread in it.
  I32 group, thread;
  /// True in one lane of each warp.
  mlir::Value isLeader;
  /// This thread's scales, up to constants.
  mlir::Value scales;
  /// Of the pipeline.
  I32 base = 0;
  mlir::Value descriptorA, descriptorB;
  /// Registers that the tensor core last wrote partial sums to.
  Registers partial;
};

} // namespace mx::kernels

#endif // MX_LIB_KERNELS_WARPSPECIALIZEDGEMM_H
