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

/// Ops of a block that is not worth optimising.
constexpr size_t kLargeBlock = 1000;

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
      // Instruction selection is quadratic in the size of a block, and there
      // is nothing to gain in a model's thousand calls.
      else if (llvm::any_of(function.getBody(), [](Block &block) {
                 return block.getOperations().size() > kLargeBlock;
               }))
        function.setOptimizeNone(true);
      function.setTargetCpu(target->cpu);
      if (features)
        function.setTargetFeaturesAttr(features);
    }
  }
};

} // namespace
