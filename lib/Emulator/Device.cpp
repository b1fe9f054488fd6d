// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Emulator/Device.h"

#include "Warp.h"

#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mx::ptx;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;

Device::Device() : memory(std::make_unique<GlobalMemory>()) {}
Device::~Device() = default;

/// Parameters lie as the fields of a struct do (PTX ISA 5.1.6.1).
ParameterLayout mx::ptx::getParameterLayout(const Function &entry) {
  ParameterLayout layout;
  for (const Variable &param : entry.params) {
    layout.offsets.push_back(llvm::alignTo(layout.size, param.alignment));
    layout.size = layout.offsets.back() + param.size;
  }
  return layout;
}

uint64_t Device::allocate(StringRef name, uint64_t size) {
  return memory->allocate(name.str(), size).base;
}

void Device::free(uint64_t address) { memory->free(address); }

bool Device::contains(uint64_t address) const {
  Region *region = memory->find(address);
  return region && region->contains(address, 0);
}

Error Device::write(uint64_t address, llvm::ArrayRef<uint8_t> bytes) {
  Region *region = memory->find(address);
  if (!region || !region->contains(address, bytes.size()))
    return llvm::createStringError("a copy of " + Twine(bytes.size()) +
                                   " bytes is not inside an allocation");
  region->write(address - region->base, bytes.data(), bytes.size());
  return Error::success();
}

Error Device::read(uint64_t address, llvm::MutableArrayRef<uint8_t> bytes) {
  Region *region = memory->find(address);
  for (uint64_t done = 0; done < bytes.size();) {
    unsigned size = std::min<uint64_t>(bytes.size() - done, 1 << 20);
    std::string problem =
        checkAccess(region, "global", address + done, size, 1, Access::Read);
    if (!problem.empty())
      return llvm::createStringError(problem);
    std::memcpy(&bytes[done], region->at(address + done), size);
    done += size;
  }
  return Error::success();
}

llvm::ArrayRef<uint8_t> Device::getBytes(uint64_t address) {
  Region *region = memory->find(address);
  if (!region || !region->contains(address, 0))
    return {};
  return {region->at(address), size_t(region->size - (address - region->base))};
}

bool Device::isInitialized(uint64_t address) {
  Region *region = memory->find(address);
  return region && region->contains(address, 1) &&
         *region->stateAt(address) == ByteState::Initialized;
}

/// What is written of a variable of .global or .const, which is zero from there
/// on (PTX ISA 5.4.4); `addresses` are those of the module's variables.
static llvm::Expected<std::vector<uint8_t>>
getInitialBytes(const Module &module, const Variable &variable,
                llvm::ArrayRef<uint64_t> addresses) {
  std::vector<uint8_t> data = variable.data;
  for (const Relocation &relocation : variable.relocations) {
    const Operand &target = relocation.target;
    bool isGlobal = target.kind == Operand::Variable &&
                    module.variables[target.index].space == Space::Global;
    if (!isGlobal)
      return makeError(module.fileName, target.location,
                       "an initialiser holds the address of '" + target.name +
                           "': of variables, those in .global are supported");
    uint64_t address = addresses[target.index] + target.offset;
    std::memcpy(&data[relocation.offset], &address, sizeof(address));
  }
  return data;
}

/// Makes the module's global variables.
llvm::Expected<llvm::ArrayRef<uint64_t>> Device::load(const Module &module) {
  auto [it, isNew] = loaded.try_emplace(&module);
  std::vector<uint64_t> &addresses = it->second;
  if (!isNew)
    return llvm::ArrayRef<uint64_t>(addresses);
  // They are filled here, and text must not fill the memory.
  constexpr uint64_t mostBytes = uint64_t(1) << 30;
  uint64_t total = 0;
  for (const Variable &variable : module.variables) {
    bool isGlobal = variable.space == Space::Global;
    if (isGlobal && (total += variable.size) > mostBytes) {
      loaded.erase(it);
      return makeError(module.fileName, variable.location,
                       "the module's .global variables have more than " +
                           Twine(mostBytes) + " bytes");
    }
    addresses.push_back(
        isGlobal ? allocate("'" + variable.name.str() + "'", variable.size)
                 : 0);
  }
  for (auto [variable, address] :
       llvm::zip_equal(module.variables, addresses)) {
    if (variable.space != Space::Global)
      continue;
    auto bytes = getInitialBytes(module, variable, addresses);
    if (!bytes) {
      loaded.erase(it);
      return bytes.takeError();
    }
    Region &region = *memory->find(address);
    region.write(0, bytes->data(), bytes->size());
    region.setState(address, variable.size, ByteState::Initialized);
  }
  return llvm::ArrayRef<uint64_t>(addresses);
}

