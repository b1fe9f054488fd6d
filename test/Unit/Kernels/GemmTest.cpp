// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gemm kernels executed by the interpreter, against a plain sum in double.

#include "Interpreter.h"

#include "mx/Formats/Codec.h"
#include "mx/IR/FormatTypes.h"
#include "mx/IR/MXGPU.h"
#include "mx/Kernels/Gemm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mx;
using kernels::GemmArgument;
using kernels::GemmConfig;
using kernels::OperandConfig;

namespace {

double decodeFloat(Type type, uint64_t bits) {
  auto floatType = cast<FloatType>(type);
  APFloat value(floatType.getFloatSemantics(),
                APInt(floatType.getWidth(), bits));
  bool losesInfo;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                &losesInfo);
  return value.convertToDouble();
}

uint64_t encodeFloat(Type type, double value) {
  APFloat rounded(value);
  bool losesInfo;
  rounded.convert(cast<FloatType>(type).getFloatSemantics(),
                  APFloat::rmNearestTiesToEven, &losesInfo);
  return rounded.bitcastToAPInt().getZExtValue();
}

void append(std::vector<uint8_t> &bytes, uint64_t value, int64_t size) {
  for (int64_t i = 0; i < size; ++i)
    bytes.push_back(value >> 8 * i);
}

/// Random contents of one operand, in memory as the kernels read it, and the
/// values that they stand for.
struct Operand {
  std::vector<uint8_t> elements, scales, zeroPoints, amax;
  /// rows x k
  std::vector<double> values;
};

class GemmTest : public ::testing::Test {
protected:
  GemmTest() {
    context
        .loadDialect<arith::ArithDialect, gpu::GPUDialect, LLVM::LLVMDialect,
                     math::MathDialect, mxgpu::MXGPUDialect, NVVM::NVVMDialect,
                     scf::SCFDialect, vector::VectorDialect>();
    config.result = Float32Type::get(&context);
  }

  OperandConfig format(StringRef text) {
    return {cantFail(Format::parse(text)), Type()};
  }
  OperandConfig bf16() { return {std::nullopt, BFloat16Type::get(&context)}; }
  OperandConfig f16() { return {std::nullopt, Float16Type::get(&context)}; }
  OperandConfig f32() { return {std::nullopt, Float32Type::get(&context)}; }

  int64_t draw(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  }
  Operand makeOperand(const OperandConfig &operand, int64_t rows, int64_t k);
  double drawElement(const Format &format, uint64_t &code);
  double drawScale(const Format &format, std::vector<uint8_t> &bytes);

  /// Builds the kernel for `config`, runs it on random operands of `batch`
  /// products of m x n x k, and compares. `rhsBatches`: the rhs has them too.
  void check(int64_t m, int64_t n, int64_t k, int64_t batch = 1,
             bool rhsBatches = false);

  MLIRContext context;
  GemmConfig config;
  /// K is an argument of the kernel, not part of the configuration.
  bool dynamicK = false;
  std::mt19937 random{7};
};

} // namespace

double GemmTest::drawElement(const Format &format, uint64_t &code) {
  Type type = getElementType(&context, format.element);
  unsigned width = getBitWidth(format.element);
  for (;;) {
    code = draw(0, (1 << width) - 1);
    if (auto floatType = dyn_cast<FloatType>(type)) {
      double value = decodeFloat(floatType, code);
      if (std::isfinite(value))
        return value;
      continue;
    }
    if (format.element == Element::NF4)
      return decodeElement(format.element, code);
    int64_t value = llvm::SignExtend64(code, width);
    // Ternary has three codes.
    if (format.element != Element::Ternary || value != -2)
      return format.element == Element::MXInt8 ? value / 64.0 : value;
  }
}

double GemmTest::drawScale(const Format &format, std::vector<uint8_t> &bytes) {
  Type type = getScaleType(&context, format.scale);
  int64_t size = type.getIntOrFloatBitWidth() / 8;
  uint64_t code;
  if (format.scale == ScaleType::E8M0)
    code = draw(120, 134);
  else if (format.scale == ScaleType::E4M3)
    code = draw(1, 0x7E);
  else
    code = encodeFloat(type, draw(1, 1 << 20) / double(1 << 18));
  append(bytes, code, size);
  return decodeFloat(type, code);
}

