// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An emulated GPU: memory, modules, launches. Launch files (LaunchFile.h) and
// the runtime of mx-run both stand on it.

#ifndef MX_EMULATOR_DEVICE_H
#define MX_EMULATOR_DEVICE_H

#include "mx/Emulator/Module.h"

#include "llvm/ADT/ArrayRef.h"

#include <map>

namespace mx::ptx {

class GlobalMemory;
struct Program;

/// Extents in threads, blocks or blocks of a cluster.
struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
  uint64_t count() const { return uint64_t(x) * y * z; }
};

/// When asynchronous work (copies, wgmma, tcgen05) takes effect.
enum class Completion : uint8_t {
  /// As late as the memory model allows: when nothing else can run, or a wait
  /// asks for it.
  Latest,
  /// At random moments, and warps run in a random order.
  Random
};

/// How tensor cores sum (PTX ISA leaves it open).
enum class Accumulate : uint8_t {
  /// The exact sum of products and accumulator, rounded once an instruction.
  Exact,
  /// Truncation as measured on the generation of the module's target.
  Hardware
};

/// Which result within the PTX ISA's bound an .approx instruction gives.
enum class Approx : uint8_t { Exact, Low, High, Random };

/// What is looked for. Bounds and alignment, barriers and everything else that
/// costs nothing are always checked.
struct Checks {
  /// Reads of registers and memory that were never written.
  bool uninitialized = true;
  /// Accesses that nothing orders, and proxies without a fence between.
  bool races = true;
  /// mbarriers before their initialisation is known.
  bool async = true;
  /// The order of tcgen05 operations, and cells that nobody has written.
  bool tensorMemory = true;

  static Checks none() { return {false, false, false, false}; }
  /// Whether what happened before what has to be known.
  bool needsOrder() const { return races || async || tensorMemory; }
};

struct ExecutionOptions {
  Completion completion = Completion::Latest;
  Accumulate accumulate = Accumulate::Exact;
  Approx approx = Approx::Exact;
  /// Decides all that is random; one seed, one result.
  uint64_t seed = 0;
  Checks checks;
  /// tcgen05.fence is asked for as the PTX ISA does; Triton leaves it out.
  bool strict = false;
  /// Warp instructions after which a launch counts as endless; 0: no limit.
  uint64_t maxInstructions = 0;
  /// Count each instruction: LaunchStatistics::instructions.
  bool count = false;
  /// Where the instructions of one warp (of the block with that number, x
  /// fastest) are written, with the lanes that execute them; null: nowhere.
  llvm::raw_ostream *trace = nullptr;
  uint64_t traceBlock = 0;
  unsigned traceWarp = 0;
  /// With what they wrote to registers.
  bool traceValues = false;
};

struct LaunchConfig {
  Dim3 grid, block, cluster;
  /// Bytes of shared memory behind what the kernel declares.
  uint64_t dynamicShared = 0;
  /// The kernel's parameters: getParameters(entry) says where each lies.
  llvm::ArrayRef<uint8_t> parameters;
};

/// How often an instruction was executed, and the bytes that loads, stores and
/// atomics moved by it.
struct InstructionCount {
  uint64_t warps = 0, lanes = 0, bytes = 0;
};

struct LaunchStatistics {
  uint64_t warpInstructions = 0, laneInstructions = 0;
  /// By what is written, without operands.
  std::map<std::string, InstructionCount> instructions;
};

/// Offset, in the block of parameters, of each parameter of a kernel.
struct ParameterLayout {
  std::vector<uint64_t> offsets;
  uint64_t size = 0;
};
ParameterLayout getParameterLayout(const Function &entry);

class Device {
public:
  Device();
  ~Device();

  /// Bytes of global memory, aligned to 256, that count as uninitialised.
  /// `name` is for messages.
  uint64_t allocate(llvm::StringRef name, uint64_t size);
  /// Frees what `allocate` gave.
  void free(uint64_t address);
  /// Copies into memory; the bytes have to lie in one allocation.
  llvm::Error write(uint64_t address, llvm::ArrayRef<uint8_t> bytes);
  /// Copies out of memory; an error where a byte was never written.
  llvm::Error read(uint64_t address, llvm::MutableArrayRef<uint8_t> bytes);
  /// Whether `address` lies in an allocation.
  bool contains(uint64_t address) const;
  /// The bytes of an allocation from `address` on, whatever was written.
  llvm::ArrayRef<uint8_t> getBytes(uint64_t address);
  bool isInitialized(uint64_t address);

  /// Runs `entry` of `module` to its end. An error is one line (and, for a
  /// fault of the kernel, the PTX around it): what the launch gets wrong, what
  /// is not implemented, or where the kernel went wrong. `module` has to
  /// outlive the device; its global variables are made at its first launch.
  llvm::Error launch(const Module &module, llvm::StringRef entry,
                     const LaunchConfig &config,
                     const ExecutionOptions &options = {},
                     LaunchStatistics *statistics = nullptr);

private:
  llvm::Expected<llvm::ArrayRef<uint64_t>> load(const Module &module);

  std::unique_ptr<GlobalMemory> memory;
  std::map<const Module *, std::vector<uint64_t>> loaded;
  std::map<const Function *, std::unique_ptr<Program>> programs;
};

} // namespace mx::ptx

#endif // MX_EMULATOR_DEVICE_H
