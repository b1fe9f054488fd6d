// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mx ops to linalg: the bit-exact reference in upstream dialects.

#ifndef MX_CONVERSION_MXTOLINALG_MXTOLINALG_H
#define MX_CONVERSION_MXTOLINALG_MXTOLINALG_H

#include "mlir/Pass/Pass.h"

namespace mlir {
class RewritePatternSet;
class TypeConverter;
} // namespace mlir

namespace mx {

/// Lowers every mx op on tensors. `converter` turns tensors of narrow types
/// into tensors of i8 codes.
void populateMXToLinalgPatterns(const mlir::TypeConverter &converter,
                                mlir::RewritePatternSet &patterns);

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "mx/Conversion/MXToLinalg/Passes.h.inc"

} // namespace mx

#endif // MX_CONVERSION_MXTOLINALG_MXTOLINALG_H
