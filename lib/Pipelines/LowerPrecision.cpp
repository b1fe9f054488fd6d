// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Pipelines/LowerPrecision.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;

void mx::buildLowerPrecisionPipeline(OpPassManager &pm,
                                     const LowerPrecisionOptions &options) {
  MXAnnotateOptions annotate;
  annotate.scheme = options.scheme;
  annotate.recipe = options.recipe;
  annotate.args = options.args;
  annotate.scaleRule = options.scaleRule;
  pm.addPass(createMXAnnotate(annotate));
  // Nothing runs between: many passes drop the attributes that annotate wrote.
  pm.addPass(createMXQuantizeMatmuls(
      {options.fallback, options.seed, options.seedArgument}));
  // Before any pass that may simplify what it guards.
  pm.addPass(createMXVerifyUntouched());
  pm.addPass(createMXShareOperands());
  pm.addPass(createMXFoldWeights());
  // Last: the other passes know no regions.
  pm.addPass(createMXFuse());
}

void mx::registerLowerPrecisionPipeline() {
  PassPipelineRegistration<LowerPrecisionOptions>(
      "mx-lower-precision",
      "decide the precision of each op and rewrite it: linalg on tensors to "
      "linalg and mx",
      buildLowerPrecisionPipeline);
}
