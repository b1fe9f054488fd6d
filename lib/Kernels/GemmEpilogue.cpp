// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GemmBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mx;
using namespace mx::kernels;

Value GemmBuilder::getSecondLevel() {
  Value product;
  for (int i = 0; i < 2; ++i) {
    const OperandPlan &operand = plan.operands[i];
    if (!operand.hasSecondLevel())
      continue;
    Value amax = e.load(e.getF32Type(), getArgument(GemmArgument::Amax, i));
    Value scale = e.getTensorScale(*operand.config.format, amax).decode;
    product = product ? Value(arith::MulFOp::create(e, product, scale)) : scale;
  }
  return product;
}

Value GemmBuilder::loadResultScale(int index, I32 row) {
  const OperandPlan &operand = plan.operands[index];
  if (operand.scaleUse != ScaleUse::Result)
    return Value();
  I32 entry =
      operand.blockRows == Format::Whole ? I32(0) : row / operand.blockRows;
  return loadScale(operand.config.format->scale,
                   e.advance(getArgument(GemmArgument::Scales, index),
                             entry * operand.scaleBytes));
}

void GemmBuilder::storeResult(const Accumulators &sums) {
  Type f32 = e.getF32Type();
  auto resultType = cast<FloatType>(config.result);
  int64_t resultBytes = resultType.getWidth() / 8;
  // Two columns at a time where both are there or neither is.
  int64_t width = config.evenN ? 2 : 1;
  auto extend = [&](Value vector) -> Value {
    auto type = cast<VectorType>(vector.getType());
    if (type.getElementType() == f32)
      return vector;
    return arith::ExtFOp::create(e, type.clone(f32), vector);
  };
  auto vectorOf = [&](Type type) { return VectorType::get({width}, type); };
  auto scaled = [&](Value value, Value scale) -> Value {
    if (!scale)
      return value;
    return arith::MulFOp::create(
        e, value, e.splat(cast<VectorType>(value.getType()), scale));
  };

  Value secondLevel = getSecondLevel();
  const WarpGrid &warps = plan.warps;
  for (int64_t i = 0; i < warps.getNumM(); ++i)
    for (int64_t half : {0, 2}) {
      I32 row = blockM + warpM + warps.getRowM(i) +
                getAccumulatorCoord(lane, half).row;
      Value rowExists = config.wholeM ? Value() : e.isLess(row, m);
      e.emitIf(rowExists, [&] {
        Value rowScale = loadResultScale(0, row);
        Value rowStart = e.advance64(
            getArgument(GemmArgument::Result),
            arith::MulIOp::create(e, e.get64(row), e.get64(n * resultBytes)));
        for (int64_t j = 0; j < 2 * warps.getNumN(); ++j)
          for (int64_t element = 0; element < 2; element += width) {
            I32 column = blockN + warpN + warps.getRowN(j / 2) + 8 * (j % 2) +
                         getAccumulatorCoord(lane, element).column;
            Value columnExists = config.wholeN ? Value() : e.isLess(column, n);
            e.emitIf(columnExists, [&] {
              SmallVector<Value> elements = e.getElements(sums[getIndex(i, j)]);
              Value value =
                  e.makeVector(ArrayRef(elements).slice(half + element, width));
              value = scaled(scaled(value, secondLevel), rowScale);
              if (plan.operands[1].scaleUse == ScaleUse::Result) {
                SmallVector<Value> scales;
                for (int64_t c = 0; c < width; ++c)
                  scales.push_back(loadResultScale(1, column + c));
                value = arith::MulFOp::create(e, value, e.makeVector(scales));
              }
              if (config.bias)
                value = arith::AddFOp::create(
                    e, value,
                    extend(e.load(
                        vectorOf(config.bias),
                        e.advance(
                            getArgument(GemmArgument::Bias),
                            column *
                                (config.bias.getIntOrFloatBitWidth() / 8)))));
              Value pointer = e.advance(rowStart, column * resultBytes);
              if (config.accumulate)
                value = arith::AddFOp::create(
                    e, value, extend(e.load(vectorOf(resultType), pointer)));
              if (resultType != f32)
                value = arith::TruncFOp::create(e, vectorOf(resultType), value);
              e.store(value, pointer);
            });
          }
      });
    }
}
