// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arguments of a gemm kernel, by what they are.

#ifndef MX_LIB_KERNELS_GEMMARGUMENTS_H
#define MX_LIB_KERNELS_GEMMARGUMENTS_H

#include "Emitter.h"
#include "mx/Kernels/Gemm.h"

namespace mx::kernels {

class GemmArguments {
public:
  /// Starts the kernel: a function with these arguments at the emitter's place.
  GemmArguments(Emitter &emitter, const GemmConfig &config,
                llvm::StringRef name);

  /// The argument of this role; null if there is none.
  mlir::Value get(GemmArgument::Role role, int operand = 0) const;
  I32 getM() const { return I32(*e, get(GemmArgument::M)); }
  I32 getN() const { return I32(*e, get(GemmArgument::N)); }
  I32 getK() const;

  /// The product of the batch dimensions' extents.
  I32 getNumBatches() const;
  /// The index along each batch dimension; the last one is the fastest.
  llvm::SmallVector<I32> getBatchIndex(I32 batch) const;
  /// The same with the pointers that are stepped through moved to a batch.
  GemmArguments getBatch(llvm::ArrayRef<I32> index) const;

private:
  Emitter *e;
  const GemmConfig *config;
  llvm::SmallVector<GemmArgument> roles;
  llvm::SmallVector<mlir::Value> values;
};

} // namespace mx::kernels

#endif // MX_LIB_KERNELS_GEMMARGUMENTS_H
