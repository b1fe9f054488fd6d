// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Runtime/ThreadPool.h"

#include "gtest/gtest.h"

#include <atomic>
#include <vector>

using namespace mx;

namespace {

template <typename Function> Function *getEntryPoint(llvm::StringRef name) {
  for (auto [symbol, address] : getThreadPoolSymbols())
    if (symbol == name)
      return reinterpret_cast<Function *>(address);
  return nullptr;
}

using Body = void(int32_t *, int32_t *, void *);
auto *forkCall =
    getEntryPoint<void(void *, int32_t, Body *, ...)>("__kmpc_fork_call");
auto *staticInit =
    getEntryPoint<void(void *, int32_t, int32_t, int32_t *, uint64_t *,
                       uint64_t *, int64_t *, int64_t, int64_t)>(
        "__kmpc_for_static_init_8u");
auto *barrier = getEntryPoint<void(void *, int32_t)>("__kmpc_barrier");

/// A loop that counts each of its iterations, then, behind a barrier, checks
/// that all of them have run.
struct Loop {
  explicit Loop(uint64_t size) : counts(size) {}
  std::vector<std::atomic<int>> counts;
  std::atomic<int> isMissing{0};

  static void run(int32_t *id, int32_t *, void *captured) {
    auto &loop = *static_cast<Loop *>(captured);
    uint64_t lower = 0, upper = loop.counts.size() - 1;
    int32_t isLast;
    int64_t stride;
    staticInit(nullptr, *id, 34, &isLast, &lower, &upper, &stride, 1, 0);
    for (uint64_t i = lower, n = upper - lower + 1; n > 0; --n, ++i)
      ++loop.counts[i];
    barrier(nullptr, *id);
    for (std::atomic<int> &count : loop.counts)
      loop.isMissing += count != 1;
  }
};

void nestedRun(int32_t *, int32_t *, void *captured) {
  Loop loop(10);
  forkCall(nullptr, 1, Loop::run, &loop);
  *static_cast<std::atomic<int> *>(captured) += loop.isMissing == 0;
}

} // namespace

TEST(ThreadPool, RunsEachIterationOnce) {
  for (unsigned threads : {1, 2, 5}) {
    setNumThreads(threads);
    for (uint64_t size : {0, 1, 3, 5, 100}) {
      Loop loop(size);
      forkCall(nullptr, 1, Loop::run, &loop);
      EXPECT_EQ(loop.isMissing, 0) << threads << " threads, " << size;
    }
  }
}

TEST(ThreadPool, NestedRegionsRunAlone) {
  setNumThreads(3);
  std::atomic<int> complete{0};
  forkCall(nullptr, 1, nestedRun, &complete);
  EXPECT_EQ(complete, 3);
}
