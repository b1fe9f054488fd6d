// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Kernels/Gemm.h"

#include "GemmBuilder.h"
#include "WarpSpecializedGemm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mx;
using namespace mx::kernels;

GemmBuilder::GemmBuilder(Emitter &emitter, const GemmPlan &plan,
                         const GemmArguments &all)
    : e(emitter), plan(plan), config(plan.config),
      arguments(all.getBatch(
          all.getBatchIndex(config.batchDims ? e.getBlockId(2) : I32(0)))),
      shared(e.getSharedMemory(/*alignment=*/128)), m(all.getM()),
      n(all.getN()), k(all.getK()) {}

//===----------------------------------------------------------------------===//
// Global to shared memory
//===----------------------------------------------------------------------===//

void GemmBuilder::addCopy(int index, GemmArgument::Role role) {
  const OperandPlan &operand = plan.operands[index];
  bool elements = role == GemmArgument::Elements;
  bool wholeRows = index == 0 ? config.wholeM : config.wholeN;
  I32 origin = index == 0 ? blockM : blockN, count = index == 0 ? m : n;

  // Bits of one entry, entries of a row of the matrix and of the tile.
  int64_t bits = elements                           ? operand.bits
                 : role == GemmArgument::ZeroPoints ? 8
                                                    : 8 * operand.scaleBytes;
  int64_t block = elements ? 1 : operand.blockCols;
  I32 entries = (k + (block - 1)) / block;
  I32 pitch = (entries * bits + 7) / 8;

  TileCopyConfig copy;
  copy.rows = operand.rows;
  copy.rowBytes = (elements ? config.tileK : operand.rowScales) * bits / 8;
  copy.numThreads = config.getNumThreads();
  copy.wholeColumns = plan.isWholeK() || block >= config.tileK;
  copy.alignment =
      pitch.isConstant()
          ? int64_t(llvm::MinAlign(pitch.getConstant(), copy.rowBytes))
          : std::max<int64_t>(bits / 8, 1);
  copy.alignment = std::min<int64_t>(copy.alignment, 16);
  int64_t offset = operand.elementsOffset, rowBytes = copy.rowBytes;
  if (elements && !operand.decode) {
    copy.layout = [rowBytes](I32 row, I32 byte) {
      return swizzle(row * rowBytes + byte, rowBytes);
    };
  } else if (!elements && operand.scaleUse == ScaleUse::Atom) {
    offset = operand.scalesOffset;
    copy.layoutRun = 4;
    copy.layout = [](I32 row, I32 byte) {
      return getScaleWordOffset(row, byte >> 2) + (byte & 3);
    };
  } else {
    if (!elements)
      offset = role == GemmArgument::Scales ? operand.scalesOffset
                                            : operand.zeroPointsOffset;
    copy.layout = [rowBytes](I32 row, I32 byte) {
      return row * rowBytes + byte;
    };
  }

  auto getRow = [&](I32 row) -> I32 {
    row = origin + row;
    if (!wholeRows)
      row = min(row, count - 1);
    if (elements)
      return row;
    return operand.blockRows == Format::Whole ? I32(0)
                                              : row / operand.blockRows;
  };
  copies.push_back(
      {TileCopy(e, copy, arguments.get(role, index), pitch, getRow), offset,
       copy.rowBytes, std::max<int64_t>(block / config.tileK, 1)});
}

void GemmBuilder::prepareCopies() {
  for (int i = 0; i < 2; ++i) {
    addCopy(i, GemmArgument::Elements);
    if (plan.operands[i].hasStagedScales())
      addCopy(i, GemmArgument::Scales);
    if (plan.operands[i].hasZeroPoints())
      addCopy(i, GemmArgument::ZeroPoints);
  }
}

void GemmBuilder::copyTile(I32 tile, I32 stage) {
  Value start = e.advance(shared, stage);
  for (StageCopy &stageCopy : copies)
    stageCopy.copy.copy(e.advance(start, stageCopy.offset),
                        tile / stageCopy.tilesPerStep * stageCopy.bytesPerTile);
}

//===----------------------------------------------------------------------===//
// Pipeline
//===----------------------------------------------------------------------===//

void GemmBuilder::build() {
  I32 thread = e.getThreadId();
  lane = thread & 31;
  I32 warp = thread >> 5;
  warpM = plan.warps.getOriginM(warp % config.warpsM);
  warpN = plan.warps.getOriginN(warp / config.warpsM);
  blockM = e.getBlockId(0) * config.tileM;
  blockN = e.getBlockId(1) * config.tileN;
  prepareCopies();
  prepareFragments();
  prepareTables();

  int64_t ahead = config.stages - 1;
  I32 numTiles = (k + (config.tileK - 1)) / config.tileK;
  for (int64_t i = 0; i < ahead; ++i) {
    e.emitIf(e.isLess(i, numTiles), [&] { copyTile(i, i * plan.stageBytes); });
    e.commitCopies();
  }

  // Carried: the sums, and where the stages to read and to fill are.
  auto vectorType = VectorType::get({4}, e.getF32Type());
  Value zero = arith::ConstantOp::create(e, e.getZeroAttr(vectorType));
  SmallVector<Value> carried(getNumAccumulators(), zero);
  carried.push_back(e.get(0));
  carried.push_back(e.get(ahead * plan.stageBytes));
  auto getNextStage = [&](I32 stage) {
    I32 next = stage + plan.stageBytes;
    return e.select(e.isEqual(next, config.stages * plan.stageBytes), 0, next);
  };
  SmallVector<Value> results =
      e.emitFor(numTiles, carried, [&](I32 tile, ValueRange state) {
        Accumulators sums(state.drop_back(2));
        I32 read(e, state[sums.size()]), fill(e, state[sums.size() + 1]);
        // This thread's part of the tile has come, and then everybody's; and
        // everybody is done with the stage that is filled next.
        e.waitForCopies(ahead - 1);
        e.barrier();
        e.emitIf(e.isLess(tile + ahead, numTiles),
                 [&] { copyTile(tile + ahead, fill); });
        e.commitCopies();
        Value stage = e.advance(shared, read);
        if (plan.operands[0].decode || plan.operands[1].decode) {
          decodeTiles(stage);
          e.barrier();
        }
        multiplyTile(stage, sums);
        sums.push_back(e.get(getNextStage(read)));
        sums.push_back(e.get(getNextStage(fill)));
        return sums;
      });
  storeResult(Accumulators(ArrayRef(results).drop_back(2)));
}

gpu::GPUFuncOp kernels::buildGemm(OpBuilder &builder, Location loc,
                                  const GemmConfig &config, StringRef name) {
  Emitter e(loc, builder);
  GemmArguments arguments(e, config, name);
  if (config.isWarpSpecialized()) {
    buildWarpSpecializedGemm(e, config, arguments);
  } else {
    GemmPlan plan(config);
    GemmBuilder(e, plan, arguments).build();
  }
  gpu::ReturnOp::create(e);
  return cast<gpu::GPUFuncOp>(e.getInsertionBlock()->getParentOp());
}
