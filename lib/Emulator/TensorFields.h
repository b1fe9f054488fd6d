// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The 128 bytes of a tensor map, as tensormap.replace changes them.

#ifndef MX_LIB_EMULATOR_TENSORFIELDS_H
#define MX_LIB_EMULATOR_TENSORFIELDS_H

#include "mx/Emulator/TensorMap.h"

namespace mx::ptx {

struct TensorFields {
  uint64_t address;
  uint64_t strides[4];
  /// Minus one, so that 2^32 fits.
  uint32_t lastIndex[5];
  uint16_t box[5];
  uint8_t elementStrides[5];
  uint8_t lastDimension;
  TensorElement element;
  TensorInterleave interleave;
  /// 0 to 3: none, 32B, 64B, 128B; and for 128B the atoms: 0 to 3: 16B, 32B,
  /// 32B with flipped 8B, 64B.
  uint8_t swizzleMode, swizzleAtoms;
  TensorFill fill;
  uint8_t unused[47];
};
static_assert(sizeof(TensorFields) == sizeof(TensorMapBytes));

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_TENSORFIELDS_H
