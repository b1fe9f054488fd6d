// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GemmBuilder.h"
#include "GemmEpilogue.h"

#include "mx/IR/FormatTypes.h"
#include "mx/IR/MXGPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mx;
using namespace mx::kernels;

//===----------------------------------------------------------------------===//
// Fragments
//===----------------------------------------------------------------------===//

void GemmBuilder::prepareFragments() {
  Coord<I32> addresses[] = {getMatrixAddressA(lane), getMatrixAddressB(lane)};
  I32 origins[] = {warpM, warpN};
  for (int i = 0; i < 2; ++i) {
    int64_t rowBytes = plan.operands[i].getFragmentRowBytes(config.tileK);
    I32 first = swizzle((origins[i] + addresses[i].row) * rowBytes +
                            addresses[i].column,
                        rowBytes);
    // The swizzle is an exclusive or of bits that steps along K do not share
    // with steps along rows.
    for (int64_t step = 0; step < plan.getNumSteps(); ++step)
      fragmentOffsets[i].push_back(first ^ (step * mmaRowBytes));
  }
}

SmallVector<Value> GemmBuilder::loadFragments(int index, int64_t plane,
                                              Value stage, int64_t step) {
  const OperandPlan &operand = plan.operands[index];
  int64_t rowBytes = operand.getFragmentRowBytes(config.tileK);
  Value tile = operand.decode
                   ? e.advance(shared, operand.decodedOffset +
                                           plane * operand.rows * rowBytes)
                   : e.advance(stage, operand.elementsOffset);
  tile = e.advance(tile, fragmentOffsets[index][step]);
  SmallVector<Value> registers;
  const WarpGrid &warps = plan.warps;
  int64_t count = index == 0 ? warps.getNumM() : warps.getNumN();
  for (int64_t i = 0; i < count; ++i) {
    int64_t row = index == 0 ? warps.getRowM(i) : warps.getRowN(i);
    llvm::append_range(registers,
                       e.loadMatrix(e.advance(tile, row * rowBytes)));
  }
  return registers;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void GemmBuilder::loadScaleWords(Value stage) {
  const WarpGrid &warps = plan.warps;
  for (int index = 0; index < 2; ++index) {
    const OperandPlan &operand = plan.operands[index];
    Value tile = e.advance(stage, operand.scalesOffset);
    int64_t steps = index == 0 ? warps.getStepsM() : warps.getStepsN();
    // Rows of scales that a lane supplies within 32 rows: one a m16 tile, two
    // a n16 pair.
    SmallVector<I32> rows;
    if (index == 0)
      for (int64_t half = 0; half < warps.getHalvesM(); ++half)
        rows.push_back(warpM + 16 * half + getScaleRowA(lane));
    else
      for (int64_t n8 = 0; n8 < 2 * warps.getHalvesN(); ++n8)
        rows.push_back(warpN + 8 * n8 + getScaleColumnB(lane));

    auto &words = scaleWords[index];
    words.assign(steps * rows.size(), {});
    for (int64_t word = 0; word < operand.rowScales / 4; ++word)
      for (auto [i, row] : llvm::enumerate(rows)) {
        auto type = VectorType::get({steps}, e.getI32Type());
        Value loaded =
            e.load(type, e.advance(tile, getScaleWordOffset(row, I32(word))));
        for (auto [step, value] : llvm::enumerate(e.getElements(loaded)))
          words[step * rows.size() + i].push_back(value);
      }
  }
}

static mxgpu::BlockScaleKind getKind(Instruction atom) {
  switch (atom) {
  case Instruction::mma_mxf8f6f4:
    return mxgpu::BlockScaleKind::mxf8f6f4;
  case Instruction::mma_mxf4:
    return mxgpu::BlockScaleKind::mxf4;
  default:
    return mxgpu::BlockScaleKind::mxf4nvf4;
  }
}

void GemmBuilder::multiplyStep(Value stage, int64_t step, Accumulators &sums) {
  const WarpGrid &warps = plan.warps;
  SmallVector<SmallVector<Value>> fragments[2];
  for (int index = 0; index < 2; ++index)
    for (int64_t plane = 0; plane < plan.operands[index].planes; ++plane)
      fragments[index].push_back(loadFragments(index, plane, stage, step));
  for (ArrayRef<Value> a : fragments[0])
    for (ArrayRef<Value> b : fragments[1])
      for (int64_t j = 0; j < 2 * warps.getNumN(); ++j)
        for (int64_t i = 0; i < warps.getNumM(); ++i) {
          Value &sum = sums[getIndex(i, j)];
          sum = multiply(a.slice(4 * i, 4), b.slice(2 * j, 2), sum, i, j, step);
        }
}

Value GemmBuilder::multiply(ValueRange a, ValueRange b, Value sum, int64_t i,
                            int64_t j, int64_t step) {
  if (!plan.hasBlockScaleAtom())
    return e.multiplyBF16(a, b, sum);
  // Scales of this step: from byte `scale % 4` of word `scale / 4`.
  int64_t scale = step * plan.atom.k / plan.atom.scaleBlock;
  const Format &lhs = *config.lhs.format, &rhs = *config.rhs.format;
  MLIRContext *context = e.getContext();
  return mxgpu::MmaBlockScaleOp::create(
      e, getKind(config.atom), e.makeVector(a), e.makeVector(b), sum,
      scaleWords[0][i][scale / 4], scale % 4, /*thread_id_a=*/0,
      scaleWords[1][j][scale / 4], scale % 4, /*thread_id_b=*/0,
      getElementType(context, lhs.element),
      getElementType(context, rhs.element), getScaleType(context, lhs.scale));
}

void GemmBuilder::multiplyTile(Value stage, Accumulators &sums) {
  if (plan.hasBlockScaleAtom())
    loadScaleWords(stage);
  int64_t chunk = plan.getChunk();
  if (chunk == 0) {
    for (int64_t step = 0; step < plan.getNumSteps(); ++step)
      multiplyStep(stage, step, sums);
    return;
  }
  auto vectorType = VectorType::get({4}, e.getF32Type());
  Value zero = arith::ConstantOp::create(e, e.getZeroAttr(vectorType));
  int64_t stepsOfChunk = chunk / plan.atom.k;
  for (int64_t step = 0; step < plan.getNumSteps(); step += stepsOfChunk) {
    Accumulators partial(getNumAccumulators(), zero);
    for (int64_t i = 0; i < stepsOfChunk; ++i)
      multiplyStep(stage, step + i, partial);
    addScaled(stage, step / stepsOfChunk, partial, sums);
  }
}

//===----------------------------------------------------------------------===//
// Scales in f32
//===----------------------------------------------------------------------===//

SmallVector<Value> GemmBuilder::loadChunkScales(int index, Value stage,
                                                int64_t chunk) {
  const OperandPlan &operand = plan.operands[index];
  if (operand.scaleUse != ScaleUse::Accumulator)
    return {};
  Value tile = e.advance(stage, operand.scalesOffset);
  int64_t block = chunk * plan.getChunk() / operand.blockCols;
  int64_t rowBytes = operand.rowScales * operand.scaleBytes;
  SmallVector<Value> scales;
  auto loadRow = [&](I32 row) {
    scales.push_back(loadScale(
        e, operand.config.format->scale,
        e.advance(tile, row * rowBytes + block * operand.scaleBytes)));
  };
  const WarpGrid &warps = plan.warps;
  // In the order of an accumulator's elements: two rows of each m16 tile, two
  // columns of each n8 tile.
  if (index == 0) {
    for (int64_t i = 0; i < warps.getNumM(); ++i)
      for (int64_t element : {0, 2})
        loadRow(warpM + warps.getRowM(i) +
                getAccumulatorCoord(lane, element).row);
  } else {
    for (int64_t j = 0; j < 2 * warps.getNumN(); ++j)
      for (int64_t element : {0, 1})
        loadRow(warpN + warps.getRowN(j / 2) + 8 * (j % 2) +
                getAccumulatorCoord(lane, element).column);
  }
  return scales;
}

void GemmBuilder::addScaled(Value stage, int64_t chunk,
                            const Accumulators &partial, Accumulators &sums) {
  SmallVector<Value> rows = loadChunkScales(0, stage, chunk);
  SmallVector<Value> columns = loadChunkScales(1, stage, chunk);
  for (int64_t i = 0; i < plan.warps.getNumM(); ++i)
    for (int64_t j = 0; j < 2 * plan.warps.getNumN(); ++j) {
      Value &sum = sums[getIndex(i, j)];
      SmallVector<Value> elements = e.getElements(sum);
      SmallVector<Value> addends = e.getElements(partial[getIndex(i, j)]);
      for (int64_t element = 0; element < 4; ++element) {
        Value scale;
        if (!rows.empty())
          scale = rows[2 * i + element / 2];
        if (!columns.empty()) {
          Value column = columns[2 * j + element % 2];
          scale =
              scale ? Value(arith::MulFOp::create(e, scale, column)) : column;
        }
        elements[element] =
            math::FmaOp::create(e, addends[element], scale, elements[element]);
      }
      sum = e.makeVector(elements);
    }
}

//===----------------------------------------------------------------------===//
// Accumulators to memory
//===----------------------------------------------------------------------===//

void GemmBuilder::storeResult(const Accumulators &sums) {
  GemmEpilogue epilogue(e, config, plan.operands, arguments);
  const WarpGrid &warps = plan.warps;
  for (int64_t i = 0; i < warps.getNumM(); ++i)
    for (int64_t half : {0, 2}) {
      SmallVector<GemmEpilogue::Run> runs;
      for (int64_t j = 0; j < 2 * warps.getNumN(); ++j) {
        SmallVector<Value> elements = e.getElements(sums[getIndex(i, j)]);
        for (int64_t element = 0; element < 2; element += epilogue.getWidth()) {
          I32 column = blockN + warpN + warps.getRowN(j / 2) + 8 * (j % 2) +
                       getAccumulatorCoord(lane, element).column;
          ArrayRef<Value> run(elements);
          run = run.slice(half + element, epilogue.getWidth());
          runs.push_back({column, {run.begin(), run.end()}});
        }
      }
      epilogue.storeRow(blockM + warpM + warps.getRowM(i) +
                            getAccumulatorCoord(lane, half).row,
                        runs);
    }
}
