// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Pipeline.h"

using namespace mlir;
using namespace mx::kernels;

//===----------------------------------------------------------------------===//
// Pipeline
//===----------------------------------------------------------------------===//

void Pipeline::initialize(int64_t fullArrivals, int64_t emptyArrivals) {
  for (int64_t i = 0; i < layout.stages; ++i) {
    I32 stage = i * layout.stageBytes;
    e.initBarrier(getFullBarrier(stage), fullArrivals);
    e.initBarrier(getPointer(stage, layout.getEmptyOffset()), emptyArrivals);
  }
  e.fenceBarrierInit();
}

void Pipeline::waitEmpty(I32 stage, I32 phase) {
  // A fresh barrier counts as being behind a phase of parity 1, so the first
  // use does not wait.
  e.waitForBarrier(getPointer(stage, layout.getEmptyOffset()), phase ^ 1);
}

void Pipeline::waitFull(I32 stage, I32 phase) {
  e.waitForBarrier(getFullBarrier(stage), phase);
}

Pipeline::Position Pipeline::getNext(Position position) {
  I32 next = position.stage + layout.stageBytes;
  Value wraps = e.isEqual(next, layout.getBytes());
  return {e.select(wraps, 0, next),
          e.select(wraps, position.phase ^ 1, position.phase)};
}

//===----------------------------------------------------------------------===//
// TileScheduler
//===----------------------------------------------------------------------===//

TileScheduler::TileScheduler(Emitter &emitter, const GemmConfig &config,
                             const GemmArguments &arguments)
    : e(emitter), config(config), arguments(arguments),
      tilesM((arguments.getM() + (config.tileM - 1)) / config.tileM),
      tilesN((arguments.getN() + (config.tileN - 1)) / config.tileN) {}

SmallVector<Value> TileScheduler::forEachTile(
    ValueRange carried,
    function_ref<SmallVector<Value>(const Tile &, ValueRange)> body) {
  I32 block = e.getBlockId(0), blocks = e.getGridSize();
  I32 tiles = tilesM * tilesN * arguments.getNumBatches();
  I32 count = (tiles - block + (blocks - 1)) / blocks;
  return e.emitFor(count, carried, [&](I32 i, ValueRange state) {
    I32 index = block + i * blocks;
    Tile tile;
    tile.m = index % tilesM * config.tileM;
    index = index / tilesM;
    if (config.batchDims > 0) {
      tile.batch = arguments.getBatchIndex(index / tilesN);
      index = index % tilesN;
    }
    tile.n = index * config.tileN;
    return body(tile, state);
  });
}
