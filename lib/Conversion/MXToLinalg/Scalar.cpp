// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Scalar.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mx;

Scalar Scalar::f32(ImplicitLocOpBuilder &b, float constant) {
  return {b, arith::ConstantOp::create(b, b.getF32FloatAttr(constant))};
}
Scalar Scalar::i32(ImplicitLocOpBuilder &b, uint32_t constant) {
  return {b, arith::ConstantOp::create(b, b.getI32IntegerAttr(constant))};
}

template <typename FloatOp, typename IntOp>
static Scalar binary(bool isFloat, Scalar lhs, Scalar rhs) {
  ImplicitLocOpBuilder &b = lhs.getBuilder();
  if (isFloat)
    return {b, FloatOp::create(b, lhs, rhs)};
  return {b, IntOp::create(b, lhs, rhs)};
}

Scalar Scalar::operator+(Scalar rhs) const {
  return binary<arith::AddFOp, arith::AddIOp>(isFloat(), *this, rhs);
}
Scalar Scalar::operator-(Scalar rhs) const {
  return binary<arith::SubFOp, arith::SubIOp>(isFloat(), *this, rhs);
}
Scalar Scalar::operator*(Scalar rhs) const {
  return binary<arith::MulFOp, arith::MulIOp>(isFloat(), *this, rhs);
}
Scalar Scalar::operator/(Scalar rhs) const {
  return {*builder, arith::DivFOp::create(*builder, value, rhs.value)};
}

Scalar Scalar::operator&(Scalar rhs) const {
  return {*builder, arith::AndIOp::create(*builder, value, rhs.value)};
}
Scalar Scalar::operator|(Scalar rhs) const {
  return {*builder, arith::OrIOp::create(*builder, value, rhs.value)};
}
Scalar Scalar::operator^(Scalar rhs) const {
  return {*builder, arith::XOrIOp::create(*builder, value, rhs.value)};
}
Scalar Scalar::operator<<(unsigned amount) const {
  if (amount == 0)
    return *this;
  return {*builder, arith::ShLIOp::create(*builder, value, i32(amount))};
}
Scalar Scalar::operator>>(unsigned amount) const {
  if (amount == 0)
    return *this;
  return {*builder, arith::ShRUIOp::create(*builder, value, i32(amount))};
}

Scalar Scalar::operator<(Scalar rhs) const {
  if (isFloat())
    return {*builder, arith::CmpFOp::create(*builder, arith::CmpFPredicate::OLT,
                                            value, rhs.value)};
  return {*builder, arith::CmpIOp::create(*builder, arith::CmpIPredicate::slt,
                                          value, rhs.value)};
}
Scalar Scalar::operator==(Scalar rhs) const {
  if (isFloat())
    return {*builder, arith::CmpFOp::create(*builder, arith::CmpFPredicate::OEQ,
                                            value, rhs.value)};
  return {*builder, arith::CmpIOp::create(*builder, arith::CmpIPredicate::eq,
                                          value, rhs.value)};
}
Scalar Scalar::isNaN() const {
  return {*builder, arith::CmpFOp::create(*builder, arith::CmpFPredicate::UNO,
                                          value, value)};
}

Scalar Scalar::bits() const {
  return {*builder,
          arith::BitcastOp::create(*builder, builder->getI32Type(), value)};
}
Scalar Scalar::asFloat() const {
  return {*builder,
          arith::BitcastOp::create(*builder, builder->getF32Type(), value)};
}
Scalar Scalar::abs() const {
  return {*builder, math::AbsFOp::create(*builder, value)};
}
Scalar Scalar::toFloat() const {
  return {*builder,
          arith::SIToFPOp::create(*builder, builder->getF32Type(), value)};
}
Scalar Scalar::toInteger() const {
  return {*builder,
          arith::FPToSIOp::create(*builder, builder->getI32Type(), value)};
}

Scalar Scalar::load(ImplicitLocOpBuilder &builder, Value value) {
  Type type = value.getType();
  if (type.isF32() || type.isInteger(32))
    return {builder, value};
  if (isa<FloatType>(type))
    return {builder,
            arith::ExtFOp::create(builder, builder.getF32Type(), value)};
  return {builder,
          arith::ExtUIOp::create(builder, builder.getI32Type(), value)};
}

Scalar Scalar::loadSigned(ImplicitLocOpBuilder &builder, Value value) {
  return {builder,
          arith::ExtSIOp::create(builder, builder.getI32Type(), value)};
}

Value Scalar::store(Type type) const {
  if (type == value.getType())
    return value;
  if (isFloat())
    return arith::TruncFOp::create(*builder, type, value);
  return arith::TruncIOp::create(*builder, type, value);
}

Scalar mx::select(Scalar condition, Scalar onTrue, Scalar onFalse) {
  ImplicitLocOpBuilder &b = onTrue.getBuilder();
  return {b, arith::SelectOp::create(b, condition, onTrue, onFalse)};
}

Scalar mx::min(Scalar a, Scalar b) {
  return {a.getBuilder(), arith::MinSIOp::create(a.getBuilder(), a, b)};
}
Scalar mx::max(Scalar a, Scalar b) {
  return {a.getBuilder(), arith::MaxSIOp::create(a.getBuilder(), a, b)};
}
