// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TileCopy.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mx::kernels;

/// Bytes that one cp.async (16, 8 or 4) or one store (4, 2 or 1) moves.
static int64_t getUnit(const TileCopyConfig &config) {
  int64_t limit = std::max<int64_t>(config.alignment, 4);
  int64_t unit = std::min<int64_t>({16, limit, config.layoutRun});
  while (config.rowBytes % unit != 0)
    unit /= 2;
  return unit;
}

TileCopy::TileCopy(Emitter &emitter, const TileCopyConfig &config, Value base,
                   I32 pitch, function_ref<I32(I32)> getRow)
    : emitter(emitter), config(config), pitch(pitch), unit(getUnit(config)),
      byte(0) {
  // Neighbouring threads take neighbouring units of a row.
  int64_t unitsOfRow = config.rowBytes / unit;
  int64_t numUnits = config.rows * unitsOfRow;
  I32 thread = emitter.getThreadId();
  int64_t numPasses = llvm::divideCeil(numUnits, config.numThreads);
  // If a pass covers whole rows, a thread stays in its column.
  assert((config.numThreads % unitsOfRow == 0 || numPasses == 1) &&
         "a row needs several passes");
  byte = thread % unitsOfRow * unit;
  for (int64_t i = 0; i < numPasses; ++i) {
    Pass pass{Value(), Value(), 0};
    I32 index = thread + i * config.numThreads;
    if ((i + 1) * config.numThreads > numUnits)
      pass.condition = emitter.isLess(index, numUnits);
    I32 row = thread / unitsOfRow + i * (config.numThreads / unitsOfRow);
    Value offset = arith::MulIOp::create(emitter, emitter.get64(getRow(row)),
                                         emitter.get64(pitch));
    pass.source = emitter.advance(emitter.advance64(base, offset), byte);
    pass.destination = config.layout(row, byte);
    passes.push_back(pass);
  }
}

void TileCopy::copy(Value destination, I32 column) {
  if (config.alignment >= 4)
    copyAsync(destination, column);
  else
    copyBytes(destination, column);
}

void TileCopy::copyAsync(Value destination, I32 column) {
  std::optional<I32> valid;
  if (!config.wholeColumns)
    valid = emitter.clamp(pitch - (column + byte), unit);
  for (Pass &pass : passes)
    emitter.emitIf(pass.condition, [&] {
      emitter.copyAsync(emitter.advance(destination, pass.destination),
                        emitter.advance(pass.source, column), unit, valid);
    });
}

void TileCopy::copyBytes(Value destination, I32 column) {
  // Loads of `step` bytes; one past the end of the row is moved back to the
  // row's last, and its value dropped.
  int64_t step = std::min(config.alignment, unit);
  Type stepType = emitter.getIntegerType(8 * step);
  Type unitType = emitter.getIntegerType(8 * unit);
  for (Pass &pass : passes)
    emitter.emitIf(pass.condition, [&] {
      Value word;
      for (int64_t i = 0; i < unit; i += step) {
        I32 at = column + byte + i;
        // The source pointer already has `byte` in it.
        I32 offset = column + i;
        if (!config.wholeColumns)
          offset = min(offset, pitch - step - byte);
        Value part =
            emitter.load(stepType, emitter.advance(pass.source, offset));
        part = arith::ExtUIOp::create(emitter, emitter.getI32Type(), part);
        if (!config.wholeColumns)
          part = arith::SelectOp::create(emitter, emitter.isLess(at, pitch),
                                         part, emitter.get(0));
        I32 placed = I32(emitter, part) << 8 * i;
        word = word ? arith::OrIOp::create(emitter, word, emitter.get(placed))
                    : emitter.get(placed);
      }
      if (unit < 4)
        word = arith::TruncIOp::create(emitter, unitType, word);
      emitter.store(word, emitter.advance(destination, pass.destination));
    });
}
