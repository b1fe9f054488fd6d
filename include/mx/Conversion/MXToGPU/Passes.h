// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MX_CONVERSION_MXTOGPU_PASSES_H
#define MX_CONVERSION_MXTOGPU_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mx {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mx/Conversion/MXToGPU/Passes.h.inc"

} // namespace mx

#endif // MX_CONVERSION_MXTOGPU_PASSES_H
