// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gemm kernels executed by the interpreter, against a plain sum in double.

#ifndef MX_TEST_UNIT_KERNELS_GEMMFIXTURE_H
#define MX_TEST_UNIT_KERNELS_GEMMFIXTURE_H

#include "Interpreter.h"

#include "mx/Kernels/Gemm.h"

#include <gtest/gtest.h>
#include <random>

namespace mx::test {

using namespace mlir;
using kernels::GemmArgument;
using kernels::GemmConfig;
using kernels::OperandConfig;

/// Random contents of one operand, in memory as the kernels read it, and the
/// values that they stand for.
struct Operand {
  std::vector<uint8_t> elements, scales, zeroPoints, amax;
  /// rows x k
  std::vector<double> values;
};

class GemmTest : public ::testing::Test {
protected:
  GemmTest();

  OperandConfig format(llvm::StringRef text) {
    return {cantFail(Format::parse(text)), Type()};
  }
  OperandConfig bf16() { return {std::nullopt, BFloat16Type::get(&context)}; }
  OperandConfig f16() { return {std::nullopt, Float16Type::get(&context)}; }
  OperandConfig f32() { return {std::nullopt, Float32Type::get(&context)}; }

  int64_t draw(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  }
  /// `batch` matrices, one after the other.
  Operand makeOperand(const OperandConfig &config, int64_t rows, int64_t k,
                      int64_t batch);
  void appendMatrix(const OperandConfig &config, int64_t rows, int64_t k,
                    Operand &operand);
  double drawElement(const Format &format, uint64_t &code);
  double drawScale(const Format &format, std::vector<uint8_t> &bytes);

  /// Sets `config` to mma_bf16 with a tile of 64 x 64 x 64, four warps.
  void setSmallTile();

  /// What a test may do to a kernel before it is run.
  using Change = llvm::function_ref<void(gpu::GPUFuncOp)>;

  /// Builds the kernel for `config`, runs it on random operands of `batch`
  /// products of m x n x k, and compares. `rhsBatches`: the rhs has them too.
  /// An error says what is wrong first.
  llvm::Error run(int64_t m, int64_t n, int64_t k, int64_t batch,
                  bool rhsBatches, Change change);
  /// Expects that there is no error.
  void check(int64_t m, int64_t n, int64_t k, int64_t batch = 1,
             bool rhsBatches = false);

  MLIRContext context;
  GemmConfig config;
  /// K is an argument of the kernel, not part of the configuration.
  bool dynamicK = false;
  std::mt19937 random{7};
};

} // namespace mx::test

#endif // MX_TEST_UNIT_KERNELS_GEMMFIXTURE_H
