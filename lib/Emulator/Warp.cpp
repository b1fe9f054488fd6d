// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Warp.h"

#include <cstring>

using namespace mx::ptx;
using llvm::Twine;

static uint64_t getPart(const Dim3 &dim, unsigned i) {
  return i == 0 ? dim.x : i == 1 ? dim.y : dim.z;
}

static uint64_t getSpecialValue(SpecialRegister special, const Warp &warp,
                                unsigned lane) {
  using S = SpecialRegister;
  const Block &block = warp.parent;
  const LaunchConfig &config = warp.machine.config;
  unsigned thread = warp.number * warpSize + lane;
  const Dim3 &size = config.block, &cluster = config.cluster;
  Dim3 tid = {thread % size.x, thread / size.x % size.y,
              thread / size.x / size.y};
  auto part = [&](const Dim3 &dim, S first) {
    return getPart(dim, unsigned(special) - unsigned(first));
  };
  switch (special) {
  case S::TidX:
  case S::TidY:
  case S::TidZ:
    return part(tid, S::TidX);
  case S::NtidX:
  case S::NtidY:
  case S::NtidZ:
    return part(size, S::NtidX);
  case S::CtaidX:
  case S::CtaidY:
  case S::CtaidZ:
    return part(block.index, S::CtaidX);
  case S::NctaidX:
  case S::NctaidY:
  case S::NctaidZ:
    return part(config.grid, S::NctaidX);
  case S::ClusterIdX:
  case S::ClusterIdY:
  case S::ClusterIdZ:
    return part({block.index.x / cluster.x, block.index.y / cluster.y,
                 block.index.z / cluster.z},
                S::ClusterIdX);
  case S::NclusterIdX:
  case S::NclusterIdY:
  case S::NclusterIdZ:
    return part({config.grid.x / cluster.x, config.grid.y / cluster.y,
                 config.grid.z / cluster.z},
                S::NclusterIdX);
  case S::ClusterCtaidX:
  case S::ClusterCtaidY:
  case S::ClusterCtaidZ:
    return part({block.index.x % cluster.x, block.index.y % cluster.y,
                 block.index.z % cluster.z},
                S::ClusterCtaidX);
  case S::ClusterNctaidX:
  case S::ClusterNctaidY:
  case S::ClusterNctaidZ:
    return part(cluster, S::ClusterNctaidX);
  case S::LaneId:
    return lane;
  case S::WarpId:
    return warp.number;
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
    return block.rank;
  case S::ClusterNctaRank:
    return cluster.count();
  case S::DynamicSmemSize:
    return config.dynamicShared;
  case S::TotalSmemSize:
    return warp.machine.program.staticShared + config.dynamicShared;
  case S::IsExplicitCluster:
    return cluster.count() > 1 ? allLanes : 0;
  case S::One:
    return 1;
  default:
    break;
  }
  return 0;
}

/// What ptxas gives a thread at entry, where the kernel bounds it; setmaxnreg
/// needs to know.
static unsigned getEntryRegisters(const Function &function,
                                  const LaunchConfig &config) {
  if (function.maxRegisters || !function.minBlocks)
    return function.maxRegisters;
  constexpr unsigned file = 1 << 16, most = 256;
  return std::min<unsigned>(
      most, file / (config.block.count() * function.minBlocks) & ~7u);
}

Warp::Warp(Block &parent, unsigned number, unsigned threads)
    : parent(parent), cluster(parent.cluster), machine(parent.machine),
      number(number),
      agent(parent.rank *
                ((machine.config.block.count() + warpSize - 1) / warpSize) +
            number),
      live(threads >= warpSize ? allLanes : (1u << threads) - 1) {
  const Program &program = machine.program;
  registers = LazyArray<uint64_t>(uint64_t(program.numRegisters) * warpSize);
  initialized.resize(program.numRegisters);
  auto set = [&](uint32_t index, auto &&get) {
    for (unsigned lane = 0; lane < warpSize; ++lane)
      registers[size_t(index) * warpSize + lane] = get(lane);
    initialized[index] = allLanes;
  };
  for (auto [bits, index] : program.constants)
    set(index, [&, bits = bits](unsigned) { return bits; });
  for (auto [address, index] : program.sharedAddresses)
    set(index, [&, address = address](unsigned) {
      return (uint64_t(parent.rank) << rankShift) + address;
    });
  for (auto [special, index] : program.specials)
    set(index, [&, special = special](unsigned lane) {
      return getSpecialValue(special, *this, lane);
    });
  stack.push_back({0, UINT32_MAX, live});
  registerCount =
      getEntryRegisters(*program.routines[0].function, machine.config);
  std::fill_n(stackTop, warpSize, program.routines[0].frameSize);
  local.resize(warpSize);
  // Epochs count from one, so that what never happened is over.
  knowledge.order.set(agent, 1);
}

