// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pipeline `mx-lower-precision`: linalg on tensors in, linalg and mx out.

#ifndef MX_PIPELINES_LOWERPRECISION_H
#define MX_PIPELINES_LOWERPRECISION_H

#include "mx/Transforms/Passes.h"

#include "mlir/Pass/PassOptions.h"

namespace mx {

struct LowerPrecisionOptions
    : mlir::PassPipelineOptions<LowerPrecisionOptions> {
  Option<std::string> scheme{*this, "scheme",
                             llvm::cl::desc("formats for layers and experts")};
  Option<std::string> recipe{*this, "recipe", llvm::cl::desc("recipe file")};
  Option<std::string> args{
      *this, "args",
      llvm::cl::desc("sidecar that names the entry function's arguments")};
  Option<std::string> scaleRule{
      *this, "scale-rule", llvm::cl::desc("rule of the scheme's E8M0 scales")};
  Option<Fallback> fallback{
      *this, "fallback",
      llvm::cl::desc("what a product is that cannot be quantised as planned"),
      llvm::cl::init(Fallback::Remark),
      llvm::cl::values(
          clEnumValN(Fallback::Remark, "remark", "a remark"),
          clEnumValN(Fallback::Error, "error", "an error"),
          clEnumValN(Fallback::Silent, "silent", "said in the plan only"))};
  Option<int64_t> seed{*this, "seed",
                       llvm::cl::desc("seed of what is rounded stochastically"),
                       llvm::cl::init(0)};
  Option<int64_t> seedArgument{
      *this, "seed-argument",
      llvm::cl::desc(
          "number of the function argument that is the seed instead"),
      llvm::cl::init(-1)};
};

/// Adds the passes of `mx-lower-precision` to `pm`, which runs on a module.
void buildLowerPrecisionPipeline(mlir::OpPassManager &pm,
                                 const LowerPrecisionOptions &options);

/// Registers the pipeline `mx-lower-precision`.
void registerLowerPrecisionPipeline();

} // namespace mx

#endif // MX_PIPELINES_LOWERPRECISION_H
