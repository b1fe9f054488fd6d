// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Looking instructions up in the table of what is implemented. Modifiers are
// read as a set and types as an ordered list, as ptxas does.

#include "Program.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mx::ptx;
using llvm::StringRef;

static bool hasWord(StringRef words, char separator, StringRef word) {
  while (!words.empty()) {
    auto [first, rest] = words.split(separator);
    if (first == word)
      return true;
    words = rest;
  }
  return false;
}

static bool matchTypes(StringRef wanted, llvm::ArrayRef<Type> types) {
  for (Type type : types) {
    auto [alternatives, rest] = wanted.split(' ');
    if (!hasWord(alternatives, '|', getName(type)))
      return false;
    wanted = rest;
  }
  return wanted.empty();
}

/// The rows of each opcode, in their order.
static llvm::ArrayRef<const Row *> getRows(StringRef opcode) {
  static const auto table = [] {
    llvm::StringMap<llvm::SmallVector<const Row *, 0>> table;
    for (llvm::ArrayRef<Row> rows :
         {getIntegerRows(),       getExtendedRows(),    getLogicRows(),
          getCompareRows(),       getFloatRows(),       getApproximateRows(),
          getHalfRows(),          getConvertRows(),     getNarrowRows(),
          getMemoryRows(),        getAtomicRows(),      getAsyncRows(),
          getMatrixRows(),        getMmaRows(),         getWarpRows(),
          getControlRows(),       getStackRows(),       getMbarrierRows(),
          getFenceRows(),         getBulkRows(),        getTensorRows(),
          getClusterRows(),       getBarrierRows(),     getTensorMapRows(),
          getRemoteRows(),        getRegisterRows(),    getWgmmaRows(),
          getWmmaRows(),          getTcgen05Rows(),     getTcgen05AllocRows(),
          getTcgen05AccessRows(), getTcgen05CopyRows(), getTcgen05MmaRows()})
      for (const Row &row : rows)
        table[StringRef(row.name).split('.').first].push_back(&row);
    return table;
  }();
  auto it = table.find(opcode);
  return it == table.end() ? llvm::ArrayRef<const Row *>() : it->second;
}

const Row *mx::ptx::lookupRow(const Instruction &instruction,
                              llvm::SmallVectorImpl<Type> &types,
                              std::string &error) {
  llvm::SmallVector<StringRef, 8> modifiers;
  for (StringRef modifier : instruction.modifiers) {
    if (std::optional<Type> type = parseType(modifier))
      types.push_back(*type);
    else
      modifiers.push_back(modifier);
  }
  // How far the best row got: opcode, its own modifiers, types.
  unsigned best = 0;
  StringRef unknown;
  for (const Row *row : getRows(instruction.opcode)) {
    StringRef required = StringRef(row->name).split('.').second;
    best = std::max(best, 1u);
    bool hasAll = true;
    for (StringRef rest = required; !rest.empty();) {
      auto [word, tail] = rest.split('.');
      hasAll &= llvm::is_contained(modifiers, word);
      rest = tail;
    }
    if (!hasAll)
      continue;
    best = std::max(best, 2u);
    if (!matchTypes(row->types, types))
      continue;
    const StringRef *extra = llvm::find_if(modifiers, [&](StringRef word) {
      return !hasWord(required, '.', word) &&
             !hasWord(row->optional, ' ', word);
    });
    if (extra == modifiers.end())
      return row;
    best = 3;
    unknown = *extra;
  }
  std::string spelling = instruction.getSpelling();
  if (best == 3)
    error = "'" + spelling + "' is not implemented: ." + unknown.str() +
            " is not known in it";
  else if (best == 2)
    error = "'" + spelling + "' is not implemented with these types";
  else if (best == 1)
    error = "this form of '" + instruction.opcode.str() +
            "' is not implemented: '" + spelling + "'";
  else
    error = "'" + spelling + "' is not implemented";
  return nullptr;
}
