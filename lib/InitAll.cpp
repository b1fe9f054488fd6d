// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/InitAll.h"
#include "mx/Conversion/LinalgToCPU/Passes.h"
#include "mx/Conversion/MXGPUToNVVM/Passes.h"
#include "mx/Conversion/MXToGPU/Passes.h"
#include "mx/Conversion/MXToLinalg/MXToLinalg.h"
#include "mx/IR/MX.h"
#include "mx/IR/MXGPU.h"
#include "mx/Pipelines/LowerPrecision.h"
#include "mx/Pipelines/ToCPU.h"
#include "mx/Pipelines/ToGPU.h"
#include "mx/Report/Passes.h"
#include "mx/Target/NVPTX.h"
#include "mx/Target/Passes.h"
#include "mx/Transforms/Passes.h"
#include "mx/Transforms/TransformOps.h"

#include "mlir/IR/DialectRegistry.h"

void mx::registerAllDialects(mlir::DialectRegistry &registry) {
  registry.insert<MXDialect, mxgpu::MXGPUDialect>();
  registerNVPTXTarget(registry);
  registerTransformDialectExtension(registry);
}

void mx::registerAllPasses() {
  registerMXGPUToNVVMPasses();
  registerMXLinalgToCPUPasses();
  registerMXReportPasses();
  registerMXTargetPasses();
  registerMXToGPUPasses();
  registerMXToLinalgPasses();
  registerMXTransformsPasses();
  registerLowerPrecisionPipeline();
  registerToCPUPipeline();
  registerToGPUPipeline();
}
