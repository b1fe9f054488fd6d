// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inverse of mx-fuse, for lowerings of mx ops that know no regions.

#ifndef MX_TRANSFORMS_INLINEREGIONS_H
#define MX_TRANSFORMS_INLINEREGIONS_H

#include "mlir/IR/Operation.h"

namespace mx {

/// Turns the prologues and epilogues of the mx ops in `root` into
/// linalg.generic before and after them. An op on memrefs that has a region is
/// an error at its location.
llvm::LogicalResult inlineRegions(mlir::Operation *root);

} // namespace mx

#endif // MX_TRANSFORMS_INLINEREGIONS_H
