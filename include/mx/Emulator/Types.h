// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fundamental, packed and alternate types of PTX (PTX ISA 5.2).

#ifndef MX_EMULATOR_TYPES_H
#define MX_EMULATOR_TYPES_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>

namespace mx::ptx {

enum class Type : uint8_t {
  None,
  Pred,
  B8,
  B16,
  B32,
  B64,
  B128,
  U8,
  U16,
  U32,
  U64,
  S8,
  S16,
  S32,
  S64,
  F16,
  F16x2,
  BF16,
  BF16x2,
  TF32,
  F32,
  F32x2,
  F64,
  E4M3,
  E5M2,
  E2M1,
  E2M3,
  E3M2,
  UE8M0,
  UE4M3,
  E4M3x2,
  E5M2x2,
  E2M1x2,
  E2M3x2,
  E3M2x2,
  UE8M0x2,
  E4M3x4,
  E5M2x4,
  E2M1x4,
  E2M3x4,
  E3M2x4,
  U16x2,
  S16x2,
  U4,
  S4,
  U2,
  S2,
};

/// The type that `name` (without the dot) spells.
std::optional<Type> parseType(llvm::StringRef name);
llvm::StringRef getName(Type type);

/// Width in memory and in registers; 1 for predicates. Elements narrower than a
/// byte count as they lie in a register of their own.
unsigned getBitWidth(Type type);
inline unsigned getByteWidth(Type type) { return (getBitWidth(type) + 7) / 8; }
inline bool isSigned(Type type) {
  return type >= Type::S8 && type <= Type::S64;
}

} // namespace mx::ptx

#endif // MX_EMULATOR_TYPES_H
