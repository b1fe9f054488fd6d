// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Pipelines/ToCPU.h"
#include "mx/Conversion/LinalgToCPU/Passes.h"
#include "mx/Conversion/MXToLinalg/MXToLinalg.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace {

/// Tensors to buffers. Function boundaries are row-major, so that a kernel is
/// one function whatever view it is called on, and callers see plain arrays.
void addBufferization(OpPassManager &pm) {
  pm.addPass(bufferization::createEmptyTensorToAllocTensorPass());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.allowReturnAllocsFromLoops = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  pm.addPass(bufferization::createDropEquivalentBufferResultsPass());
  // Loops no longer carry the buffers that they update in place.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(mx::createMXCPUPlaceBuffers());
}

void addLoopsToLLVM(OpPassManager &pm) {
  pm.addPass(mx::createMXCPUExpandCopies());
  pm.addPass(mx::createMXCPUMath());
  pm.addPass(createConvertLinalgToLoopsPass());
  pm.addPass(mx::createMXCPULowerVectors());
  pm.addPass(mx::createMXCPUExpandShapes());
  pm.addPass(memref::createFoldMemRefAliasOpsPass());
  pm.addPass(createForallToParallelLoopPass());
  pm.addPass(createConvertSCFToOpenMPPass());
  // Takes away the alloca_scopes that the OpenMP conversion leaves.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertOpenMPToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  // What is left of the descriptors of buffers: most of a model's entry.
  GreedyRewriteConfig folding;
  folding.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
  pm.addPass(createCanonicalizerPass(folding));
}

} // namespace

void mx::addTosaToLinalg(OpPassManager &pm) {
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(tosa::createTosaToLinalgNamed());
  functions.addPass(tosa::createTosaToLinalg());
  functions.addPass(createTosaToTensorPass());
  functions.addPass(createTosaToArithPass());
}

void mx::buildToCPUPipeline(OpPassManager &pm, const ToCPUOptions &options) {
  addTosaToLinalg(pm);
  pm.addPass(createConvertMXToLinalg());
  pm.addPass(createMXCPUPrepare());
  pm.addNestedPass<func::FuncOp>(createConvertElementwiseToLinalgPass());
  pm.addPass(createMXCPUCheckExtents());
  pm.addPass(createMXCPUFuse());
  pm.addPass(createMXCPUNormalizeProducts());
  pm.addPass(createMXCPUOutline());
  pm.addPass(createMXCPUTileProducts({options.cpu}));
  pm.addPass(createMXCPUTileLoops());
  addBufferization(pm);
  addLoopsToLLVM(pm);
  pm.addPass(createMXCPUSetTarget({options.cpu}));
}

void mx::registerToCPUPipeline() {
  PassPipelineRegistration<ToCPUOptions>(
      "mx-to-cpu", "linalg on tensors to the LLVM dialect, for a CPU",
      buildToCPUPipeline);
}
