// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PreparedProgram.h"

using namespace llvm;
using namespace mx;

Expected<std::unique_ptr<PreparedProgram>>
PreparedProgram::create(StringRef path, const ProgramOptions &options,
                        const mlir::DialectRegistry &registry,
                        const Safetensors *weights) {
  mlir::FailureOr<Program> loaded = Program::load(path, options, registry);
  if (failed(loaded))
    return createStringError("");
  std::unique_ptr<PreparedProgram> prepared(
      new PreparedProgram(std::move(*loaded)));
  Expected<Session> session = Session::bind(prepared->program, weights);
  if (!session)
    return session.takeError();
  prepared->session.emplace(std::move(*session));
  if (failed(prepared->program.compile()))
    return createStringError("");
  prepared->session->prepare();
  return prepared;
}
