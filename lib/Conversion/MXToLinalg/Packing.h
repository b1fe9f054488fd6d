// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packed elements (dialects/mx/README.md) from and to one code a byte.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_PACKING_H
#define MX_LIB_CONVERSION_MXTOLINALG_PACKING_H

#include "mx/Formats/Format.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mx {

/// True if a tensor's bytes hold several codes; `type` is that of the op's
/// elements. (Packed, an element of 6 bits has a byte of its own.)
bool isPacked(mlir::Type type, Element element);

/// Codes of a tensor of these sizes from packed bytes.
mlir::Value unpackCodes(mlir::ImplicitLocOpBuilder &builder, mlir::Value bytes,
                        Element element,
                        llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// Codes packed into the bytes of `init`. What is left of the last byte holds
/// the code of zero.
mlir::Value packCodes(mlir::ImplicitLocOpBuilder &builder, mlir::Value codes,
                      Element element, mlir::Value init);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_PACKING_H
