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
/// What one block computes, and its warps: four or eight, each with 16 rows of
/// both operands at least and 64 x 32 results at most.
struct Tile {
  int64_t m, n, warpsM, warpsN;
};
} // namespace

/// Larger ones first: of equal cost the first is taken.
static constexpr Tile tiles[] = {
    {128, 128, 2, 4}, {128, 64, 4, 2}, {64, 128, 2, 4},
    {64, 64, 2, 2},   {128, 32, 4, 1}, {32, 128, 1, 4},
    {64, 32, 4, 1},   {32, 64, 1, 4},  {32, 32, 2, 2}};

static void setTile(GemmConfig &config, const Tile &tile, int64_t stages) {
  config.tileM = tile.m;
  config.tileN = tile.n;
  // 128 bytes of bf16 in shared memory; or whole words of block scales.
  config.tileK = getCapability(config.atom).scaleBlock != 0 ? 128 : 64;
  config.warpsM = tile.warpsM;
  config.warpsN = tile.warpsN;
  config.stages = stages;
}

/// Cycles of a block for one element of K, roughly, and for its start and end.
/// An SM multiplies 1024 pairs of 16-bit values a cycle (as an A100 does),
/// twice as many at half the width, and loads 64 bytes a cycle from the L2
/// cache. Decoding a value to bf16 takes about four instructions, and an SM
/// issues 128 lanes' a cycle.
static double getCycles(const GemmConfig &config, double k) {
  constexpr double multiplies16 = 1024, loadBytes = 64, decodes = 128.0 / 4;
  constexpr double startAndEnd = 2000;
  bool isScaled = getCapability(config.atom).scaleBlock != 0;
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

/// True if there is a kernel. The reason against it is dropped, and so are
/// diagnostics of this thread only.
static bool isBuilt(const GemmConfig &config) {
  MLIRContext *context = config.result.getContext();
  uint64_t thread = llvm::get_threadid();
  ScopedDiagnosticHandler drop(context, [&](Diagnostic &) {
    return success(llvm::get_threadid() == thread);
  });
  return succeeded(kernels::verifyGemm(
      config, [&] { return emitError(UnknownLoc::get(context)); }));
}

/// Sets the tile of `config` to the cheapest that exists and fits; false if
/// none does.
static bool chooseTile(const Chip &chip, const GemmShape &shape,
                       GemmConfig &config) {
  constexpr int64_t maxStages = 4, minStages = 2;
  double least = std::numeric_limits<double>::infinity();
  GemmConfig best = config;
  for (const Tile &tile : tiles) {
    GemmConfig candidate = config;
    setTile(candidate, tile, maxStages);
    if (!isBuilt(candidate))
      continue;
    while (candidate.stages > minStages &&
           kernels::getGemmSharedBytes(candidate) > chip.sharedKiB * 1024)
      --candidate.stages;
    if (kernels::getGemmSharedBytes(candidate) > chip.sharedKiB * 1024)
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

FailureOr<Choice> mx::chooseGemm(const Chip &chip, const GemmShape &shape,
                                 GemmConfig &config,
                                 function_ref<InFlightDiagnostic()> emitError) {
  Choice choice;
  std::string product = describe(config.lhs) + " x " + describe(config.rhs);
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
      if (chooseTile(chip, shape, config))
        return choice;
      unbuilt += (unbuilt.empty() ? "" : ", ") + row.name.str();
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
  }

  config.atom = Instruction::mma_bf16;
  if (!chooseTile(chip, shape, config)) {
    // Say what is wrong with the smallest tile.
    setTile(config, tiles[std::size(tiles) - 1], /*stages=*/2);
    if (succeeded(kernels::verifyGemm(config, emitError)))
      emitError() << "no tile of " << product << " fits into the "
                  << chip.sharedKiB << " KiB of shared memory of " << chip.name;
    return failure();
  }
  if (!choice.note.empty())
    choice.note += "; dequantised to bf16 for mma_bf16";
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
