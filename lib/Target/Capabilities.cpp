// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Target/Capabilities.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/GlobPattern.h"

using namespace mx;
using llvm::ArrayRef;
using llvm::StringRef;

// The generated tables; a named namespace, because not every lookup function
// that comes with them is used.
namespace mx::table {
using namespace mx::operand_type;
struct OperandTypeDef {
  llvm::StringLiteral name;
  uint8_t bit;
};
struct PTXVersion {
  uint8_t version;
};
#define GET_Chips_IMPL
#define GET_PTXVersions_IMPL
#define GET_Capabilities_IMPL
#define GET_OperandTypes_IMPL
#include "mx/Target/Capabilities.inc"
} // namespace mx::table

namespace {
/// The globs of all rows, compiled once.
struct Globs {
  Globs() {
    for (const Capability &row : table::Capabilities) {
      intrinsics.push_back(compile(row.intrinsic));
      opcodes.push_back(compile(row.opcode));
    }
  }
  static std::optional<llvm::GlobPattern> compile(StringRef glob) {
    if (glob.empty())
      return std::nullopt;
    return llvm::cantFail(llvm::GlobPattern::create(glob, /*MaxSubPatterns=*/8),
                          "bad glob in the capability table");
  }
  static const Globs &get() {
    static const Globs globs;
    return globs;
  }
  std::vector<std::optional<llvm::GlobPattern>> intrinsics, opcodes;
};

llvm::SmallVector<const Capability *, 2>
match(ArrayRef<std::optional<llvm::GlobPattern>> globs, StringRef text) {
  llvm::SmallVector<const Capability *, 2> rows;
  for (auto [row, glob] : llvm::zip_equal(table::Capabilities, globs))
    if (glob && glob->match(text))
      rows.push_back(&row);
  return rows;
}
} // namespace

bool Chip::has(Instruction instruction) const {
  return getCapability(instruction).isOn(*this);
}

ArrayRef<Chip> mx::getChips() { return table::Chips; }

const Chip *mx::lookupChip(StringRef name) {
  const Chip *chip = llvm::find_if(
      table::Chips, [&](const Chip &c) { return c.name == name; });
  return chip == std::end(table::Chips) ? nullptr : chip;
}

std::string mx::getChipNames(llvm::function_ref<bool(const Chip &)> pred) {
  std::string names;
  for (const Chip &chip : table::Chips)
    if (pred(chip))
      names += (names.empty() ? "" : ", ") + chip.name.str();
  return names;
}

ArrayRef<Capability> mx::getCapabilities() { return table::Capabilities; }

const Capability &mx::getCapability(Instruction instruction) {
  // Rows are sorted by name, and so are the enumerators.
  return table::Capabilities[instruction];
}

std::optional<Instruction> mx::symbolizeInstruction(StringRef name) {
  for (auto [i, row] : llvm::enumerate(table::Capabilities))
    if (row.name == name)
      return static_cast<Instruction>(i);
  return std::nullopt;
}

StringRef mx::stringify(OperandType type) {
  return table::OperandTypes[type].name;
}

std::optional<OperandType> mx::getOperandType(Element element) {
  switch (element) {
  case Element::E2M1:
    return OperandType::E2M1;
  case Element::E2M3:
    return OperandType::E2M3;
  case Element::E3M2:
    return OperandType::E3M2;
  case Element::E4M3:
    return OperandType::E4M3;
  case Element::E5M2:
    return OperandType::E5M2;
  case Element::MXInt8:
  case Element::Int8:
  case Element::Int4:
  case Element::NF4:
  case Element::Ternary:
    return std::nullopt;
  }
  llvm_unreachable("unknown element");
}

std::string mx::formatPTXVersion(unsigned version) {
  return llvm::utostr(version / 10) + "." + llvm::utostr(version % 10);
}

bool mx::isPTXVersion(unsigned version) {
  return llvm::any_of(table::PTXVersions, [&](table::PTXVersion known) {
    return known.version == version;
  });
}

llvm::SmallVector<const Capability *, 2>
mx::findByIntrinsic(StringRef intrinsic) {
  return match(Globs::get().intrinsics, intrinsic);
}

llvm::SmallVector<const Capability *, 2> mx::findByOpcode(StringRef opcode) {
  return match(Globs::get().opcodes, opcode);
}
