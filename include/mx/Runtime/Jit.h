// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Machine code in this process from a module of the LLVM dialect.

#ifndef MX_RUNTIME_JIT_H
#define MX_RUNTIME_JIT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>

namespace llvm {
class TargetMachine;
namespace orc {
class LLJIT;
} // namespace orc
} // namespace llvm

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace mx {

/// The machine that `cpu` names (see CPUTarget); an error if there is none of
/// that name or this machine cannot run its code.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(llvm::StringRef cpu);

/// Seconds of each step.
struct JitTimes {
  double translate = 0, optimize = 0, codegen = 0;
};

/// Compiled code; it lives as long as this object.
class Jit {
public:
  /// Optimises and compiles the module, all at once, and keeps nothing but the
  /// code. Undefined symbols are those of getThreadPoolSymbols(), the C and
  /// math libraries, MLIR's GPU runtime (on the emulated GPU), memrefCopy, and
  /// conversions between float types. A failed cf.assert prints its message as
  /// an error and ends the process with exit status 1.
  static llvm::Expected<Jit> compile(mlir::ModuleOp module,
                                     llvm::TargetMachine &targetMachine,
                                     JitTimes *times = nullptr);
  Jit(Jit &&);
  ~Jit();

  /// Calls a function by its C interface: one pointer for each argument.
  using Function = void (*)(void **arguments);

  /// The function `name` that has a C interface (llvm.emit_c_interface). A
  /// function with results takes a pointer to them first.
  llvm::Expected<Function> lookup(llvm::StringRef name) const;

private:
  explicit Jit(std::unique_ptr<llvm::orc::LLJIT> jit);
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace mx

#endif // MX_RUNTIME_JIT_H
