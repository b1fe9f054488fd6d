// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Executes kernels as convert-mx-to-gpu builds them (gpu.func of arith, scf,
// vector, llvm, nvvm and mxgpu ops) on the CPU, all threads of a block
// together. It is written from the PTX ISA, not from the builders: fragments of
// ldmatrix and mma, lanes that supply block scales, cp.async that lands at the
// wait and not before.
//
// It reports, as an error of the run: reads of global memory out of bounds,
// reads of shared memory that nothing has written, that another thread wrote or
// reads without a barrier between, or that a copy is still on its way to;
// misaligned accesses; loops and barriers on which threads disagree.

#ifndef MX_TEST_UNIT_KERNELS_INTERPRETER_H
#define MX_TEST_UNIT_KERNELS_INTERPRETER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/Support/Error.h"

#include <array>
#include <cstdint>
#include <vector>

namespace mx::test {

/// A kernel argument: bytes in global memory, or a scalar.
struct Argument {
  std::vector<uint8_t> *buffer = nullptr;
  uint64_t scalar = 0;

  Argument(std::vector<uint8_t> &buffer) : buffer(&buffer) {}
  Argument(int64_t scalar) : scalar(scalar) {}
};

/// Runs the kernel for every block of the grid. Buffers are read and written in
/// place.
llvm::Error run(mlir::gpu::GPUFuncOp kernel, std::array<int64_t, 3> grid,
                int64_t numThreads, int64_t sharedBytes,
                llvm::ArrayRef<Argument> arguments);

/// The result of a function of such ops without memory, for several threads at
/// once: element e of thread t of an argument, and of the result, is at
/// t * (elements of its type) + e.
llvm::Expected<std::vector<uint64_t>>
evaluate(mlir::func::FuncOp function, int64_t numThreads,
         llvm::ArrayRef<std::vector<uint64_t>> arguments);

} // namespace mx::test

#endif // MX_TEST_UNIT_KERNELS_INTERPRETER_H
