// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instrumenting a quantised function, so that what quantisation does to each
// product can be seen from outside.

#ifndef MX_REPORT_OBSERVEPRODUCTS_H
#define MX_REPORT_OBSERVEPRODUCTS_H

#include "mx/Formats/Format.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SetVector.h"

#include <optional>
#include <string>

namespace mlir::func {
class FuncOp;
} // namespace mlir::func

namespace mx {

/// A value of a function that can be seen from outside.
struct ObservedValue {
  bool isArgument = false;
  /// Of the argument, or of the result.
  unsigned index = 0;
};

/// A quantised operand: what it was before.
struct ObservedOperand {
  ObservedValue value;
  Format format;
  int64_t axis = 0;
};

struct ObservedProduct {
  /// Position in the plan of the function.
  int64_t entry = 0;
  /// The product of the quantised operands and that of the original ones.
  ObservedValue quantized, exact;
  std::optional<ObservedOperand> lhs, rhs;
};

/// Why a product cannot be seen.
struct UnobservedProduct {
  int64_t entry = 0;
  /// As in "not measured: <reason>".
  std::string reason;
};

struct ObservedFunction {
  llvm::SmallVector<ObservedProduct> products;
  llvm::SmallVector<UnobservedProduct> others;
};

/// Gives `function` further results: for each `mx.matmul` that stands for an
/// entry of the plan, its result, the same product in f32 of what its operands
/// were before `mx.quantize`, and these (unless they are arguments). Everything
/// else then uses the product in f32, so that each error is that of one op and
/// the function's own results are those of the model before lowering.
///
/// Products in a loop or a branch, and those of operands that neither
/// `mx.quantize` nor a gather from its result makes, are left alone and named
/// with the reason.
ObservedFunction observeProducts(mlir::func::FuncOp function);

/// The functions that calling `function` may run, itself excepted.
llvm::SetVector<mlir::Operation *> getCallees(mlir::func::FuncOp function);

} // namespace mx

#endif // MX_REPORT_OBSERVEPRODUCTS_H
