// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The capability table (include/mx/Target/Capabilities.td): which chip has
// which instruction, from which PTX version on. Plain data, no IR.

#ifndef MX_TARGET_CAPABILITIES_H
#define MX_TARGET_CAPABILITIES_H

#include "mx/Formats/Format.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>

namespace mx {

// The generated enumerations are unscoped; a namespace each keeps their names
// apart, and `Instruction::mma_bf16` works as with a scoped one.
namespace instruction {
#define GET_Instruction_DECL
#include "mx/Target/Capabilities.inc"
} // namespace instruction
namespace operand_type {
#define GET_OperandType_DECL
#include "mx/Target/Capabilities.inc"
} // namespace operand_type

/// A form of an instruction: one row of the table.
using instruction::Instruction;
/// A type that tensor cores or conversions take.
using operand_type::OperandType;

/// A chip as ptxas names it, `a` forms being specific to one architecture.
struct Chip {
  llvm::StringLiteral name;
  uint8_t index;
  /// First PTX version that knows the chip, times ten (87 is PTX 8.7).
  uint8_t ptx;
  /// Shared memory that one block can have, in KiB.
  uint16_t sharedKiB;
  /// Multiprocessors of the common part; for the tile model only.
  uint16_t sms;

  bool has(Instruction instruction) const;
};

/// One row: an instruction, where it is, and what it takes.
struct Capability {
  llvm::StringLiteral name;
  /// Bit i: the chip of index i has it.
  uint16_t chips;
  /// First PTX version of the instruction, times ten.
  uint8_t ptx;
  /// Bit i: the chip has it only as a slow sequence of other instructions.
  uint16_t emulated;
  /// Globs over names of LLVM intrinsics and over PTX opcodes; may be empty.
  llvm::StringLiteral intrinsic, opcode;
  /// Tensor cores only: types of A and B (bit i: OperandType i), shape,
  /// type of block scales (F32: none) and elements of K that share one.
  uint16_t a, b, m, n, k;
  OperandType scale;
  uint8_t scaleBlock;

  bool isOn(const Chip &chip) const { return chips >> chip.index & 1; }
  bool isEmulatedOn(const Chip &chip) const {
    return emulated >> chip.index & 1;
  }
  bool isTensorCore() const { return k != 0; }
  /// True if A and B may have these types.
  bool takes(OperandType lhs, OperandType rhs) const {
    return (a >> lhs & 1) && (b >> rhs & 1);
  }
};

/// All chips, oldest first.
llvm::ArrayRef<Chip> getChips();
/// The chip of this name, or null.
const Chip *lookupChip(llvm::StringRef name);
/// The names of all chips that `pred` holds for: "sm_120a, sm_121a".
std::string getChipNames(llvm::function_ref<bool(const Chip &)> pred);

/// All rows, by name.
llvm::ArrayRef<Capability> getCapabilities();
const Capability &getCapability(Instruction instruction);
std::optional<Instruction> symbolizeInstruction(llvm::StringRef name);
inline llvm::StringRef stringify(Instruction instruction) {
  return getCapability(instruction).name;
}

llvm::StringRef stringify(OperandType type);
/// The operand type of an element, or nullopt if no tensor core takes it.
std::optional<OperandType> getOperandType(Element element);

/// "8.7" for 87.
std::string formatPTXVersion(unsigned version);
/// True for a version (times ten) that can be emitted and assembled.
bool isPTXVersion(unsigned version);

/// The rows whose `intrinsic` (an LLVM intrinsic's full name) or `opcode` (a
/// PTX opcode with its modifiers) globs match.
llvm::SmallVector<const Capability *, 2>
findByIntrinsic(llvm::StringRef intrinsic);
llvm::SmallVector<const Capability *, 2> findByOpcode(llvm::StringRef opcode);

} // namespace mx

#endif // MX_TARGET_CAPABILITIES_H
