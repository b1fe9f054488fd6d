// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MX_LIB_CONVERSION_MXTOGPU_ZEROINIT_H
#define MX_LIB_CONVERSION_MXTOGPU_ZEROINIT_H

#include "mx/IR/MX.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mx {

/// The op that fills the product's result buffer with zeros, if nothing else
/// writes or reads the buffer before the product; else null. A kernel that does
/// not read the old contents makes it superfluous.
mlir::linalg::FillOp getZeroFill(MatmulOp op);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOGPU_ZEROINIT_H
