// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "EncodeBlock.h"

#include "mx/Formats/Codec.h"
#include "mx/IR/FormatTypes.h"
#include "mx/IR/MXGPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <cmath>

using namespace mlir;
using namespace mx;
using namespace mx::kernels;

/// E8M0 code of a block as an i32 (getE8M0 in Scale.cpp).
static Value emitE8M0(Emitter &e, const Format &format, Value amaxBits,
                      Value amax) {
  using arith::CmpIPredicate;
  Element element = format.element;
  if (format.rule == ScaleRule::RCeil) {
    float inverse = 1.0f / float(getMaxFinite(element));
    return mxgpu::EncodeScaleOp::create(
        e, arith::MulFOp::create(e, amax, e.getFloat(amax.getType(), inverse)));
  }
  constexpr int64_t mantissaBits = 23, infinity = 0x7F800000;
  I32 bits(e, amaxBits);
  if (format.rule == ScaleRule::Even) {
    int64_t elementBits =
        isMiniFloat(element) ? getMiniFloat(element).mantissaBits : 6;
    bits = bits + (int64_t(1) << (mantissaBits - 1 - elementBits));
  }
  if (format.rule == ScaleRule::Ceil)
    bits = bits + ((1 << mantissaBits) - 1);
  I32 code = (bits >> mantissaBits) - std::ilogb(getMaxFinite(element));
  code = e.clamp(code, 0xFE);
  Value isNaN =
      arith::CmpIOp::create(e, CmpIPredicate::ugt, amaxBits, e.get(infinity));
  return e.get(e.select(isNaN, 0xFF, code));
}

/// FP8, INT4: round(amax / largest), at most the type's largest, not 0.
static EncodedScale emitFloatScale(Emitter &e, const Format &format, Value amax,
                                   double largest) {
  Type f32 = e.getF32Type();
  auto type = cast<mlir::FloatType>(getScaleType(e.getContext(), format.scale));
  Value scale = arith::DivFOp::create(e, amax, e.getFloat(f32, largest));
  if (type != f32)
    scale = arith::ExtFOp::create(
        e, f32, Value(arith::TruncFOp::create(e, Type(type), scale)));
  scale = e.atMost(
      scale,
      llvm::APFloat::getLargest(type.getFloatSemantics()).convertToDouble());
  Value isZero = arith::CmpFOp::create(e, arith::CmpFPredicate::OEQ, scale,
                                       e.getFloat(f32, 0));
  scale = arith::SelectOp::create(e, isZero, e.getFloat(f32, 1), scale);
  Value stored = scale;
  if (type != f32)
    stored = arith::TruncFOp::create(e, Type(type), scale);
  return {stored, scale, /*divide=*/true};
}

EncodedScale kernels::emitScale(Emitter &e, const Format &format,
                                Value amaxBits, Value tensorAmax) {
  Type f32 = e.getF32Type(), i8 = e.getI8Type();
  constexpr double maxFloat = std::numeric_limits<float>::max();
  Value amax = arith::BitcastOp::create(e, f32, amaxBits);
  Value one = e.getFloat(f32, 1);
  if (format.scale == ScaleType::E8M0) {
    Value code = emitE8M0(e, format, amaxBits, amax);
    // The inverse of 2^n is exact, and E8M0 holds it.
    I32 inverse =
        e.select(e.isEqual(I32(e, code), 0xFF), 0xFF, I32(0xFE) - I32(e, code));
    return {arith::TruncIOp::create(e, i8, code),
            mxgpu::DecodeScaleOp::create(e, f32, e.get(inverse))};
  }
  if (format.scale == ScaleType::E4M3) {
    Emitter::TensorScale tensor{one, one};
    if (tensorAmax)
      tensor = e.getTensorScale(format, tensorAmax);
    Value sixth =
        arith::MulFOp::create(e, tensor.encode, e.getFloat(f32, 1.0f / 6.0f));
    Value wanted = e.atMost(arith::MulFOp::create(e, amax, sixth), maxFloat);
    Value zero = e.getFloat(f32, 0);
    Type e4m3 = getScaleType(e.getContext(), ScaleType::E4M3);
    Value code = mxgpu::EncodeOp::create(
        e, e.makeVector({wanted, zero, zero, zero}), e4m3);
    auto bf16 = VectorType::get({4}, e.getBF16Type());
    Value value = arith::ExtFOp::create(
        e, f32, e.getElements(mxgpu::DecodeOp::create(e, bf16, code, e4m3))[0]);
    value = arith::MulFOp::create(e, value, tensor.decode);
    return {arith::TruncIOp::create(e, i8, code),
            e.atMost(arith::DivFOp::create(e, one, value), maxFloat)};
  }
  switch (format.element) {
  case Element::Int4:
    return emitFloatScale(e, format, amax, 7.5);
  case Element::NF4: {
    amax = e.atMost(amax, maxFloat);
    Value factor = e.atMost(arith::DivFOp::create(e, one, amax), maxFloat);
    Value zero = e.getFloat(f32, 0);
    Value isZero =
        arith::CmpFOp::create(e, arith::CmpFPredicate::OEQ, amax, zero);
    return {amax, arith::SelectOp::create(e, isZero, zero, factor)};
  }
  case Element::Int8: {
    // S = 127 / amax clamped to normal numbers, 1 for amax = 0; stored 1 / S.
    Value encode = e.atMost(
        arith::DivFOp::create(e, e.getFloat(f32, 127), amax), maxFloat);
    Value least = e.getFloat(f32, std::numeric_limits<float>::min());
    Value below =
        arith::CmpFOp::create(e, arith::CmpFPredicate::OLT, encode, least);
    encode = arith::SelectOp::create(e, below, least, encode);
    Value isZero = arith::CmpFOp::create(e, arith::CmpFPredicate::OEQ, amax,
                                         e.getFloat(f32, 0));
    encode = arith::SelectOp::create(e, isZero, one, encode);
    return {arith::DivFOp::create(e, one, encode), encode};
  }
  default:
    return emitFloatScale(e, format, amax, getMaxFinite(format.element));
  }
}

