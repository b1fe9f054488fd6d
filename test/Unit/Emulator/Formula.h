// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions against formulas of integers.

#ifndef MX_TEST_UNIT_EMULATOR_FORMULA_H
#define MX_TEST_UNIT_EMULATOR_FORMULA_H

#include "Execute.h"

#include "gtest/gtest.h"

#include <functional>

namespace mx::ptx::test {

using Wide = __int128;
using Formula = std::function<uint64_t(const std::vector<uint64_t> &)>;

/// `value` as a number of a type of so many bits.
inline Wide number(uint64_t value, unsigned bits, bool isSigned) {
  uint64_t sign = uint64_t(1) << (bits - 1);
  value &= sign | (sign - 1);
  return isSigned && (value & sign) ? Wide(value) - Wide(sign) * 2
                                    : Wide(value);
}
inline uint64_t cut(Wide value, unsigned bits) {
  return bits == 64 ? uint64_t(value)
                    : uint64_t(value) & ((uint64_t(1) << bits) - 1);
}
inline Wide clamp(Wide value, Wide low, Wide high) {
  return value < low ? low : value > high ? high : value;
}

/// Compares on every combination of hard patterns.
inline void check(const Snippet &snippet, const Formula &formula,
                  unsigned random = 4) {
  SCOPED_TRACE(snippet.text);
  std::vector<std::vector<uint64_t>> operands;
  for (unsigned bits : snippet.inputs) {
    std::vector<uint64_t> patterns =
        bits == 1 ? std::vector<uint64_t>{0, 1}
                  : getPatterns(bits, snippet.inputs.size() > 2 ? 1 : random);
    // Three operands of all patterns would be many.
    if (snippet.inputs.size() > 2 && bits != 1)
      patterns.erase(patterns.begin() + 13, patterns.end() - 1);
    operands.push_back(patterns);
  }
  auto inputs = combine(operands);
  Outcome outcome = execute(snippet, inputs);
  ASSERT_EQ(outcome.error, "");
  std::vector<uint64_t> row(inputs.size());
  for (size_t i = 0; i < inputs[0].size(); ++i) {
    for (size_t k = 0; k < inputs.size(); ++k)
      row[k] = inputs[k][i];
    ASSERT_EQ(outcome.values[0][i], formula(row))
        << std::hex << "operands " << row[0] << " "
        << (row.size() > 1 ? row[1] : 0) << " " << (row.size() > 2 ? row[2] : 0)
        << " " << (row.size() > 3 ? row[3] : 0);
  }
}

struct IntegerType {
  const char *name;
  unsigned bits;
  bool isSigned;
};

inline std::string spell(const std::string &opcode, const IntegerType &type,
                         unsigned sources) {
  std::string text = opcode + "." + type.name + " %o0";
  for (unsigned i = 0; i < sources; ++i)
    text += ", %i" + std::to_string(i);
  return text + ";";
}

} // namespace mx::ptx::test

#endif // MX_TEST_UNIT_EMULATOR_FORMULA_H
