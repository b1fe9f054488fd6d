// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The mx dialect: attributes and ops.

#ifndef MX_IR_MX_H
#define MX_IR_MX_H

#include "mx/Formats/Hadamard.h"
#include "mx/IR/ElementRegion.h"
#include "mx/IR/FormatTypes.h"
#include "mx/IR/ProductShape.h"
#include "mx/Target/Capabilities.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"

#include "mx/IR/MXDialect.h.inc"

#include "mx/IR/MXEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "mx/IR/MXAttrs.h.inc"

#define GET_OP_CLASSES
#include "mx/IR/MXOps.h.inc"

#endif // MX_IR_MX_H
