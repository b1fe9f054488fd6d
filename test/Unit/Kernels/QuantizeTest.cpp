// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantise kernels executed by the interpreter, against lib/Formats: every code
// and scale.

#include "Interpreter.h"

#include "mx/Formats/Quantize.h"
#include "mx/IR/MXGPU.h"
#include "mx/Kernels/Quantize.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mx;
using kernels::QuantizeArgument;
using kernels::QuantizeConfig;

namespace {

class QuantizeKernelTest : public ::testing::TestWithParam<const char *> {
protected:
  QuantizeKernelTest() {
    context.loadDialect<arith::ArithDialect, gpu::GPUDialect, LLVM::LLVMDialect,
                        mxgpu::MXGPUDialect, NVVM::NVVMDialect, scf::SCFDialect,
                        vector::VectorDialect>();
  }

  /// Values of all magnitudes, and blocks of what is special.
  std::vector<float> makeInput(int64_t count);
  /// Compares the kernel's bytes on rows[batches, rows, k] with lib/Formats.
  void check(int64_t rows, int64_t k, mx::FloatType type, bool dynamicK = false,
             int64_t batches = 1);

  MLIRContext context;
  std::mt19937 random{11};
};

} // namespace

std::vector<float> QuantizeKernelTest::makeInput(int64_t count) {
  std::normal_distribution<float> normal;
  std::uniform_int_distribution<int> exponent(-20, 20), kind(0, 12);
  std::vector<float> values(count);
  constexpr int64_t run = 64;
  for (int64_t begin = 0; begin < count; begin += run) {
    int what = kind(random);
    float scale = std::ldexp(1.0f, exponent(random));
    for (int64_t i = begin; i < std::min(begin + run, count); ++i) {
      float value = normal(random) * scale;
      if (what == 0) // zeros of both signs
        value = std::copysign(0.0f, value);
      else if (what == 1) // ties
        value = std::round(normal(random) * 8) / 4 * scale;
      else if (what == 2) // subnormals
        value = normal(random) * 0x1p-140f;
      else if (what == 3 && i % run == 9)
        value = std::numeric_limits<float>::infinity();
      else if (what == 4 && i % run == 9)
        value = std::numeric_limits<float>::quiet_NaN();
      else if (what == 5) // near the largest
        value = std::copysign(0x1.8p127f, value);
      values[i] = value;
    }
  }
  return values;
}

