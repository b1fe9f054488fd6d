// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GemmPlan.h"
#include "WarpSpecializedPlan.h"

#include "mx/IR/FormatTypes.h"
#include "mx/IR/MXGPU.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mx;
using namespace mx::kernels;

//===----------------------------------------------------------------------===//
// OperandPlan
//===----------------------------------------------------------------------===//

/// Significant bits of an element, the hidden one included.
static int64_t getSignificandBits(Element element) {
  switch (element) {
  case Element::E2M1:
    return 2;
  case Element::E3M2:
  case Element::E5M2:
    return 3;
  case Element::E2M3:
  case Element::E4M3:
    return 4;
  case Element::MXInt8:
  case Element::Int8:
    return 8;
  case Element::Int4:
    return 4;
  case Element::Ternary:
    return 1;
  case Element::NF4:
    return 24;
  }
  llvm_unreachable("unknown element");
}

static int64_t getScaleBytes(ScaleType scale) {
  switch (scale) {
  case ScaleType::E8M0:
  case ScaleType::E4M3:
    return 1;
  case ScaleType::F16:
  case ScaleType::BF16:
    return 2;
  case ScaleType::F32:
    return 4;
  }
  llvm_unreachable("unknown scale type");
}

static ScaleUse getScaleUse(const Format &format, bool atom) {
  if (atom)
    return ScaleUse::Atom;
  if (format.blockCols == Format::Whole)
    return ScaleUse::Result;
  // A product is exact in bf16's eight bits if the factors have no more
  // between them; a power of two takes none (range aside: see README.md).
  int64_t bits = getSignificandBits(format.element);
  if (format.scale == ScaleType::E8M0 && bits <= 8)
    return ScaleUse::Decode;
  if (format.scale == ScaleType::E4M3 && bits + 4 <= 8)
    return ScaleUse::Decode;
  return ScaleUse::Accumulator;
}

/// bf16 values whose sum has `bits` significant bits.
static int64_t getPlanes(int64_t bits) { return llvm::divideCeil(bits, 8); }

OperandPlan::OperandPlan(const GemmConfig &gemm, int operand)
    : config(operand == 0 ? gemm.lhs : gemm.rhs),
      rows(operand == 0 ? gemm.tileM : gemm.tileN) {
  bool atom = getCapability(gemm.atom).scaleBlock != 0;
  bool isNative = atom || gemm.isWarpSpecialized();
  if (!config.format) {
    auto type = cast<FloatType>(config.type);
    bits = type.getWidth();
    scaleUse = ScaleUse::None;
    planes = getPlanes(type.getFPMantissaWidth());
    decode = !type.isBF16() && !isNative;
  } else {
    const Format &format = *config.format;
    // Codes of six bits have a byte each.
    bits = llvm::PowerOf2Ceil(getBitWidth(format.element));
    scaleUse = getScaleUse(format, atom);
    blockCols = format.blockCols;
    blockRows = format.blockRows;
    scaleBytes = getScaleBytes(format.scale);
    planes = getPlanes(getSignificandBits(format.element));
    decode = !isNative;
  }
  rowBytes = gemm.tileK * bits / 8;
  if (hasStagedScales())
    rowScales = std::max<int64_t>(gemm.tileK / blockCols, 1);
}

//===----------------------------------------------------------------------===//
// GemmPlan
//===----------------------------------------------------------------------===//