Origin Warp::getOrigin(unsigned lane) const {
  return {current->source, &parent, number, lane};
}

void Warp::fault(unsigned lane, const Twine &message) {
  cluster.fault(getOrigin(lane), message);
}

void Warp::exit(uint32_t mask) {
  live &= ~mask;
  for (StackEntry &entry : stack)
    entry.mask &= ~mask;
  ++stack.back().pc;
  parent.noteExit(*this);
}

void Warp::branch(uint32_t target, uint32_t taken) {
  uint32_t other = stack.back().mask & ~taken;
  if (!taken || !other) {
    stack.back().pc = taken ? target : stack.back().pc + 1;
    return;
  }
  branch({stack.back().pc + 1, target}, {other, taken});
}

void Warp::branch(llvm::ArrayRef<uint32_t> targets,
                  llvm::ArrayRef<uint32_t> masks) {
  // The entry below waits for all where they meet; one that would only wait
  // for the next is left out.
  uint32_t meet = current->reconverge;
  if (meet == stack.back().reconverge)
    stack.pop_back();
  else
    stack.back().pc = meet;
  for (auto [target, mask] : llvm::zip_equal(targets, masks))
    if (target != meet && mask)
      stack.push_back({target, meet, mask});
}

void Warp::block(Wait reason) {
  wait = reason;
  isBlocking = true;
}

/// Compilers put the copies that make an inline wgmma's operands behind its
/// fence, and ptxas takes these into account: destinations of mov do not count.
void Warp::noteTouches() {
  if (current->isWgmma())
    return;
  size_t begin =
      current->source->opcode == "mov" ? current->begin[1] : size_t(0);
  for (const Value &value : llvm::ArrayRef(current->values).drop_front(begin))
    if (!value.isSink && touches[value.index] == 0)
      touches[value.index] = current->source->location.line;
}

/// Other lanes of the warp, which parted from these, run first: what one side
/// waits for may be what the other does. False if there are none that could.
bool Warp::rotate() {
  size_t end = stack.size(), begin = end - 1;
  while (begin > 0 && stack[begin - 1].reconverge == stack.back().reconverge &&
         stack[begin - 1].pc != stack[begin - 1].reconverge &&
         stack[begin - 1].mask)
    --begin;
  if (begin + 1 == end)
    return false;
  std::rotate(stack.begin() + begin, stack.end() - 1, stack.end());
  return true;
}

Progress Warp::run(uint64_t quantum) {
  const std::vector<Decoded> &code = machine.program.code;
  // Instructions that got somewhere, and sides of a divergent warp that did
  // not since one did.
  uint64_t done = 0;
  unsigned blockedSides = 0;
  while (!hasFault()) {
    while (!stack.empty() && (stack.back().mask == 0 ||
                              stack.back().pc == stack.back().reconverge)) {
      stack.pop_back();
      if (!calls.empty() && calls.back().boundary == stack.size())
        finishCall();
    }
    if (stack.empty())
      return Progress::Advanced;
    if (done >= quantum) {
      rotate();
      return Progress::Expired;
    }
    StackEntry &top = stack.back();
    if (top.pc >= code.size()) {
      exit(top.mask);
      continue;
    }
    uint32_t pc = top.pc;
    current = &code[pc];
    active = top.mask;
    if (!current->guard.isSink)
      active &= readPredicate(current->guard);
    if (!current->isControl)
      ++top.pc;
    if (active || current->isControl)
      current->handler(*this, *current);
    if (LLVM_UNLIKELY(isBlocking)) {
      isBlocking = false;
      StackEntry &entry = stack.back();
      entry.pc = pc;
      entry.isBlocked = true;
      if (rotate() && ++blockedSides < stack.size())
        continue;
      return done ? Progress::Advanced : Progress::Blocked;
    }
    if (LLVM_UNLIKELY(!touches.empty()) && active)
      noteTouches();
    if (LLVM_UNLIKELY(cluster.trace != nullptr))
      cluster.trace->note(*this);
    if (!stack.empty())
      stack.back().isBlocked = false;
    blockedSides = 0;
    ++done;
    ++cluster.statistics.warpInstructions;
    cluster.statistics.laneInstructions += llvm::popcount(active);
    if (LLVM_UNLIKELY(isYielding)) {
      isYielding = false;
      // A few instructions around a failed test are a loop that spins.
      constexpr uint64_t loopSize = 64;
      rotate();
      return done > loopSize ? Progress::Advanced : Progress::Yielded;
    }
  }
  return Progress::Advanced;
}

std::string Warp::describeWait() const {
  std::string text = wait.describe ? wait.describe(wait.a, wait.b) : "runs";
  return (text + " in line " + Twine(current->source->location.line)).str();
}
