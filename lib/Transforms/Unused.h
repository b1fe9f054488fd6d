// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MX_LIB_TRANSFORMS_UNUSED_H
#define MX_LIB_TRANSFORMS_UNUSED_H

#include "mlir/IR/Operation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

namespace mx {

/// Erases those of `ops` that are dead, and then what only they read.
inline void eraseUnused(llvm::SetVector<mlir::Operation *> ops) {
  while (!ops.empty()) {
    mlir::Operation *op = ops.pop_back_val();
    if (!mlir::isOpTriviallyDead(op))
      continue;
    for (mlir::Value operand : op->getOperands())
      if (mlir::Operation *producer = operand.getDefiningOp())
        ops.insert(producer);
    op->erase();
  }
}

} // namespace mx

#endif // MX_LIB_TRANSFORMS_UNUSED_H
