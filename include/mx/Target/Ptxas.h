// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NVIDIA's assembler as a child process.

#ifndef MX_TARGET_PTXAS_H
#define MX_TARGET_PTXAS_H

#include "mx/Target/Capabilities.h"

#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"

namespace mlir {
class Location;
} // namespace mlir

namespace mx {

/// What ptxas says of one kernel (bytes, but for registers).
struct KernelResources {
  std::string name;
  unsigned registers = 0;
  /// Static shared memory; the dynamic part is the launch's.
  unsigned sharedMemory = 0;
  unsigned spillStores = 0, spillLoads = 0;
};

/// A CUDA binary and how it came about.
struct Cubin {
  llvm::SmallVector<char, 0> image;
  llvm::SmallVector<KernelResources> kernels;
  double milliseconds = 0;
};

/// Path of a program of the CUDA Toolkit. `toolkit` (a folder, may be empty)
/// comes first, then PATH, then the folders in CUDA_HOME, CUDA_PATH and
/// CUDA_ROOT, then /usr/local/cuda; the program lies in `bin`. The error names
/// all of them.
llvm::Expected<std::string> findCUDAProgram(llvm::StringRef program,
                                            llvm::StringRef toolkit);

/// Assembles `ptx` for `chip`. An error of ptxas becomes a diagnostic at `loc`
/// with the PTX statement as a note; a warning of ptxas, spills included, a
/// warning.
mlir::FailureOr<Cubin> runPtxas(mlir::Location loc, llvm::StringRef ptx,
                                const Chip &chip, llvm::StringRef toolkit);

/// Packs PTX and its cubin into a fat binary with the toolkit's `fatbinary`.
mlir::FailureOr<llvm::SmallVector<char, 0>>
runFatbinary(mlir::Location loc, llvm::StringRef ptx, const Cubin &cubin,
             const Chip &chip, llvm::StringRef toolkit);

} // namespace mx

#endif // MX_TARGET_PTXAS_H
