// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Expand.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace mx;
using namespace mx::mxgpu;

namespace {

/// Layout of f32 as integers.
constexpr uint32_t magnitudeMask = 0x7FFFFFFF;
constexpr uint32_t infinityBits = 0x7F800000;
constexpr int mantissaWidth = 23;
constexpr int bias = 127;

/// A small float type seen as fields.
struct FloatFields {
  explicit FloatFields(FloatType type)
      : semantics(type.getFloatSemantics()), width(type.getWidth()),
        mantissa(type.getFPMantissaWidth() - 1),
        minExponent(llvm::APFloat::semanticsMinExponent(semantics)),
        hasNaN(llvm::APFloat::semanticsHasNaN(semantics)),
        hasInf(llvm::APFloat::semanticsHasInf(semantics)) {}

  /// The f32 bits of the largest finite value.
  uint32_t getMaxBits() const {
    return llvm::bit_cast<uint32_t>(
        llvm::APFloat::getLargest(semantics).convertToFloat());
  }

  const llvm::fltSemantics &semantics;
  /// Of a code, and of its mantissa field, in bits.
  int width, mantissa;
  /// Exponent of the least normal value; also that of the subnormals.
  int minExponent;
  bool hasNaN, hasInf;
};

/// Arithmetic on i32, or on vectors of i32, with constants splatted as needed.
struct IntBuilder : ImplicitLocOpBuilder {
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Value constant(Type type, uint32_t value) {
    TypedAttr attr = getIntegerAttr(getElementTypeOrSelf(type), value);
    if (auto vector = dyn_cast<VectorType>(type))
      attr = DenseElementsAttr::get(vector, attr);
    return arith::ConstantOp::create(*this, attr);
  }
  /// A vector of first, first + step, ...
  Value sequence(VectorType type, int32_t first, int32_t step) {
    SmallVector<int32_t> values;
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      values.push_back(first + i * step);
    return arith::ConstantOp::create(
        *this, DenseElementsAttr::get(type, ArrayRef(values)));
  }
  template <typename Op> Value apply(Value lhs, uint32_t rhs) {
    return apply<Op>(lhs, constant(lhs.getType(), rhs));
  }
  template <typename Op> Value apply(Value lhs, Value rhs) {
    return createOrFold<Op>(lhs, rhs);
  }
  Value compare(arith::CmpIPredicate predicate, Value lhs, uint32_t rhs) {
    return arith::CmpIOp::create(*this, predicate, lhs,
                                 constant(lhs.getType(), rhs));
  }
  Value select(Value condition, Value lhs, Value rhs) {
    return arith::SelectOp::create(*this, condition, lhs, rhs);
  }
  /// `lhs << amount` for either sign of `amount`.
  Value shift(Value lhs, int amount) {
    if (amount >= 0)
      return apply<arith::ShLIOp>(lhs, amount);
    return apply<arith::ShRUIOp>(lhs, -amount);
  }
};

} // namespace

static uint32_t powerOfTwoBits(int exponent) {
  return uint32_t(exponent + bias) << mantissaWidth;
}

