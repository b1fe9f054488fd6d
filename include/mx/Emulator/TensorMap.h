// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor maps: what a tensor copy (cp.async.bulk.tensor) knows of a tensor in
// global memory and of the box that it moves. The rules are those of
// cuTensorMapEncodeTiled (CUDA driver API, tensor map object management); the
// bytes are the emulator's own, as the real ones are not public.

#ifndef MX_EMULATOR_TENSORMAP_H
#define MX_EMULATOR_TENSORMAP_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <array>
#include <cstdint>

namespace mx::ptx {

/// Numbered as CUtensorMapDataType. FP8 is U8; U4x16Align8 holds FP4 densely,
/// the Align16 types unpack 16 elements of 4 or 6 bits to 16 bytes.
enum class TensorElement : uint8_t {
  U8,
  U16,
  U32,
  S32,
  U64,
  S64,
  F16,
  F32,
  F64,
  BF16,
  F32Ftz,
  TF32,
  TF32Ftz,
  U4x16Align8,
  U4x16Align16,
  U6x16Align16
};

enum class TensorInterleave : uint8_t { None, B16, B32 };

/// Numbered as CUtensorMapSwizzle.
enum class TensorSwizzle : uint8_t {
  None,
  B32,
  B64,
  B128,
  B128Atom32,
  B128Atom32Flip8,
  B128Atom64
};

/// What elements outside the tensor read as.
enum class TensorFill : uint8_t { Zero, NaN };

struct TensorMapParams {
  TensorElement element = TensorElement::U8;
  /// Of the element at the origin, in global memory.
  uint64_t address = 0;
  /// Extents in elements, the contiguous dimension first; 1 to 5 of them.
  llvm::SmallVector<uint64_t, 5> dims;
  /// Distances in bytes, of all dimensions but the first.
  llvm::SmallVector<uint64_t, 4> strides;
  /// Extents of the box, in elements of the tensor.
  llvm::SmallVector<uint32_t, 5> box;
  /// Of every so many elements of the box one is moved. That of the first
  /// dimension is ignored without interleave, as the driver does.
  llvm::SmallVector<uint32_t, 5> elementStrides;
  TensorInterleave interleave = TensorInterleave::None;
  TensorSwizzle swizzle = TensorSwizzle::None;
  TensorFill fill = TensorFill::Zero;
};

/// Has to be aligned to 64 bytes where a kernel finds it.
using TensorMapBytes = std::array<uint8_t, 128>;

/// The bytes, or an error that says which rule is broken.
llvm::Expected<TensorMapBytes> encodeTensorMap(const TensorMapParams &params);
/// The inverse; the same rules are checked, because kernels may change fields.
llvm::Expected<TensorMapParams> decodeTensorMap(llvm::ArrayRef<uint8_t> bytes);

/// Bits that an element takes in global memory.
unsigned getTensorElementBits(TensorElement element);
/// Where the byte of a tile that would lie at `address` of shared memory does
/// lie: an exclusive or of address bits (PTX ISA 5.5.7).
uint64_t applySwizzle(TensorSwizzle swizzle, uint64_t address);
/// Bytes of a row of the pattern, which is as much as the inner extent of a box
/// may have: 32, 64 or 128; 16 for none.
unsigned getSwizzleSpan(TensorSwizzle swizzle);

} // namespace mx::ptx

#endif // MX_EMULATOR_TENSORMAP_H
