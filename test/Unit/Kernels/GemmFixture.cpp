// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GemmFixture.h"

#include "mx/Formats/Codec.h"
#include "mx/IR/FormatTypes.h"
#include "mx/IR/MXGPU.h"

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

using namespace mlir;
using namespace mx;
using namespace mx::test;

static double decodeFloat(Type type, uint64_t bits) {
  auto floatType = cast<FloatType>(type);
  APFloat value(floatType.getFloatSemantics(),
                APInt(floatType.getWidth(), bits));
  bool losesInfo;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                &losesInfo);
  return value.convertToDouble();
}

static uint64_t encodeFloat(Type type, double value) {
  APFloat rounded(value);
  bool losesInfo;
  rounded.convert(cast<FloatType>(type).getFloatSemantics(),
                  APFloat::rmNearestTiesToEven, &losesInfo);
  return rounded.bitcastToAPInt().getZExtValue();
}

static void append(std::vector<uint8_t> &bytes, uint64_t value, int64_t size) {
  for (int64_t i = 0; i < size; ++i)
    bytes.push_back(value >> 8 * i);
}

GemmTest::GemmTest() {
  context.loadDialect<arith::ArithDialect, gpu::GPUDialect, LLVM::LLVMDialect,
                      math::MathDialect, mxgpu::MXGPUDialect, NVVM::NVVMDialect,
                      scf::SCFDialect, vector::VectorDialect>();
  config.result = Float32Type::get(&context);
}

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

void GemmTest::appendMatrix(const OperandConfig &config, int64_t rows,
                            int64_t k, Operand &operand) {
  if (!config.format) {
    int64_t size = config.type.getIntOrFloatBitWidth() / 8;
    for (int64_t i = 0; i < rows * k; ++i) {
      uint64_t bits =
          encodeFloat(config.type, draw(-(1 << 24), 1 << 24) / double(1 << 20));
      operand.values.push_back(decodeFloat(config.type, bits));
      append(operand.elements, bits, size);
    }
    return;
  }
  const Format &format = *config.format;
  double second = 1;
  if (format.secondLevel) {
    float amax = 3.5;
    operand.amax.clear();
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
      operand.values.push_back((element - zeroPoints[block]) * scales[block]);
      byte |= code << i * bits % 8;
      if ((i + 1) * bits % 8 == 0 || i + 1 == k) {
        operand.elements.push_back(byte);
        byte = 0;
      }
    }
  }
}

Operand GemmTest::makeOperand(const OperandConfig &config, int64_t rows,
                              int64_t k, int64_t batch) {
  Operand operand;
  for (int64_t i = 0; i < batch; ++i)
    appendMatrix(config, rows, k, operand);
  return operand;
}

void GemmTest::setSmallTile() {
  config.atom = Instruction::mma_bf16;
  config.tileM = config.tileN = config.tileK = 64;
  config.warpsM = config.warpsN = 2;
}

namespace {
/// Extents of a launch; batches lie one after the other.
struct Extents {
  int64_t m, n, k, batch;
  bool rhsBatches;
};

/// Memory of a launch, and the values in it before.
struct Problem {
  Operand operands[2];
  std::vector<uint8_t> result, bias;
  std::vector<double> initial, biasValues;

  std::vector<uint8_t> &getBuffer(GemmArgument::Role role, int operand);
  std::vector<Argument> getArguments(const GemmConfig &config,
                                     const Extents &extents);
  llvm::Error compare(Type type, const Extents &extents);
};
} // namespace

std::vector<uint8_t> &Problem::getBuffer(GemmArgument::Role role, int operand) {
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
}

std::vector<Argument> Problem::getArguments(const GemmConfig &config,
                                            const Extents &extents) {
  std::vector<Argument> arguments;
  for (const GemmArgument &argument : getGemmArguments(config)) {
    switch (argument.role) {
    case GemmArgument::M:
      arguments.emplace_back(extents.m);
      break;
    case GemmArgument::N:
      arguments.emplace_back(extents.n);
      break;
    case GemmArgument::K:
      arguments.emplace_back(extents.k);
      break;
    case GemmArgument::BatchExtent:
      arguments.emplace_back(extents.batch);
      break;
    case GemmArgument::BatchStride: {
      bool steps = argument.of == GemmArgument::Result ||
                   argument.operand == 0 || extents.rhsBatches;
      int64_t size = getBuffer(argument.of, argument.operand).size();
      arguments.emplace_back(steps ? size / extents.batch : 0);
      break;
    }
    default:
      arguments.emplace_back(getBuffer(argument.role, argument.operand));
    }
  }
  return arguments;
}

