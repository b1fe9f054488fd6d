// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GemmEpilogue.h"
#include "WarpSpecializedGemm.h"

#include "mx/Kernels/Layouts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mx;
using namespace mx::kernels;

WgmmaConsumer::WgmmaConsumer(Emitter &emitter, const WarpSpecializedPlan &plan,
                             const GemmArguments &arguments, Pipeline &pipeline,
                             I32 thread)
    : e(emitter), plan(plan), config(plan.config), arguments(arguments),
      pipeline(pipeline), atom(emitter, plan.config),
      group(e.broadcast(thread) >> 7), thread(thread & 127),
      isLeader(e.isEqual(thread & 31, 0)) {
  base = e.getAddress(pipeline.getPointer(0, 0));
  int64_t groupBytes = config.tileM / 2 * tensorRowBytes;
  descriptorA = atom.getDescriptor(base + group * groupBytes);
  descriptorB = atom.getDescriptor(base);
  I32 slot =
      getWgmmaScaleSlot(group * (config.tileM / 2) +
                            getWgmmaAccumulatorCoord(this->thread, 0).row,
                        plan.getTilesOfGroup());
  scales = pipeline.getPointer(0, slot * plan.operands[0].scaleBytes);
}

//===----------------------------------------------------------------------===//
// One stage
//===----------------------------------------------------------------------===//

Wgmma::Release WgmmaConsumer::getRelease(int64_t index, Value when) {
  const PipelineLayout &layout = plan.pipeline;
  return {base, index * layout.stageBytes + layout.getEmptyOffset(),
          when ? Value(arith::AndIOp::create(e, isLeader, when)) : isLeader};
}

WgmmaConsumer::Registers WgmmaConsumer::multiply(int64_t index, int64_t tile,
                                                 const Registers &sums,
                                                 bool accumulate) {
  int64_t stage = index * plan.pipeline.stageBytes;
  return atom.multiply(sums, accumulate, descriptorA,
                       stage + plan.operands[0].elementsOffset +
                           tile * wgmmaM * tensorRowBytes,
                       descriptorB, stage + plan.operands[1].elementsOffset);
}

SmallVector<Value> WgmmaConsumer::loadScales(int64_t index) {
  Type f32 = e.getF32Type();
  int64_t stage = index * plan.pipeline.stageBytes;
  int64_t count = 2 * plan.getTilesOfGroup();
  SmallVector<Value> values(count);
  // Constants last, so that they become part of the loads.
  if (const OperandPlan &lhs = plan.operands[0]; lhs.hasStagedScales())
    values = e.getElements(e.load(VectorType::get({count}, f32),
                                  e.advance(scales, stage + lhs.scalesOffset)));
  if (const OperandPlan &rhs = plan.operands[1]; rhs.hasStagedScales()) {
    Value scale = e.load(f32, pipeline.getPointer(stage, rhs.scalesOffset));
    for (Value &other : values)
      other = other ? Value(arith::MulFOp::create(e, other, scale)) : scale;
  }
  return values;
}

void WgmmaConsumer::multiplyPromoted(int64_t index, Registers &sums) {
  SmallVector<Value> scales = loadScales(index);
  int64_t count = plan.getRegistersOfTile(), tiles = plan.getTilesOfGroup();
  for (int64_t tile = 0; tile < tiles; ++tile) {
    partial = multiply(index, tile, partial, /*accumulate=*/false);
    std::optional<Wgmma::Release> release;
    if (tile == tiles - 1)
      release = getRelease(index);
    partial = atom.wait(partial, /*pending=*/0, release);
    for (int64_t i = 0; i < count; ++i) {
      Value &sum = sums[tile * count + i];
      Value scale =
          scales[2 * tile + getWgmmaAccumulatorCoord<int64_t>(0, i).row / 8];
      sum = scale ? Value(math::FmaOp::create(e, partial[i], scale, sum))
                  : Value(arith::AddFOp::create(e, partial[i], sum));
    }
  }
}

void WgmmaConsumer::multiplyInPlace(int64_t index, Registers &sums) {
  int64_t count = plan.getRegistersOfTile(), tiles = plan.getTilesOfGroup();
  for (int64_t tile = 0; tile < tiles; ++tile) {
    auto *first = sums.begin() + tile * count;
    Registers product = multiply(index, tile, Registers(first, first + count),
                                 /*accumulate=*/true);
    llvm::copy(product, first);
  }
}

//===----------------------------------------------------------------------===//
// One tile
//===----------------------------------------------------------------------===//

