// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a stage to tiles of bf16 values: for tensor cores without the format.
// Formats whose values have more than bf16's eight significant bits become
// several tiles whose sum they are.

#include "GemmBuilder.h"

#include "mx/Formats/Codec.h"
#include "mx/IR/FormatTypes.h"
#include "mx/IR/MXGPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mx;
using namespace mx::kernels;

/// Elements that a thread decodes at a time: no block of a format is shorter.
static constexpr int64_t groupSize = 16;

void GemmBuilder::prepareTables() {
  for (const OperandPlan &operand : plan.operands) {
    if (!operand.hasTable())
      continue;
    ArrayRef<float> table = getDecodeTable(operand.config.format->element);
    auto type = VectorType::get({4}, e.getF32Type());
    e.emitIf(e.isEqual(e.getThreadId(), 0), [&] {
      for (int64_t i = 0; i < int64_t(table.size()); i += 4) {
        Value values = arith::ConstantOp::create(
            e, DenseElementsAttr::get(type, table.slice(i, 4)));
        e.store(values,
                e.advance(shared, operand.tableOffset + i * sizeof(float)));
      }
    });
  }
}

void GemmBuilder::decodeTiles(Value stage) {
  int64_t groupsOfRow = config.tileK / groupSize;
  int64_t numThreads = config.getNumThreads();
  for (const OperandPlan &operand : plan.operands) {
    if (!operand.decode)
      continue;
    int64_t numGroups = operand.rows * groupsOfRow;
    for (int64_t first = 0; first < numGroups; first += numThreads) {
      I32 index = e.getThreadId() + first;
      Value condition;
      if (first + numThreads > numGroups)
        condition = e.isLess(index, numGroups);
      e.emitIf(condition, [&] {
        decodeGroup(operand, stage, index / groupsOfRow, index % groupsOfRow);
      });
    }
  }
}

void GemmBuilder::decodeGroup(const OperandPlan &operand, Value stage, I32 row,
                              I32 group) {
  if (operand.planes == 1)
    return storeDecoded(operand, 0, row, group,
                        loadCodes(operand, stage, row, group));

  // Truncated to bf16, what is left truncated to bf16, and so on: each step is
  // exact and takes eight bits. Infinity and NaN leave nothing.
  constexpr int64_t topHalf = 0xFFFF0000, exponent = 0x7F800000;
  SmallVector<Value> rest = loadFloats(operand, stage, row, group);
  for (int64_t plane = 0; plane < operand.planes; ++plane) {
    SmallVector<Value> tops;
    for (Value &values : rest) {
      auto type = cast<VectorType>(values.getType());
      auto intType = type.clone(e.getI32Type());
      auto constant = [&](int64_t value) {
        return e.splat(intType, e.get(I32(int32_t(value))));
      };
      Value bits = arith::BitcastOp::create(e, intType, values);
      Value top = arith::BitcastOp::create(
          e, type, arith::AndIOp::create(e, bits, constant(topHalf)));
      tops.push_back(
          arith::TruncFOp::create(e, type.clone(e.getBF16Type()), top));
      Value isFinite = arith::CmpIOp::create(
          e, arith::CmpIPredicate::ne,
          arith::AndIOp::create(e, bits, constant(exponent)),
          constant(exponent));
      values = arith::SelectOp::create(
          e, isFinite, arith::SubFOp::create(e, values, top),
          e.splat(type, e.getFloat(e.getF32Type(), 0)));
    }
    storeDecoded(operand, plane, row, group, tops);
  }
}

