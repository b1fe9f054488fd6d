// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which warp runs next, when asynchronous operations take effect, and what is
// reported when nothing can.

#include "Warp.h"

#include "llvm/Support/Parallel.h"

#include <mutex>

using namespace mx::ptx;
using llvm::Twine;

Cluster::Cluster(Machine &machine, uint64_t number, Dim3 index)
    : machine(machine), number(number),
      random(machine.options.seed * 0x9E3779B97F4A7C15 + number),
      asyncEpochs(numAsyncAgents) {
  const Dim3 &size = machine.config.cluster;
  for (unsigned z = 0; z < size.z; ++z)
    for (unsigned y = 0; y < size.y; ++y)
      for (unsigned x = 0; x < size.x; ++x)
        blocks.push_back(std::make_unique<Block>(*this, blocks.size(),
                                                 Dim3{index.x * size.x + x,
                                                      index.y * size.y + y,
                                                      index.z * size.z + z}));
  firstAsyncAgent = blocks.size() * blocks[0]->warps.size();
  if (machine.options.count || machine.options.trace)
    trace = std::make_unique<Trace>(machine.program, machine.options);
  if (!getChecks().races)
    return;
  race = std::make_unique<Race>(*this, firstAsyncAgent);
  for (auto &block : blocks)
    for (auto &warp : block->warps)
      warp->race = race.get();
}

Cluster::~Cluster() = default;

/// The lines around a place, the place marked.
static std::string getExcerpt(const Module &module, Location location) {
  constexpr unsigned around = 2;
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(*module.text).split(lines, '\n');
  std::string text;
  llvm::raw_string_ostream os(text);
  unsigned first = location.line > around ? location.line - around : 1;
  for (unsigned line = first;
       line <= std::min<size_t>(location.line + around, lines.size()); ++line)
    os << "\n"
       << (line == location.line ? "> " : "  ") << line << " | "
       << lines[line - 1].rtrim();
  return text;
}

void Cluster::fault(const Origin &origin, const Twine &message) {
  if (hasFault())
    return;
  const Module &module = *machine.program.module;
  const Location &location = origin.source->location;
  const Dim3 &b = origin.block->index;
  faultText = (module.fileName + ":" + Twine(location.line) + ":" +
               Twine(location.column) + ": error: block (" + Twine(b.x) + ", " +
               Twine(b.y) + ", " + Twine(b.z) + "), warp " +
               Twine(origin.warp) + ", lane " + Twine(origin.lane) + ": " +
               message + getExcerpt(module, location))
                  .str();
}

AsyncOperation *Cluster::start(Warp &warp, AsyncOperation operation) {
  operation.origin = warp.getOrigin(llvm::countr_zero(warp.active));
  auto check = [&](const Footprint &f, Access access) {
    if (hasFault())
      return;
    std::string problem = checkAccess(f.region, f.region->getSpaceName(),
                                      f.address, f.size, 1, access);
    if (!problem.empty())
      fault(operation.origin, problem);
  };
  for (const Footprint &read : operation.reads)
    check(read, getChecks().uninitialized ? Access::Read : Access::ReadAny);
  for (const Footprint &write : operation.writes)
    check(write, Access::Write);
  if (hasFault())
    return nullptr;
  for (const Footprint &read : operation.reads)
    // Late reads of global memory show by themselves.
    if (!read.region->isGlobal())
      read.region->addReader(read.address, read.size, 1);
  for (const Footprint &write : operation.writes)
    write.region->setState(write.address, write.size, ByteState::InFlight);
  if (getChecks().needsOrder()) {
    unsigned slot = numStarted++ % numAsyncAgents;
    operation.agent = firstAsyncAgent + slot;
    operation.knowledge.join(warp.knowledge);
    operation.knowledge.order.set(operation.agent, ++asyncEpochs[slot]);
    ++warp.knowledge.order.time[warp.agent];
  }
  if (race)
    race->start(operation);
  pending.push_back(std::move(operation));
  return &pending.back();
}

const AsyncOperation *Cluster::findUser(const Region &region) const {
  auto touches = [&](const Footprint &f) { return f.region == &region; };
  auto it = llvm::find_if(pending, [&](const AsyncOperation &operation) {
    return llvm::any_of(operation.reads, touches) ||
           llvm::any_of(operation.writes, touches) ||
           llvm::any_of(operation.updates, touches);
  });
  return it == pending.end() ? nullptr : &*it;
}

void Cluster::finish(std::list<AsyncOperation>::iterator it) {
  // It is no longer pending when it signals.
  std::list<AsyncOperation> done;
  done.splice(done.begin(), pending, it);
  AsyncOperation &operation = done.front();
  for (const Footprint &read : operation.reads)
    if (!read.region->isGlobal())
      read.region->addReader(read.address, read.size, -1);
  for (const Footprint &write : operation.writes)
    write.region->setState(write.address, write.size, ByteState::Uninitialized);
  operation.perform(operation);
}

