// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Utils.h"
#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace mx {
#define GEN_PASS_DEF_MXCPUSETTARGET
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;

namespace {

struct SetTarget : mx::impl::MXCPUSetTargetBase<SetTarget> {
  using MXCPUSetTargetBase::MXCPUSetTargetBase;

  void runOnOperation() override {
    FailureOr<mx::CPUTarget> target = mx::getTargetOrError(getOperation(), cpu);
    if (failed(target))
      return signalPassFailure();
    LLVM::TargetFeaturesAttr features;
    if (!target->features.empty())
      features = LLVM::TargetFeaturesAttr::get(&getContext(), target->features);
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>()) {
      if (function.isExternal())
        continue;
      // Calls stay calls: a model inlined into one function takes LLVM's loop
      // passes many times as long.
      function.setNoInline(true);
      if (function.isPrivate())
        function.setLinkage(LLVM::Linkage::Internal);
      // One block of a thousand calls: nothing to gain, and instruction
      // selection is quadratic in the uses of the arena.
      else if (llvm::hasSingleElement(function.getBody()))
        function.setOptimizeNone(true);
      function.setTargetCpu(target->cpu);
      if (features)
        function.setTargetFeaturesAttr(features);
    }
  }
};

} // namespace
