// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What happened before what: vector clocks over the agents of a cluster, its
// warps and its asynchronous operations (PTX ISA 8, memory consistency model).

#ifndef MX_LIB_EMULATOR_CLOCK_H
#define MX_LIB_EMULATOR_CLOCK_H

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mx::ptx {

/// For each agent the number of its epochs that are known to be over.
struct Clock {
  void join(const Clock &other) {
    if (time.size() < other.time.size())
      time.resize(other.time.size());
    for (size_t i = 0; i < other.time.size(); ++i)
      time[i] = std::max(time[i], other.time[i]);
  }
  uint32_t get(unsigned agent) const {
    return agent < time.size() ? time[agent] : 0;
  }
  void set(unsigned agent, uint32_t value) {
    if (time.size() <= agent)
      time.resize(agent + 1);
    time[agent] = value;
  }

  std::vector<uint32_t> time;
};

/// What an agent may rely on, or what a synchronising object passes on.
struct Knowledge {
  /// Accesses that happened before, as the generic proxy sees it.
  Clock order;
  /// Writes of the generic proxy that the async proxy sees as well: those
  /// before a fence.proxy.async, to shared and to global memory.
  Clock published[2];
  /// Of `order`, what lies before a tcgen05.fence::before_thread_sync.
  Clock fenced;

  void join(const Knowledge &other) {
    order.join(other.order);
    for (unsigned i = 0; i < 2; ++i)
      published[i].join(other.published[i]);
    fenced.join(other.fenced);
  }
};

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_CLOCK_H