static Error fillConstants(Machine &machine,
                           llvm::ArrayRef<uint64_t> addresses) {
  const Module &module = *machine.program.module;
  for (auto [variable, place] :
       llvm::zip_equal(module.variables, machine.program.moduleAddresses)) {
    if (variable.space != Space::Const)
      continue;
    auto bytes = getInitialBytes(module, variable, addresses);
    if (!bytes)
      return bytes.takeError();
    machine.constants.write(place, bytes->data(), bytes->size());
    machine.constants.setState(place, variable.size, ByteState::Initialized);
  }
  return Error::success();
}

static std::string spell(const std::array<unsigned, 3> &dim) {
  return (Twine(dim[0]) + " x " + Twine(dim[1]) + " x " + Twine(dim[2])).str();
}

/// What the kernel's directives say of a launch.
static Error checkDirectives(const LaunchConfig &config,
                             const Function &function) {
  using Dim = std::array<unsigned, 3>;
  Dim block = {config.block.x, config.block.y, config.block.z};
  Dim cluster = {config.cluster.x, config.cluster.y, config.cluster.z};
  const Dim &threads = function.requiredThreads;
  if (threads[0] && block != threads)
    return llvm::createStringError("the kernel needs blocks of " +
                                   spell(threads) +
                                   " threads, the launch has " + spell(block));
  const Dim &most = function.maxThreads;
  if (most[0] && config.block.count() > uint64_t(most[0]) * most[1] * most[2])
    return llvm::createStringError("the kernel is for blocks of at most " +
                                   spell(most) + " threads, the launch has " +
                                   spell(block));
  const Dim &blocks = function.requiredCluster;
  if (blocks[0] && cluster != blocks)
    return llvm::createStringError("the kernel needs clusters of " +
                                   spell(blocks) + " blocks, the launch has " +
                                   spell(cluster));
  return Error::success();
}

static Error checkConfig(const LaunchConfig &config, const Program &program) {
  auto fail = [](const Twine &text) { return llvm::createStringError(text); };
  const Dim3 &grid = config.grid, &cluster = config.cluster;
  if (config.block.count() == 0 || config.block.count() > 1024)
    return fail("a block has 1 to 1024 threads");
  if (cluster.count() == 0 || cluster.count() > 16)
    return fail("a cluster has 1 to 16 blocks");
  if (grid.count() == 0 || grid.x % cluster.x || grid.y % cluster.y ||
      grid.z % cluster.z)
    return fail("the grid is not a whole number of clusters");
  if (config.dynamicShared > 232448 ||
      program.staticShared + config.dynamicShared > 233472)
    return fail("a block has at most 232448 bytes of dynamic shared memory");
  if (config.parameters.size() > program.paramSize)
    return fail("the kernel has " + Twine(program.paramSize) +
                " bytes of parameters, the launch " +
                Twine(config.parameters.size()));
  return Error::success();
}

Error Device::launch(const Module &module, StringRef entry,
                     const LaunchConfig &config,
                     const ExecutionOptions &options,
                     LaunchStatistics *statistics) {
  const Function *function = module.lookupEntry(entry);
  if (!function)
    return llvm::createStringError("the module has no entry '" + entry + "'");
  llvm::Expected<llvm::ArrayRef<uint64_t>> addresses = load(module);
  if (!addresses)
    return addresses.takeError();
  std::unique_ptr<Program> &program = programs[function];
  if (!program) {
    auto decoded = decode(module, *function, *addresses);
    if (!decoded)
      return decoded.takeError();
    program = std::move(*decoded);
  }
  if (Error error = checkDirectives(config, *function))
    return error;
  if (Error error = checkConfig(config, *program))
    return error;
  Machine machine(*program, *memory, config, options);
  machine.params.write(0, config.parameters.data(), config.parameters.size());
  if (Error error = fillConstants(machine, *addresses))
    return error;
  machine.run();
  if (statistics)
    *statistics = machine.statistics;
  if (!machine.fault.empty())
    return llvm::createStringError(machine.fault);
  return Error::success();
}
