// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a gemm kernel is specialised for.

#include "GemmFixture.h"

using namespace mlir;
using namespace mx;
using namespace mx::test;

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

TEST_F(GemmTest, BF16) {
  config.lhs = config.rhs = bf16();
  setSmallTile();
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
  setSmallTile();
  check(/*m=*/65, /*n=*/35, /*k=*/177);
}

TEST_P(GemmDequantiseTest, WeightOnly) {
  config.lhs = bf16();
  config.rhs = format(GetParam());
  setSmallTile();
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
  setSmallTile();
  check(/*m=*/64, /*n=*/136, /*k=*/384);
}

/// NF4's values have more bits than bf16, too; and scales of blocks on top.
TEST_F(GemmTest, NF4) {
  config.lhs = bf16();
  config.rhs = format("nf4");
  setSmallTile();
  check(/*m=*/33, /*n=*/64, /*k=*/101);
}

TEST_F(GemmTest, ZeroPoints) {
  config.lhs = bf16();
  config.rhs = format("int4_g64, zero_point = true");
  setSmallTile();
  check(/*m=*/33, /*n=*/64, /*k=*/100);
}

/// Float operands of more bits than bf16 has are sums of several.
TEST_F(GemmTest, FloatOperands) {
  config.lhs = f32();
  config.rhs = format("int4_g32");
  setSmallTile();
  check(/*m=*/33, /*n=*/64, /*k=*/100);
  config.lhs = f16();
  check(/*m=*/33, /*n=*/64, /*k=*/100);
}

//===----------------------------------------------------------------------===//
// The rest of the configuration
//===----------------------------------------------------------------------===//

TEST_F(GemmTest, BiasAndAccumulate) {
  config.lhs = config.rhs = bf16();
  setSmallTile();
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
  setSmallTile();
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
  setSmallTile();
  config.accumulate = true;
  dynamicK = true;
  check(/*m=*/5, /*n=*/6, /*k=*/0);
}
