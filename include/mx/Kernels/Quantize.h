// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The quantise family: elements and block scales of one or more matrices
// rows[M, K], bit for bit as lib/Formats has them, rounded to nearest even.
//
// Memory contract: as that of gemm (mx/Kernels/Gemm.h): dense, row-major,
// blocks along the contiguous dimension K, packed codes whose padding stands
// for zero.

#ifndef MX_KERNELS_QUANTIZE_H
#define MX_KERNELS_QUANTIZE_H

#include "mx/Formats/Format.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Builders.h"

namespace mx::kernels {

/// What a quantise kernel is specialised for.
struct QuantizeConfig {
  Format format;
  /// f32, f16 or bf16.
  mlir::Type input;
  /// Extent of K, or ShapedType::kDynamic.
  int64_t k = mlir::ShapedType::kDynamic;
  /// There are several matrices, and blocks of several rows end with each.
  bool batched = false;
  int64_t warps = 4;

  bool operator==(const QuantizeConfig &other) const {
    return format == other.format && input == other.input && k == other.k &&
           batched == other.batched && warps == other.warps;
  }
  int64_t getNumThreads() const { return 32 * warps; }
  /// Threads that share a block: a power of two up to 32.
  int64_t getThreadsOfBlock() const;
  /// A symbol name: the configuration in short. Not unique.
  std::string getName() const;
};

/// The kernel's arguments, in order: pointers to global memory, then i32 sizes.
enum class QuantizeArgument {
  Input,
  /// An f32; only with a second level.
  Amax,
  Elements,
  Scales,
  /// Only if the format has them.
  ZeroPoints,
  /// Rows of one matrix.
  M,
  /// Only if K is dynamic.
  K,
  /// Number of matrices; only if batched.
  Batches
};
llvm::SmallVector<QuantizeArgument>
getQuantizeArguments(const QuantizeConfig &config);

/// Says why there is no kernel for a configuration, or succeeds.
mlir::LogicalResult
verifyQuantize(const QuantizeConfig &config,
               llvm::function_ref<mlir::InFlightDiagnostic()> emitError);

/// Builds the kernel at the builder's place, in a gpu.module. The configuration
/// must verify. Launched with a block of getNumThreads() threads in x, on a
/// grid of ceil(blocks of the format * getThreadsOfBlock() / getNumThreads())
/// in x.
mlir::gpu::GPUFuncOp buildQuantize(mlir::OpBuilder &builder, mlir::Location loc,
                                   const QuantizeConfig &config,
                                   llvm::StringRef name);

} // namespace mx::kernels

#endif // MX_KERNELS_QUANTIZE_H
