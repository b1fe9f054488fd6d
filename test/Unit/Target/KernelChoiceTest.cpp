// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Target/KernelChoice.h"
#include "mx/IR/MX.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mx;
using kernels::GemmConfig;
using kernels::OperandConfig;

namespace {
class KernelChoice : public ::testing::Test {
protected:
  KernelChoice() { context.loadDialect<MXDialect>(); }

  OperandConfig getOperand(StringRef name) {
    if (std::optional<Format> format = lookupFormatPreset(name))
      return {format, Type()};
    return {std::nullopt, Float32Type::get(&context)};
  }

  /// The kernel for a product; none: the error is in `error`.
  std::optional<GemmConfig> choose(StringRef chip, StringRef lhs, StringRef rhs,
                                   GemmShape shape) {
    GemmConfig config;
    config.lhs = getOperand(lhs);
    config.rhs = getOperand(rhs);
    config.result = Float32Type::get(&context);
    ScopedDiagnosticHandler handler(
        &context, [&](Diagnostic &diagnostic) { error = diagnostic.str(); });
    auto emit = [&] { return emitError(UnknownLoc::get(&context)); };
    if (failed(chooseGemm(*lookupChip(chip), shape, config, emit)))
      return std::nullopt;
    return config;
  }

  MLIRContext context;
  std::string error;
};
} // namespace

// Every pair of formats has a kernel on every chip, which fits into the chip's
// shared memory and which #mx.kernel takes; or a reason.
TEST_F(KernelChoice, EveryProductHasAKernelOrAReason) {
  unsigned kernels = 0;
  std::vector<std::string> names = {"f32"};
  for (const FormatPreset &preset : getFormatPresets())
    names.push_back(preset.name.str());
  for (const Chip &chip : getChips())
    for (const std::string &lhs : names)
      for (const std::string &rhs : names) {
        error.clear();
        auto config = choose(chip.name, lhs, rhs, {100, 200, 300, 1});
        if (!config) {
          EXPECT_FALSE(error.empty()) << lhs << " x " << rhs;
          continue;
        }
        ++kernels;
        EXPECT_TRUE(chip.has(config->atom));
        EXPECT_LE(kernels::getGemmSharedBytes(*config), chip.sharedKiB * 1024);
        int64_t tile[] = {config->tileM, config->tileN, config->tileK};
        int64_t warps[] = {config->warpsM, config->warpsN};
        EXPECT_TRUE(succeeded(KernelAttr::verify(
            [&] { return emitError(UnknownLoc::get(&context)); },
            KernelFamily::gemm, chip.name, config->atom, tile, warps,
            config->stages)))
            << lhs << " x " << rhs;
      }
  EXPECT_GT(kernels, 1000u);
}

TEST_F(KernelChoice, TilesFollowTheShape) {
  // A large product: the largest tile. One of few rows: the fewest rows, and
  // more columns of blocks than the chip has multiprocessors.
  auto large = choose("sm_120a", "nvfp4", "nvfp4", {4096, 4096, 4096, 1});
  ASSERT_TRUE(large);
  EXPECT_EQ(large->tileM * large->tileN, 128 * 128);
  auto decode = choose("sm_120a", "nvfp4", "nvfp4", {1, 8192, 4096, 1});
  ASSERT_TRUE(decode);
  EXPECT_EQ(decode->tileM, 32);
  auto transposed = choose("sm_120a", "nvfp4", "nvfp4", {8192, 1, 4096, 1});
  ASSERT_TRUE(transposed);
  EXPECT_EQ(transposed->tileN, 32);
  // Extents that are not known count as large, empty ones do no harm.
  constexpr int64_t any = ShapedType::kDynamic;
  auto dynamic = choose("sm_80", "mxfp4", "mxfp4", {any, any, any, any});
  ASSERT_TRUE(dynamic);
  EXPECT_EQ(dynamic->tileM * dynamic->tileN, 128 * 128);
  EXPECT_TRUE(choose("sm_80", "mxfp4", "mxfp4", {0, 64, 0, 0}));
}

// 16-bit operands: wgmma where it is, if tensor copies can step through the
// rows.
TEST_F(KernelChoice, FloatsOnWgmma) {
  GemmConfig config;
  config.lhs.type = config.rhs.type = BFloat16Type::get(&context);
  config.result = Float32Type::get(&context);
  auto choose = [&](StringRef chip, int64_t k) {
    config.k = k;
    FailureOr<Choice> choice =
        chooseGemm(*lookupChip(chip), {4096, 4096, k, 1}, config,
                   [&] { return emitError(UnknownLoc::get(&context)); });
    return succeeded(choice) ? choice->note : "none";
  };
  EXPECT_EQ(choose("sm_90a", 4096), "");
  EXPECT_EQ(config.atom, Instruction::wgmma_bf16);
  EXPECT_EQ(config.tileK, 64);
  EXPECT_EQ(choose("sm_90a", 4092),
            "not on wgmma_bf16 (tensor copies need rows of a multiple of 16 "
            "bytes, got 8184 in lhs); on mma_bf16");
  EXPECT_EQ(config.atom, Instruction::mma_bf16);
  EXPECT_EQ(choose("sm_80", 4096), "");
  EXPECT_EQ(config.atom, Instruction::mma_bf16);
}

TEST_F(KernelChoice, NoKernelHasAReason) {
  GemmConfig config;
  config.lhs = getOperand("");
  config.rhs = getOperand("mxfp8_e4m3");
  config.rhs.format->blockCols = 48;
  config.result = Float32Type::get(&context);
  std::string reason;
  ScopedDiagnosticHandler handler(
      &context, [&](Diagnostic &diagnostic) { reason = diagnostic.str(); });
  EXPECT_TRUE(
      failed(chooseGemm(*lookupChip("sm_80"), {64, 64, 64, 1}, config,
                        [&] { return emitError(UnknownLoc::get(&context)); })));
  EXPECT_NE(reason.find("blocks of 48"), std::string::npos) << reason;
}