GemmPlan::GemmPlan(const GemmConfig &config)
    : config(config), atom(getCapability(config.atom)),
      warps{config.tileM, config.tileN, config.warpsM, config.warpsN},
      operands{OperandPlan(config, 0), OperandPlan(config, 1)} {
  // Tiles start at multiples of 128 bytes: a swizzle's line.
  constexpr int64_t alignment = 128;
  auto reserve = [](int64_t &total, int64_t bytes) {
    int64_t offset = total;
    total += llvm::alignTo(bytes, alignment);
    return offset;
  };
  for (OperandPlan &operand : operands) {
    operand.elementsOffset =
        reserve(stageBytes, operand.rows * operand.rowBytes);
    if (operand.scaleUse == ScaleUse::Atom)
      operand.scalesOffset =
          reserve(stageBytes, scaleAtomBytes * operand.rowScales / 4);
    else if (operand.hasStagedScales())
      operand.scalesOffset = reserve(
          stageBytes, operand.rows * operand.rowScales * operand.scaleBytes);
    if (operand.hasZeroPoints())
      operand.zeroPointsOffset =
          reserve(stageBytes, operand.rows * operand.rowScales);
  }
  sharedBytes = stageBytes * config.stages;
  for (OperandPlan &operand : operands) {
    if (operand.decode)
      operand.decodedOffset = reserve(
          sharedBytes, operand.planes * operand.rows * 2 * config.tileK);
    if (operand.hasTable())
      operand.tableOffset = reserve(sharedBytes, 16 * sizeof(float));
  }
}

