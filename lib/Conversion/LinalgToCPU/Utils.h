// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small things that several passes here need.

#ifndef MX_LIB_CONVERSION_LINALGTOCPU_UTILS_H
#define MX_LIB_CONVERSION_LINALGTOCPU_UTILS_H

#include "mx/Conversion/LinalgToCPU/CPUTarget.h"

#include "mlir/IR/Operation.h"

namespace mx {

/// The target that a pass option names; an error at `op` if there is none.
inline mlir::FailureOr<CPUTarget> getTargetOrError(mlir::Operation *op,
                                                   llvm::StringRef option) {
  if (std::optional<CPUTarget> target = CPUTarget::get(option))
    return *target;
  return op->emitError("there is no processor '")
         << option << "' here; native, generic and on x86-64 avx2 exist";
}

} // namespace mx

#endif // MX_LIB_CONVERSION_LINALGTOCPU_UTILS_H
