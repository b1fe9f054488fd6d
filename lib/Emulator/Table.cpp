// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Looking instructions up in the table of what is implemented. Modifiers are
// read as a set and types as an ordered list, as ptxas does.

#include "Program.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

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
  for (llvm::ArrayRef<Row> rows :
       {getIntegerRows(),  getLogicRows(),     getFloatRows(),
        getHalfRows(),     getConvertRows(),   getMemoryRows(),
        getAsyncRows(),    getMmaRows(),       getWarpRows(),
        getControlRows(),  getMbarrierRows(),  getFenceRows(),
        getBulkRows(),     getTensorRows(),    getClusterRows(),
        getBarrierRows(),  getTensorMapRows(), getRemoteRows(),
        getRegisterRows(), getWgmmaRows()})
    for (const Row &row : rows) {
      auto [opcode, required] = StringRef(row.name).split('.');
      if (opcode != instruction.opcode)
        continue;
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
      if (!matchTypes(row.types, types))
        continue;
      const StringRef *extra =
          llvm::find_if(modifiers, [&, r = required](StringRef word) {
            return !hasWord(r, '.', word) && !hasWord(row.optional, ' ', word);
          });
      if (extra == modifiers.end())
        return &row;
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
