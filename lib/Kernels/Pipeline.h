// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What warp-specialised kernels are made of beside their atom: a ring of stages
// in shared memory between those who fill and those who use them, and the
// order in which persistent blocks take tiles.

#ifndef MX_LIB_KERNELS_PIPELINE_H
#define MX_LIB_KERNELS_PIPELINE_H

#include "GemmArguments.h"

#include "llvm/Support/MathExtras.h"

namespace mx::kernels {

/// Each stage ends with two mbarriers: it is full, it is empty. All of it is
/// one base and constants.
struct PipelineLayout {
  PipelineLayout() = default;
  PipelineLayout(int64_t stages, int64_t payloadBytes, int64_t alignment)
      : stages(stages), fullOffset(llvm::alignTo(payloadBytes, barrierBytes)),
        stageBytes(llvm::alignTo(fullOffset + 2 * barrierBytes, alignment)) {}

  int64_t getEmptyOffset() const { return fullOffset + barrierBytes; }
  int64_t getBytes() const { return stages * stageBytes; }

  static constexpr int64_t barrierBytes = 8;
  int64_t stages = 0, fullOffset = 0, stageBytes = 0;
};

/// The code of a pipeline. A stage is given by its byte offset. The n-th use of
/// a stage (from 0) is of phase n % 2.
class Pipeline {
public:
  Pipeline(Emitter &emitter, const PipelineLayout &layout, mlir::Value shared)
      : e(emitter), layout(layout), shared(shared) {}

  const PipelineLayout &getLayout() const { return layout; }
  /// The address of `offset` in a stage.
  mlir::Value getPointer(I32 stage, I32 offset) {
    return e.advance(shared, stage + offset);
  }
  mlir::Value getFullBarrier(I32 stage) {
    return getPointer(stage, layout.fullOffset);
  }

  /// Called by one thread, before a barrier of all. The arrivals that make a
  /// stage full and empty.
  void initialize(int64_t fullArrivals, int64_t emptyArrivals);

  /// Filling: waits until the stage's last use is over.
  void waitEmpty(I32 stage, I32 phase);
  /// Using: waits until it is filled. Atoms arrive on the empty barrier.
  void waitFull(I32 stage, I32 phase);

  struct Position {
    I32 stage = 0, phase = 0;
  };
  /// The stage behind this one.
  Position getNext(Position position);

private:
  Emitter &e;
  PipelineLayout layout;
  mlir::Value shared;
};

/// Gives this block every so many tiles of the result, M fastest, then N, then
/// batches.
class TileScheduler {
public:
  TileScheduler(Emitter &emitter, const GemmConfig &config,
                const GemmArguments &arguments);

  struct Tile {
    /// First row and column.
    I32 m = 0, n = 0;
    llvm::SmallVector<I32> batch;
  };
  llvm::SmallVector<mlir::Value> forEachTile(
      mlir::ValueRange carried,
      llvm::function_ref<llvm::SmallVector<mlir::Value>(const Tile &,
                                                        mlir::ValueRange)>
          body);

private:
  Emitter &e;
  const GemmConfig &config;
  const GemmArguments &arguments;
  I32 tilesM, tilesN;
};

} // namespace mx::kernels

#endif // MX_LIB_KERNELS_PIPELINE_H
