// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls a program on groups of inputs, and says what came of it.

#ifndef MX_TOOLS_MX_RUN_RUNNER_H
#define MX_TOOLS_MX_RUN_RUNNER_H

#include "Options.h"

#include "mx/Runtime/Comparison.h"
#include "mx/Runtime/Session.h"
#include "mx/Support/Npy.h"

#include "llvm/Support/JSON.h"

#include <ctime>

namespace mx {

/// Seconds of processor time of all threads since `start`. Unlike the clock on
/// the wall it says little about what else the machine does.
double getCPUSeconds(std::clock_t start);

/// All calls of a program, with what came of them.
class Runner {
public:
  Runner(const Options &options, const Program &program, Session &session)
      : options(options), program(program), session(session) {}

  /// Calls the entry on one group of inputs, and prints, compares and writes.
  llvm::Error runGroup(unsigned group,
                       std::vector<std::optional<NpyArray>> &inputs,
                       llvm::ArrayRef<std::optional<NpyArray>> expected);

  /// Prints what is about all groups.
  void finish();

  /// Measures each product on the first group; writes --report.
  llvm::Error writeReport(const ProgramOptions &programOptions,
                          const mlir::DialectRegistry &registry,
                          const Safetensors *weights);

  bool isWithinBound() const { return withinBound; }
  llvm::json::Object takeStats() { return std::move(stats); }

private:
  HostTensorView getView(unsigned index, const HostTensor &result) const {
    return {program.getResults()[index].dtype, result.getShape(),
            result.getData()};
  }
  llvm::Error compare(unsigned index, const HostTensor &result,
                      const NpyArray &expected);
  llvm::Error write(unsigned group, unsigned index, const HostTensor &result);
  void addLikelihoods(const HostTensorView &nll);

  const Options &options;
  const Program &program;
  Session &session;
  bool withinBound = true;
  double nllSum = 0;
  int64_t nllCount = 0;
  llvm::json::Object stats;
  llvm::json::Array calls, callsCPU, comparisons;
  /// Of the first group.
  std::vector<HostTensor> firstInputs, firstResults;
};

} // namespace mx

#endif // MX_TOOLS_MX_RUN_RUNNER_H
