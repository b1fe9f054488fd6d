// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any M, N and K, whatever the tile and the stages; and that the interpreter
// notices what a kernel must not lack.

#include "GemmFixture.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mx;
using namespace mx::test;

namespace {

/// What the shapes are tried on.
struct Kind {
  const char *name, *lhs, *rhs;
  Instruction atom;
};

void PrintTo(const Kind &kind, std::ostream *os) { *os << kind.name; }

class GemmShapesTest : public GemmTest,
                       public ::testing::WithParamInterface<Kind> {
protected:
  GemmShapesTest() {
    auto getOperand = [&](StringRef name) {
      return name == "bf16" ? bf16() : name == "f32" ? f32() : format(name);
    };
    config.lhs = getOperand(GetParam().lhs);
    config.rhs = getOperand(GetParam().rhs);
    config.atom = GetParam().atom;
    config.tileM = config.tileN = 32;
    config.tileK = getCapability(config.atom).scaleBlock ? 128 : 64;
    config.warpsM = 1;
    config.warpsN = 2;
    config.stages = 3;
  }
};

} // namespace

/// None, one, less and more than a tile, than all stages, whole and ragged.
TEST_P(GemmShapesTest, K) {
  int64_t tile = config.tileK;
  for (int64_t k : {int64_t(0), int64_t(1), int64_t(16), tile - 1, tile,
                    tile + 1, 3 * tile - 2, 3 * tile + 32})
    for (bool isDynamic : {false, true}) {
      dynamicK = isDynamic;
      check(/*m=*/5, /*n=*/7, k);
    }
}

TEST_P(GemmShapesTest, Stages) {
  for (int64_t stages : {2, 4})
    for (int64_t tiles : {int64_t(1), stages - 1, stages, stages + 2}) {
      config.stages = stages;
      check(/*m=*/5, /*n=*/7, tiles * config.tileK);
    }
}

TEST_P(GemmShapesTest, MAndN) {
  for (int64_t extent : {1, 9, 32, 65}) {
    check(extent, /*n=*/17, /*k=*/70);
    check(/*m=*/17, extent, /*k=*/70);
  }
}

TEST_P(GemmShapesTest, WholeTiles) {
  config.wholeM = config.wholeN = config.evenN = true;
  check(/*m=*/64, /*n=*/32, /*k=*/2 * config.tileK);
  check(/*m=*/32, /*n=*/64, /*k=*/2 * config.tileK + 5);
}

TEST_P(GemmShapesTest, Results) {
  for (Type type :
       {Type(Float32Type::get(&context)), Type(Float16Type::get(&context)),
        Type(BFloat16Type::get(&context))})
    for (bool accumulate : {false, true})
      for (bool bias : {false, true}) {
        config.result = type;
        config.accumulate = accumulate;
        config.evenN = accumulate != bias;
        config.bias = bias ? type : Type();
        check(/*m=*/3, /*n=*/config.evenN ? 34 : 35, /*k=*/32);
      }
}

TEST_P(GemmShapesTest, Batches) {
  config.batchDims = 1;
  check(/*m=*/33, /*n=*/16, /*k=*/48, /*batch=*/2, /*rhsBatches=*/false);
  check(/*m=*/17, /*n=*/9, /*k=*/150, /*batch=*/2, /*rhsBatches=*/true);
}

/// A wait that lets one more group of copies be on its way.
TEST_P(GemmShapesTest, NoticesShortWait) {
  for (int64_t stages : {2, 3}) {
    config.stages = stages;
    unsigned numChanged = 0;
    llvm::Error error = run(
        /*m=*/16, /*n=*/16, /*k=*/4 * config.tileK, /*batch=*/1,
        /*rhsBatches=*/false, [&](gpu::GPUFuncOp kernel) {
          kernel.walk([&](NVVM::CpAsyncWaitGroupOp wait) {
            wait.setN(wait.getN() + 1);
            ++numChanged;
          });
        });
    EXPECT_EQ(numChanged, 1u);
    EXPECT_TRUE(bool(error)) << stages << " stages";
    consumeError(std::move(error));
  }
}

/// A row of which a thread would have to copy two parts.
TEST_F(GemmTest, TooFewThreads) {
  config.lhs = f32();
  config.rhs = format("nf4");
  setSmallTile();
  config.tileM = config.tileN = 32;
  config.warpsM = config.warpsN = 1;
  std::string reason;
  ScopedDiagnosticHandler handler(
      &context, [&](Diagnostic &diagnostic) { reason = diagnostic.str(); });
  EXPECT_TRUE(failed(kernels::verifyGemm(
      config, [&] { return emitError(UnknownLoc::get(&context)); })));
  EXPECT_EQ(reason, "rows of 256 bytes of lhs are copied by 64 threads at "
                    "least, got 32");
}

/// Any barrier that is missing.
TEST_P(GemmShapesTest, NoticesMissingBarrier) {
  // Several warps: one alone may well need none.
  config.tileM = 64;
  config.warpsM = 2;
  unsigned numBarriers = 1;
  for (unsigned removed = 0; removed < numBarriers; ++removed) {
    llvm::Error error =
        run(/*m=*/64, /*n=*/32, /*k=*/6 * config.tileK, /*batch=*/1,
            /*rhsBatches=*/false, [&](gpu::GPUFuncOp kernel) {
              SmallVector<gpu::BarrierOp> barriers;
              kernel.walk([&](gpu::BarrierOp op) { barriers.push_back(op); });
              numBarriers = barriers.size();
              barriers[removed].erase();
            });
    EXPECT_TRUE(bool(error)) << "barrier " << removed;
    consumeError(std::move(error));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, GemmShapesTest,
    ::testing::Values(
        Kind{"NVFP4", "nvfp4", "nvfp4", Instruction::mma_mxf4nvf4_4x},
        Kind{"MXFP8", "mxfp8_e4m3", "mxfp8_e4m3", Instruction::mma_mxf8f6f4},
        Kind{"BF16", "bf16", "bf16", Instruction::mma_bf16},
        Kind{"NVFP4Decoded", "nvfp4", "nvfp4", Instruction::mma_bf16},
        Kind{"FP8Block", "fp8_block_act", "fp8_block_weight",
             Instruction::mma_bf16},
        Kind{"INT4", "bf16", "int4_g32, zero_point = true",
             Instruction::mma_bf16},
        Kind{"NF4", "f32", "nf4", Instruction::mma_bf16}),
    [](const auto &info) { return info.param.name; });