llvm::Error Problem::compare(Type type, const Extents &extents) {
  auto [m, n, k, batch, rhsBatches] = extents;
  int64_t bytes = type.getIntOrFloatBitWidth() / 8;
  // Each f32 operation may round; so does the result's type.
  double unit = std::ldexp(1.0, 1 - cast<FloatType>(type).getFPMantissaWidth());
  auto &semantics = cast<FloatType>(type).getFloatSemantics();
  double largest = APFloat::getLargest(semantics).convertToDouble();
  double smallest = APFloat::getSmallest(semantics).convertToDouble();
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
        double bias = biasValues.empty() ? 0 : biasValues[column];
        sum += initial[index] + bias;
        magnitude += std::fabs(initial[index]) + std::fabs(bias);
        uint64_t bits = 0;
        for (int64_t i = 0; i < bytes; ++i)
          bits |= uint64_t(result[index * bytes + i]) << 8 * i;
        double got = decodeFloat(type, bits);
        double bound = std::fabs(sum) * unit + magnitude * 0x1p-20 + smallest;
        // What is too large for the type is infinite.
        bool isInfinite = got * sum > 0 && std::isinf(got) &&
                          std::fabs(sum) + bound >= largest;
        if (!isInfinite && !(std::fabs(got - sum) <= bound))
          return llvm::createStringError("row " + Twine(row) + ", column " +
                                         Twine(column) + ", batch " + Twine(z) +
                                         ": " + std::to_string(got) + " for " +
                                         std::to_string(sum));
      }
  return llvm::Error::success();
}

llvm::Error GemmTest::run(int64_t m, int64_t n, int64_t k, int64_t batch,
                          bool rhsBatches, Change change) {
  config.k = dynamicK ? ShapedType::kDynamic : k;
  if (failed(kernels::verifyGemm(
          config, [&] { return emitError(UnknownLoc::get(&context)); })))
    return llvm::createStringError("no such kernel");
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  auto gpuModule = gpu::GPUModuleOp::create(builder, module->getLoc(), "m");
  builder.setInsertionPointToStart(gpuModule.getBody());
  gpu::GPUFuncOp kernel =
      kernels::buildGemm(builder, module->getLoc(), config, "kernel");
  change(kernel);
  if (failed(verify(*module)))
    return llvm::createStringError("the kernel does not verify");

  Extents extents = {m, n, k, batch, rhsBatches};
  Problem problem;
  problem.operands[0] = makeOperand(config.lhs, m, k, batch);
  problem.operands[1] = makeOperand(config.rhs, n, k, rhsBatches ? batch : 1);
  int64_t resultBytes = config.result.getIntOrFloatBitWidth() / 8;
  for (int64_t i = 0; i < batch * m * n; ++i) {
    uint64_t bits = encodeFloat(config.result, draw(-99, 99));
    append(problem.result, bits, resultBytes);
    problem.initial.push_back(
        config.accumulate ? decodeFloat(config.result, bits) : 0);
  }
  for (int64_t i = 0; i < n && config.bias; ++i) {
    uint64_t bits = encodeFloat(config.bias, draw(-99, 99));
    append(problem.bias, bits, config.bias.getIntOrFloatBitWidth() / 8);
    problem.biasValues.push_back(decodeFloat(config.bias, bits));
  }
  if (llvm::Error error =
          test::run(kernel,
                    {int64_t(llvm::divideCeil(m, config.tileM)),
                     int64_t(llvm::divideCeil(n, config.tileN)), batch},
                    config.getNumThreads(), kernels::getGemmSharedBytes(config),
                    problem.getArguments(config, extents)))
    return error;
  return problem.compare(config.result, extents);
}

void GemmTest::check(int64_t m, int64_t n, int64_t k, int64_t batch,
                     bool rhsBatches) {
  SCOPED_TRACE((Twine(m) + " x " + Twine(n) + " x " + Twine(k)).str());
  llvm::Error error = run(m, n, k, batch, rhsBatches, [](gpu::GPUFuncOp) {});
  ASSERT_FALSE(error) << toString(std::move(error));
}
