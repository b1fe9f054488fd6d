// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The gemm family: result[M, N] = round(init + bias + lhs[M, K] * rhs[N, K]^T),
// batched, on any of the tensor core instructions ("atoms") that it knows.
//
// Memory contract. All operands are dense and row-major with K contiguous, at
// addresses that are multiples of 16. Codes of 2 and 4 bits are packed, low
// bits first; each row starts at a byte, and the codes that fill its last one
// are 0. Codes of 6 bits have a byte each. Scales and zero points have one
// entry a block. Any M, N and K: rows past M or N are read as the last row and
// not stored; elements past K are zero.

#ifndef MX_KERNELS_GEMM_H
#define MX_KERNELS_GEMM_H

#include "mx/Formats/Format.h"
#include "mx/Target/Capabilities.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Builders.h"

#include <optional>

namespace mx::kernels {

/// One operand: codes of a format, or values of a float type (f32, f16, bf16).
struct OperandConfig {
  std::optional<Format> format;
  /// Null with a format.
  mlir::Type type;

  bool operator==(const OperandConfig &other) const {
    return format == other.format && type == other.type;
  }
};

/// What a gemm kernel is specialised for. Two matmuls of equal configuration
/// share one kernel.
struct GemmConfig {
  OperandConfig lhs, rhs;
  /// f32, f16 or bf16.
  mlir::Type result;
  /// Of the bias, a vector over N; null: no bias.
  mlir::Type bias;
  /// The result's old contents are added (else they are not read).
  bool accumulate = false;

  Instruction atom = Instruction::mma_bf16;
  int64_t tileM = 128, tileN = 128, tileK = 64;
  int64_t warpsM = 2, warpsN = 4;
  int64_t stages = 3;

  /// Extent of K, or ShapedType::kDynamic.
  int64_t k = mlir::ShapedType::kDynamic;
  /// M is a multiple of tileM; N of tileN.
  bool wholeM = false, wholeN = false;
  /// N is even, so that two columns can be stored at once.
  bool evenN = false;
  /// Dimensions that both operands may step through beside M and N.
  int64_t batchDims = 0;
  /// With tensor maps: the batch dimensions that each operand has (bit d).
  uint32_t batchesOf[2] = {0, 0};
  /// Warp-specialised: partial sums leave the tensor core at least every so
  /// many elements of K (0: at the end).
  int64_t promoteEvery = 0;

  bool operator==(const GemmConfig &other) const;

  /// True for atoms whose operands are brought to shared memory by tensor
  /// copies of a warp of its own (WarpSpecializedGemm.h); else all warps copy.
  bool isWarpSpecialized() const;
  int64_t getNumThreads() const;
  /// A symbol name: the configuration in short. Not unique.
  std::string getName() const;
};

/// The kernel's arguments, in order. Pointers are to global memory; sizes are
/// i32, strides i64 in bytes.
struct GemmArgument {
  enum Role {
    /// `operand` 0 is the lhs, 1 the rhs. Amax is an f32.
    Elements,
    /// In place of Elements: 128 bytes by value (getTensorMap).
    TensorMap,
    Scales,
    ZeroPoints,
    Amax,
    Bias,
    Result,
    /// Only if K is dynamic.
    M,
    N,
    K,
    /// Of batch dimension `dim`: extent; stride of elements, scales, zero
    /// points, and of the result. 0 for an operand that does not have it.
    BatchExtent,
    BatchStride
  };
  Role role;
  int operand = 0;
  int dim = 0;
  /// BatchStride: what is stepped through.
  Role of = Elements;
};
llvm::SmallVector<GemmArgument> getGemmArguments(const GemmConfig &config);

/// What cuTensorMapEncodeTiled is told of an operand beside its address,
/// extents and strides: dimensions are K, rows, then the batch dimensions that
/// the operand has, the last one first.
struct TensorMapConfig {
  /// A CUtensorMapDataType.
  int32_t dataType;
  int64_t elementBytes;
  /// Extents of the box along K and rows; one along batches.
  int64_t boxK, boxRows;
  /// A CUtensorMapSwizzle.
  int32_t swizzle;
};
TensorMapConfig getTensorMap(const GemmConfig &config, int operand);

/// On a kernel: the positions of the pointers to tensor maps, which
/// `mx-pass-tensor-maps` turns into parameters by value.
inline llvm::StringLiteral getTensorMapsAttrName() {
  return "mxgpu.tensor_maps";
}

/// Bytes of dynamic shared memory that the kernel needs.
int64_t getGemmSharedBytes(const GemmConfig &config);

/// Says why there is no kernel for a configuration, or succeeds.
mlir::LogicalResult
verifyGemm(const GemmConfig &config,
           llvm::function_ref<mlir::InFlightDiagnostic()> emitError);

/// Builds the kernel at the builder's place, in a gpu.module. The configuration
/// must verify. Launched with a block of getNumThreads() threads in x, on a
/// grid of (ceil(M / tileM), ceil(N / tileN), product of batch extents); a
/// warp-specialised one on a grid of any size in x up to the product of these.
mlir::gpu::GPUFuncOp buildGemm(mlir::OpBuilder &builder, mlir::Location loc,
                               const GemmConfig &config, llvm::StringRef name);

} // namespace mx::kernels

#endif // MX_KERNELS_GEMM_H