Value mxgpu::expand(OpBuilder &builder, EncodeOp op) {
  using arith::CmpIPredicate;
  IntBuilder b(op.getLoc(), builder);
  FloatFields fields(cast<FloatType>(op.getElementType()));
  auto f32 = cast<VectorType>(op.getValue().getType());
  auto i32 = VectorType::get(f32.getShape(), b.getI32Type());

  Value bits = arith::BitcastOp::create(b, i32, op.getValue());
  Value magnitude = b.apply<arith::AndIOp>(bits, magnitudeMask);
  Value isNaN = b.compare(CmpIPredicate::ugt, magnitude, infinityBits);
  Value clamped = b.apply<arith::MinUIOp>(magnitude, fields.getMaxBits());

  // Normal results: round the mantissa to nearest even where it is, then take
  // the rounded exponent and mantissa with the exponent's bias changed.
  int dropped = mantissaWidth - fields.mantissa;
  Value odd =
      b.apply<arith::AndIOp>(b.apply<arith::ShRUIOp>(clamped, dropped), 1);
  Value rounded = b.apply<arith::AddIOp>(clamped, (1u << (dropped - 1)) - 1);
  rounded = b.apply<arith::AddIOp>(rounded, odd);
  uint32_t rebias = uint32_t(fields.minExponent - 1 + bias) << fields.mantissa;
  Value normal =
      b.apply<arith::SubIOp>(b.apply<arith::ShRUIOp>(rounded, dropped), rebias);

  // Subnormal results are multiples of one unit. In the binade whose last
  // place is that unit, the addition itself rounds to nearest even.
  uint32_t binade =
      powerOfTwoBits(fields.minExponent - fields.mantissa + mantissaWidth);
  Value sum = arith::AddFOp::create(
      b, arith::BitcastOp::create(b, f32, clamped),
      arith::BitcastOp::create(b, f32, b.constant(i32, binade)));
  Value subnormal = b.apply<arith::SubIOp>(
      Value(arith::BitcastOp::create(b, i32, sum)), binade);

  Value isSubnormal = b.compare(CmpIPredicate::ult, clamped,
                                powerOfTwoBits(fields.minExponent));
  Value code = b.select(isSubnormal, subnormal, normal);
  Value sign =
      b.shift(b.apply<arith::AndIOp>(bits, ~magnitudeMask), fields.width - 32);
  code = b.apply<arith::OrIOp>(code, sign);
  // All magnitude bits set: NaN where the type has one, else its maximum.
  code = b.select(isNaN, b.constant(i32, (1u << (fields.width - 1)) - 1), code);

  Value places = b.sequence(i32, 0, getContainerBits(op.getElementType()));
  return vector::ReductionOp::create(b, vector::CombiningKind::OR,
                                     b.apply<arith::ShLIOp>(code, places));
}

/// Integer codes: sign-extended one by one.
static Value decodeIntegers(IntBuilder &b, DecodeOp op) {
  int32_t width = getContainerBits(op.getElementType());
  auto type = cast<VectorType>(op.getType());
  auto i32 = VectorType::get(type.getShape(), b.getI32Type());
  auto f32 = VectorType::get(type.getShape(), b.getF32Type());
  Value places = b.sequence(i32, 32 - width, -width);
  Value codes = vector::BroadcastOp::create(b, i32, op.getCodes());
  codes = b.apply<arith::ShRSIOp>(b.apply<arith::ShLIOp>(codes, places),
                                  32 - width);
  Value values = arith::SIToFPOp::create(b, f32, codes);
  return arith::TruncFOp::create(b, type, values);
}

