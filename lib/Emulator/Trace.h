// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a cluster executes: counts of each instruction, and the text of those
// of one warp.

#ifndef MX_LIB_EMULATOR_TRACE_H
#define MX_LIB_EMULATOR_TRACE_H

#include "Program.h"

#include "mx/Emulator/Device.h"

namespace mx::ptx {

class Trace {
public:
  Trace(const Program &program, const ExecutionOptions &options)
      : options(options), counts(program.code.size()) {}

  /// `warp` has executed its current instruction.
  void note(Warp &warp);

  const ExecutionOptions &options;
  /// Of each instruction, by its place.
  std::vector<InstructionCount> counts;

private:
  void print(Warp &warp);
};

/// Adds what `counts` has of each instruction to those of the same spelling.
void addCounts(const Program &program, llvm::ArrayRef<InstructionCount> counts,
               LaunchStatistics &statistics);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_TRACE_H
