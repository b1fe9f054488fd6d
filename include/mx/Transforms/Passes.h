// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes from linalg on tensors to linalg and mx.

#ifndef MX_TRANSFORMS_PASSES_H
#define MX_TRANSFORMS_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mx {

/// What happens to an op that a policy wants quantised and that cannot be.
enum class Fallback { Remark, Error, Silent };

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mx/Transforms/Passes.h.inc"

} // namespace mx

#endif // MX_TRANSFORMS_PASSES_H
