// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which functions a kernel needs, and where their registers and variables are.

#include "Decoder.h"
#include "Memory.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mx::ptx;

/// The stack of a thread whose depth is not known: recursion, alloca.
static constexpr uint64_t openStackSize = 1 << 20;
static constexpr uint64_t frameAlignment = 16;

// CUDA C++ Programming Guide, technical specifications per compute capability;
// PTX ISA 5.1.3 and 5.1.6.1.
static constexpr uint64_t maxLocalSize = 512 << 10, maxConstantSize = 64 << 10,
                          maxParamSize = 32764;
/// More than any kernel has: each takes 256 bytes a warp.
static constexpr uint64_t maxRegisters = 1 << 18;

std::string Program::getRegisterName(uint32_t index) const {
  for (const Routine &routine : routines)
    if (index >= routine.firstRegister &&
        index < routine.firstRegister + routine.numRegisters) {
      auto it = llvm::upper_bound(routine.registers, index);
      if (it == routine.registers.begin())
        break;
      size_t number = it - routine.registers.begin() - 1;
      return routine.function->registers[number].name;
    }
  return "a constant";
}

Decoder::Decoder(Program &program, const Function &kernel,
                 llvm::ArrayRef<uint64_t> globalAddresses)
    : program(program), module(*program.module) {
  program.moduleAddresses.assign(globalAddresses.begin(),
                                 globalAddresses.end());
  program.routines.emplace_back();
  program.routines.back().function = &kernel;
  numbers[&kernel] = 0;
}

/// The function that a call names; null for an indirect one.
static const Operand *getCallee(const Instruction &call) {
  for (const Operand &operand : call.operands)
    if (operand.kind == Operand::Function)
      return &operand;
  return nullptr;
}

/// The kernel and everything that calls lead to.
bool Decoder::findRoutines() {
  for (uint32_t i = 0; i < program.routines.size(); ++i) {
    const Function &function = *program.routines[i].function;
    callees.emplace_back();
    for (const Instruction &source : function.instructions) {
      if (source.opcode != "call")
        continue;
      const Operand *operand = getCallee(source);
      if (!operand)
        return fail(source.location, "indirect calls are not implemented: the "
                                     "function has to be named");
      const Function &callee = module.functions[operand->index];
      if (callee.isEntry)
        return fail(operand->location, "a kernel cannot be called");
      if (callee.isDeclaration) {
        if (!getBuiltin(callee))
          return fail(operand->location,
                      "'" + callee.name +
                          "' is declared, but not defined in this module");
        continue;
      }
      auto [it, isNew] =
          numbers.try_emplace(&callee, uint32_t(program.routines.size()));
      if (isNew) {
        program.routines.emplace_back();
        program.routines.back().function = &callee;
      }
      if (!llvm::is_contained(callees[i], it->second))
        callees[i].push_back(it->second);
    }
  }
  return false;
}

/// Routines that may call themselves.
void Decoder::findRecursion() {
  for (uint32_t i = 0; i < program.routines.size(); ++i) {
    llvm::SmallVector<uint32_t, 4> work(callees[i]);
    std::vector<bool> seen(program.routines.size());
    while (!work.empty()) {
      uint32_t next = work.pop_back_val();
      program.routines[i].isRecursive |= next == i;
      if (!seen[next])
        work.append(callees[next].begin(), callees[next].end());
      seen[next] = true;
    }
  }
}

/// Whether what is laid out until `variable` is too much.
bool Decoder::checkSize(uint64_t size, uint64_t most, llvm::StringRef what,
                        const Variable &variable) {
  return size > most && fail(variable.location,
                             "'" + variable.name + "' does not fit into the " +
                                 llvm::Twine(most) + " bytes of " + what);
}

/// Shared and constant variables follow one another in the order of the text;
/// `name[]`, the dynamic shared memory, lies behind all others.
bool Decoder::layOutShared() {
  uint64_t shared = sharedBase, constant = 0;
  std::vector<std::pair<const Variable *, uint64_t *>> dynamic;
  auto place = [&](llvm::ArrayRef<Variable> variables,
                   std::vector<uint64_t> &addresses) {
    bool failed = false;
    for (auto [variable, address] : llvm::zip_equal(variables, addresses)) {
      if (variable.space != Space::Shared && variable.space != Space::Const)
        continue;
      if (variable.space == Space::Shared && variable.size == 0) {
        dynamic.push_back({&variable, &address});
        continue;
      }
      uint64_t &end = variable.space == Space::Shared ? shared : constant;
      address = llvm::alignTo(end, variable.alignment);
      end = address + variable.size;
      failed |=
          checkSize(constant, maxConstantSize, "constant memory", variable);
    }
    return failed;
  };
  if (place(module.variables, program.moduleAddresses))
    return true;
  for (Routine &routine : program.routines) {
    routine.addresses.resize(routine.function->variables.size());
    if (place(routine.function->variables, routine.addresses))
      return true;
  }
  unsigned alignment = 16;
  for (auto [variable, address] : dynamic)
    alignment = std::max(alignment, variable->alignment);
  shared = llvm::alignTo(shared, alignment);
  for (auto [variable, address] : dynamic)
    *address = shared;
  program.staticShared = shared - sharedBase;
  program.constantSize = constant;
  return false;
}

