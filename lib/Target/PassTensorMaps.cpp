// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Kernels/Gemm.h"
#include "mx/Target/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace mx {
#define GEN_PASS_DEF_MXPASSTENSORMAPS
#include "mx/Target/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

namespace {
struct PassTensorMaps : mx::impl::MXPassTensorMapsBase<PassTensorMaps> {
  void runOnOperation() override;
};
} // namespace

void PassTensorMaps::runOnOperation() {
  MLIRContext *context = &getContext();
  auto mapType = LLVM::LLVMArrayType::get(IntegerType::get(context, 64), 16);
  constexpr int64_t alignment = 64;
  // By module and kernel.
  llvm::DenseMap<SymbolRefAttr, DenseI64ArrayAttr> kernels;
  StringRef name = kernels::getTensorMapsAttrName();
  for (auto module : getOperation().getOps<gpu::GPUModuleOp>())
    for (auto kernel : module.getOps<LLVM::LLVMFuncOp>()) {
      auto positions = kernel->getAttrOfType<DenseI64ArrayAttr>(name);
      if (!positions)
        continue;
      OpBuilder b(context);
      for (int64_t i : positions.asArrayRef()) {
        kernel.setArgAttr(i, LLVM::LLVMDialect::getByValAttrName(),
                          TypeAttr::get(mapType));
        kernel.setArgAttr(i, LLVM::LLVMDialect::getAlignAttrName(),
                          b.getI64IntegerAttr(alignment));
        kernel.setArgAttr(i, NVVM::NVVMDialect::getGridConstantAttrName(),
                          b.getUnitAttr());
      }
      kernel->removeAttr(name);
      kernels[SymbolRefAttr::get(module.getNameAttr(),
                                 {FlatSymbolRefAttr::get(kernel)})] = positions;
    }
  getOperation().walk([&](gpu::LaunchFuncOp launch) {
    DenseI64ArrayAttr positions = kernels.lookup(launch.getKernel());
    if (!positions)
      return;
    OpBuilder b(launch);
    for (int64_t i : positions.asArrayRef()) {
      OpOperand &operand = launch.getKernelOperandsMutable()[i];
      operand.set(LLVM::LoadOp::create(b, launch.getLoc(), mapType,
                                       operand.get(), alignment));
      ++numMaps;
    }
  });
}
