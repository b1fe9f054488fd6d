// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// transform.mx.set_policy and transform.mx.quantize.

#ifndef MX_TRANSFORMS_TRANSFORMOPS_H
#define MX_TRANSFORMS_TRANSFORMOPS_H

#include "mx/IR/MX.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Transform/IR/TransformDialect.h"
#include "mlir/Dialect/Transform/Interfaces/TransformInterfaces.h"

#define GET_OP_CLASSES
#include "mx/Transforms/TransformOps.h.inc"

namespace mx {

/// Adds the ops to the transform dialect.
void registerTransformDialectExtension(mlir::DialectRegistry &registry);

} // namespace mx

#endif // MX_TRANSFORMS_TRANSFORMOPS_H