void WgmmaConsumer::multiplyStages(int64_t count, I32 phase, Registers &sums,
                                   Value isPreviousUsed) {
  int64_t stages = plan.pipeline.stages;
  for (int64_t index = 0; index < count; ++index) {
    pipeline.waitFull(index * plan.pipeline.stageBytes, phase);
    if (plan.promotes()) {
      multiplyPromoted(index, sums);
      continue;
    }
    multiplyInPlace(index, sums);
    // With these products under way, those of the stage before are done.
    std::optional<Wgmma::Release> release;
    if (index > 0)
      release = getRelease(index - 1);
    else if (isPreviousUsed)
      release = getRelease(stages - 1, isPreviousUsed);
    sums = atom.wait(sums, /*pending=*/plan.getTilesOfGroup(), release);
  }
}

WgmmaConsumer::Registers WgmmaConsumer::multiplyTile(I32 &phase,
                                                     I32 &epilogueThread) {
  int64_t stages = plan.pipeline.stages;
  int64_t rounds = plan.getNumTilesK() / stages;
  int64_t rest = plan.getNumTilesK() % stages;
  Value zero = e.getFloat(e.getF32Type(), 0);
  Registers sums(plan.getTilesOfGroup() * plan.getRegistersOfTile(), zero);
  partial = plan.promotes() ? atom.getUndefined() : Registers();
  if (rounds > 0) {
    // The registers of partial sums go around, too: they stay the same.
    SmallVector<Value> carried(sums);
    llvm::append_range(carried, partial);
    carried.push_back(e.get(phase));
    size_t numSums = sums.size();
    auto unpack = [&](ValueRange state) {
      ValueRange others = state.drop_back();
      sums = Registers(others.take_front(numSums));
      partial = Registers(others.drop_front(numSums));
      phase = I32(e, state.back());
    };
    unpack(e.emitFor(rounds, carried, [&](I32 round, ValueRange state) {
      unpack(state);
      multiplyStages(stages, phase, sums, e.isLess(0, round));
      SmallVector<Value> next(sums);
      llvm::append_range(next, partial);
      next.push_back(e.get(phase ^ 1));
      return next;
    }));
  }
  if (rest > 0)
    multiplyStages(rest, phase, sums,
                   rounds > 0 ? e.isLess(0, rounds) : Value());
  // Promoted sums pass through a wait, too: the last ones would else be made
  // where the epilogue uses them, with all that they are made of in registers.
  std::optional<Wgmma::Release> release;
  if (!plan.promotes())
    release = getRelease((rest > 0 ? rest : stages) - 1);
  sums = atom.finish(sums, epilogueThread, release);
  if (rest > 0) {
    for (int64_t index = rest; index < stages; ++index) {
      pipeline.waitFull(index * plan.pipeline.stageBytes, phase);
      atom.release(getRelease(index));
    }
    phase = phase ^ 1;
  }
  return sums;
}

void WgmmaConsumer::storeTile(const TileScheduler::Tile &tile,
                              const Registers &sums, I32 thread) {
  GemmArguments ofBatch = arguments.getBatch(tile.batch);
  GemmEpilogue epilogue(e, config, plan.operands, ofBatch);
  int64_t count = plan.getRegistersOfTile();
  for (int64_t i = 0; i < plan.getTilesOfGroup(); ++i)
    for (int64_t half : {0, 2}) {
      SmallVector<GemmEpilogue::Run> runs;
      for (int64_t j = 0; j < count; j += 4)
        for (int64_t element = 0; element < 2; element += epilogue.getWidth()) {
          auto *first = sums.begin() + i * count + j + half + element;
          runs.push_back(
              {tile.n + getWgmmaAccumulatorCoord(thread, j + element).column,
               {first, first + epilogue.getWidth()}});
        }
      epilogue.storeRow(tile.m + group * (config.tileM / 2) + i * wgmmaM +
                            getWgmmaAccumulatorCoord(thread, half).row,
                        runs);
    }
}

void WgmmaConsumer::build() {
  TileScheduler(e, config, arguments)
      .forEachTile({e.get(0)},
                   [&](const TileScheduler::Tile &tile, ValueRange state) {
                     I32 phase(e, state[0]);
                     I32 epilogueThread = thread;
                     Registers sums = multiplyTile(phase, epilogueThread);
                     storeTile(tile, sums, epilogueThread);
                     return SmallVector<Value>{e.get(phase)};
                   });
}
