// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pipeline `mx-to-cpu`: linalg on tensors to the LLVM dialect.
//
// What it gives: each public function NAME of the module keeps its C interface
//
//   void _mlir_ciface_NAME(Results *results, Arg *..., scalar...)
//
// where an Arg is the descriptor of a memref in row-major order
// (StridedMemRefType of mlir/ExecutionEngine/CRunnerUtils.h) and Results the
// struct of the results' descriptors (of the one descriptor, where there is
// one result; a function without results has no such parameter). Arguments are
// never written. Each result is a row-major buffer of its own which the caller
// frees by `free` on the descriptor's base pointer.
//
// A failed `cf.assert` calls `puts` with its message, then `abort`. Parallel
// loops call OpenMP's entry points (`__kmpc_fork_call` and those of a static
// loop).

#ifndef MX_PIPELINES_TOCPU_H
#define MX_PIPELINES_TOCPU_H

#include "mlir/Pass/PassOptions.h"
#include <string>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace mx {

struct ToCPUOptions : mlir::PassPipelineOptions<ToCPUOptions> {
  Option<std::string> cpu{
      *this, "cpu",
      llvm::cl::desc("processor: native, avx2 or generic (see CPUTarget)"),
      llvm::cl::init("native")};
};

/// TOSA, which frames the products that were rewritten, to linalg, tensor and
/// arith ops.
void addTosaToLinalg(mlir::OpPassManager &pm);

/// Adds the passes of `mx-to-cpu` to `pm`, which runs on a module.
void buildToCPUPipeline(mlir::OpPassManager &pm, const ToCPUOptions &options);

/// Registers the pipeline `mx-to-cpu`.
void registerToCPUPipeline();

} // namespace mx

#endif // MX_PIPELINES_TOCPU_H
