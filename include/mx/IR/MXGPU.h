// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The mxgpu dialect: instructions for narrow formats that upstream lacks.

#ifndef MX_IR_MXGPU_H
#define MX_IR_MXGPU_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "mx/IR/mxgpu/MXGPUDialect.h.inc"

#include "mx/IR/mxgpu/MXGPUEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "mx/IR/mxgpu/MXGPUAttrs.h.inc"

#define GET_OP_CLASSES
#include "mx/IR/mxgpu/MXGPUOps.h.inc"

namespace mx::mxgpu {

/// Bits that a code of `type` takes in a register and in memory: 2 or 4, and 8
/// for anything wider (6-bit codes have a byte each). 0 for a type that is no
/// code: anything but i2, i4, i8 and the floats of 4, 6 and 8 bits.
unsigned getContainerBits(mlir::Type type);

} // namespace mx::mxgpu

#endif // MX_IR_MXGPU_H
