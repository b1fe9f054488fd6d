// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Machine.h"

#include "llvm/ADT/Twine.h"

#include <cstring>

using namespace mx::ptx;
using llvm::Twine;

static uint64_t getSpecialValue(SpecialRegister special, const Block &block,
                                unsigned warp, unsigned lane) {
  using S = SpecialRegister;
  const Machine &machine = block.machine;
  unsigned thread = warp * warpSize + lane;
  const Dim3 &size = machine.block;
  switch (special) {
  case S::TidX:
    return thread % size.x;
  case S::TidY:
    return thread / size.x % size.y;
  case S::TidZ:
    return thread / size.x / size.y;
  case S::NtidX:
    return size.x;
  case S::NtidY:
    return size.y;
  case S::NtidZ:
    return size.z;
  case S::CtaidX:
    return block.index.x;
  case S::CtaidY:
    return block.index.y;
  case S::CtaidZ:
    return block.index.z;
  case S::NctaidX:
    return machine.grid.x;
  case S::NctaidY:
    return machine.grid.y;
  case S::NctaidZ:
    return machine.grid.z;
  case S::LaneId:
    return lane;
  case S::WarpId:
    return warp;
  case S::NWarpId:
    return (size.count() + warpSize - 1) / warpSize;
  case S::LanemaskEq:
    return 1u << lane;
  case S::LanemaskLt:
    return (1u << lane) - 1;
  case S::LanemaskLe:
    return (2ull << lane) - 1;
  case S::LanemaskGt:
    return uint32_t(~((2ull << lane) - 1));
  case S::LanemaskGe:
    return uint32_t(~((1u << lane) - 1));
  case S::ClusterCtaRank:
    return 0;
  case S::ClusterNctaRank:
    return 1;
  case S::DynamicSmemSize:
    return machine.dynamicShared;
  }
  return 0;
}

Warp::Warp(Block &block, unsigned number, unsigned threads)
    : block(block), machine(block.machine), number(number),
      live(threads >= warpSize ? allLanes : (1u << threads) - 1) {
  const Program &program = machine.program;
  registers.resize(size_t(program.numRegisters) * warpSize);
  initialized.resize(program.numRegisters);
  for (auto [bits, index] : program.constants) {
    std::fill_n(&registers[size_t(index) * warpSize], warpSize, bits);
    initialized[index] = allLanes;
  }
  for (auto [special, index] : program.specials) {
    for (unsigned lane = 0; lane < warpSize; ++lane)
      registers[size_t(index) * warpSize + lane] =
          getSpecialValue(special, block, number, lane);
    initialized[index] = allLanes;
  }
  stack.push_back({0, UINT32_MAX, live});
  local.resize(warpSize);
}

bool Warp::hasFault() const { return !machine.fault.empty(); }

void Warp::fault(unsigned lane, const Twine &message) {
  if (hasFault())
    return;
  const Location &location = current->source->location;
  const Dim3 &b = block.index;
  machine.fault =
      (machine.program.module->fileName + ":" + Twine(location.line) + ":" +
       Twine(location.column) + ": error: block (" + Twine(b.x) + ", " +
       Twine(b.y) + ", " + Twine(b.z) + "), warp " + Twine(number) + ", lane " +
       Twine(lane) + ": " + message)
          .str();
}

void Warp::faultUninitialized(const Value &value) {
  fault(llvm::countr_zero(active & ~initialized[value.index]),
        "read of register '" + machine.program.getRegisterName(value.index) +
            "', which was never written");
}

Region *Warp::findRegion(unsigned lane, Space &space, uint64_t &address) {
  if (space == Space::Generic) {
    space = Space::Global;
    for (auto [base, candidate] : {std::pair(window::shared, Space::Shared),
                                   std::pair(window::local, Space::Local),
                                   std::pair(window::param, Space::Param)})
      if (window::isIn(address, base)) {
        space = candidate;
        address -= base;
      }
  }
  switch (space) {
  case Space::Shared:
    return &block.shared;
  case Space::Param:
    return &machine.params;
  case Space::Const:
    return &machine.constants;
  case Space::Local:
    if (!local[lane])
      local[lane] = std::make_unique<Region>("the thread's local memory", 0,
                                             machine.program.localSize);
    return local[lane].get();
  default:
    return machine.memory.find(address);
  }
}

uint8_t *Warp::access(unsigned lane, Space space, uint64_t address,
                      unsigned size, unsigned alignment, Access access) {
  static constexpr llvm::StringRef names[] = {"generic", "global", "shared",
                                              "local",   "param",  "const"};
  Region *region = findRegion(lane, space, address);
  std::string problem = checkAccess(region, names[unsigned(space)], address,
                                    size, alignment, access);
  if (problem.empty() && access != Access::Read &&
      (space == Space::Param || space == Space::Const))
    problem = "write to memory that cannot be written";
  if (LLVM_UNLIKELY(!problem.empty())) {
    fault(lane, problem);
    return nullptr;
  }
  if (access != Access::Read)
    std::fill_n(region->stateAt(address), size, ByteState::Initialized);
  return region->at(address);
}

void Warp::completeCopies(uint32_t pending) {
  for (auto it = copies.begin(); it != copies.end();) {
    if (!(active >> it->lane & 1) || it->group + pending >= groups[it->lane]) {
      ++it;
      continue;
    }
    // In flight until now; the copy itself is a write like any other.
    std::fill_n(block.shared.stateAt(it->destination), it->size,
                ByteState::Initialized);
    uint8_t *to = block.shared.at(it->destination);
    std::memset(to, 0, it->size);
    if (it->sourceSize) {
      const uint8_t *from = access(it->lane, Space::Global, it->source,
                                   it->sourceSize, 1, Access::Read);
      if (!from)
        return;
      std::memcpy(to, from, it->sourceSize);
    }
    it = copies.erase(it);
  }
}

void Warp::exit(uint32_t mask) {
  live &= ~mask;
  for (StackEntry &entry : stack)
    entry.mask &= ~mask;
  ++stack.back().pc;
}

void Warp::branch(uint32_t target, uint32_t taken) {
  StackEntry top = stack.back();
  uint32_t other = top.mask & ~taken;
  if (!taken || !other) {
    stack.back().pc = taken ? target : top.pc + 1;
    return;
  }
  // The entry below waits for both where they meet; one that would only wait
  // for the next is left out.
  uint32_t meet = current->reconverge;
  if (meet == top.reconverge)
    stack.pop_back();
  else
    stack.back().pc = meet;
  if (top.pc + 1 != meet)
    stack.push_back({top.pc + 1, meet, other});
  if (target != meet)
    stack.push_back({target, meet, taken});
}

void Warp::run() {
  const std::vector<Decoded> &code = machine.program.code;
  while (!hasFault()) {
    while (!stack.empty() && (stack.back().mask == 0 ||
                              stack.back().pc == stack.back().reconverge))
      stack.pop_back();
    if (stack.empty() || waitingAt >= 0)
      return;
    StackEntry &top = stack.back();
    if (top.pc >= code.size()) {
      exit(top.mask);
      continue;
    }
    current = &code[top.pc];
    active = top.mask;
    if (!current->guard.isSink)
      active &= readPredicate(current->guard);
    ++machine.warpInstructions;
    machine.laneInstructions += llvm::popcount(active);
    if (!current->isControl)
      ++top.pc;
    if (active || current->isControl)
      current->handler(*this, *current);
  }
}