SmallVector<Value> GemmBuilder::loadCodes(const OperandPlan &operand,
                                          Value stage, I32 row, I32 group) {
  const Format &format = *operand.config.format;
  Type bf16 = e.getBF16Type();
  // Entry of the group in a row of the tile's scales.
  I32 block = operand.blockCols == Format::Whole
                  ? I32(0)
                  : group * groupSize / operand.blockCols;
  I32 entry = row * operand.rowScales + block;

  Value scale;
  if (operand.scaleUse == ScaleUse::Decode) {
    Value code = arith::ExtUIOp::create(
        e, e.getI32Type(),
        e.load(e.getI8Type(), e.advance(stage, operand.scalesOffset + entry)));
    if (format.scale == ScaleType::E8M0) {
      scale = mxgpu::DecodeScaleOp::create(e, bf16, code);
    } else {
      Value values =
          mxgpu::DecodeOp::create(e, VectorType::get({4}, bf16), code,
                                  getScaleType(e.getContext(), format.scale));
      scale = e.getElements(values)[0];
    }
  }
  Value zeroPoint;
  if (operand.hasZeroPoints()) {
    Value code = e.load(e.getI8Type(),
                        e.advance(stage, operand.zeroPointsOffset + entry));
    zeroPoint = arith::SIToFPOp::create(e, bf16, code);
  }

  int64_t groupBytes = groupSize * operand.bits / 8;
  Value pointer =
      e.advance(stage, operand.elementsOffset + row * operand.rowBytes +
                           group * groupBytes);
  Value words =
      e.load(VectorType::get({groupBytes / 4}, e.getI32Type()), pointer);
  auto type = VectorType::get({32 / operand.bits}, bf16);
  SmallVector<Value> result;
  for (Value word : e.getElements(words)) {
    Value values = mxgpu::DecodeOp::create(
        e, type, word, getElementType(e.getContext(), format.element));
    if (zeroPoint)
      values = arith::SubFOp::create(e, values, e.splat(type, zeroPoint));
    // MXINT8 counts in 64ths.
    if (format.element == Element::MXInt8)
      values = arith::MulFOp::create(e, values,
                                     e.splat(type, e.getFloat(bf16, 1.0 / 64)));
    if (scale)
      values = arith::MulFOp::create(e, values, e.splat(type, scale));
    result.push_back(values);
  }
  return result;
}

SmallVector<Value> GemmBuilder::loadFloats(const OperandPlan &operand,
                                           Value stage, I32 row, I32 group) {
  int64_t groupBytes = groupSize * operand.bits / 8;
  Value pointer =
      e.advance(stage, operand.elementsOffset + row * operand.rowBytes +
                           group * groupBytes);
  SmallVector<Value> result;
  if (operand.hasTable()) {
    Value table = e.advance(shared, operand.tableOffset);
    Value words =
        e.load(VectorType::get({groupBytes / 4}, e.getI32Type()), pointer);
    for (Value word : e.getElements(words)) {
      SmallVector<Value> values;
      for (int64_t bit = 0; bit < 32; bit += operand.bits) {
        I32 code = (I32(e, word) >> bit) & ((1 << operand.bits) - 1);
        values.push_back(
            e.load(e.getF32Type(), e.advance(table, code * sizeof(float))));
      }
      result.push_back(e.makeVector(values));
    }
    return result;
  }
  auto type = VectorType::get({128 / operand.bits}, operand.config.type);
  for (int64_t byte = 0; byte < groupBytes; byte += 16) {
    Value values = e.load(type, e.advance(pointer, byte));
    if (operand.bits < 32)
      values = arith::ExtFOp::create(e, type.clone(e.getF32Type()), values);
    result.push_back(values);
  }
  return result;
}

void GemmBuilder::storeDecoded(const OperandPlan &operand, int64_t plane,
                               I32 row, I32 group, ValueRange values) {
  int64_t rowBytes = operand.getFragmentRowBytes(config.tileK);
  Value tile = e.advance(shared, operand.decodedOffset +
                                     plane * operand.rows * rowBytes);
  SmallVector<Value> words;
  for (Value value : values)
    llvm::append_range(words, e.getElements(e.bitcast(value, e.getI32Type())));
  // Sixteen bytes at a time: what the swizzle keeps together.
  for (int64_t i = 0; i < int64_t(words.size()); i += 4) {
    I32 byte = row * rowBytes + group * (2 * groupSize) + 4 * i;
    e.store(e.makeVector(ArrayRef(words).slice(i, 4)),
            e.advance(tile, swizzle(byte, rowBytes)));
  }
}
