// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Forms of wgmma and tcgen05 that are refused before anything runs: those that
// the target does not have, and those whose meaning is not public or that
// nobody has needed.

#include "Program.h"

using namespace mx::ptx;
using llvm::StringRef;

/// Targets whose features are those of one architecture ("a") or family ("f").
static bool isTarget(StringRef target, llvm::ArrayRef<StringRef> names) {
  return (target.consume_back("a") || target.consume_back("f")) &&
         llvm::is_contained(names, target);
}

static StringRef findUnimplemented(const Instruction &instruction) {
  static constexpr std::pair<StringRef, StringRef> forms[] = {
      {"sp", "sparse matrices are not implemented; dense ones are"},
      {"ws", "weight-stationary products (.ws) are not implemented; "
             "tcgen05.mma without .ws is"},
      {"ashift", "the effect of .ashift is not public"},
      {"b4x16_p64",
       "where decompressed elements lie is not public; copy bytes"},
      {"b6x16_p32",
       "where decompressed elements lie is not public; copy bytes"},
      {"b8x16", "where decompressed elements lie is not public; copy bytes"},
  };
  for (auto [word, reason] : forms)
    if (instruction.hasModifier(word))
      return reason;
  return {};
}

std::string mx::ptx::findTensorProblem(const Module &module,
                                       const Instruction &instruction) {
  bool isWgmma = instruction.opcode == "wgmma";
  if (!isWgmma && instruction.opcode != "tcgen05")
    return {};
  auto has = [&](StringRef word) { return instruction.hasModifier(word); };
  std::string name = "'" + instruction.getSpelling() + "'";
  std::string target = module.target.str();
  if (isWgmma && target != "sm_90a")
    return name + " needs target sm_90a, not " + target;
  if (!isWgmma && !isTarget(target, {"sm_100", "sm_101", "sm_103", "sm_110"}))
    return name +
           " needs a target with tensor memory (sm_100a, sm_103a), not " +
           target;
  if (has("kind::i8") && isTarget(target, {"sm_103"}))
    return name + " needs target sm_100a: " + target + " has no kind::i8";
  if (has("ld") && has("red") && !isTarget(target, {"sm_101", "sm_103"}))
    return name + " needs target sm_103a, not " + target;
  StringRef reason = findUnimplemented(instruction);
  return reason.empty() ? std::string()
                        : name + " is not implemented: " + reason.str();
}
