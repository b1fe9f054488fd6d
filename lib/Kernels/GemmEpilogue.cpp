// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GemmEpilogue.h"

#include "mx/IR/FormatTypes.h"
#include "mx/IR/MXGPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mx;
using namespace mx::kernels;

Value kernels::loadScale(Emitter &e, ScaleType type, Value pointer) {
  Type f32 = e.getF32Type();
  switch (type) {
  case ScaleType::F32:
    return e.load(f32, pointer);
  case ScaleType::F16:
  case ScaleType::BF16:
    return arith::ExtFOp::create(
        e, f32, e.load(getScaleType(e.getContext(), type), pointer));
  case ScaleType::E8M0:
  case ScaleType::E4M3:
    break;
  }
  Value code =
      arith::ExtUIOp::create(e, e.getI32Type(), e.load(e.getI8Type(), pointer));
  if (type == ScaleType::E8M0)
    return mxgpu::DecodeScaleOp::create(e, f32, code);
  Value values =
      mxgpu::DecodeOp::create(e, VectorType::get({4}, e.getBF16Type()), code,
                              getScaleType(e.getContext(), type));
  return arith::ExtFOp::create(e, f32, e.getElements(values)[0]);
}

GemmEpilogue::GemmEpilogue(Emitter &emitter, const GemmConfig &config,
                           ArrayRef<OperandPlan> operands,
                           const GemmArguments &arguments)
    : e(emitter), config(config), operands(operands), arguments(arguments),
      m(arguments.getM()), n(arguments.getN()), secondLevel(getSecondLevel()) {}

Value GemmEpilogue::getSecondLevel() {
  Value product;
  for (int i = 0; i < 2; ++i) {
    const OperandPlan &operand = operands[i];
    if (!operand.hasSecondLevel())
      continue;
    Value amax = e.load(e.getF32Type(), arguments.get(GemmArgument::Amax, i));
    Value scale = e.getTensorScale(*operand.config.format, amax).decode;
    product = product ? Value(arith::MulFOp::create(e, product, scale)) : scale;
  }
  return product;
}

Value GemmEpilogue::loadResultScale(int index, I32 row) {
  const OperandPlan &operand = operands[index];
  if (operand.scaleUse != ScaleUse::Result)
    return Value();
  I32 entry =
      operand.blockRows == Format::Whole ? I32(0) : row / operand.blockRows;
  return loadScale(e, operand.config.format->scale,
                   e.advance(arguments.get(GemmArgument::Scales, index),
                             entry * operand.scaleBytes));
}

void GemmEpilogue::storeRun(const Run &run, Value rowScale, Value rowStart) {
  Type f32 = e.getF32Type();
  auto extend = [&](Value vector) -> Value {
    auto type = cast<VectorType>(vector.getType());
    if (type.getElementType() == f32)
      return vector;
    return arith::ExtFOp::create(e, type.clone(f32), vector);
  };
  auto vectorOf = [&](Type type) {
    return VectorType::get({getWidth()}, type);
  };
  Value value = e.makeVector(run.sums);
  for (Value scale : {secondLevel, rowScale})
    if (scale)
      value = arith::MulFOp::create(e, value, e.splat(vectorOf(f32), scale));
  if (operands[1].scaleUse == ScaleUse::Result) {
    SmallVector<Value> scales;
    for (int64_t c = 0; c < getWidth(); ++c)
      scales.push_back(loadResultScale(1, run.column + c));
    value = arith::MulFOp::create(e, value, e.makeVector(scales));
  }
  if (config.bias) {
    Value bias =
        e.advance(arguments.get(GemmArgument::Bias),
                  run.column * (config.bias.getIntOrFloatBitWidth() / 8));
    value = arith::AddFOp::create(e, value,
                                  extend(e.load(vectorOf(config.bias), bias)));
  }
  Value pointer = e.advance(
      rowStart, run.column * (config.result.getIntOrFloatBitWidth() / 8));
  if (config.accumulate)
    value = arith::AddFOp::create(
        e, value, extend(e.load(vectorOf(config.result), pointer)));
  if (config.result != f32)
    value = arith::TruncFOp::create(e, vectorOf(config.result), value);
  e.store(value, pointer);
}

void GemmEpilogue::storeRow(I32 row, ArrayRef<Run> runs) {
  Value rowExists = config.wholeM ? Value() : e.isLess(row, m);
  e.emitIf(rowExists, [&] {
    Value rowScale = loadResultScale(0, row);
    int64_t resultBytes = config.result.getIntOrFloatBitWidth() / 8;
    Value rowStart = e.advance64(
        arguments.get(GemmArgument::Result),
        arith::MulIOp::create(e, e.get64(row), e.get64(n * resultBytes)));
    for (const Run &run : runs) {
      Value columnExists = config.wholeN ? Value() : e.isLess(run.column, n);
      e.emitIf(columnExists, [&] { storeRun(run, rowScale, rowStart); });
    }
  });
}
