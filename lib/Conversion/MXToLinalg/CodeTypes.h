// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors of narrow types as tensors of i8, one code a byte.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_CODETYPES_H
#define MX_LIB_CONVERSION_MXTOLINALG_CODETYPES_H

#include "mlir/Transforms/DialectConversion.h"

namespace mx {

/// True for a scalar type whose tensors become codes: f4E2M1FN, f6E2M3FN,
/// f6E3M2FN, f8E4M3FN, f8E5M2, f8E8M0FNU, i4, i2.
bool isNarrowType(mlir::Type type);
/// True if the type is, or is of a function that has, a tensor of a narrow type
/// or one in a layout other than row-major.
bool hasNarrowTensor(mlir::Type type);

/// Tensors of narrow types become tensors of i8, layouts the shape that they
/// have in memory; all else stays.
class CodeTypeConverter : public mlir::TypeConverter {
public:
  CodeTypeConverter();
};

/// Patterns for the ops of upstream dialects that create, move or index
/// tensors, and for linalg ops, whose bodies keep computing on scalars of the
/// narrow type.
void populateCodeTypePatterns(const mlir::TypeConverter &converter,
                              mlir::RewritePatternSet &patterns,
                              mlir::ConversionTarget &target);

/// True if `populateCodeTypePatterns` has a pattern for this op (which has a
/// tensor of a narrow type as operand, result or block argument).
bool hasCodeForm(mlir::Operation *op);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_CODETYPES_H
