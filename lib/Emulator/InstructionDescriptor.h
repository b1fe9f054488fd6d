// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The instruction descriptor of tcgen05.mma (PTX ISA 9.7.16.4.2).

#ifndef MX_LIB_EMULATOR_INSTRUCTIONDESCRIPTOR_H
#define MX_LIB_EMULATOR_INSTRUCTIONDESCRIPTOR_H

#include "mx/Emulator/Types.h"

#include <cstdint>
#include <optional>
#include <string>

namespace mx::ptx {

enum class MmaKind : uint8_t {
  F16,
  TF32,
  F8F6F4,
  I8,
  MXF8F6F4,
  MXF4,
  MXF4NVF4
};

inline bool isBlockScaled(MmaKind kind) { return kind >= MmaKind::MXF8F6F4; }

struct MmaForm {
  MmaKind kind = MmaKind::F16;
  /// 1 or 2 (cta_group).
  unsigned ctas = 1;
  unsigned m = 0, n = 0;
  Type a = Type::None, b = Type::None, d = Type::F32;
  bool saturates = false;
  bool negatesA = false, negatesB = false;
  bool isMNMajorA = false, isMNMajorB = false;
  /// Block scales of a row, and the byte of a cell with the first of them.
  unsigned scales = 0, scaleIdA = 0, scaleIdB = 0;
  Type scaleType = Type::UE8M0;
};

/// What `bits` mean to an instruction of `kind` with so many `scales` a row;
/// nothing, with `problem` set, where they do not fit it or mean something that
/// is not implemented (sparse, K = 96, the shift of .ws).
std::optional<MmaForm> decodeInstructionDescriptor(uint32_t bits, MmaKind kind,
                                                   unsigned ctas,
                                                   unsigned scales,
                                                   std::string &problem);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_INSTRUCTIONDESCRIPTOR_H