void Cluster::complete(AsyncOperation *operation) {
  uint64_t queue = operation->queue;
  for (auto it = pending.begin(); it != pending.end();) {
    auto next = std::next(it);
    bool isLast = &*it == operation;
    if (isLast || (queue && it->queue == queue))
      finish(it);
    if (isLast)
      return;
    it = next;
  }
}

bool Cluster::completeOne() {
  if (pending.empty())
    return false;
  auto it = llvm::find_if(pending, [](const AsyncOperation &operation) {
    return !operation.isGrouped;
  });
  if (it == pending.end())
    it = pending.begin();
  if (isRandom()) {
    it = std::next(pending.begin(), getRandom(pending.size()));
    // Those before it in its queue come first.
    if (it->queue)
      it = llvm::find_if(pending, [&](const AsyncOperation &other) {
        return other.queue == it->queue;
      });
  }
  finish(it);
  return true;
}

void Cluster::reportDeadlock() {
  Warp *first = nullptr;
  std::string where;
  for (auto &block : blocks)
    for (auto &warp : block->warps) {
      where += "\n  ";
      if (blocks.size() > 1)
        where += ("block " + Twine(block->rank) + ", ").str();
      where += ("warp " + Twine(warp->number) + " ").str();
      where += warp->hasEnded() ? "has ended" : warp->describeWait();
      if (!first && !warp->hasEnded())
        first = warp.get();
    }
  fault(first->getOrigin(llvm::countr_zero(first->live)),
        "deadlock: nothing can run, and nothing asynchronous is under way:" +
            where);
}

void Cluster::run() {
  // Long enough to be cheap, short enough that one that spins does not hold up
  // what it spins for.
  uint64_t limit = machine.options.maxInstructions, quantum = 1 << 14;
  if (limit)
    quantum = std::min(quantum, limit);
  std::vector<Warp *> warps;
  for (auto &block : blocks)
    for (auto &warp : block->warps)
      warps.push_back(warp.get());
  // Rounds in which warps only yielded: so many are a loop without an end.
  constexpr unsigned mostFruitless = 1 << 16;
  unsigned fruitless = 0;
  while (!warps.empty()) {
    if (isRandom())
      std::shuffle(warps.begin(), warps.end(), random);
    bool hasAdvanced = false, hasExpired = false, hasYielded = false;
    for (Warp *warp : warps) {
      Progress progress = warp->run(isRandom() ? 1 + getRandom(64) : quantum);
      if (hasFault())
        return;
      hasAdvanced |= progress == Progress::Advanced;
      hasExpired |= progress == Progress::Expired;
      hasYielded |= progress == Progress::Yielded;
      if (isRandom() && getRandom(4) == 0)
        hasAdvanced |= completeOne();
    }
    llvm::erase_if(warps, [](Warp *warp) { return warp->hasEnded(); });
    if (limit && statistics.warpInstructions > limit && !warps.empty())
      return fault(warps[0]->getOrigin(llvm::countr_zero(warps[0]->live)),
                   "still running after " + Twine(limit) + " instructions");
    // Who asks in vain may go on before what it asked for has happened.
    if (hasYielded && isRandom() && getRandom(2) == 0)
      continue;
    bool isFruitful =
        hasAdvanced || warps.empty() || completeOne() || hasExpired;
    fruitless = isFruitful ? 0 : fruitless + 1;
    if (isFruitful || (hasYielded && fruitless < mostFruitless))
      continue;
    return reportDeadlock();
  }
  while (!hasFault() && completeOne())
    ;
}

void Machine::run() {
  const Dim3 &grid = config.grid, &cluster = config.cluster;
  Dim3 clusters = {grid.x / cluster.x, grid.y / cluster.y, grid.z / cluster.z};
  uint64_t count = clusters.count(), firstFault = count;
  std::mutex mutex;
  auto runOne = [&](uint64_t i) {
    {
      std::lock_guard<std::mutex> lock(mutex);
      if (i > firstFault)
        return;
    }
    Cluster one(*this, i,
                {unsigned(i % clusters.x),
                 unsigned(i / clusters.x % clusters.y),
                 unsigned(i / clusters.x / clusters.y)});
    one.run();
    std::lock_guard<std::mutex> lock(mutex);
    statistics.warpInstructions += one.statistics.warpInstructions;
    statistics.laneInstructions += one.statistics.laneInstructions;
    if (one.trace)
      addCounts(program, one.trace->counts, statistics);
    if (one.hasFault() && i < firstFault) {
      firstFault = i;
      fault = one.faultText;
    }
  };
  if (count == 1 || program.communicates) {
    for (uint64_t i = 0; i < count && firstFault == count; ++i)
      runOne(i);
    return;
  }
  llvm::parallelFor(0, count, runOne);
}
