// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mxgpu conversions as integer code (convert-mxgpu-to-nvvm for sm_80), against
// lib/Formats: all codes, all ties and their neighbours, random bit patterns.

#include "Interpreter.h"

#include "mx/Conversion/MXGPUToNVVM/Passes.h"
#include "mx/Formats/Codec.h"
#include "mx/IR/FormatTypes.h"
#include "mx/IR/MXGPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace mx;

namespace {

class ExpandTest : public ::testing::TestWithParam<Element> {
protected:
  ExpandTest() {
    context.loadDialect<arith::ArithDialect, func::FuncDialect,
                        mxgpu::MXGPUDialect, vector::VectorDialect>();
  }

  /// One op of the dialect from `argument`, expanded, on all of `values`.
  std::vector<uint64_t> run(Type argument, std::vector<uint64_t> values,
                            function_ref<Value(OpBuilder &, Value)> create);

  MLIRContext context;
};

} // namespace

std::vector<uint64_t>
ExpandTest::run(Type argument, std::vector<uint64_t> values,
                function_ref<Value(OpBuilder &, Value)> create) {
  Location loc = UnknownLoc::get(&context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  OpBuilder b = OpBuilder::atBlockEnd(module->getBody());
  auto function = func::FuncOp::create(
      b, loc, "f", b.getFunctionType({argument}, ArrayRef<Type>()));
  b.setInsertionPointToStart(function.addEntryBlock());
  Value result = create(b, function.getArgument(0));
  func::ReturnOp::create(b, loc, result);
  function.setFunctionType(b.getFunctionType({argument}, result.getType()));

  PassManager passes(&context);
  ConvertMXGPUToNVVMOptions options;
  options.chip = "sm_80";
  passes.addPass(createConvertMXGPUToNVVM(options));
  EXPECT_TRUE(succeeded(passes.run(*module)));
  module->walk([](Operation *op) {
    EXPECT_NE(op->getName().getDialectNamespace(), "mxgpu");
  });

  int64_t count = 1;
  if (auto vector = dyn_cast<VectorType>(argument))
    count = vector.getNumElements();
  values.resize(llvm::alignTo(values.size(), count));
  auto results = test::evaluate(function, values.size() / count, {values});
  EXPECT_TRUE(bool(results)) << toString(results.takeError());
  return std::move(*results);
}

/// Every boundary between two codes and what is next to it, special values,
/// random bits.
static std::vector<uint64_t> makeFloats(ArrayRef<float> values) {
  std::vector<uint64_t> bits = {0x00000000, 0x80000000, 0x00000001, 0x80000001,
                                0x007FFFFF, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F800000,
                                0xFF800000, 0x7FC00000, 0xFFC00000, 0x7F800001};
  std::vector<float> sorted;
  for (float value : values)
    if (std::isfinite(value))
      sorted.push_back(value);
  llvm::sort(sorted);
  for (size_t i = 0; i < sorted.size(); ++i) {
    float next = i + 1 < sorted.size() ? sorted[i + 1] : sorted[i] * 1.25f;
    for (float value : {sorted[i], (sorted[i] + next) / 2})
      for (float near : {value, std::nextafter(value, HUGE_VALF),
                         std::nextafter(value, -HUGE_VALF)})
        bits.push_back(toBits(near));
  }
  std::mt19937 random(3);
  for (int i = 0; i < 50000; ++i)
    bits.push_back(random());
  return bits;
}

TEST_P(ExpandTest, Encode) {
  Element element = GetParam();
  if (!isMiniFloat(element))
    GTEST_SKIP() << "integers are not encoded by an mxgpu op";
  Type type = getElementType(&context, element);
  unsigned container = mxgpu::getContainerBits(type);
  std::vector<uint64_t> values = makeFloats(getDecodeTable(element));
  std::vector<uint64_t> words =
      run(VectorType::get({32 / container}, Float32Type::get(&context)), values,
          [&](OpBuilder &b, Value value) {
            return mxgpu::EncodeOp::create(b, value.getLoc(), value, type);
          });
  for (size_t i = 0; i < values.size(); ++i) {
    size_t perWord = 32 / container;
    uint64_t code = words[i / perWord] >> container * (i % perWord) &
                    ((1u << container) - 1);
    ASSERT_EQ(code, encodeElement(element, fromBits(uint32_t(values[i]))))
        << std::hex << values[i];
  }
}

TEST_P(ExpandTest, Decode) {
  Element element = GetParam();
  Type type = getElementType(&context, element);
  unsigned width = getBitWidth(element);
  unsigned container = mxgpu::getContainerBits(type), perWord = 32 / container;
  // Every code at every place of the word.
  std::vector<uint64_t> words;
  for (uint64_t code = 0; code < (1u << width); ++code) {
    uint64_t word = 0;
    for (unsigned i = 0; i < perWord; ++i)
      word |= ((code + i) & ((1u << width) - 1)) << container * i;
    words.push_back(word);
  }
  std::vector<uint64_t> values =
      run(IntegerType::get(&context, 32), words, [&](OpBuilder &b, Value word) {
        auto result = VectorType::get({perWord}, b.getBF16Type());
        return mxgpu::DecodeOp::create(b, word.getLoc(), result, word, type);
      });
  for (size_t i = 0; i < values.size(); ++i) {
    uint8_t code =
        words[i / perWord] >> container * (i % perWord) & ((1u << width) - 1);
    float expected = decodeElement(element, code);
    if (element == Element::MXInt8) // the op knows plain integers
      expected *= 64;
    float value = decodeBF16(uint16_t(values[i]));
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(value)) << int(code);
    else
      ASSERT_EQ(toBits(value), toBits(expected)) << int(code);
  }
}

INSTANTIATE_TEST_SUITE_P(Elements, ExpandTest,
                         ::testing::Values(Element::E2M1, Element::E2M3,
                                           Element::E3M2, Element::E4M3,
                                           Element::E5M2, Element::MXInt8,
                                           Element::Int4, Element::Ternary),
                         [](const auto &info) {
                           return stringify(info.param).str();
                         });

TEST_F(ExpandTest, EncodeScale) {
  std::vector<float> powers;
  for (int code = 0; code < 255; ++code)
    powers.push_back(decodeE8M0(code));
  std::vector<uint64_t> values = makeFloats(powers);
  std::vector<uint64_t> codes =
      run(Float32Type::get(&context), values, [](OpBuilder &b, Value value) {
        return mxgpu::EncodeScaleOp::create(b, value.getLoc(), value);
      });
  for (size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(codes[i], encodeE8M0Up(fromBits(uint32_t(values[i]))))
        << std::hex << values[i];
}

TEST_F(ExpandTest, DecodeScale) {
  std::vector<uint64_t> codes;
  for (int code = 0; code < 256; ++code)
    codes.push_back(code);
  for (bool isF32 : {true, false}) {
    std::vector<uint64_t> values = run(
        IntegerType::get(&context, 32), codes, [&](OpBuilder &b, Value code) {
          Type type = isF32 ? Type(b.getF32Type()) : Type(b.getBF16Type());
          return mxgpu::DecodeScaleOp::create(b, code.getLoc(), type, code);
        });
    for (int code = 0; code < 256; ++code) {
      uint32_t bits = isF32 ? values[code] : values[code] << 16;
      ASSERT_EQ(bits, toBits(decodeE8M0(code))) << code;
    }
  }
}
