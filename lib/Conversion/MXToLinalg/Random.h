// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The generator of mx/Formats/Random.h on scalars.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_RANDOM_H
#define MX_LIB_CONVERSION_MXTOLINALG_RANDOM_H

#include "Scalar.h"

namespace mx {

/// The random word (i32) of element `index`; all three are i64.
Scalar getRandomWord(mlir::ImplicitLocOpBuilder &builder, mlir::Value seed,
                     mlir::Value offset, mlir::Value index);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_RANDOM_H
