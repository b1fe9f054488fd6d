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
  registers.resize(size_t(program.numRegisters) * warpSize);
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

void Warp::faultUninitialized(const Value &value) {
  if (!cluster.getChecks().uninitialized && !isOwned(value)) {
    initialized[value.index] |= active;
    return;
  }
  uint32_t missing = active & ~initialized[value.index];
  unsigned lane = llvm::countr_zero(missing);
  std::string name = machine.program.getRegisterName(value.index);
  auto owner = owners.find(value.index);
  if (owner != owners.end() && owner->second.initialized >> lane & 1)
    return fault(lane, "read of register '" + name +
                           "', which an asynchronous operation will write: " +
                           owner->second.what + " is missing");
  auto from = spread.find(value.index);
  if (from == spread.end())
    return fault(lane,
                 "read of register '" + name + "', which was never written");
  fault(lane, "read of register '" + name + "', which line " +
                  Twine(from->second.by->location.line) + " computes from '" +
                  machine.program.getRegisterName(from->second.from) +
                  "', which was never written");
}

void Warp::spreadUndefined(const Value &to, uint32_t lanes,
                           std::initializer_list<const Value *> sources) {
  for (const Value *source : sources) {
    if ((lanes & ~initialized[source->index]) == 0)
      continue;
    if (isOwned(*source))
      return faultUninitialized(*source);
    // Where it began.
    auto from = spread.find(source->index);
    spread[to.index] = from == spread.end()
                           ? Spread{source->index, current->source}
                           : from->second;
    break;
  }
}

void Warp::own(const Value &value, const char *what, bool readable) {
  auto [it, isNew] =
      owners.try_emplace(value.index, Owner{what, 0, initialized[value.index]});
  ++it->second.count;
  if (!readable) {
    it->second.initialized |= active;
    initialized[value.index] &= ~active;
  }
}

void Warp::release(const Value &value, uint32_t mask, bool isWritten) {
  auto it = owners.find(value.index);
  if (it == owners.end() || --it->second.count)
    return;
  initialized[value.index] = it->second.initialized;
  if (isWritten)
    initialized[value.index] |= mask;
  owners.erase(it);
}

uint64_t Warp::getDefined(const Value &value, unsigned lane) const {
  if (initialized[value.index] >> lane & 1)
    return ~uint64_t(0);
  auto it = partly.find(value.index);
  return it == partly.end() ? 0 : it->second[lane];
}

void Warp::writePartly(const Value &value, unsigned lane, uint64_t bits,
                       uint64_t defined, unsigned width) {
  uint32_t bit = 1u << lane;
  bool isWhole = width == 64 ? defined == ~uint64_t(0)
                             : defined == (uint64_t(1) << width) - 1;
  if (LLVM_UNLIKELY(!owners.empty()))
    checkOwner(value);
  lanes(value)[lane] = bits;
  if (isWhole) {
    initialized[value.index] |= bit;
    return;
  }
  initialized[value.index] &= ~bit;
  partly[value.index][lane] = defined;
}

void Warp::checkOwner(const Value &value) {
  auto owner = owners.find(value.index);
  if (owner != owners.end())
    fault(llvm::countr_zero(active),
          "write of register '" + machine.program.getRegisterName(value.index) +
              "', which an asynchronous operation uses: " + owner->second.what +
              " is missing");
}

std::optional<uint64_t> Warp::readUniform(const Value &value,
                                          const char *what) {
  const uint64_t *values = read(value);
  if (!values)
    return std::nullopt;
  unsigned first = llvm::countr_zero(active);
  for (unsigned lane = first + 1; lane < warpSize; ++lane)
    if ((active >> lane & 1) && values[lane] != values[first]) {
      fault(lane, what + Twine(" has to be the same in all lanes"));
      return std::nullopt;
    }
  return values[first];
}

bool Warp::checkMask(const Value &mask) {
  const uint64_t *masks = read(mask);
  if (!masks)
    return true;
  bool isWrong = false;
  forEachLane(active, [&](unsigned i) {
    uint32_t members = masks[i];
    isWrong |= !(members >> i & 1) || (members & live & ~active);
  });
  if (isWrong)
    fault(llvm::countr_zero(active),
          "the executing lanes do not agree with the member mask");
  return isWrong;
}