void QuantizeKernelTest::check(int64_t rows, int64_t k, mx::FloatType type,
                               bool dynamicK, int64_t batches) {
  int64_t m = batches * rows;
  std::vector<float> values = makeInput(m * k);
  std::vector<uint8_t> input;
  std::vector<uint16_t> halves;
  for (float value : values) {
    uint32_t bits = type == mx::FloatType::F32    ? toBits(value)
                    : type == mx::FloatType::BF16 ? encodeBF16(value)
                                                  : encodeF16(value);
    halves.push_back(bits);
    for (int64_t i = 0; i < (type == mx::FloatType::F32 ? 4 : 2); ++i)
      input.push_back(bits >> 8 * i);
  }

  QuantizeConfig config;
  config.format = cantFail(Format::parse(GetParam()));
  config.input = type == mx::FloatType::F32 ? Type(Float32Type::get(&context))
                 : type == mx::FloatType::BF16
                     ? Type(BFloat16Type::get(&context))
                     : Type(Float16Type::get(&context));
  config.k = dynamicK ? ShapedType::kDynamic : k;
  config.warps = 2;
  config.batched = batches > 1 && config.format.blockRows != Format::Whole;
  ASSERT_TRUE(succeeded(kernels::verifyQuantize(
      config, [&] { return emitError(UnknownLoc::get(&context)); })));

  QuantizeOptions options;
  int64_t shape[] = {batches, rows, k};
  const void *data = values.data();
  if (type != mx::FloatType::F32)
    data = halves.data();
  Quantized expected =
      cantFail(quantize(config.format, options, TensorView(type, data, shape)));
  // In memory a 6-bit code has a byte, and a row ends with codes of zero.
  std::vector<uint8_t> codes;
  int64_t bits = llvm::PowerOf2Ceil(getBitWidth(config.format.element));
  int64_t zero = encodeElement(config.format.element, 0);
  for (int64_t row = 0; row < m; ++row)
    for (int64_t i = 0; i < k; i += 8 / bits) {
      int64_t byte = 0;
      for (int64_t j = 0; j < 8 / bits; ++j) {
        int64_t code = i + j < k ? expected.codes[row * k + i + j] : zero;
        byte |= code << j * bits;
      }
      codes.push_back(byte);
    }
  std::vector<uint8_t> elements(codes.size()), scales, amax;

  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  auto gpuModule = gpu::GPUModuleOp::create(builder, module->getLoc(), "m");
  builder.setInsertionPointToStart(gpuModule.getBody());
  gpu::GPUFuncOp kernel =
      kernels::buildQuantize(builder, module->getLoc(), config, "kernel");
  ASSERT_TRUE(succeeded(verify(*module)));

  int64_t numBlocks = 1;
  for (int64_t extent : expected.scaleShape)
    numBlocks *= extent;
  bool isByte = !expected.scaleCodes.empty();
  scales.resize(numBlocks * (isByte ? 1 : 4));
  for (int64_t i = 0; i < 4; ++i)
    amax.push_back(toBits(expected.tensorScale.amax) >> 8 * i);
  std::vector<test::Argument> arguments;
  for (QuantizeArgument argument : getQuantizeArguments(config)) {
    switch (argument) {
    case QuantizeArgument::Input:
      arguments.emplace_back(input);
      break;
    case QuantizeArgument::Amax:
      arguments.emplace_back(amax);
      break;
    case QuantizeArgument::Elements:
      arguments.emplace_back(elements);
      break;
    case QuantizeArgument::Scales:
      arguments.emplace_back(scales);
      break;
    case QuantizeArgument::M:
      arguments.emplace_back(config.batched ? rows : m);
      break;
    case QuantizeArgument::K:
      arguments.emplace_back(k);
      break;
    case QuantizeArgument::Batches:
      arguments.emplace_back(batches);
      break;
    case QuantizeArgument::ZeroPoints:
      FAIL();
    }
  }
  int64_t threads = numBlocks * config.getThreadsOfBlock();
  llvm::Error error = test::run(
      kernel,
      {int64_t(llvm::divideCeil(threads, config.getNumThreads())), 1, 1},
      config.getNumThreads(), /*sharedBytes=*/0, arguments);
  ASSERT_FALSE(error) << toString(std::move(error));

  for (int64_t i = 0; i < numBlocks; ++i) {
    if (isByte) {
      ASSERT_EQ(scales[i], expected.scaleCodes[i]) << "scale " << i;
      continue;
    }
    uint32_t bits = 0;
    for (int64_t j = 0; j < 4; ++j)
      bits |= uint32_t(scales[4 * i + j]) << 8 * j;
    if (std::isnan(expected.scales[i]))
      ASSERT_TRUE(std::isnan(fromBits(bits))) << "scale " << i;
    else
      ASSERT_EQ(bits, toBits(expected.scales[i])) << "scale " << i;
  }
  for (size_t i = 0; i < codes.size(); ++i)
    ASSERT_EQ(elements[i], codes[i]) << "byte " << i % (codes.size() / m)
                                     << " of row " << i / (codes.size() / m);
}

TEST_P(QuantizeKernelTest, Whole) { check(8, 256, mx::FloatType::F32); }
TEST_P(QuantizeKernelTest, Ragged) { check(37, 203, mx::FloatType::F32); }
/// Chunks end with the row, blocks do not.
TEST_P(QuantizeKernelTest, RaggedBlocks) { check(5, 200, mx::FloatType::F32); }
TEST_P(QuantizeKernelTest, BF16) { check(3, 384, mx::FloatType::BF16); }
TEST_P(QuantizeKernelTest, F16) { check(5, 70, mx::FloatType::F16); }
TEST_P(QuantizeKernelTest, DynamicK) {
  check(5, 99, mx::FloatType::F32, /*dynamicK=*/true);
}
// Blocks of several rows end with their matrix.
TEST_P(QuantizeKernelTest, Batches) {
  check(19, 147, mx::FloatType::F32, /*dynamicK=*/false, /*batches=*/3);
}

INSTANTIATE_TEST_SUITE_P(
    Formats, QuantizeKernelTest,
    ::testing::Values("nvfp4", "nvfp4_2d", "nvfp4, second_level = false",
                      "mxfp4", "mxfp4, rule = floor", "mxfp4, rule = ceil",
                      "mxfp4, rule = rceil", "mxfp8_e4m3",
                      "mxfp8_e5m2, rule = even", "mxfp6_e2m3", "mxfp6_e3m2",
                      "mxint8", "fp8_block_act", "fp8_block_weight", "fp8_row",
                      "fp8_tensor", "int4_g32", "int4_g128", "nf4",
                      "int8_token"),
    [](const auto &info) {
      std::string name = info.param;
      llvm::erase_if(name, [](char c) { return !isalnum(c); });
      return name;
    });