Operand GemmTest::makeOperand(const OperandConfig &config, int64_t rows,
                              int64_t k) {
  Operand operand;
  operand.values.resize(rows * k);
  if (!config.format) {
    int64_t size = config.type.getIntOrFloatBitWidth() / 8;
    for (double &value : operand.values) {
      uint64_t bits =
          encodeFloat(config.type, draw(-(1 << 24), 1 << 24) / double(1 << 20));
      value = decodeFloat(config.type, bits);
      append(operand.elements, bits, size);
    }
    return operand;
  }
  const Format &format = *config.format;
  double second = 1;
  if (format.secondLevel) {
    float amax = 3.5;
    append(operand.amax, llvm::bit_cast<uint32_t>(amax), 4);
    second = amax / (getMaxFinite(format.element) * format.scaleMax);
  }
  int64_t blockRows = format.blockRows ? format.blockRows : rows;
  int64_t blockCols = format.blockCols ? format.blockCols : k;
  int64_t scaleCols = llvm::divideCeil(k, blockCols);
  std::vector<double> scales, zeroPoints;
  int64_t numBlocks = llvm::divideCeil(rows, blockRows) * scaleCols;
  for (int64_t i = 0; i < numBlocks; ++i) {
    scales.push_back(drawScale(format, operand.scales) * second);
    zeroPoints.push_back(format.zeroPoint ? draw(-8, 7) : 0);
    if (format.zeroPoint)
      operand.zeroPoints.push_back(uint8_t(zeroPoints.back()));
  }
  int64_t bits = llvm::PowerOf2Ceil(getBitWidth(format.element));
  for (int64_t row = 0; row < rows; ++row) {
    uint8_t byte = 0;
    for (int64_t i = 0; i < k; ++i) {
      uint64_t code;
      double element = drawElement(format, code);
      int64_t block = row / blockRows * scaleCols + i / blockCols;
      operand.values[row * k + i] =
          (element - zeroPoints[block]) * scales[block];
      byte |= code << i * bits % 8;
      if ((i + 1) * bits % 8 == 0 || i + 1 == k) {
        operand.elements.push_back(byte);
        byte = 0;
      }
    }
  }
  return operand;
}

void GemmTest::check(int64_t m, int64_t n, int64_t k, int64_t batch,
                     bool rhsBatches) {
  config.k = dynamicK ? ShapedType::kDynamic : k;
  ASSERT_TRUE(succeeded(kernels::verifyGemm(
      config, [&] { return emitError(UnknownLoc::get(&context)); })));
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  auto gpuModule = gpu::GPUModuleOp::create(builder, module->getLoc(), "m");
  builder.setInsertionPointToStart(gpuModule.getBody());
  gpu::GPUFuncOp kernel =
      kernels::buildGemm(builder, module->getLoc(), config, "kernel");
  ASSERT_TRUE(succeeded(verify(*module)));

  // Batches lie one after the other.
  Operand operands[] = {makeOperand(config.lhs, m * batch, k),
                        makeOperand(config.rhs, rhsBatches ? n * batch : n, k)};
  std::vector<uint8_t> result, bias;
  std::vector<double> initial, biasValues;
  int64_t resultBytes = config.result.getIntOrFloatBitWidth() / 8;
  for (int64_t i = 0; i < batch * m * n; ++i) {
    uint64_t bits = encodeFloat(config.result, draw(-99, 99));
    append(result, bits, resultBytes);
    initial.push_back(config.accumulate ? decodeFloat(config.result, bits) : 0);
  }
  for (int64_t i = 0; i < n && config.bias; ++i) {
    uint64_t bits = encodeFloat(config.bias, draw(-99, 99));
    append(bias, bits, config.bias.getIntOrFloatBitWidth() / 8);
    biasValues.push_back(decodeFloat(config.bias, bits));
  }

  auto getBuffer = [&](GemmArgument::Role role,
                       int operand) -> std::vector<uint8_t> & {
    switch (role) {
    case GemmArgument::Elements:
      return operands[operand].elements;
    case GemmArgument::Scales:
      return operands[operand].scales;
    case GemmArgument::ZeroPoints:
      return operands[operand].zeroPoints;
    case GemmArgument::Amax:
      return operands[operand].amax;
    case GemmArgument::Bias:
      return bias;
    default:
      return result;
    }
  };
  std::vector<test::Argument> arguments;
  for (const GemmArgument &argument : getGemmArguments(config)) {
    switch (argument.role) {
    case GemmArgument::M:
      arguments.emplace_back(m);
      break;
    case GemmArgument::N:
      arguments.emplace_back(n);
      break;
    case GemmArgument::K:
      arguments.emplace_back(k);
      break;
    case GemmArgument::BatchExtent:
      arguments.emplace_back(batch);
      break;
    case GemmArgument::BatchStride: {
      bool steps = argument.of == GemmArgument::Result ||
                   argument.operand == 0 || rhsBatches;
      int64_t size = getBuffer(argument.of, argument.operand).size();
      arguments.emplace_back(steps ? size / batch : 0);
      break;
    }
    default:
      arguments.emplace_back(getBuffer(argument.role, argument.operand));
    }
  }
  llvm::Error error = test::run(
      kernel,
      {int64_t(llvm::divideCeil(m, config.tileM)),
       int64_t(llvm::divideCeil(n, config.tileN)), batch},
      config.getNumThreads(), kernels::getGemmSharedBytes(config), arguments);
  ASSERT_FALSE(error) << toString(std::move(error));

  // Each f32 operation may round; so does the result's type.
  double unit =
      std::ldexp(1.0, 1 - cast<FloatType>(config.result).getFPMantissaWidth());
  for (int64_t z = 0; z < batch; ++z)
    for (int64_t row = 0; row < m; ++row)
      for (int64_t column = 0; column < n; ++column) {
        int64_t index = (z * m + row) * n + column;
        double sum = 0, magnitude = 0;
        for (int64_t i = 0; i < k; ++i) {
          double product =
              operands[0].values[(z * m + row) * k + i] *
              operands[1].values[((rhsBatches ? z * n : 0) + column) * k + i];
          sum += product;
          magnitude += std::fabs(product);
        }
        sum += initial[index] + (config.bias ? biasValues[column] : 0);
        uint64_t bits = 0;
        for (int64_t i = 0; i < resultBytes; ++i)
          bits |= uint64_t(result[index * resultBytes + i]) << 8 * i;
        ASSERT_NEAR(decodeFloat(config.result, bits), sum,
                    std::fabs(sum) * unit + magnitude * 0x1p-20)
            << "row " << row << ", column " << column << ", batch " << z;
      }
}

