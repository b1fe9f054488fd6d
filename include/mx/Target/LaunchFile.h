// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a kernel is launched, as a JSON file for a PTX emulator.

#ifndef MX_TARGET_LAUNCHFILE_H
#define MX_TARGET_LAUNCHFILE_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/Support/JSON.h"

namespace mx {

/// The launch file of `launch`, whose kernel has `numParameters` after lowering
/// and whose PTX is in the file `ptxName`: name, ptx, target, entry, grid,
/// block, cluster, dynamic_shared, args, buffers (with dtype, shape and seeded
/// `init`), checks (none: the expected values are not known here). A buffer is
/// a pointer taken from a memref, or a memref, passed as a bare pointer or as a
/// descriptor, whichever `numParameters` says.
/// Fails, with the reason in `why`, where a size or scalar is not a constant.
std::optional<llvm::json::Object>
getLaunchFile(mlir::gpu::LaunchFuncOp launch, unsigned numParameters,
              llvm::StringRef ptxName, llvm::StringRef chip, std::string &why);

} // namespace mx

#endif // MX_TARGET_LAUNCHFILE_H
