// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pipeline `mx-to-gpu`: mx ops on tensors to GPU kernels and the host code
// that launches them.

#ifndef MX_PIPELINES_TOGPU_H
#define MX_PIPELINES_TOGPU_H

#include "mlir/Pass/PassOptions.h"
#include <string>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace mx {

struct ToGPUOptions : mlir::PassPipelineOptions<ToGPUOptions> {
  Option<std::string> chip{*this, "chip",
                           llvm::cl::desc("GPU: sm_80, sm_120a, ...")};
  Option<std::string> ptx{
      *this, "ptx",
      llvm::cl::desc("PTX version (8.7); by default the oldest that has the "
                     "instructions of a kernel")};
  Option<std::string> fallback{
      *this, "fallback",
      llvm::cl::desc("what to do where the chip lacks an instruction: remark, "
                     "error or silent"),
      llvm::cl::init("remark")};
  Option<std::string> emit{
      *this, "emit",
      llvm::cl::desc("form of the kernels: offload (LLVM bitcode), ptx, cubin "
                     "or fatbin"),
      llvm::cl::init("fatbin")};
  Option<std::string> dump{
      *this, "dump",
      llvm::cl::desc("folder for each kernel's PTX, cubin and launch file")};
  Option<std::string> toolkit{*this, "toolkit",
                              llvm::cl::desc("folder of the CUDA Toolkit")};
};

/// Adds the passes of `mx-to-gpu` to `pm`, which runs on a module. Ops of
/// upstream dialects stay on the host, in the LLVM dialect at the end; each
/// kernel is a gpu.binary.
void buildToGPUPipeline(mlir::OpPassManager &pm, const ToGPUOptions &options);

/// Registers the pipeline `mx-to-gpu`.
void registerToGPUPipeline();

} // namespace mx

#endif // MX_PIPELINES_TOGPU_H