//===----------------------------------------------------------------------===//
// Block-scale mma
//===----------------------------------------------------------------------===//

TEST_F(GemmTest, NVFP4) {
  config.lhs = config.rhs = format("nvfp4");
  config.atom = Instruction::mma_mxf4nvf4_4x;
  config.tileK = 128;
  config.wholeM = config.wholeN = config.evenN = true;
  check(/*m=*/128, /*n=*/128, /*k=*/256);
}

/// Every extent ragged: rows are no multiple of 16 bytes, the last block has
/// three elements, M and N end within an instruction's tile.
TEST_F(GemmTest, NVFP4Ragged) {
  config.lhs = config.rhs = format("nvfp4");
  config.atom = Instruction::mma_mxf4nvf4_4x;
  config.tileM = config.tileN = 64;
  config.warpsM = config.warpsN = 2;
  config.tileK = 128;
  check(/*m=*/37, /*n=*/75, /*k=*/179);
}

/// 16 x 16 blocks; fewer tiles of K than stages.
TEST_F(GemmTest, NVFP4SquareBlocks) {
  config.lhs = format("nvfp4");
  config.rhs = format("nvfp4_2d");
  config.atom = Instruction::mma_mxf4nvf4_4x;
  config.tileM = config.tileN = 64;
  config.warpsM = 1;
  config.tileK = 128;
  config.stages = 4;
  check(/*m=*/64, /*n=*/72, /*k=*/128);
}

TEST_F(GemmTest, MXFP4) {
  config.lhs = config.rhs = format("mxfp4");
  config.atom = Instruction::mma_mxf4;
  config.tileM = 64;
  config.tileN = 32;
  config.warpsM = 4;
  config.warpsN = 1;
  config.tileK = 128;
  check(/*m=*/70, /*n=*/32, /*k=*/416);
}

TEST_F(GemmTest, MXFP8) {
  config.lhs = format("mxfp8_e4m3");
  config.rhs = format("mxfp8_e5m2");
  config.atom = Instruction::mma_mxf8f6f4;
  config.tileM = config.tileN = 64;
  config.warpsM = 2;
  config.warpsN = 2;
  config.tileK = 128;
  check(/*m=*/64, /*n=*/65, /*k=*/250);
}

TEST_F(GemmTest, MXFP6) {
  config.lhs = format("mxfp6_e2m3");
  config.rhs = format("mxfp6_e3m2");
  config.atom = Instruction::mma_mxf8f6f4;
  config.tileM = config.tileN = 32;
  config.warpsM = 1;
  config.warpsN = 2;
  config.tileK = 128;
  check(/*m=*/30, /*n=*/32, /*k=*/128);
}

//===----------------------------------------------------------------------===//
// Dequantised to bf16
//===----------------------------------------------------------------------===//

/// 64 x 64 x 64, four warps.
static void setSmallTile(GemmConfig &config) {
  config.atom = Instruction::mma_bf16;
  config.tileM = config.tileN = config.tileK = 64;
  config.warpsM = config.warpsN = 2;
}