int64_t GemmPlan::getChunk() const {
  int64_t chunk = 0;
  for (const OperandPlan &operand : operands)
    if (operand.scaleUse == ScaleUse::Accumulator)
      chunk = std::min(chunk ? chunk : config.tileK, operand.blockCols);
  return chunk;
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

bool GemmConfig::operator==(const GemmConfig &o) const {
  return lhs == o.lhs && rhs == o.rhs && result == o.result && bias == o.bias &&
         accumulate == o.accumulate && atom == o.atom && tileM == o.tileM &&
         tileN == o.tileN && tileK == o.tileK && warpsM == o.warpsM &&
         warpsN == o.warpsN && stages == o.stages && k == o.k &&
         wholeM == o.wholeM && wholeN == o.wholeN && evenN == o.evenN &&
         batchDims == o.batchDims && batchesOf[0] == o.batchesOf[0] &&
         batchesOf[1] == o.batchesOf[1] && promoteEvery == o.promoteEvery;
}

std::string GemmConfig::getName() const {
  std::string name;
  llvm::raw_string_ostream os(name);
  os << "gemm";
  for (const OperandConfig *operand : {&lhs, &rhs}) {
    os << '_';
    if (operand->format) {
      // "nvfp4", or "nvfp4, rule = ..." of which only the preset is used.
      os << StringRef(operand->format->str()).take_while([](char c) {
        return llvm::isAlnum(c) || c == '_';
      });
    } else {
      os << operand->type;
    }
  }
  os << '_' << result << '_' << tileM << 'x' << tileN << 'x' << tileK;
  if (!ShapedType::isDynamic(k))
    os << "_k" << k;
  return name;
}

int64_t kernels::getGemmSharedBytes(const GemmConfig &config) {
  return config.isWarpSpecialized() ? WarpSpecializedPlan(config).sharedBytes
                                    : GemmPlan(config).sharedBytes;
}

bool GemmConfig::isWarpSpecialized() const {
  return atom == Instruction::wgmma_fp8 || atom == Instruction::wgmma_bf16 ||
         atom == Instruction::wgmma_f16;
}

int64_t GemmConfig::getNumThreads() const {
  int64_t warps = warpsM * warpsN;
  // A warpgroup more brings the operands.
  if (isWarpSpecialized())
    warps += 4;
  return 32 * warps;
}

/// True if values are as in the default variant (mx/Formats/Scale.h, "back").
static bool hasCommonValues(const Format &format) {
  if (format.secondLevel)
    return format.variant == Variant::OCP || format.variant == Variant::TE;
  if (format.element == Element::Int4 || format.element == Element::NF4)
    return format.variant == Variant::OCP;
  return true;
}

/// True if code 0, which elements past K read as, is not the value 0.
static bool hasNonzeroPadding(const OperandConfig &operand) {
  return operand.format &&
         (operand.format->zeroPoint || operand.format->element == Element::NF4);
}

/// Reasons that concern one operand.
static LogicalResult
verifyOperand(const GemmPlan &plan, int index,
              function_ref<InFlightDiagnostic()> emitError) {
  const OperandPlan &operand = plan.operands[index];
  const GemmConfig &config = plan.config;
  StringRef name = index == 0 ? "lhs" : "rhs";
  if (plan.hasBlockScaleAtom()) {
    if (!operand.config.format)
      return emitError() << plan.atom.name
                         << " takes no high-precision operand as " << name;
    const Format &format = *operand.config.format;
    std::optional<OperandType> type = getOperandType(format.element);
    bool scaleFits = plan.atom.scale == OperandType::UE8M0
                         ? format.scale == ScaleType::E8M0
                         : format.scale == ScaleType::E4M3;
    // Four-bit codes in a kind of byte containers would need unpacking.
    if (!type || !plan.atom.takes(*type, *type) || !scaleFits ||
        format.blockCols != plan.atom.scaleBlock || format.zeroPoint ||
        operand.bits * plan.atom.k != 8 * mmaRowBytes)
      return emitError() << plan.atom.name << " does not take " << format.str()
                         << " as " << name;
    if (operand.rowScales % 4 != 0)
      return emitError() << "a K tile of " << config.tileK
                         << " has no whole words of scales of " << name;
    if (operand.rows > 128)
      return emitError() << "a tile of scales has at most 128 rows, got "
                         << operand.rows;
  } else if (operand.hasStagedScales()) {
    constexpr int64_t group = 16;
    if (operand.blockCols % group != 0 ||
        (config.tileK % operand.blockCols != 0 &&
         operand.blockCols % config.tileK != 0))
      return emitError() << "blocks of " << operand.blockCols
                         << " elements do not fit K tiles of " << config.tileK;
  }
  // Variants whose values are not element times scale times decode.
  if (operand.config.format && !hasCommonValues(*operand.config.format))
    return emitError() << "no kernel knows what "
                       << operand.config.format->str()
                       << " stands for; use variant = ocp";
  // A thread copies one unit of a row, of four bytes in the worst case.
  constexpr int64_t unit = 4;
  if (operand.rowBytes / unit > config.getNumThreads())
    return emitError() << "rows of " << operand.rowBytes << " bytes of " << name
                       << " are copied by " << operand.rowBytes / unit
                       << " threads at least, got " << config.getNumThreads();
  if (int64_t bytes = operand.getFragmentRowBytes(config.tileK);
      bytes != 32 && bytes != 64 && bytes != 128)
    return emitError() << "rows of " << bytes << " bytes of " << name
                       << " in shared memory; must be 32, 64 or 128";
  return success();
}

LogicalResult
kernels::verifyGemm(const GemmConfig &config,
                    function_ref<InFlightDiagnostic()> emitError) {
  if (config.isWarpSpecialized())
    return verifyWarpSpecializedGemm(config, emitError);
  if (config.atom != Instruction::mma_bf16 &&
      config.atom != Instruction::mma_mxf8f6f4 &&
      config.atom != Instruction::mma_mxf4 &&
      config.atom != Instruction::mma_mxf4nvf4_4x)
    return emitError() << "no gemm kernel is built on "
                       << stringify(config.atom);
  auto fits = [](int64_t tile, int64_t warps) {
    return llvm::isPowerOf2_64(tile) && llvm::isPowerOf2_64(warps) &&
           tile % 32 == 0 && tile >= 16 * warps;
  };
  if (!fits(config.tileM, config.warpsM) || !fits(config.tileN, config.warpsN))
    return emitError() << "a tile of " << config.tileM << "x" << config.tileN
                       << " is not shared by " << config.warpsM << "x"
                       << config.warpsN
                       << " warps; extents must be powers of two from 32 on, "
                          "with 16 rows a warp at least";
  GemmPlan plan(config);
  if (!llvm::isPowerOf2_64(config.tileK) || config.tileK % plan.atom.k != 0)
    return emitError() << "a K tile must be a power of two and a multiple of "
                       << plan.atom.k << ", got " << config.tileK;
  if (config.stages < 2)
    return emitError() << "at least two stages are needed, got "
                       << config.stages;
  for (int i = 0; i < 2; ++i)
    if (failed(verifyOperand(plan, i, emitError)))
      return failure();
  if (!plan.isWholeK() && hasNonzeroPadding(config.lhs) &&
      hasNonzeroPadding(config.rhs))
    return emitError() << "elements past K of both operands are not zero; K "
                          "must be a multiple of "
                       << config.tileK;
  return success();
}
