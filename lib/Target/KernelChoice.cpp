// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Target/KernelChoice.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Threading.h"

#include <limits>

using namespace mlir;
using namespace mx;
using kernels::GemmConfig;
using kernels::OperandConfig;

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

/// True if the row applies the scales of such a format itself; or if so many
/// elements share one (from DeepSeek's blocks of 128 on) that scaling their sum
/// costs little.
static bool takesScales(const Capability &row, const Format &format) {
  if (row.scaleBlock == 0)
    return !format.zeroPoint &&
           (format.blockCols == Format::Whole || format.blockCols % 128 == 0);
  ScaleType scale =
      row.scale == OperandType::UE8M0 ? ScaleType::E8M0 : ScaleType::E4M3;
  return format.scale == scale && format.blockCols == row.scaleBlock;
}

/// True if the row multiplies operands of these formats as they are.
static bool multiplies(const Capability &row, const Format &lhs,
                       const Format &rhs) {
  std::optional<OperandType> a = getOperandType(lhs.element);
  std::optional<OperandType> b = getOperandType(rhs.element);
  return row.isTensorCore() && a && b && row.takes(*a, *b) &&
         takesScales(row, lhs) && takesScales(row, rhs);
}

static std::string describe(const OperandConfig &operand) {
  if (operand.format)
    return operand.format->str();
  std::string text;
  llvm::raw_string_ostream(text) << operand.type;
  return text;
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

namespace {
/// What one block computes, and the warps that multiply. On mma.sync four or
/// eight, each with 16 rows of both operands at least and 64 x 32 results at
/// most.
struct Tile {
  int64_t m, n, warpsM, warpsN;
};
} // namespace

/// Larger ones first: of equal cost the first is taken.
static constexpr Tile tiles[] = {
    {128, 128, 2, 4}, {128, 64, 4, 2}, {64, 128, 2, 4},
    {64, 64, 2, 2},   {128, 32, 4, 1}, {32, 128, 1, 4},
    {64, 32, 4, 1},   {32, 64, 1, 4},  {32, 32, 2, 2}};
/// Two warpgroups, one below the other.
static constexpr Tile wgmmaTiles[] = {
    {128, 256, 8, 1}, {256, 128, 8, 1}, {128, 192, 8, 1}, {128, 128, 8, 1},
    {128, 64, 8, 1},  {128, 32, 8, 1},  {128, 16, 8, 1}};

static ArrayRef<Tile> getTiles(const GemmConfig &config) {
  return config.isWarpSpecialized() ? ArrayRef(wgmmaTiles) : ArrayRef(tiles);
}

static void setTile(GemmConfig &config, const Tile &tile, int64_t stages) {
  config.tileM = tile.m;
  config.tileN = tile.n;
  // 128 bytes of what the atom takes; or whole words of block scales.
  const Capability &row = getCapability(config.atom);
  config.tileK = row.scaleBlock != 0 || row.k == 32 ? 128 : 64;
  config.warpsM = tile.warpsM;
  config.warpsN = tile.warpsN;
  config.stages = stages;
}

/// Cycles of a block for one element of K, roughly, and for its start and end.
/// An SM multiplies 1024 pairs of 16-bit values a cycle (as an A100 does),
/// twice as many at half the width, and loads 64 bytes a cycle from the L2
/// cache. wgmma is twice as fast. Decoding a value to bf16 takes about four
/// instructions, and an SM issues 128 lanes' a cycle.
static double getCycles(const GemmConfig &config, double k) {
  constexpr double loadBytes = 64, decodes = 128.0 / 4;
  constexpr double startAndEnd = 2000;
  double multiplies16 = config.isWarpSpecialized() ? 2048 : 1024;
  bool isScaled =
      getCapability(config.atom).scaleBlock != 0 || config.isWarpSpecialized();
  const OperandConfig operands[] = {config.lhs, config.rhs};
  double rows[] = {double(config.tileM), double(config.tileN)};
  double bytes = 0, decoded = 0, width = 0;
  for (auto [operand, extent] : llvm::zip_equal(operands, rows)) {
    double bits = operand.format ? getBitWidth(operand.format->element)
                                 : operand.type.getIntOrFloatBitWidth();
    bytes += extent * bits / 8;
    bool isDecoded = !isScaled && (operand.format || !operand.type.isBF16());
    decoded += isDecoded ? extent : 0;
    width = std::max(width, isScaled ? bits : 16);
  }
  double multiply = rows[0] * rows[1] / (multiplies16 * 16 / width);
  return startAndEnd +
         k * (std::max(multiply, bytes / loadBytes) + decoded / decodes);
}

/// Waves of blocks over the chip times the cycles of a block.
static double getCost(const Chip &chip, const GemmShape &shape,
                      const GemmConfig &config) {
  // An extent that is not known is that of a prompt.
  auto known = [](int64_t extent) {
    return ShapedType::isDynamic(extent) ? 4096 : std::max<int64_t>(extent, 1);
  };
  int64_t batch = ShapedType::isDynamic(shape.batch) ? 1 : shape.batch;
  int64_t blocks = llvm::divideCeil(known(shape.m), config.tileM) *
                   llvm::divideCeil(known(shape.n), config.tileN) * batch;
  return llvm::divideCeil(blocks, int64_t(chip.sms)) *
         getCycles(config, known(shape.k));
}

/// True if there is a kernel; else `reason` says why not. Diagnostics of this
/// thread only are taken.
static bool isBuilt(const GemmConfig &config, std::string &reason) {
  MLIRContext *context = config.result.getContext();
  uint64_t thread = llvm::get_threadid();
  ScopedDiagnosticHandler take(context, [&](Diagnostic &diagnostic) {
    if (llvm::get_threadid() != thread)
      return failure();
    reason = diagnostic.str();
    return success();
  });
  return succeeded(kernels::verifyGemm(
      config, [&] { return emitError(UnknownLoc::get(context)); }));
}

/// The largest number of stages that fits into shared memory; 0: none.
static int64_t getStages(const Chip &chip, GemmConfig config) {
  int64_t most = 4, least = 2;
  if (config.isWarpSpecialized()) {
    // The ring is unrolled, and no stage stays empty.
    most = std::min<int64_t>(6, llvm::divideCeil(config.k, config.tileK));
    least = 1;
  }
  for (config.stages = most; config.stages >= least; --config.stages)
    if (kernels::getGemmSharedBytes(config) <= chip.sharedKiB * 1024)
      return config.stages;
  return 0;
}

/// Sets the tile of `config` to the cheapest that exists and fits; false if
/// none does, with the reason against the last one.
static bool chooseTile(const Chip &chip, const GemmShape &shape,
                       GemmConfig &config, std::string &reason) {
  double least = std::numeric_limits<double>::infinity();
  constexpr int64_t maxTensorRank = 5;
  if (config.isWarpSpecialized() && shape.rank > maxTensorRank) {
    reason = "tensor copies have at most 5 dimensions, got " +
             std::to_string(shape.rank);
    return false;
  }
  GemmConfig best = config;
  for (const Tile &tile : getTiles(config)) {
    GemmConfig candidate = config;
    setTile(candidate, tile, /*stages=*/2);
    if (!isBuilt(candidate, reason))
      continue;
    candidate.stages = getStages(chip, candidate);
    if (candidate.stages == 0)
      continue;
    double cost = getCost(chip, shape, candidate);
    if (cost < least) {
      least = cost;
      best = candidate;
    }
  }
  config = best;
  return least < std::numeric_limits<double>::infinity();
}

//===----------------------------------------------------------------------===//
// Choices
//===----------------------------------------------------------------------===//

/// Two high-precision operands: wgmma where it is, else what mma.sync does.
static Choice chooseForFloats(const Chip &chip, const GemmShape &shape,
                              GemmConfig &config) {
  Choice choice;
  Type type = config.lhs.type;
  if (type != config.rhs.type || !(type.isBF16() || type.isF16()))
    return choice;
  config.atom =
      type.isBF16() ? Instruction::wgmma_bf16 : Instruction::wgmma_f16;
  std::string reason;
  if (!chip.has(config.atom) || chooseTile(chip, shape, config, reason))
    return choice;
  choice.note =
      ("not on " + stringify(config.atom) + " (" + reason + ")").str();
  return choice;
}

FailureOr<Choice> mx::chooseGemm(const Chip &chip, const GemmShape &shape,
                                 GemmConfig &config,
                                 function_ref<InFlightDiagnostic()> emitError) {
  Choice choice;
  std::string product = describe(config.lhs) + " x " + describe(config.rhs);
  config.atom = Instruction::mma_bf16;
  if (config.lhs.format && config.rhs.format) {
    uint16_t chips = 0;
    std::string unbuilt;
    for (auto [i, row] : llvm::enumerate(getCapabilities())) {
      if (!multiplies(row, *config.lhs.format, *config.rhs.format))
        continue;
      chips |= row.chips & ~row.emulated;
      if (!row.isOn(chip) || row.isEmulatedOn(chip))
        continue;
      config.atom = static_cast<Instruction>(i);
      std::string reason;
      if (chooseTile(chip, shape, config, reason))
        return choice;
      unbuilt += (unbuilt.empty() ? "" : ", ") + row.name.str();
      if (config.isWarpSpecialized())
        unbuilt += " (" + reason + ")";
    }
    choice.isFallback = true;
    if (!unbuilt.empty())
      choice.note = "no kernel for " + product + " is built on " + unbuilt;
    else if (chips)
      choice.note =
          chip.name.str() + " has no tensor core instruction for " + product +
          " (on " +
          getChipNames([&](const Chip &c) { return chips >> c.index & 1; }) +
          ")";
    else
      choice.note = "no chip has a tensor core instruction for " + product;
  } else if (config.lhs.format || config.rhs.format) {
    // What the scheme asks for: no tensor core takes operands of such unequal
    // widths.
    choice.note = "no tensor core multiplies " + product;
  } else {
    choice = chooseForFloats(chip, shape, config);
    if (choice.note.empty() && chip.has(config.atom) &&
        config.isWarpSpecialized())
      return choice;
  }

  config.atom = Instruction::mma_bf16;
  if (std::string reason; !chooseTile(chip, shape, config, reason)) {
    // Say what is wrong with the smallest tile.
    setTile(config, tiles[std::size(tiles) - 1], /*stages=*/2);
    if (succeeded(kernels::verifyGemm(config, emitError)))
      emitError() << "no tile of " << product << " fits into the "
                  << chip.sharedKiB << " KiB of shared memory of " << chip.name;
    return failure();
  }
  if (config.lhs.format || config.rhs.format) {
    if (!choice.note.empty())
      choice.note += "; dequantised to bf16 for mma_bf16";
  } else if (!choice.note.empty()) {
    choice.note += "; on mma_bf16";
  }
  return choice;
}

Choice mx::chooseQuantizeAtom(const Chip &chip, Element element,
                              Instruction &atom) {
  Choice choice;
  atom = Instruction::alu;
  std::optional<OperandType> type = getOperandType(element);
  // No chip has an instruction for integers and table look-ups.
  if (!type)
    return choice;
  StringRef name = stringify(*type);
  Instruction wanted = *symbolizeInstruction(("cvt_" + name + "x2_f32").str());
  if (chip.has(wanted)) {
    atom = wanted;
    return choice;
  }
  const Capability &row = getCapability(wanted);
  choice.isFallback = true;
  choice.note = (chip.name + " has no " + row.name + " (on " +
                 getChipNames([&](const Chip &c) { return row.isOn(c); }) +
                 "); quantised by integer code")
                    .str();
  return choice;
}
