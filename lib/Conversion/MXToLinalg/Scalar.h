// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar f32, i32 and i1 expressions that build arith ops, so that a formula
// of lib/Formats can be written in IR with the same operators in the same
// order.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_SCALAR_H
#define MX_LIB_CONVERSION_MXTOLINALG_SCALAR_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Value.h"

#include <cstdint>

namespace mx {

/// An SSA value of type f32, i32 or i1 together with the builder that extends
/// it. Both operands of an operator have one type. No operator carries
/// fast-math flags: each is one IEEE operation, rounded to nearest even.
class Scalar {
public:
  Scalar(mlir::ImplicitLocOpBuilder &builder, mlir::Value value)
      : builder(&builder), value(value) {}

  operator mlir::Value() const { return value; }
  mlir::ImplicitLocOpBuilder &getBuilder() const { return *builder; }

  /// Constants.
  static Scalar f32(mlir::ImplicitLocOpBuilder &builder, float constant);
  static Scalar i32(mlir::ImplicitLocOpBuilder &builder, uint32_t constant);
  /// Constants beside this value.
  Scalar f32(float constant) const { return f32(*builder, constant); }
  Scalar i32(uint32_t constant) const { return i32(*builder, constant); }

  Scalar operator+(Scalar rhs) const;
  Scalar operator-(Scalar rhs) const;
  Scalar operator*(Scalar rhs) const;
  Scalar operator/(Scalar rhs) const;

  Scalar operator&(Scalar rhs) const;
  Scalar operator|(Scalar rhs) const;
  Scalar operator^(Scalar rhs) const;
  Scalar operator<<(unsigned amount) const;
  /// Logical shift.
  Scalar operator>>(unsigned amount) const;

  Scalar operator*(float rhs) const { return *this * f32(rhs); }
  Scalar operator+(uint32_t rhs) const { return *this + i32(rhs); }
  Scalar operator-(uint32_t rhs) const { return *this - i32(rhs); }
  Scalar operator&(uint32_t rhs) const { return *this & i32(rhs); }
  Scalar operator|(uint32_t rhs) const { return *this | i32(rhs); }
  Scalar operator^(uint32_t rhs) const { return *this ^ i32(rhs); }

  /// Comparisons give i1: signed on i32, ordered on f32 (false on NaN).
  Scalar operator<(Scalar rhs) const;
  Scalar operator>(Scalar rhs) const { return rhs < *this; }
  Scalar operator==(Scalar rhs) const;
  Scalar isNaN() const;

  /// The bits of an f32 as i32, and back.
  Scalar bits() const;
  Scalar asFloat() const;
  Scalar abs() const;
  /// An i32 as f32 of the same (signed) value.
  Scalar toFloat() const;
  /// An f32 toward zero as i32; undefined where that cannot hold it.
  Scalar toInteger() const;

  /// From and to the types in memory: f16 and bf16 widen to f32 and round from
  /// it; i8 widens to i32 without sign and truncates from it.
  static Scalar load(mlir::ImplicitLocOpBuilder &builder, mlir::Value value);
  /// An i8 with its sign as i32.
  static Scalar loadSigned(mlir::ImplicitLocOpBuilder &builder,
                           mlir::Value value);
  mlir::Value store(mlir::Type type) const;

private:
  bool isFloat() const { return llvm::isa<mlir::FloatType>(value.getType()); }

  mlir::ImplicitLocOpBuilder *builder;
  mlir::Value value;
};

/// condition ? onTrue : onFalse.
Scalar select(Scalar condition, Scalar onTrue, Scalar onFalse);
/// Of i32, signed.
Scalar min(Scalar a, Scalar b);
Scalar max(Scalar a, Scalar b);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_SCALAR_H
