// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes that print what was decided.

#ifndef MX_REPORT_PASSES_H
#define MX_REPORT_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mx {

enum class ReportFormat { Text, JSON, HTML };

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mx/Report/Passes.h.inc"

} // namespace mx

#endif // MX_REPORT_PASSES_H
