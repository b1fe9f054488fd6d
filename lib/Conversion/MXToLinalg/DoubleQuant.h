// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Double quantisation of NF4's scales (QLoRA, arXiv 2305.14314, section 3).

#ifndef MX_LIB_CONVERSION_MXTOLINALG_DOUBLEQUANT_H
#define MX_LIB_CONVERSION_MXTOLINALG_DOUBLEQUANT_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mx {

/// What f32 scales become when they are quantised to 8 bits and back, in groups
/// of 256 in row-major order, as quantizeScales and dequantizeScales of
/// lib/Formats.
mlir::Value roundTripScales(mlir::ImplicitLocOpBuilder &builder,
                            mlir::Value scales);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_DOUBLEQUANT_H
