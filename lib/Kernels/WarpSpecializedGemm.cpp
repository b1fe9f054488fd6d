// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "WarpSpecializedGemm.h"

#include "mx/Kernels/Layouts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mx;
using namespace mx::kernels;

//===----------------------------------------------------------------------===//
// Producer
//===----------------------------------------------------------------------===//

static constexpr int64_t warpSize = 32;

GemmProducer::GemmProducer(Emitter &emitter, const WarpSpecializedPlan &plan,
                           const GemmArguments &arguments, Pipeline &pipeline,
                           I32 lane)
    : e(emitter), plan(plan), arguments(arguments), pipeline(pipeline),
      lane(lane) {}

int64_t GemmProducer::getArrivals(const WarpSpecializedPlan &plan) {
  // The lane that starts tensor copies, and each lane's copies of scales.
  return 1 + (plan.hasBlockScales() ? warpSize : 0);
}

void GemmProducer::copyScale(int operand, I32 slot, I32 stage, I32 row,
                             I32 tileK) {
  const OperandPlan &scaled = plan.operands[operand];
  int64_t pitch = llvm::divideCeil(plan.config.k, scaled.blockCols);
  Value source =
      e.advance64(ofBatch->get(GemmArgument::Scales, operand),
                  arith::MulIOp::create(e, e.get64(row),
                                        e.get64(pitch * scaled.scaleBytes)));
  e.copyAsync(pipeline.getPointer(stage, slot * scaled.scaleBytes +
                                             scaled.scalesOffset),
              e.advance(source, tileK * scaled.scaleBytes), scaled.scaleBytes,
              /*valid=*/std::nullopt);
}

void GemmProducer::copyScales(I32 stage, I32 tileK) {
  // Rows past the last one are read as the last one, and not stored.
  if (plan.operands[0].hasStagedScales())
    for (int64_t i = 0; i < plan.config.tileM; i += warpSize) {
      I32 row = lane + i;
      I32 inMatrix = tile.m + row;
      if (!plan.config.wholeM)
        inMatrix = min(inMatrix, arguments.getM() - 1);
      copyScale(0, getWgmmaScaleSlot(row, plan.getTilesOfGroup()), stage,
                inMatrix, tileK);
    }
  if (plan.operands[1].hasStagedScales())
    e.emitIf(elected, [&] {
      copyScale(1, 0, stage, tile.n / plan.operands[1].blockRows, tileK);
    });
}

void GemmProducer::fill(Pipeline::Position position, I32 tileK) {
  I32 stage = position.stage;
  pipeline.waitEmpty(stage, position.phase);
  Value full = pipeline.getFullBarrier(stage);
  e.emitIf(elected, [&] {
    int64_t bytes = 0;
    for (const OperandPlan &operand : plan.operands)
      bytes += operand.rows * operand.rowBytes;
    e.arriveExpecting(full, bytes);
    for (int i = 0; i < 2; ++i) {
      SmallVector<I32> coordinates = {tileK * plan.config.tileK,
                                      i == 0 ? tile.m : tile.n};
      for (int64_t dim = plan.config.batchDims - 1; dim >= 0; --dim)
        if (plan.config.batchesOf[i] >> dim & 1)
          coordinates.push_back(tile.batch[dim]);
      e.copyTensor(pipeline.getPointer(stage, plan.operands[i].elementsOffset),
                   arguments.get(GemmArgument::TensorMap, i), coordinates,
                   full);
    }
  });
  if (plan.hasBlockScales()) {
    copyScales(stage, tileK);
    e.arriveAfterCopies(full);
  }
}

void GemmProducer::skip(Pipeline::Position position) {
  pipeline.waitEmpty(position.stage, position.phase);
  Value full = pipeline.getFullBarrier(position.stage);
  e.emitIf(elected, [&] { e.arrive(full); });
  if (plan.hasBlockScales())
    e.arrive(full);
}

void GemmProducer::build() {
  elected = e.electLane();
  int64_t tilesK = plan.getNumTilesK(), stages = plan.pipeline.stages;
  auto turn = [&](int64_t count, ValueRange start,
                  function_ref<void(Pipeline::Position, I32)> body) {
    return e.emitFor(count, start, [&](I32 i, ValueRange state) {
      Pipeline::Position position{I32(e, state[0]), I32(e, state[1])};
      body(position, i);
      Pipeline::Position next = pipeline.getNext(position);
      return SmallVector<Value>{e.get(next.stage), e.get(next.phase)};
    });
  };
  TileScheduler(e, plan.config, arguments)
      .forEachTile({e.get(0), e.get(0)}, [&](const TileScheduler::Tile &next,
                                             ValueRange start) {
        tile = next;
        ofBatch = arguments.getBatch(tile.batch);
        SmallVector<Value> state =
            turn(tilesK, start, [&](Pipeline::Position position, I32 tileK) {
              fill(position, tileK);
            });
        // The next tile starts at the first stage again.
        if (int64_t rest = tilesK % stages)
          state =
              turn(stages - rest, state,
                   [&](Pipeline::Position position, I32) { skip(position); });
        return state;
      });
}

//===----------------------------------------------------------------------===//
// Kernel
//===----------------------------------------------------------------------===//

void kernels::buildWarpSpecializedGemm(Emitter &e, const GemmConfig &config,
                                       const GemmArguments &arguments) {
  // The registers of a multiprocessor, 65536, shared out among 384 threads (168
  // each at the start, which needs a known number of blocks).
  constexpr int64_t consumerThreads = 256;
  constexpr int64_t producerRegisters = 40, consumerRegisters = 232;
  e.getInsertionBlock()->getParentOp()->setAttr(
      NVVM::NVVMDialect::getMinctasmAttrName(), e.getI32IntegerAttr(1));

  WarpSpecializedPlan plan(config);
  I32 thread = e.getThreadId();
  Pipeline pipeline(e, plan.pipeline, e.getSharedMemory(tensorTileAlignment));
  e.emitIf(e.isEqual(thread, 0), [&] {
    pipeline.initialize(GemmProducer::getArrivals(plan),
                        WgmmaConsumer::arrivals);
  });
  e.barrier();
  e.emitIfElse(
      e.isLess(thread, consumerThreads),
      [&] {
        e.increaseRegisters(consumerRegisters);
        WgmmaConsumer(e, plan, arguments, pipeline, thread).build();
      },
      [&] {
        e.decreaseRegisters(producerRegisters);
        e.emitIf(e.isLess(thread, consumerThreads + warpSize), [&] {
          GemmProducer(e, plan, arguments, pipeline, thread & (warpSize - 1))
              .build();
        });
      });
}
