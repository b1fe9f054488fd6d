// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What follows from the configuration of a warp-specialised gemm before any
// code is written: the stages of its pipeline, and reasons against it.

#ifndef MX_LIB_KERNELS_WARPSPECIALIZEDPLAN_H
#define MX_LIB_KERNELS_WARPSPECIALIZEDPLAN_H

#include "GemmPlan.h"
#include "Pipeline.h"

namespace mx::kernels {

struct WarpSpecializedPlan {
  explicit WarpSpecializedPlan(const GemmConfig &config);

  const GemmConfig &config;
  const Capability &atom;
  OperandPlan operands[2];
  PipelineLayout pipeline;
  int64_t sharedBytes;

  /// True if sums leave the tensor core after each tile of K, scaled.
  bool promotes() const { return hasBlockScales() || config.promoteEvery != 0; }
  bool hasBlockScales() const {
    return operands[0].hasStagedScales() || operands[1].hasStagedScales();
  }
  int64_t getNumTilesK() const {
    return llvm::divideCeil(config.k, config.tileK);
  }
  /// m64 tiles of a warpgroup.
  int64_t getTilesOfGroup() const { return config.tileM / (2 * 64); }
  /// Registers of a thread for one m64 tile.
  int64_t getRegistersOfTile() const { return config.tileN / 2; }
};

mlir::LogicalResult verifyWarpSpecializedGemm(
    const GemmConfig &config,
    llvm::function_ref<mlir::InFlightDiagnostic()> emitError);

} // namespace mx::kernels

#endif // MX_LIB_KERNELS_WARPSPECIALIZEDPLAN_H
