// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Runtime/ThreadPool.h"

#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Threading.h"

#include <atomic>
#include <condition_variable>
#include <cstdarg>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

using namespace llvm;

namespace {

/// A parallel region outlined by LLVM's OpenMPIRBuilder, which passes all that
/// the region uses in one struct (or nothing).
using RegionBody = void (*)(int32_t *threadId, int32_t *boundThreadId,
                            void *captured);

/// What this thread is in the region that it runs.
struct ThreadState {
  int32_t id = 0;
  uint32_t teamSize = 1;
  bool inRegion = false;
};
thread_local ThreadState self;

/// Lets the sibling hardware thread run while this one waits.
void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

/// Waits for `done`: spins at first, as regions follow each other closely, and
/// then yields, since another process may hold the core that the awaited
/// thread needs.
template <typename Predicate> void spinUntil(Predicate done) {
  constexpr int spins = 2000;
  for (int i = 0; !done(); ++i)
    if (i < spins)
      relax();
    else
      std::this_thread::yield();
}

/// Workers that wait for regions. The thread that forks is member 0 of the
/// team.
class Pool {
public:
  static Pool &get() {
    static Pool pool;
    return pool;
  }

  ~Pool() { stop(); }

  void setNumThreads(unsigned n) {
    stop();
    wanted = n;
  }

  void run(RegionBody regionBody, void *regionCaptured) {
    if (self.inRegion)
      return runAlone(regionBody, regionCaptured);
    std::lock_guard<std::mutex> oneRegion(forkLock);
    start();
    if (workers.empty())
      return runAlone(regionBody, regionCaptured);
    body = regionBody;
    captured = regionCaptured;
    running.store(workers.size(), std::memory_order_relaxed);
    wake();
    runMember(0);
    spinUntil([&] { return running.load(std::memory_order_acquire) == 0; });
  }

  /// Waits until each thread of the team has come here.
  void barrier() {
    if (self.teamSize == 1)
      return;
    unsigned phase = barrierPhase.load(std::memory_order_acquire);
    if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == self.teamSize) {
      arrived.store(0, std::memory_order_relaxed);
      barrierPhase.store(phase + 1, std::memory_order_release);
      return;
    }
    spinUntil(
        [&] { return barrierPhase.load(std::memory_order_acquire) != phase; });
  }

private:
  void start() {
    if (started)
      return;
    started = true;
    unsigned n =
        wanted ? wanted : hardware_concurrency().compute_thread_count();
    unsigned current = generation.load();
    for (unsigned i = 1; i < n; ++i)
      workers.emplace_back([this, i, current] { work(i, current); });
  }

  void stop() {
    stopping = true;
    wake();
    for (std::thread &worker : workers)
      worker.join();
    workers.clear();
    stopping = started = false;
  }

  /// Starts a new generation. A worker either sees it while it spins or, as
  /// it counts itself before it looks for the last time, is counted here.
  void wake() {
    generation.fetch_add(1);
    if (sleepers.load() == 0)
      return;
    std::lock_guard<std::mutex> lock(sleepLock);
    wakeUp.notify_all();
  }

  void work(int32_t id, unsigned seen) {
    constexpr int spins = 20000; // About a millisecond.
    for (;;) {
      for (int i = 0; i < spins && generation.load() == seen; ++i)
        relax();
      if (generation.load() == seen) {
        std::unique_lock<std::mutex> lock(sleepLock);
        sleepers.fetch_add(1);
        wakeUp.wait(lock, [&] { return generation.load() != seen; });
        sleepers.fetch_sub(1);
      }
      ++seen;
      if (stopping)
        return;
      runMember(id);
      running.fetch_sub(1, std::memory_order_release);
    }
  }

  void runMember(int32_t id) {
    self = {id, static_cast<uint32_t>(workers.size() + 1), true};
    int32_t bound = 0;
    body(&id, &bound, captured);
    self = {};
  }

  /// Runs a region as a team of one, inside another region or without workers.
  void runAlone(RegionBody regionBody, void *regionCaptured) {
    ThreadState outer = self;
    self = {0, 1, true};
    int32_t id = 0, bound = 0;
    regionBody(&id, &bound, regionCaptured);
    self = outer;
  }

  unsigned wanted = 0;
  bool started = false;
  std::atomic<bool> stopping{false};
  std::vector<std::thread> workers;
  std::mutex forkLock;

  // The region that runs.
  RegionBody body = nullptr;
  void *captured = nullptr;
  std::atomic<size_t> running{0};
  std::atomic<unsigned> arrived{0}, barrierPhase{0};

  std::atomic<unsigned> generation{0};
  std::atomic<unsigned> sleepers{0};
  std::mutex sleepLock;
  std::condition_variable wakeUp;
};

//===----------------------------------------------------------------------===//
// Entry points; the leading argument of each is a source location
//===----------------------------------------------------------------------===//

void forkCall(void *, int32_t numArguments, RegionBody body, ...) {
  if (numArguments > 1)
    report_fatal_error("parallel region with more than one captured argument");
  void *captured = nullptr;
  if (numArguments == 1) {
    va_list arguments;
    va_start(arguments, body);
    captured = va_arg(arguments, void *);
    va_end(arguments);
  }
  Pool::get().run(body, captured);
}

/// Narrows [*lower, *upper] (inclusive) to this thread's share: contiguous,
/// equal but for one iteration. An empty share ends before it begins.
void staticInit(void *, int32_t id, int32_t, int32_t *isLast, uint64_t *lower,
                uint64_t *upper, int64_t *stride, int64_t, int64_t) {
  uint64_t size = *upper - *lower + 1, team = self.teamSize;
  uint64_t share = size / team, extra = size % team, rank = id;
  uint64_t begin = rank * share + std::min(rank, extra);
  uint64_t length = share + (rank < extra);
  *isLast = length != 0 && begin + length == size;
  *stride = size;
  *lower += begin;
  *upper = *lower + length - 1;
}

void staticFini(void *, int32_t) {}

void barrier(void *, int32_t) { Pool::get().barrier(); }

int32_t globalThreadNum(void *) { return self.id; }

} // namespace

void mx::setNumThreads(unsigned numThreads) {
  Pool::get().setNumThreads(numThreads);
}

ArrayRef<std::pair<StringRef, void *>> mx::getThreadPoolSymbols() {
  static const std::pair<StringRef, void *> symbols[] = {
      {"__kmpc_fork_call", reinterpret_cast<void *>(forkCall)},
      {"__kmpc_for_static_init_8u", reinterpret_cast<void *>(staticInit)},
      {"__kmpc_for_static_fini", reinterpret_cast<void *>(staticFini)},
      {"__kmpc_barrier", reinterpret_cast<void *>(barrier)},
      {"__kmpc_global_thread_num", reinterpret_cast<void *>(globalThreadNum)},
  };
  return symbols;
}
