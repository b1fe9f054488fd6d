// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NVFP4's "4 over 6": two scales are tried for each block.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_FOUROVERSIX_H
#define MX_LIB_CONVERSION_MXTOLINALG_FOUROVERSIX_H

#include "BlockView.h"

namespace mx {

/// Stored scales (into `init`) and factors of the elements, by scale loops:
/// for each block those with the smaller error, six on a tie. `input` are the
/// elements by loops, `amaxBits` the bits of each block's amax.
std::pair<mlir::Value, mlir::Value>
chooseFourOverSix(mlir::ImplicitLocOpBuilder &builder, const Format &format,
                  const BlockView &view, int64_t axis, mlir::Value input,
                  mlir::Value tensorAmax, mlir::Value amaxBits,
                  mlir::Value init);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_FOUROVERSIX_H
