// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An entry function of a module: what it takes, and its machine code.

#ifndef MX_RUNTIME_PROGRAM_H
#define MX_RUNTIME_PROGRAM_H

#include "mx/Runtime/Jit.h"
#include "mx/Support/Sidecar.h"

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlir {
class DialectRegistry;
namespace func {
class FuncOp;
} // namespace func
} // namespace mlir

namespace mx {

struct ProgramOptions {
  /// Function that is called; empty stands for the sidecar's, or "main".
  std::string entry;
  /// Names and kinds of the arguments, or null; and the file they are from.
  const Sidecar *sidecar = nullptr;
  std::string sidecarPath;
  /// Scheme or recipe, and scale rule, of `mx-lower-precision`; without a
  /// scheme and a recipe the module is compiled as it is.
  std::string scheme, recipePath, scaleRule;
  /// Option `cpu` of `mx-to-cpu`.
  std::string cpu = "native";
  /// GPU for whose kernels the module is compiled, to be executed in the
  /// emulator; empty: everything is for the CPU.
  std::string chip;
  bool allowUnregisteredDialects = false;
  /// If it is set, the precision is lowered when the module is loaded, by
  /// `mx-annotate` and `mx-quantize-matmuls` alone, and this is called with the
  /// entry function, which may get further results. If it fails, so does
  /// `load`; errors are for it to report.
  std::function<mlir::LogicalResult(mlir::func::FuncOp)> observe;

  bool lowersPrecision() const {
    return !scheme.empty() || !recipePath.empty();
  }
};

/// A tensor that crosses the entry function's boundary.
struct ProgramTensor : SidecarType {
  unsigned elementBytes = 0;

  /// As MLIR spells it: tensor<4x?xf32>.
  std::string getTypeString() const;
};

struct ProgramArgument : ProgramTensor {
  bool isParameter() const { return !storedName.empty(); }

  /// Its name in the sidecar; "argument N" without one.
  std::string name;
  /// Of a parameter, its name in a checkpoint; else empty.
  std::string storedName;
  /// False if only prepare functions use it.
  bool isUsed = true;
};

/// A function that computes values from parameters which the entry function
/// takes as further arguments, behind its own: results of all steps in order.
struct PrepareStep {
  std::string name;
  Jit::Function function = nullptr;
  /// Positions of its arguments among the entry function's.
  llvm::SmallVector<unsigned> arguments;
  llvm::SmallVector<unsigned> resultRanks;
};

/// A module on its way to code: `load` says what the entry function takes,
/// `compile` leaves its code only.
class Program {
public:
  /// Parses the module (text or bytecode) at `path` and checks its entry
  /// function against the sidecar. Problems are reported as diagnostics at
  /// their location, on stderr. `registry` has the dialects of the module and
  /// those that it is lowered to, with their translation to LLVM IR.
  static mlir::FailureOr<Program> load(llvm::StringRef path,
                                       const ProgramOptions &options,
                                       const mlir::DialectRegistry &registry);
  Program(Program &&);
  ~Program();

  llvm::ArrayRef<ProgramArgument> getArguments() const { return arguments; }
  llvm::ArrayRef<ProgramTensor> getResults() const { return results; }

  /// Lowers the module, generates code and frees the IR. Problems are reported
  /// as diagnostics.
  mlir::LogicalResult compile();

  // After compile.
  llvm::ArrayRef<PrepareStep> getPrepareSteps() const { return prepareSteps; }
  Jit::Function getEntry() const { return entry; }
  /// Seconds of each phase, in order.
  llvm::ArrayRef<std::pair<std::string, double>> getTimes() const {
    return times;
  }

private:
  struct IR;
  explicit Program(std::unique_ptr<IR> ir);

  mlir::LogicalResult readSignature();
  mlir::LogicalResult observe();
  mlir::LogicalResult runPipeline(const llvm::Twine &pipeline);
  mlir::LogicalResult lower();
  void readPrepareSteps();

  std::unique_ptr<IR> ir;
  std::vector<ProgramArgument> arguments;
  std::vector<ProgramTensor> results;
  std::vector<PrepareStep> prepareSteps;
  std::optional<Jit> jit;
  Jit::Function entry = nullptr;
  std::vector<std::pair<std::string, double>> times;
};

} // namespace mx

#endif // MX_RUNTIME_PROGRAM_H
