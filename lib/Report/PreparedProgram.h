// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A program that is ready to be called.

#ifndef MX_LIB_REPORT_PREPAREDPROGRAM_H
#define MX_LIB_REPORT_PREPAREDPROGRAM_H

#include "mx/Runtime/Comparison.h"
#include "mx/Runtime/Session.h"

namespace mx {

class PreparedProgram {
public:
  /// Loads, binds and compiles. An error whose text is empty has been reported
  /// as a diagnostic.
  static llvm::Expected<std::unique_ptr<PreparedProgram>>
  create(llvm::StringRef path, const ProgramOptions &options,
         const mlir::DialectRegistry &registry, const Safetensors *weights);

  const Program &getProgram() const { return program; }
  Session &getSession() { return *session; }

  /// Result `index` of a call.
  HostTensorView getView(llvm::ArrayRef<HostTensor> results,
                         unsigned index) const {
    return {program.getResults()[index].dtype, results[index].getShape(),
            results[index].getData()};
  }

private:
  explicit PreparedProgram(Program program) : program(std::move(program)) {}

  Program program;
  /// Refers to the program.
  std::optional<Session> session;
};

/// Whether tensors of this type are near or far from each other: integers are
/// indices.
inline bool hasErrors(llvm::StringRef dtype) { return dtype.contains('f'); }

} // namespace mx

#endif // MX_LIB_REPORT_PREPAREDPROGRAM_H
