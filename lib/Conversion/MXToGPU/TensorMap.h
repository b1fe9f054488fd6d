// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Host code that describes a tensor to the GPU's tensor copies.

#ifndef MX_LIB_CONVERSION_MXTOGPU_TENSORMAP_H
#define MX_LIB_CONVERSION_MXTOGPU_TENSORMAP_H

#include "Launch.h"
#include "mx/Kernels/Gemm.h"

namespace mx {

/// Index values, contiguous dimension first; strides in bytes, of the others.
struct TensorExtents {
  llvm::SmallVector<mlir::Value> extents, strides;
};

/// Calls mgpuTensorMapEncodeTiled, which upstream's CUDA runtime wrappers have,
/// for the tensor in the device memory `device`. Returns a pointer to the 128
/// bytes, on the host's stack.
mlir::Value encodeTensorMap(HostBuilder &b,
                            const kernels::TensorMapConfig &config,
                            mlir::Value device, const TensorExtents &tensor);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOGPU_TENSORMAP_H
