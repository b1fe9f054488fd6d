// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of one gemm kernel on mma.sync. Gemm.cpp has the frame (pipeline of
// K tiles), GemmDecode.cpp the way from codes to bf16, GemmMultiply.cpp the
// atoms.

#ifndef MX_LIB_KERNELS_GEMMBUILDER_H
#define MX_LIB_KERNELS_GEMMBUILDER_H

#include "GemmArguments.h"
#include "GemmPlan.h"
#include "TileCopy.h"

namespace mx::kernels {

class GemmBuilder {
public:
  GemmBuilder(Emitter &emitter, const GemmPlan &plan,
              const GemmArguments &arguments);

  void build();

private:
  //===--- Global to shared memory (Gemm.cpp) -----------------------------===//

  void prepareCopies();
  void addCopy(int operand, GemmArgument::Role role);
  /// Starts the copies of K tile `tile` into the stage at `stage`.
  void copyTile(I32 tile, I32 stage);

  //===--- Codes to bf16 (GemmDecode.cpp) ---------------------------------===//

  /// Fills the tables that decoding needs; a barrier must follow.
  void prepareTables();
  void decodeTiles(mlir::Value stage);
  /// Decodes 16 elements of a row, the `group`-th of the K tile.
  void decodeGroup(const OperandPlan &operand, mlir::Value stage, I32 row,
                   I32 group);
  /// The elements as bf16 vectors, scaled.
  llvm::SmallVector<mlir::Value>
  loadCodes(const OperandPlan &operand, mlir::Value stage, I32 row, I32 group);
  /// The elements as f32 vectors, not scaled.
  llvm::SmallVector<mlir::Value>
  loadFloats(const OperandPlan &operand, mlir::Value stage, I32 row, I32 group);
  void storeDecoded(const OperandPlan &operand, int64_t plane, I32 row,
                    I32 group, mlir::ValueRange values);

  //===--- Products (GemmMultiply.cpp) ------------------------------------===//

  using Accumulators = llvm::SmallVector<mlir::Value>;
  void prepareFragments();
  /// Adds the products of the K tile in the stage at `stage`.
  void multiplyTile(mlir::Value stage, Accumulators &sums);
  void multiplyStep(mlir::Value stage, int64_t step, Accumulators &sums);
  /// One instruction: step `step` of m16 tile i and n8 tile j.
  mlir::Value multiply(mlir::ValueRange a, mlir::ValueRange b, mlir::Value sum,
                       int64_t i, int64_t j, int64_t step);
  llvm::SmallVector<mlir::Value> loadFragments(int operand, int64_t plane,
                                               mlir::Value stage, int64_t step);
  void loadScaleWords(mlir::Value stage);
  /// Block scales of one chunk of K, for each accumulator row or column.
  llvm::SmallVector<mlir::Value> loadChunkScales(int operand, mlir::Value stage,
                                                 int64_t chunk);
  void addScaled(mlir::Value stage, int64_t chunk, const Accumulators &partial,
                 Accumulators &sums);
  /// The accumulator of m16 tile i and n8 tile j.
  int64_t getIndex(int64_t i, int64_t j) const {
    return i * 2 * plan.warps.getNumN() + j;
  }
  int64_t getNumAccumulators() const {
    return 2 * plan.warps.getNumM() * plan.warps.getNumN();
  }

  void storeResult(const Accumulators &sums);

  Emitter &e;
  const GemmPlan &plan;
  const GemmConfig &config;
  /// Of this block's batch.
  GemmArguments arguments;
  mlir::Value shared;

  I32 m = 0, n = 0, k = 0;
  /// First row and column of this block's tile.
  I32 blockM = 0, blockN = 0;
  I32 lane = 0;
  /// First row and column of this warp's part, within the block's tile.
  I32 warpM = 0, warpN = 0;

  /// Copies into a stage, with the place there and the distance in bytes of
  /// two K tiles' starts: `bytesPerTile` once every `tilesPerStep` tiles.
  struct StageCopy {
    TileCopy copy;
    int64_t offset, bytesPerTile, tilesPerStep;
  };
  llvm::SmallVector<StageCopy> copies;

  /// Byte offset of this lane's ldmatrix row in each operand's tile, by step.
  llvm::SmallVector<I32> fragmentOffsets[2];
  /// Scale words of the current K tile, for m16 tiles and for n8 tiles.
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> scaleWords[2];
};

} // namespace mx::kernels

#endif // MX_LIB_KERNELS_GEMMBUILDER_H