TEST_F(GemmTest, BF16) {
  config.lhs = config.rhs = bf16();
  setSmallTile(config);
  config.evenN = true;
  check(/*m=*/70, /*n=*/66, /*k=*/130);
}

/// Both operands dequantised, for every preset that has one scale type and
/// block shape of its own.
class GemmDequantiseTest : public GemmTest,
                           public ::testing::WithParamInterface<const char *> {
};

TEST_P(GemmDequantiseTest, Ragged) {
  config.lhs = config.rhs = format(GetParam());
  setSmallTile(config);
  check(/*m=*/65, /*n=*/35, /*k=*/177);
}

TEST_P(GemmDequantiseTest, WeightOnly) {
  config.lhs = bf16();
  config.rhs = format(GetParam());
  setSmallTile(config);
  config.result = config.bias = config.lhs.type;
  config.tileM = 32;
  config.evenN = true;
  check(/*m=*/3, /*n=*/64, /*k=*/256);
}

INSTANTIATE_TEST_SUITE_P(
    Presets, GemmDequantiseTest,
    ::testing::Values("mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e2m3", "mxfp6_e3m2",
                      "mxfp4", "mxint8", "nvfp4", "nvfp4_2d", "fp8_block_act",
                      "fp8_block_weight", "fp8_row", "fp8_tensor", "int4_g32",
                      "int4_g128", "ternary", "int8_token"),
    [](const auto &info) {
      std::string name = info.param;
      llvm::erase_if(name, [](char c) { return !isalnum(c); });
      return name;
    });

/// A scale per 128 x 128 block of the rhs and per 1 x 128 of the lhs.
TEST_F(GemmTest, FP8Block) {
  config.lhs = format("fp8_block_act");
  config.rhs = format("fp8_block_weight");
  setSmallTile(config);
  check(/*m=*/64, /*n=*/136, /*k=*/384);
}

/// NF4's values have more bits than bf16, too; and scales of blocks on top.
TEST_F(GemmTest, NF4) {
  config.lhs = bf16();
  config.rhs = format("nf4");
  setSmallTile(config);
  check(/*m=*/33, /*n=*/64, /*k=*/101);
}

TEST_F(GemmTest, ZeroPoints) {
  config.lhs = bf16();
  config.rhs = format("int4_g64, zero_point = true");
  setSmallTile(config);
  check(/*m=*/33, /*n=*/64, /*k=*/100);
}

/// Float operands of more bits than bf16 has are sums of several.
TEST_F(GemmTest, FloatOperands) {
  config.lhs = f32();
  config.rhs = format("int4_g32");
  setSmallTile(config);
  check(/*m=*/33, /*n=*/64, /*k=*/100);
  config.lhs = f16();
  check(/*m=*/33, /*n=*/64, /*k=*/100);
}

//===----------------------------------------------------------------------===//
// The rest of the configuration
//===----------------------------------------------------------------------===//

TEST_F(GemmTest, BiasAndAccumulate) {
  config.lhs = config.rhs = bf16();
  setSmallTile(config);
  config.bias = Float16Type::get(&context);
  config.accumulate = true;
  config.evenN = true;
  check(/*m=*/32, /*n=*/34, /*k=*/64);
  config.result = Float16Type::get(&context);
  check(/*m=*/32, /*n=*/34, /*k=*/64);
}

TEST_F(GemmTest, DynamicK) {
  config.lhs = bf16();
  config.rhs = format("mxfp8_e4m3");
  setSmallTile(config);
  dynamicK = true;
  check(/*m=*/20, /*n=*/20, /*k=*/97);
  check(/*m=*/20, /*n=*/20, /*k=*/192);
}

TEST_F(GemmTest, Batch) {
  config.lhs = config.rhs = format("nvfp4");
  config.atom = Instruction::mma_mxf4nvf4_4x;
  config.tileM = config.tileN = 32;
  config.warpsM = config.warpsN = 1;
  config.tileK = 128;
  config.batchDims = 1;
  check(/*m=*/20, /*n=*/24, /*k=*/64, /*batch=*/3, /*rhsBatches=*/true);
  check(/*m=*/20, /*n=*/24, /*k=*/64, /*batch=*/2, /*rhsBatches=*/false);
}

/// Nothing to sum: the initial value and the bias.
TEST_F(GemmTest, EmptyK) {
  config.lhs = config.rhs = bf16();
  setSmallTile(config);
  config.accumulate = true;
  dynamicK = true;
  check(/*m=*/5, /*n=*/6, /*k=*/0);
}
