// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes that lower linalg on tensors to code for a CPU; the pipeline
// `mx-to-cpu` (mx/Pipelines/ToCPU.h) runs them in order.

#ifndef MX_CONVERSION_LINALGTOCPU_PASSES_H
#define MX_CONVERSION_LINALGTOCPU_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mx {

#define GEN_PASS_DECL
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"

/// Fails with a diagnostic if `op` cannot be run for what it lacks: the op's
/// definition (it is not registered) or the data of a constant (elided from the
/// text). `mx-cpu-prepare` checks each op; a caller may do so earlier.
mlir::LogicalResult checkIsComplete(mlir::Operation *op);

} // namespace mx

#endif // MX_CONVERSION_LINALGTOCPU_PASSES_H
