// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A function ready to run: every instruction found in the table of what is
// implemented, its operands as numbers of registers.

#ifndef MX_LIB_EMULATOR_PROGRAM_H
#define MX_LIB_EMULATOR_PROGRAM_H

#include "Rounding.h"

#include "mx/Emulator/Module.h"

#include "llvm/ADT/STLExtras.h"

#include <map>

namespace mx::ptx {

class Warp;
struct Decoded;

using Handler = void (*)(Warp &, const Decoded &);

/// An operand that is one value. Constants and special registers are registers
/// too: they have a value when a warp starts and are never written.
struct Value {
  uint32_t index = 0;
  bool isPredicate = false;
  /// `_`, or not there.
  bool isSink = true;
  /// !p
  bool negated = false;
  /// Width of the register; 64 for constants.
  uint8_t bits = 64;
};

enum class Comparison : uint8_t {
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
  Lo,
  Ls,
  Hi,
  Hs,
  Equ,
  Neu,
  Ltu,
  Leu,
  Gtu,
  Geu,
  Num,
  Nan
};
enum class Combine : uint8_t { None, And, Or, Xor };

/// How an access orders others (PTX ISA 8.4); weak ones do not.
enum class MemoryOrder : uint8_t {
  Weak,
  Relaxed,
  Acquire,
  Release,
  AcquireRelease
};
MemoryOrder getMemoryOrder(const Instruction &instruction);

struct Decoded {
  Handler handler = nullptr;
  const Instruction *source = nullptr;
  /// Moves the program counter itself and is executed without active lanes.
  bool isControl = false;
  Value guard;
  /// All values; operand i has those from begin[i] to begin[i + 1].
  llvm::SmallVector<Value, 4> values;
  llvm::SmallVector<uint8_t, 8> begin;
  /// Added to the base of the (first) address operand, and of each.
  int64_t offset = 0;
  llvm::SmallVector<int64_t, 2> addressOffsets;
  llvm::SmallVector<Type, 2> types;
  // Modifiers.
  Space space = Space::Generic;
  MemoryOrder order = MemoryOrder::Weak;
  uint8_t vectorWidth = 1;
  bool ftz = false, sat = false, satfinite = false, relu = false;
  bool trans = false;
  uint8_t count = 1;
  Rounding rounding = Rounding::Nearest;
  /// .rni, .rzi, .rmi, .rpi: to an integral value.
  bool toIntegral = false;
  Comparison comparison = Comparison::Eq;
  Combine combine = Combine::None;
  /// Of branches; where their lanes meet again. Of a branch table: what its
  /// entries are relative to. Of a call: its number in Program::calls.
  uint32_t target = 0;
  uint32_t reconverge = 0;
  const std::vector<unsigned> *table = nullptr;
  /// The handler proper of an instruction that reads a clock.
  Handler clocked = nullptr;

  bool hasModifier(llvm::StringRef word) const {
    return llvm::is_contained(source->modifiers, word);
  }
  const Value &value(unsigned operand) const { return values[begin[operand]]; }
  llvm::ArrayRef<Value> vector(unsigned operand) const {
    return llvm::ArrayRef(values).slice(begin[operand],
                                        begin[operand + 1] - begin[operand]);
  }
  unsigned getNumOperands() const { return begin.size() - 1; }
  bool isWgmma() const { return source->opcode == "wgmma"; }
};

/// Values that differ between threads or blocks.
enum class SpecialRegister : uint8_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpId,
  NWarpId,
  LanemaskEq,
  LanemaskLt,
  LanemaskLe,
  LanemaskGt,
  LanemaskGe,
  ClusterIdX,
  ClusterIdY,
  ClusterIdZ,
  NclusterIdX,
  NclusterIdY,
  NclusterIdZ,
  ClusterCtaidX,
  ClusterCtaidY,
  ClusterCtaidZ,
  ClusterNctaidX,
  ClusterNctaidY,
  ClusterNctaidZ,
  ClusterCtaRank,
  ClusterNctaRank,
  DynamicSmemSize,
  TotalSmemSize,
  IsExplicitCluster,
  Zero,
  One,
  // These change while a warp runs.
  Clock,
  ClockHi,
  Clock64,
  GlobalTimer,
  GlobalTimerHi
};

/// A parameter or result of a function: in its frame, or a register.
struct Formal {
  uint64_t offset = 0, size = 0;
  std::optional<Value> value;
};

/// The kernel, or a function that it may call. Each has registers of its own,
/// which a recursive call saves, and a frame in the threads' local memory for
/// its .local and .param variables.
struct Routine {
  const Function *function = nullptr;
  uint32_t firstInstruction = 0;
  uint32_t firstRegister = 0, numRegisters = 0;
  /// Index of each register of the function; one of .v4 or .b128 has several.
  std::vector<uint32_t> registers;
  /// Of Function::variables: addresses; of frame variables offsets.
  std::vector<uint64_t> addresses;
  /// Registers that hold the addresses of frame variables, by variable. Not of
  /// the kernel, whose frame begins at zero.
  std::vector<uint32_t> addressRegisters;
  uint64_t frameSize = 0;
  std::vector<Formal> params, results;
  bool isRecursive = false;
  /// Stands behind its last instruction.
  std::unique_ptr<Instruction> end;
};

/// A value that a call passes: from or to a place in the caller's frame, or a
/// register.
struct Passed {
  uint64_t offset = 0;
  std::optional<Value> value;
};

