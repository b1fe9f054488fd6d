// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Conversion/MXToGPU/Passes.h"

#include "Convert.h"
#include "Launch.h"
#include "ZeroInit.h"
#include "mx/IR/MXGPU.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mx {
#define GEN_PASS_DEF_CONVERTMXTOGPU
#include "mx/Conversion/MXToGPU/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

namespace {
struct ConvertMXToGPU : mx::impl::ConvertMXToGPUBase<ConvertMXToGPU> {
  void runOnOperation() override;

private:
  void moveBuffersToDevice();

  DenseSet<Value> deviceBuffers;
};
} // namespace

/// True if the buffer and all dense views of it are used by kernels only.
/// Collects these values.
static bool isUsedByKernelsOnly(Value buffer, SetVector<Value> &values,
                                SmallVectorImpl<Operation *> &deallocs) {
  if (!cast<MemRefType>(buffer.getType()).getLayout().isIdentity())
    return false;
  values.insert(buffer);
  return llvm::all_of(buffer.getUsers(), [&](Operation *user) {
    if (isa<memref::DeallocOp>(user)) {
      deallocs.push_back(user);
      return true;
    }
    if (isa<memref::CastOp, memref::CollapseShapeOp, memref::ExpandShapeOp>(
            user))
      return isUsedByKernelsOnly(user->getResult(0), values, deallocs);
    return isa<MXDialect>(user->getDialect()) && user->hasAttr("mx.kernel");
  });
}

void ConvertMXToGPU::moveBuffersToDevice() {
  SmallVector<memref::AllocOp> allocs;
  getOperation()->walk([&](memref::AllocOp op) { allocs.push_back(op); });
  for (memref::AllocOp alloc : allocs) {
    SetVector<Value> values;
    SmallVector<Operation *> deallocs;
    if (alloc->use_empty() || !alloc.getSymbolOperands().empty() ||
        !isUsedByKernelsOnly(alloc, values, deallocs))
      continue;
    auto isOnDevice = [](Value) { return true; };
    HostBuilder b(alloc.getLoc(), alloc);
    Launch chain(b, isOnDevice);
    Value device = chain.allocate(alloc.getDynamicSizes(), alloc.getType());
    chain.finish();
    for (Operation *dealloc : deallocs) {
      HostBuilder end(dealloc->getLoc(), dealloc);
      Launch endChain(end, isOnDevice);
      endChain.deallocate(dealloc->getOperand(0));
      endChain.finish();
      dealloc->erase();
    }
    alloc.replaceAllUsesWith(device);
    deviceBuffers.insert(device);
    deviceBuffers.insert(values.begin(), values.end());
    alloc.erase();
    ++numDeviceBuffers;
  }
}

void ConvertMXToGPU::runOnOperation() {
  deviceBuffers.clear();
  SmallVector<Operation *> ops;
  WalkResult result = getOperation()->walk([&](Operation *op) {
    if (!isa_and_nonnull<MXDialect>(op->getDialect()) ||
        !op->hasAttr("mx.kernel"))
      return WalkResult::advance();
    if (!cast<DestinationStyleOpInterface>(op).hasPureBufferSemantics()) {
      op->emitOpError("must have been bufferized");
      return WalkResult::interrupt();
    }
    if (failed(verifyNoElementRegion(op)))
      return WalkResult::interrupt();
    ops.push_back(op);
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return signalPassFailure();
  if (ops.empty())
    return;

  getOperation()->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                          UnitAttr::get(&getContext()));
  // Before buffers are moved: a fill would keep one on the host.
  DenseSet<Operation *> startsFromZero;
  for (Operation *op : ops)
    if (auto matmul = dyn_cast<MatmulOp>(op))
      if (linalg::FillOp fill = getZeroFill(matmul)) {
        startsFromZero.insert(op);
        fill->erase();
      }
  moveBuffersToDevice();
  KernelTable kernels(getOperation());
  auto isOnDevice = [&](Value memref) {
    return deviceBuffers.contains(memref);
  };
  for (Operation *op : ops) {
    LogicalResult converted =
        llvm::TypeSwitch<Operation *, LogicalResult>(op)
            .Case([&](MatmulOp op) {
              return convertToGPU(op, !startsFromZero.contains(op), kernels,
                                  isOnDevice);
            })
            .Case([&](QuantizeOp op) {
              return convertToGPU(op, kernels, isOnDevice);
            })
            .Default([](Operation *op) {
              return op->emitOpError("belongs to no kernel family");
            });
    if (failed(converted))
      return signalPassFailure();
    ++numLaunches;
  }
  numKernels += kernels.getNumKernels();
}
