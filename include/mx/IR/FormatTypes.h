// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a Format means for builtin types and shapes, and the operands that
// belong to one quantised value.

#ifndef MX_IR_FORMATTYPES_H
#define MX_IR_FORMATTYPES_H

#include "mx/Formats/Format.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ValueRange.h"

namespace mx {

/// The builtin type of an element: E2M1 is f4E2M1FN, NF4 and Int4 are i4,
/// Ternary is i2, MXInt8 and Int8 are i8.
mlir::Type getElementType(mlir::MLIRContext *context, Element element);
/// Codes that one byte of packed elements holds: 2 of 4 bits, 4 of 2 bits, 1 of
/// 6 or 8 bits.
unsigned getCodesPerByte(Element element);
/// True if elements of this builtin type are packed: i8 for an element narrower
/// than 8 bits. The last dimension then counts bytes of `getCodesPerByte`
/// codes, the first code in the lowest bits.
bool isPackedType(mlir::Type type, Element element);
/// The builtin type of a block scale.
mlir::Type getScaleType(mlir::MLIRContext *context, ScaleType scale);

/// Whether high-precision values may have this type: f32, f16, bf16.
bool isHighPrecisionType(mlir::Type type);

/// Shape of the scales of a tensor of `shape` quantised along `axis`: one
/// entry a block, the last of a dimension possibly ragged. A dynamic extent
/// stays dynamic unless one block covers it.
llvm::SmallVector<int64_t> getScaleShape(const Format &format,
                                         llvm::ArrayRef<int64_t> shape,
                                         int64_t axis);

/// The values that make up one operand: elements, scales, zero points (if the
/// format has them), amax (if it has a second level); or one high-precision
/// tensor. A view; counts are checked by the ops' verifiers.
struct QuantizedOperand {
  explicit QuantizedOperand(mlir::ValueRange values)
      : elements(values.empty() ? mlir::Value() : values[0]) {}
  QuantizedOperand(mlir::ValueRange values, const Format &format);

  /// Number of values that an operand of this format has.
  static unsigned getNumValues(const Format &format) {
    return 2 + format.zeroPoint + format.secondLevel;
  }

  mlir::Value elements, scales, zeroPoints, amax;
};

} // namespace mx

#endif // MX_IR_FORMATTYPES_H
