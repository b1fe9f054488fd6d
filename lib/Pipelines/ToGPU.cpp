// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Pipelines/ToGPU.h"
#include "mx/Conversion/LinalgToCPU/Passes.h"
#include "mx/Conversion/MXGPUToNVVM/Passes.h"
#include "mx/Conversion/MXToGPU/Passes.h"
#include "mx/Conversion/MXToLinalg/MXToLinalg.h"
#include "mx/Pipelines/ToCPU.h"
#include "mx/Target/Passes.h"
#include "mx/Transforms/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace {

/// mx ops on tensors to mx ops on dense, packed buffers, each with its kernel.
void addSelection(OpPassManager &pm, const mx::ToGPUOptions &options) {
  // No kernel computes a region yet.
  pm.addPass(mx::createMXInlineRegions());
  mx::addTosaToLinalg(pm);
  mx::MXCPUPrepareOptions prepare;
  prepare.kernels = true;
  pm.addPass(mx::createMXCPUPrepare(prepare));
  pm.addPass(mx::createMXMoveKInnermost());
  mx::MXSelectKernelsOptions select;
  select.chip = options.chip;
  select.fallback = options.fallback;
  pm.addPass(mx::createMXSelectKernels(select));
  pm.addPass(mx::createMXSeparateInits());
  pm.addPass(mx::createMXPackSubByte());
  // What no kernel does, while it is on tensors.
  mx::ConvertMXToLinalgOptions host;
  host.hostOps = true;
  pm.addPass(mx::createConvertMXToLinalg(host));
}

/// Function boundaries are row-major, as the kernels want their operands.
void addBufferization(OpPassManager &pm) {
  pm.addPass(bufferization::createEmptyTensorToAllocTensorPass());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  pm.addPass(createCanonicalizerPass());
  bufferization::buildBufferDeallocationPipeline(pm);
  // A copy of an argument that is returned.
  pm.addPass(createConvertBufferizationToMemRefPass());
}

/// gpu.module of scf, arith, vector, mxgpu and nvvm ops to gpu.binary.
void addKernels(OpPassManager &pm, const mx::ToGPUOptions &options) {
  OpPassManager &gpu = pm.nest<gpu::GPUModuleOp>();
  gpu.addPass(mx::createConvertMXGPUToNVVM({options.chip}));
  gpu.addPass(createCanonicalizerPass());
  gpu.addPass(createCSEPass());
  gpu.addPass(createSCFToControlFlowPass());
  // Else math.fma and the like would call libdevice.
  gpu.addPass(createConvertMathToLLVMPass());
  gpu.addPass(createConvertGpuOpsToNVVMOps());
  gpu.addPass(createConvertNVVMToLLVMPass());
  gpu.addPass(createCanonicalizerPass());
  gpu.addPass(createCSEPass());
  gpu.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(mx::createMXPassTensorMaps());
  mx::MXGPUModuleToBinaryOptions binary;
  binary.emit = options.emit;
  binary.ptx = options.ptx;
  binary.dump = options.dump;
  binary.toolkit = options.toolkit;
  pm.addPass(mx::createMXGPUModuleToBinary(binary));
}

/// The host's loops and launches to the LLVM dialect.
void addHost(OpPassManager &pm) {
  pm.addPass(createConvertLinalgToLoopsPass());
  pm.addPass(mx::createMXCPUExpandShapes());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createGpuToLLVMConversionPass());
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

} // namespace

void mx::buildToGPUPipeline(OpPassManager &pm, const ToGPUOptions &options) {
  addSelection(pm, options);
  addBufferization(pm);
  pm.addPass(createConvertMXToGPU());
  // Sizes of launches become constants.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  addKernels(pm, options);
  addHost(pm);
}

void mx::registerToGPUPipeline() {
  PassPipelineRegistration<ToGPUOptions>(
      "mx-to-gpu", "mx ops on tensors to GPU kernels and host code",
      buildToGPUPipeline);
}
