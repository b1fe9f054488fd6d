// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running a kernel as a launch file says: entry, grid, block, arguments,
// buffers with their initial and expected contents (lib/Emulator/README.md).

#ifndef MX_EMULATOR_LAUNCHFILE_H
#define MX_EMULATOR_LAUNCHFILE_H

#include "mx/Emulator/Device.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mx::ptx {

struct LaunchOptions {
  ExecutionOptions execution;
  /// How tensor cores sum; without it the launch file says (`accumulate`), and
  /// otherwise sums are exact.
  std::optional<Accumulate> accumulate;
  /// Where every buffer is written as NAME.npy; empty: nowhere.
  std::string outDir;
  /// Print what was executed.
  bool stats = false;
};

/// Runs the launch on a machine of its own and compares the buffers that the
/// file has checks for with NAME.BUFFER.npy beside it. An error is one line:
/// what is wrong in the launch file, where the kernel went wrong, or the first
/// element that is not as expected.
llvm::Error runLaunch(const Module &module, llvm::StringRef launchPath,
                      const LaunchOptions &options, llvm::raw_ostream &os);

} // namespace mx::ptx

#endif // MX_EMULATOR_LAUNCHFILE_H