/// Frame and registers.
bool Decoder::layOutRoutine(Routine &routine) {
  const Function &function = *routine.function;
  bool isKernel = &routine == program.routines.data();
  size_t numFormals = function.params.size() + function.results.size();
  routine.firstRegister = program.numRegisters;
  uint32_t next = routine.firstRegister;
  for (const Register &reg : function.registers) {
    routine.registers.push_back(next);
    next += reg.vectorWidth * (reg.type == Type::B128 ? 2 : 1);
  }
  uint64_t frame = 0;
  for (auto [i, variable] : llvm::enumerate(function.variables)) {
    routine.addressRegisters.push_back(0);
    if (variable.space == Space::Global)
      return fail(variable.location,
                  ".global variables in functions are not implemented");
    if (variable.space != Space::Local && variable.space != Space::Param)
      continue;
    bool isKernelParam = isKernel && i < numFormals;
    uint64_t &end = isKernelParam ? program.paramSize : frame;
    uint64_t address = llvm::alignTo(end, variable.alignment);
    routine.addresses[i] = address;
    end = address + variable.size;
    if (isKernelParam
            ? checkSize(end, maxParamSize, "a kernel's parameters", variable)
            : checkSize(end, maxLocalSize, "a thread's local memory", variable))
      return true;
    if (!isKernel)
      routine.addressRegisters[i] = next++;
  }
  routine.frameSize = llvm::alignTo(frame, frameAlignment);
  routine.numRegisters = next - routine.firstRegister;
  program.numRegisters = next;
  for (size_t i = 0; i < numFormals; ++i) {
    const Variable &variable = function.variables[i];
    Formal formal;
    formal.offset = routine.addresses[i];
    formal.size = variable.size;
    if (variable.registerIndex >= 0) {
      Value value;
      value.isSink = false;
      value.index = routine.registers[variable.registerIndex];
      value.bits = getBitWidth(variable.type);
      formal.value = value;
    }
    (i < function.params.size() ? routine.params : routine.results)
        .push_back(formal);
  }
  return false;
}

/// Of the longest chain of calls, unless its length is open.
uint64_t Decoder::getStackSize() const {
  for (const Routine &routine : program.routines) {
    if (routine.isRecursive)
      return openStackSize;
    for (const Instruction &source : routine.function->instructions)
      if (source.opcode == "alloca")
        return openStackSize;
  }
  std::vector<uint64_t> depth(program.routines.size());
  // Without recursion no chain is longer than the number of routines.
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < depth.size(); ++i) {
      uint64_t deepest = 0;
      for (uint32_t callee : callees[i])
        deepest = std::max(deepest, depth[callee]);
      uint64_t total = program.routines[i].frameSize + deepest;
      changed |= total != depth[i];
      depth[i] = total;
    }
  }
  return depth[0];
}

/// Whether other clusters may see while they run what the instruction does, or
/// it what they do.
static bool reachesOtherClusters(const Instruction &source) {
  if (source.opcode == "mbarrier" || source.opcode == "barrier" ||
      source.opcode == "fence")
    return false;
  auto has = [&](llvm::StringRef word) { return source.hasModifier(word); };
  if (has("reduce") && has("bulk_group"))
    return true;
  bool isShared = has("shared") || has("shared::cta") || has("shared::cluster");
  return !isShared && (source.opcode == "atom" || source.opcode == "red" ||
                       source.opcode == "multimem" || has("volatile") ||
                       has("relaxed") || has("acquire") || has("release"));
}

llvm::Error Decoder::run() {
  auto error = [&] {
    return makeError(module.fileName, errorLocation, errorText);
  };
  if (findRoutines() || layOutShared())
    return error();
  for (Routine &each : program.routines)
    if (layOutRoutine(each))
      return error();
  const Function &kernel = *program.routines[0].function;
  if (program.numRegisters > maxRegisters &&
      fail(kernel.location, "'" + kernel.name +
                                "' and what it calls have more than " +
                                llvm::Twine(maxRegisters) + " registers"))
    return error();
  findRecursion();
  program.localSize = getStackSize();
  for (Routine &each : program.routines) {
    routine = &each;
    const Function &function = *each.function;
    each.firstInstruction = program.code.size();
    for (const Instruction &source : function.instructions) {
      program.code.emplace_back();
      if (decodeInstruction(source, program.code.back()))
        return error();
    }
    // Running off the end returns.
    each.end = std::make_unique<Instruction>();
    each.end->location = function.location;
    each.end->opcode = "ret";
    program.code.emplace_back();
    if (decodeInstruction(*each.end, program.code.back()))
      return error();
  }
  computeReconvergence(program);
  relaxComparedLoads(program);
  program.communicates = llvm::any_of(program.code, [](const Decoded &decoded) {
    return reachesOtherClusters(*decoded.source);
  });
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<Program>>
mx::ptx::decode(const Module &module, const Function &function,
                llvm::ArrayRef<uint64_t> globalAddresses) {
  auto program = std::make_unique<Program>();
  program->module = &module;
  if (llvm::Error error = Decoder(*program, function, globalAddresses).run())
    return std::move(error);
  return std::move(program);
}
