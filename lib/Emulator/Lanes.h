// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Handlers of instructions that work on each lane by itself.

#ifndef MX_LIB_EMULATOR_LANES_H
#define MX_LIB_EMULATOR_LANES_H

#include "Warp.h"

#include <utility>

namespace mx::ptx {

/// What `perLane` gives a function: so many sources, and the instruction first
/// if the function looks at its modifiers.
template <typename F> struct LaneFunction;
template <typename... Sources> struct LaneFunction<uint64_t (*)(Sources...)> {
  static constexpr bool seesInstruction = false;
  using Indices = std::index_sequence_for<Sources...>;
};
template <typename... Sources>
struct LaneFunction<uint64_t (*)(const Decoded &, Sources...)> {
  static constexpr bool seesInstruction = true;
  using Indices = std::index_sequence_for<Sources...>;
};

template <auto F, size_t... I>
void applyLanes(Warp &warp, const Decoded &decoded, std::index_sequence<I...>) {
  const uint64_t *sources[] = {warp.read(decoded.value(I + 1))...};
  if ((!sources[I] || ...))
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) {
    if constexpr (LaneFunction<decltype(F)>::seesInstruction)
      d[i] = F(decoded, sources[I][i]...);
    else
      d[i] = F(sources[I][i]...);
  });
}

/// d = F(a, b, ...) with as many sources as F takes. Registers hold the bits of
/// a value, zero-extended; F truncates what it reads to its type.
template <auto F> void perLane(Warp &warp, const Decoded &decoded) {
  applyLanes<F>(warp, decoded, typename LaneFunction<decltype(F)>::Indices());
}

/// Functions that look at the instruction's modifiers.
using Modified1 = uint64_t (*)(const Decoded &, uint64_t);
using Modified2 = uint64_t (*)(const Decoded &, uint64_t, uint64_t);
using Modified3 = uint64_t (*)(const Decoded &, uint64_t, uint64_t, uint64_t);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_LANES_H
