// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Host code around one kernel: device copies of its buffers, the launch, copies
// back. Everything is put on one chain of tokens that ends with a wait.

#ifndef MX_LIB_CONVERSION_MXTOGPU_LAUNCH_H
#define MX_LIB_CONVERSION_MXTOGPU_LAUNCH_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mx {

/// Index arithmetic on the host that folds constants.
class HostBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  mlir::Value getIndex(int64_t value);
  mlir::Value getDim(mlir::Value memref, int64_t dim);
  mlir::Value multiply(mlir::Value lhs, mlir::Value rhs);
  mlir::Value divideCeil(mlir::Value lhs, int64_t rhs);
  mlir::Value cast(mlir::Value index, mlir::Type type);
  /// The address of a dense memref's first element, in global memory.
  mlir::Value getPointer(mlir::Value memref);
};

/// Emits `body` for a grid that has blocks: at once, never, or under a run time
/// condition.
void emitUnlessEmpty(HostBuilder &b, llvm::ArrayRef<mlir::Value> gridSize,
                     llvm::function_ref<void()> body);

class Launch {
public:
  Launch(HostBuilder &builder,
         llvm::function_ref<bool(mlir::Value)> isOnDevice);

  /// The device's copy of `memref`: itself if it lives there; else a new one,
  /// filled if `read`, and copied back by `finish` if `written`.
  mlir::Value getOnDevice(mlir::Value memref, bool read, bool written);

  void launch(mlir::gpu::GPUFuncOp kernel, llvm::ArrayRef<mlir::Value> gridSize,
              int64_t numThreads, int64_t sharedBytes,
              mlir::ValueRange arguments);

  /// Copies back, frees, waits.
  void finish();

  mlir::Value allocate(mlir::ValueRange dynamicSizes, mlir::MemRefType type);
  void deallocate(mlir::Value memref);

private:
  HostBuilder &b;
  llvm::function_ref<bool(mlir::Value)> isOnDevice;
  mlir::Value token;
  struct Copy {
    /// The op's buffer, a dense one on the host (often the same), the device's.
    mlir::Value host, dense, device;
    bool written;
  };
  llvm::SmallVector<Copy> copies;
};

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOGPU_LAUNCH_H
