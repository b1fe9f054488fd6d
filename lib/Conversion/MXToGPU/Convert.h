// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One op each: kernel and host code.

#ifndef MX_LIB_CONVERSION_MXTOGPU_CONVERT_H
#define MX_LIB_CONVERSION_MXTOGPU_CONVERT_H

#include "KernelTable.h"
#include "mx/IR/MX.h"

namespace mx {

/// Replaces an op on memrefs with a `mx.kernel` by the launch of its kernel.
/// `isOnDevice` tells which memrefs are in the device's memory. `accumulate`:
/// the product is added to what the result holds; else that is zero.
mlir::LogicalResult
convertToGPU(MatmulOp op, bool accumulate, KernelTable &kernels,
             llvm::function_ref<bool(mlir::Value)> isOnDevice);
mlir::LogicalResult
convertToGPU(QuantizeOp op, KernelTable &kernels,
             llvm::function_ref<bool(mlir::Value)> isOnDevice);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOGPU_CONVERT_H
