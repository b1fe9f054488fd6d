// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A PTX module as it is written: what the parser returns. Names of registers,
// labels and variables are resolved; what instructions mean is not looked at.

#ifndef MX_EMULATOR_MODULE_H
#define MX_EMULATOR_MODULE_H

#include "mx/Emulator/Types.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace mx::ptx {

/// A place in the text; both count from one.
struct Location {
  unsigned line = 0;
  unsigned column = 0;
};

enum class Space : uint8_t {
  Generic,
  Global,
  Shared,
  Local,
  Param,
  Const,
  /// Shared memory of any block of the cluster.
  SharedCluster
};

/// An operand of an instruction.
struct Operand {
  enum Kind : uint8_t {
    /// `index` in Function::registers; `element` of a vector register; -1: all.
    Register,
    /// %tid.x, %laneid, ...: `name`.
    Special,
    /// `bits`: 64-bit two's complement.
    Integer,
    /// `bits` of an f32 (0f...) or f64 (0d..., 1.5).
    Float32,
    Float64,
    /// Address of a variable: `index` in the space's list, see `scope`.
    Variable,
    /// `index` of an instruction of the function.
    Label,
    /// `index` in Function::branchTables.
    BranchTable,
    /// `index` in Module::functions.
    Function,
    /// [base + offset, more...]: `elements` holds the base, then what follows.
    Address,
    /// {a, b, ...}
    Vector,
    /// d|p
    Pair,
    /// (a, b), of calls
    List,
    /// _
    Sink,
    /// A name that is not resolved yet.
    Symbol
  };
  Kind kind = Sink;
  /// !p or -r.
  bool negated = false;
  /// A variable of the function, not of the module.
  bool isLocal = false;
  int8_t element = -1;
  Location location;
  unsigned index = 0;
  uint64_t bits = 0;
  /// Added to an address or a symbol.
  int64_t offset = 0;
  llvm::StringRef name;
  std::vector<Operand> elements;
};

/// @p opcode.modifier... operands;
struct Instruction {
  Location location;
  /// Predicate register, or -1.
  int guard = -1;
  bool guardNegated = false;
  llvm::StringRef opcode;
  /// Everything behind the opcode, in order, without dots.
  llvm::SmallVector<llvm::StringRef, 6> modifiers;
  std::vector<Operand> operands;

  /// As it is written: opcode and modifiers.
  std::string getSpelling() const;
  bool hasModifier(llvm::StringRef word) const {
    return llvm::is_contained(modifiers, word);
  }
};

/// Where an initialiser holds the address of another variable or a function.
struct Relocation {
  uint64_t offset = 0;
  Operand target;
};

struct Variable {
  Location location;
  llvm::StringRef name;
  Space space = Space::Global;
  Type type = Type::None;
  unsigned vectorWidth = 1;
  /// In bytes, a power of two.
  unsigned alignment = 1;
  /// In bytes; 0 for `name[]`, whose size the launch gives.
  uint64_t size = 0;
  bool isExtern = false;
  bool isInitialized = false;
  /// A .reg parameter of a function: index in Function::registers; else -1.
  int registerIndex = -1;
  /// The initialiser, up to its last written byte.
  std::vector<uint8_t> data;
  std::vector<Relocation> relocations;
};

struct Register {
  std::string name;
  Type type = Type::None;
  unsigned vectorWidth = 1;
};

struct Function {
  Location location;
  llvm::StringRef name;
  bool isEntry = false;
  /// A declaration without a body.
  bool isDeclaration = false;
  std::vector<Variable> results;
  std::vector<Variable> params;
  std::vector<Variable> variables;
  std::vector<Register> registers;
  std::vector<Instruction> instructions;
  /// Targets, as indices of instructions.
  std::vector<std::vector<unsigned>> branchTables;
  /// .reqnctapercluster, .reqntid and .maxntid; zero where not written.
  std::array<unsigned, 3> requiredCluster = {0, 0, 0};
  std::array<unsigned, 3> requiredThreads = {0, 0, 0};
  std::array<unsigned, 3> maxThreads = {0, 0, 0};
  /// .maxnreg and .minnctapersm; zero where not written.
  unsigned maxRegisters = 0, minBlocks = 0;
};

struct Module {
  /// Owns the text that names point into.
  std::unique_ptr<std::string> text;
  std::string fileName;
  unsigned versionMajor = 0, versionMinor = 0;
  llvm::StringRef target;
  std::vector<Variable> variables;
  std::vector<Function> functions;

  const Function *lookupEntry(llvm::StringRef name) const;
};

/// Parses a module. An error is one line, `fileName:line:column: error: ...`.
llvm::Expected<Module> parseModule(llvm::StringRef text,
                                   llvm::StringRef fileName);

/// The error of a place in a file, as above.
llvm::Error makeError(llvm::StringRef fileName, Location location,
                      const llvm::Twine &message);

} // namespace mx::ptx

#endif // MX_EMULATOR_MODULE_H
