// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One product to mx.quantize and mx.matmul: what the pass and the transform op
// do alike.

#ifndef MX_LIB_TRANSFORMS_QUANTIZEMATMUL_H
#define MX_LIB_TRANSFORMS_QUANTIZEMATMUL_H

#include "QuantizedOperands.h"

namespace mx {

/// Rewrites all results of `op` as `policy` says; `created` gets an mx.matmul
/// for each. `plan` is that of the function. On failure nothing has changed and
/// `reason` says why. Ops of a block must be rewritten in its order, because
/// `operands` gives later ones what earlier ones quantised.
mlir::LogicalResult quantizeMatmul(
    mlir::RewriterBase &rewriter, QuantizedOperands &operands,
    mlir::Operation *op, PolicyAttr policy, llvm::ArrayRef<PlanEntryAttr> plan,
    llvm::SmallVectorImpl<mlir::Operation *> &created, std::string &reason);

/// The plan's entry about result `result` of `op`.
std::optional<int64_t> findEntry(mlir::Operation *op, unsigned result,
                                 llvm::ArrayRef<PlanEntryAttr> plan);

} // namespace mx

#endif // MX_LIB_TRANSFORMS_QUANTIZEMATMUL_H
