// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a few PTX instructions on lists of inputs.

#ifndef MX_TEST_UNIT_EMULATOR_EXECUTE_H
#define MX_TEST_UNIT_EMULATOR_EXECUTE_H

#include "mx/Emulator/Device.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mx::ptx::test {

/// Instructions that read registers %i0, %i1, ... and write %o0, %o1, ...
struct Snippet {
  std::string text;
  /// Bits of each output and input register; 1 stands for a predicate.
  std::vector<unsigned> outputs, inputs;
  /// Text in front of the kernel: functions and variables.
  std::string module = "";
  std::string target = "sm_100a";
  std::string version = "9.1";
};

struct Outcome {
  /// Empty if all went well.
  std::string error;
  /// values[k][i]: output k of thread i.
  std::vector<std::vector<uint64_t>> values;
};

/// Thread i gets inputs[k][i] in register %ik. Warps are full: lists that are
/// not multiples of 32 long are continued with their last elements.
Outcome execute(const Snippet &snippet,
                const std::vector<std::vector<uint64_t>> &inputs,
                const ExecutionOptions &options = {});

/// Every combination of elements, as one list for each operand.
std::vector<std::vector<uint64_t>>
combine(const std::vector<std::vector<uint64_t>> &operands);

/// Bit patterns that are hard for integers and for floats of so many bits:
/// zeros, ones, extremes, NaN, inf, subnormals; then random ones.
std::vector<uint64_t> getPatterns(unsigned bits, unsigned random);

} // namespace mx::ptx::test

#endif // MX_TEST_UNIT_EMULATOR_EXECUTE_H