struct CallSite {
  /// In Program::routines; or a function that the emulator has itself.
  uint32_t routine = 0;
  Handler builtin = nullptr;
  llvm::SmallVector<Passed, 4> inputs, outputs;
};

struct Program {
  const Module *module = nullptr;
  std::vector<Decoded> code;
  /// The kernel is the first.
  std::vector<Routine> routines;
  std::vector<CallSite> calls;
  /// Registers of the routines, then constants and special registers.
  unsigned numRegisters = 0;
  std::map<uint64_t, uint32_t> constants;
  /// Registers that hold addresses of shared memory: these differ by block.
  std::map<uint64_t, uint32_t> sharedAddresses;
  std::vector<std::pair<SpecialRegister, uint32_t>> specials;
  /// Bytes of shared memory without the dynamic part, which begins there.
  uint64_t staticShared = 0;
  uint64_t localSize = 0;
  uint64_t paramSize = 0;
  uint64_t constantSize = 0;
  /// Addresses of Module::variables.
  std::vector<uint64_t> moduleAddresses;

  /// Whether clusters can see what others do while they run: then their order
  /// matters, and it has to be the same each time.
  bool communicates = false;

  /// The register that holds the carry of add.cc and so on, or 0.
  uint32_t carry = 0;

  /// What is written for register `index`.
  std::string getRegisterName(uint32_t index) const;
};

/// Lays out memory other than global, which `globalAddress` gives for each
/// variable of the module in that space, and decodes `function`. The error
/// names the first instruction that is not implemented, or operand that is
/// wrong, with its place.
llvm::Expected<std::unique_ptr<Program>>
decode(const Module &module, const Function &function,
       llvm::ArrayRef<uint64_t> globalAddresses);

/// Immediate post-dominators of branches: `reconverge` of each.
void computeReconvergence(Program &program);

/// Loads whose value an atom.cas compares count as relaxed: a loop of
/// compare-and-swap begins with one, and a stale value does no harm there.
void relaxComparedLoads(Program &program);

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

/// A row of the table of implemented instructions.
struct Row {
  /// Opcode and the modifiers that make it this instruction: "mul.lo".
  const char *name;
  /// Types in their order, alternatives with |: "f32 bf16|f16"; "" for none.
  const char *types;
  /// Further modifiers that it may have.
  const char *optional;
  /// Operands, by spaces; a `?` behind one and all that follow: may be absent.
  ///   d destination, s source, p predicate destination, P predicate source,
  ///   x source of either kind, m matrix: source or address, o sources in
  ///   braces, which may be absent,
  ///   A address, T tensor map and coordinates, v sources in braces or one, V
  ///   destinations, d|p and p|p pairs whose second part may be absent, l
  ///   label, t branch table, i integer constant; c the carry, which is not
  ///   written.
  /// Behind it its width: none for the first type's, 1 for the second type's,
  /// w for twice the first's, =n for n bits, * for any.
  const char *operands;
  Handler handler;
};

llvm::ArrayRef<Row> getIntegerRows();
llvm::ArrayRef<Row> getExtendedRows();
llvm::ArrayRef<Row> getLogicRows();
llvm::ArrayRef<Row> getCompareRows();
llvm::ArrayRef<Row> getFloatRows();
llvm::ArrayRef<Row> getHalfRows();
llvm::ArrayRef<Row> getConvertRows();
llvm::ArrayRef<Row> getNarrowRows();
llvm::ArrayRef<Row> getApproximateRows();
llvm::ArrayRef<Row> getMemoryRows();
llvm::ArrayRef<Row> getAtomicRows();
llvm::ArrayRef<Row> getMatrixRows();
llvm::ArrayRef<Row> getAsyncRows();
llvm::ArrayRef<Row> getMmaRows();
llvm::ArrayRef<Row> getWarpRows();
llvm::ArrayRef<Row> getControlRows();
llvm::ArrayRef<Row> getBarrierRows();
llvm::ArrayRef<Row> getMbarrierRows();
llvm::ArrayRef<Row> getFenceRows();
llvm::ArrayRef<Row> getBulkRows();
llvm::ArrayRef<Row> getTensorRows();
llvm::ArrayRef<Row> getTensorMapRows();
llvm::ArrayRef<Row> getRemoteRows();
llvm::ArrayRef<Row> getClusterRows();
llvm::ArrayRef<Row> getRegisterRows();
llvm::ArrayRef<Row> getWgmmaRows();
llvm::ArrayRef<Row> getWmmaRows();
llvm::ArrayRef<Row> getStackRows();
llvm::ArrayRef<Row> getTcgen05Rows();
llvm::ArrayRef<Row> getTcgen05AllocRows();
llvm::ArrayRef<Row> getTcgen05AccessRows();
llvm::ArrayRef<Row> getTcgen05CopyRows();
llvm::ArrayRef<Row> getTcgen05MmaRows();

/// Why an instruction of wgmma or tcgen05 is refused, by its name and by what
/// the module's target has; empty if it is not.
std::string findTensorProblem(const Module &module,
                              const Instruction &instruction);

/// The row that implements `instruction`, or an error text that says what is
/// missing.
const Row *lookupRow(const Instruction &instruction,
                     llvm::SmallVectorImpl<Type> &types, std::string &error);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_PROGRAM_H
