// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "WarpSpecializedPlan.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mx;
using namespace mx::kernels;

WarpSpecializedPlan::WarpSpecializedPlan(const GemmConfig &config)
    : config(config), atom(getCapability(config.atom)),
      operands{OperandPlan(config, 0), OperandPlan(config, 1)} {
  // Elements first: their tiles are multiples of the swizzle's alignment.
  int64_t bytes = 0;
  for (OperandPlan &operand : operands) {
    operand.elementsOffset = bytes;
    bytes += operand.rows * operand.rowBytes;
  }
  for (OperandPlan &operand : operands)
    if (operand.hasStagedScales()) {
      operand.scalesOffset = bytes;
      // A thread loads up to four scales at once.
      int64_t count = operand.blockRows == 1 ? operand.rows : 1;
      bytes += llvm::alignTo(count * operand.scaleBytes, 16);
    }
  pipeline = PipelineLayout(config.stages, bytes, tensorTileAlignment);
  sharedBytes = pipeline.getBytes();
}

TensorMapConfig kernels::getTensorMap(const GemmConfig &config, int operand) {
  OperandPlan plan(config, operand);
  // CUtensorMapDataType and CUtensorMapSwizzle of CUDA's driver.
  constexpr int32_t uint8 = 0, float16 = 6, bfloat16 = 9, swizzle128B = 3;
  int32_t type = plan.bits == 8              ? uint8
                 : plan.config.type.isBF16() ? bfloat16
                                             : float16;
  return {type, plan.bits / 8, config.tileK, plan.rows, swizzle128B};
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

static LogicalResult
verifyElements(const WarpSpecializedPlan &plan, int index,
               function_ref<InFlightDiagnostic()> emitError) {
  const OperandConfig &operand = plan.operands[index].config;
  StringRef name = index == 0 ? "lhs" : "rhs";
  std::optional<OperandType> type;
  if (operand.format)
    type = getOperandType(operand.format->element);
  else if (operand.type.isBF16())
    type = OperandType::BF16;
  else if (operand.type.isF16())
    type = OperandType::F16;
  if (!type || !plan.atom.takes(*type, *type) ||
      (operand.format && operand.format->zeroPoint))
    return emitError() << plan.atom.name << " does not take the elements of "
                       << name;
  constexpr int64_t unit = 16;
  int64_t pitch = plan.config.k * plan.operands[index].bits / 8;
  if (pitch % unit != 0)
    return emitError() << "tensor copies need rows of a multiple of " << unit
                       << " bytes, got " << pitch << " in " << name;
  return success();
}

static LogicalResult
verifyScales(const WarpSpecializedPlan &plan, int index,
             function_ref<InFlightDiagnostic()> emitError) {
  const OperandPlan &operand = plan.operands[index];
  if (!operand.hasStagedScales())
    return success();
  StringRef name = index == 0 ? "lhs" : "rhs";
  // One scale a row and tile of the lhs, one a tile of the rhs.
  bool fits = index == 0 ? operand.blockRows == 1
                         : operand.blockRows % plan.config.tileN == 0;
  if (operand.blockCols != plan.config.tileK || !fits ||
      operand.config.format->scale != ScaleType::F32)
    return emitError() << "scales of " << operand.config.format->str()
                       << " are not those of one row, or of one tile of "
                       << plan.config.tileN << "x" << plan.config.tileK
                       << ", in f32, as " << name << " needs";
  return success();
}

LogicalResult kernels::verifyWarpSpecializedGemm(
    const GemmConfig &config, function_ref<InFlightDiagnostic()> emitError) {
  if (ShapedType::isDynamic(config.k) || config.k == 0)
    return emitError() << "tensor copies need an extent of K that is known and "
                          "not zero";
  constexpr int64_t warps = 8;
  if (config.tileM % (2 * wgmmaM) != 0 || config.warpsM != warps ||
      config.warpsN != 1)
    return emitError() << "a tile of two warpgroups (8x1 warps) has a multiple "
                          "of 128 rows, got "
                       << config.tileM << " and " << config.warpsM << "x"
                       << config.warpsN << " warps";
  constexpr int64_t minN = 16, maxBox = 256;
  if (config.tileN % minN != 0 || config.tileN > maxBox ||
      config.tileM > maxBox)
    return emitError()
           << "a tile has 16 to 256 columns, in steps of 16, and at "
              "most 256 rows, got "
           << config.tileM << "x" << config.tileN;
  if (config.stages < 1)
    return emitError() << "at least one stage is needed, got " << config.stages;
  WarpSpecializedPlan plan(config);
  for (int i = 0; i < 2; ++i)
    if (failed(verifyElements(plan, i, emitError)) ||
        failed(verifyScales(plan, i, emitError)))
      return failure();
  if (plan.operands[0].rowBytes != tensorRowBytes)
    return emitError() << "a K tile has rows of " << tensorRowBytes
                       << " bytes, got " << plan.operands[0].rowBytes;
  if (config.promoteEvery != 0 && config.promoteEvery < config.tileK)
    return emitError() << "sums are promoted every " << config.tileK
                       << " elements of K, not every " << config.promoteEvery;
  // Of the 232 registers of a thread, for sums.
  constexpr int64_t registers = 192;
  int64_t sums =
      (plan.getTilesOfGroup() + plan.promotes()) * plan.getRegistersOfTile();
  if (sums > registers)
    return emitError() << "a tile of " << config.tileM << "x" << config.tileN
                       << " needs " << sums << " registers for sums, and "
                       << registers << " are there";
  return success();
}