Value kernels::applyScale(Emitter &e, const EncodedScale &scale, Value values) {
  Value factor = e.splat(cast<VectorType>(values.getType()), scale.factor);
  if (scale.divide)
    return arith::DivFOp::create(e, values, factor);
  return arith::MulFOp::create(e, values, factor);
}

/// The integer nearest to `value` in [low, high], ties to even, as i32; NaN
/// gives `low` (roundToInteger in Codec.h).
static Value emitRoundToInteger(Emitter &e, Value value, double low,
                                double high) {
  constexpr float magic = 12582912;
  auto type = cast<VectorType>(value.getType());
  auto constant = [&](double number) {
    return e.splat(type, e.getFloat(e.getF32Type(), number));
  };
  auto clamp = [&](arith::CmpFPredicate keep, double limit) {
    Value bound = constant(limit);
    Value inside = arith::CmpFOp::create(e, keep, value, bound);
    value = arith::SelectOp::create(e, inside, value, bound);
  };
  // In this order NaN becomes low.
  clamp(arith::CmpFPredicate::OGT, low);
  clamp(arith::CmpFPredicate::OLT, high);
  // The sum's last place is 1, so its low bits are the integer.
  Value sum = arith::AddFOp::create(e, value, constant(magic));
  auto intType = type.clone(e.getI32Type());
  return arith::SubIOp::create(
      e, arith::BitcastOp::create(e, intType, sum),
      e.splat(intType, e.get(llvm::bit_cast<int32_t>(magic))));
}

/// The number of midpoints between NF4's values below `value`.
static Value findNF4(Emitter &e, Value value) {
  auto type = cast<VectorType>(value.getType());
  auto intType = type.clone(e.getI32Type());
  Value code = e.splat(intType, e.get(0));
  for (unsigned i = 0; i < 15; ++i) {
    Value midpoint =
        e.splat(type, e.getFloat(e.getF32Type(), getNF4Midpoint(i)));
    Value above =
        arith::CmpFOp::create(e, arith::CmpFPredicate::OGT, value, midpoint);
    code = arith::AddIOp::create(e, code,
                                 arith::ExtUIOp::create(e, intType, above));
  }
  return code;
}

Value kernels::emitCodes(Emitter &e, Element element, Value values) {
  if (isMiniFloat(element))
    return mxgpu::EncodeOp::create(e, values,
                                   getElementType(e.getContext(), element));
  auto type = cast<VectorType>(values.getType());
  int64_t bits = getBitWidth(element);
  Value codes;
  switch (element) {
  case Element::NF4:
    codes = findNF4(e, values);
    break;
  case Element::Int4:
    codes = emitRoundToInteger(e, values, -8, 7);
    break;
  case Element::MXInt8: {
    // In 64ths.
    Value unit = e.splat(type, e.getFloat(e.getF32Type(), 64));
    values = arith::MulFOp::create(e, values, unit);
    [[fallthrough]];
  }
  default:
    codes = emitRoundToInteger(e, values, -127, 127);
  }
  I32 word = 0;
  for (auto [i, code] : llvm::enumerate(e.getElements(codes))) {
    I32 masked = I32(e, code) & ((1 << bits) - 1);
    word = I32(e, arith::OrIOp::create(e, e.get(word),
                                       e.get(masked << int64_t(bits * i))));
  }
  return e.get(word);
}
