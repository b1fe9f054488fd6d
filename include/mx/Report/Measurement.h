// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What quantisation does to each product of a model, on given inputs.

#ifndef MX_REPORT_MEASUREMENT_H
#define MX_REPORT_MEASUREMENT_H

#include "mx/Runtime/Session.h"

#include "llvm/Support/JSON.h"

namespace mx {

/// Runs the module at `path`, lowered as `options` say, with every quantised
/// product of the entry function computed twice: from the quantised operands,
/// and in f32 (see ObserveProducts.h). `inputs` are for the arguments that are
/// no parameters, `results` what the quantised function returned for them.
///
/// Returns the data of a report (HTMLReport.h). A product that was seen has
///
///   "measured": {"relative_error": x, "cosine": x, "lhs": {...}, "rhs": {...}}
///
/// with `getOperandStats` of each quantised operand, and `results` has the same
/// errors of each of the function's results (null for integers) against the
/// function before it was lowered. What is wrong with the module is reported as
/// a diagnostic.
llvm::Expected<llvm::json::Object>
measureProducts(llvm::StringRef path, const ProgramOptions &options,
                const mlir::DialectRegistry &registry,
                const Safetensors *weights,
                llvm::MutableArrayRef<HostTensor> inputs,
                llvm::ArrayRef<HostTensor> results);

} // namespace mx

#endif // MX_REPORT_MEASUREMENT_H
