// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The patterns of convert-mx-to-linalg, by op.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_PATTERNS_H
#define MX_LIB_CONVERSION_MXTOLINALG_PATTERNS_H

#include "mlir/Support/LLVM.h"

#include "mx/Formats/Format.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir {
class Operation;
class RewritePatternSet;
class TypeConverter;
} // namespace mlir

namespace mx {

void populateAmaxPatterns(const mlir::TypeConverter &converter,
                          mlir::RewritePatternSet &patterns);
void populateHadamardPatterns(const mlir::TypeConverter &converter,
                              mlir::RewritePatternSet &patterns);
void populateStatsPatterns(const mlir::TypeConverter &converter,
                           mlir::RewritePatternSet &patterns);
void populateQuantizePatterns(const mlir::TypeConverter &converter,
                              mlir::RewritePatternSet &patterns);
/// mx.dequantize and mx.matmul.
void populateMatmulPatterns(const mlir::TypeConverter &converter,
                            mlir::RewritePatternSet &patterns);
void populateRelayoutPatterns(const mlir::TypeConverter &converter,
                              mlir::RewritePatternSet &patterns);

/// The values that elements and scales stand for, into `init` (a float type).
/// `values` are a quantised operand's values as codes, `original` the same
/// before conversion.
mlir::Value dequantize(mlir::ImplicitLocOpBuilder &builder,
                       mlir::ValueRange original, mlir::ValueRange values,
                       const Format &format, int64_t axis, mlir::Value init);

/// Fails with a located error if the patterns cannot lower this mx op; the
/// message says what would work.
mlir::LogicalResult checkSupported(mlir::Operation *op);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_PATTERNS_H