bool Warp::checkConverged() {
  if (LLVM_LIKELY(active == live))
    return false;
  fault(llvm::countr_zero(active),
        "divergent warp: all its threads have to execute this instruction "
        "together");
  return true;
}

bool Warp::visit(unsigned lane, unsigned rank) {
  Block &other = *cluster.blocks[rank];
  auto fail = [&](const char *why) {
    fault(lane, "access to the shared memory of block " + Twine(rank) +
                    " of the cluster, which " + why);
    return true;
  };
  if (other.hasEnded())
    return fail("has ended");
  if (!cluster.getChecks().needsOrder())
    return false;
  // It has started if it came to the cluster's barrier, or if something that
  // one of its warps did happened before this.
  if (clusterSeen == 0 && llvm::none_of(other.warps, [&](const auto &warp) {
        return knowledge.order.get(warp->agent) != 0;
      }))
    return fail("may not have started: a barrier of the cluster has to come "
                "first");
  other.visitors[agent] = knowledge.order.get(agent);
  return false;
}

void Warp::resolveGeneric(Space &space, uint64_t &address) {
  if (space != Space::Generic)
    return;
  space = Space::Global;
  for (auto [base, candidate] :
       {std::pair(window::shared, Space::SharedCluster),
        std::pair(window::local, Space::Local),
        std::pair(window::param, Space::Param),
        std::pair(window::constant, Space::Const)})
    if (window::isIn(address, base)) {
      space = candidate;
      address -= base;
      return;
    }
}

Region *Warp::findRegion(unsigned lane, Space &space, uint64_t &address) {
  resolveGeneric(space, address);
  switch (space) {
  case Space::Shared:
    // The rank may be left out of an address of the block itself.
    if (address >> rankShift == 0)
      address += uint64_t(parent.rank) << rankShift;
    return &parent.shared;
  case Space::SharedCluster: {
    uint64_t rank = address >> rankShift;
    if (rank >= cluster.blocks.size() ||
        (rank != parent.rank && visit(lane, rank)))
      return nullptr;
    return &cluster.blocks[rank]->shared;
  }
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
    if (!lastGlobal || !lastGlobal->contains(address, 1))
      lastGlobal = machine.memory.find(address);
    return lastGlobal;
  }
}

void Warp::faultAccess(unsigned lane, Region *region, Space space,
                       uint64_t address, unsigned size, unsigned alignment,
                       Access access) {
  static constexpr llvm::StringRef names[] = {
      "generic", "global", "shared", "local", "param", "const", "shared"};
  std::string problem = checkAccess(region, names[unsigned(space)], address,
                                    size, alignment, access);
  if (problem.empty())
    problem = "write to memory that cannot be written";
  fault(lane, problem);
}

void Warp::releaseTo(Knowledge &object) {
  if (!cluster.getChecks().needsOrder())
    return;
  object.join(knowledge);
  ++knowledge.order.time[agent];
}

void Warp::acquireFrom(const Knowledge &object) {
  if (!cluster.getChecks().needsOrder())
    return;
  knowledge.join(object);
  laneOrder.learnAll(active, object.order.get(agent));
}

void Warp::publish(bool isShared, bool isGlobal) {
  if (!cluster.getChecks().needsOrder())
    return;
  if (isShared)
    knowledge.published[0].join(knowledge.order);
  if (isGlobal)
    knowledge.published[1].join(knowledge.order);
  ++knowledge.order.time[agent];
}

void Warp::fence() {
  if (!cluster.getChecks().needsOrder())
    return;
  acquireFrom(observed);
  observed = {};
  fenced = knowledge;
  hasFenced = true;
  ++knowledge.order.time[agent];
}

void Warp::synchronizeLanes(uint32_t mask) {
  if (!cluster.getChecks().needsOrder())
    return;
  uint32_t &epoch = knowledge.order.time[agent];
  if (mask == live)
    laneOrder.learnAll(mask, epoch);
  else
    laneOrder.learnPairs(mask, epoch);
  ++epoch;
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