Value mxgpu::expand(OpBuilder &builder, DecodeOp op) {
  IntBuilder b(op.getLoc(), builder);
  auto floatType = dyn_cast<FloatType>(op.getElementType());
  if (!floatType)
    return decodeIntegers(b, op);

  // The magnitude, put at the top of bf16's mantissa, reads as the value over
  // 2^(126 + minExponent), subnormals included; one exact multiplication puts
  // that right. Two codes that lie 16 bits apart are done at once.
  FloatFields fields(floatType);
  unsigned container = getContainerBits(floatType);
  int up = 7 - fields.mantissa;
  auto both = [](uint32_t half) { return half << 16 | half; };
  uint32_t signBit = 1u << (fields.width - 1);
  uint32_t magnitudes = both(signBit - 1);

  auto pairType = VectorType::get({2}, b.getBF16Type());
  auto wordType = VectorType::get({1}, b.getI32Type());
  llvm::APFloat factor(llvm::APFloat::BFloat(), 1);
  factor = llvm::scalbn(factor, bias - 1 + fields.minExponent,
                        llvm::RoundingMode::NearestTiesToEven);
  Value scale =
      arith::ConstantOp::create(b, DenseElementsAttr::get(pairType, factor));

  unsigned half = 16 / container;
  SmallVector<Value> values(2 * half);
  for (unsigned i = 0; i < half; ++i) {
    Value codes = b.apply<arith::ShRUIOp>(op.getCodes(), i * container);
    Value word = b.shift(b.apply<arith::AndIOp>(codes, magnitudes), up);
    if (fields.hasNaN) {
      // NaN and infinity have the largest exponent (E4M3FN: NaN is all ones).
      // Adding one unit to just those carries out of the magnitude; spread the
      // carry over the rest of bf16's exponent, which the product leaves alone.
      uint32_t carry = signBit << up;
      uint32_t unit = fields.hasInf ? 1u << 7 : 1u << up;
      Value special = b.apply<arith::AndIOp>(
          b.apply<arith::AddIOp>(word, both(unit)), both(carry));
      Value spread = b.apply<arith::MulIOp>(special, 0x8000 / carry - 1);
      word = b.apply<arith::OrIOp>(word, spread);
    }
    Value sign = b.shift(b.apply<arith::AndIOp>(codes, both(signBit)),
                         16 - fields.width);
    word = b.apply<arith::OrIOp>(word, sign);
    Value pair = vector::BitCastOp::create(
        b, pairType, vector::BroadcastOp::create(b, wordType, word));
    pair = arith::MulFOp::create(b, pair, scale);
    values[i] = vector::ExtractOp::create(b, pair, ArrayRef<int64_t>{0});
    values[half + i] = vector::ExtractOp::create(b, pair, ArrayRef<int64_t>{1});
  }
  return vector::FromElementsOp::create(b, op.getType(), values);
}

Value mxgpu::expand(OpBuilder &builder, EncodeScaleOp op) {
  using arith::CmpIPredicate;
  constexpr uint32_t nanCode = 0xFF, maxCode = 0xFE;
  // 2^-127 in f32 (a subnormal), which code 0 stands for.
  constexpr uint32_t leastBits = 0x00400000;
  IntBuilder b(op.getLoc(), builder);
  Value bits = arith::BitcastOp::create(b, b.getI32Type(), op.getValue());
  Value magnitude = b.apply<arith::AndIOp>(bits, magnitudeMask);
  Value up = b.apply<arith::AddIOp>(magnitude, (1u << mantissaWidth) - 1);
  Value code = b.apply<arith::ShRUIOp>(up, mantissaWidth);
  code = b.apply<arith::MinUIOp>(code, maxCode);
  code = b.select(b.compare(CmpIPredicate::ule, magnitude, leastBits),
                  b.constant(code.getType(), 0), code);
  return b.select(b.compare(CmpIPredicate::ugt, magnitude, infinityBits),
                  b.constant(code.getType(), nanCode), code);
}

Value mxgpu::expand(OpBuilder &builder, DecodeScaleOp op) {
  using arith::CmpIPredicate;
  IntBuilder b(op.getLoc(), builder);
  auto type = cast<FloatType>(op.getType());
  int mantissa = type.getFPMantissaWidth() - 1;
  Value code = op.getCode();
  Value bits = b.apply<arith::ShLIOp>(code, mantissa);
  // Code 0 is 2^-127, which has no exponent of its own; 0xFF is NaN.
  bits = b.select(b.compare(CmpIPredicate::eq, code, 0),
                  b.constant(code.getType(), 1u << (mantissa - 1)), bits);
  bits = b.select(b.compare(CmpIPredicate::eq, code, 0xFF),
                  b.constant(code.getType(), 0x1FFu << (mantissa - 1)), bits);
  if (type.getWidth() < 32)
    bits = arith::TruncIOp::create(b, b.getIntegerType(type.getWidth()), bits);
  return arith::BitcastOp::create(b, type, bits);
}
