// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Handlers of instructions that work on each lane by itself.

#ifndef MX_LIB_EMULATOR_LANES_H
#define MX_LIB_EMULATOR_LANES_H

#include "Warp.h"

#include "llvm/Support/MathExtras.h"

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
uint64_t applyOne(const Decoded &decoded, const uint64_t *sources,
                  std::index_sequence<I...>) {
  if constexpr (LaneFunction<decltype(F)>::seesInstruction)
    return F(decoded, sources[I]...);
  else
    return F(sources[I]...);
}

/// The bits of the result that do not depend on undefined bits of the sources:
/// those that stay the same whatever each source has there.
template <auto F, size_t... I>
void applyPartly(Warp &warp, const Decoded &decoded, unsigned lane,
                 std::index_sequence<I...> indices) {
  constexpr unsigned count = sizeof...(I);
  const uint64_t bits[] = {warp.lanes(decoded.value(I + 1))[lane]...};
  const uint64_t defined[] = {warp.getDefined(decoded.value(I + 1), lane)...};
  uint64_t result = 0, same = ~uint64_t(0);
  for (unsigned choice = 0; choice < 1u << count; ++choice) {
    const uint64_t sources[] = {(bits[I] & defined[I]) |
                                (choice >> I & 1 ? ~defined[I] : 0)...};
    uint64_t value = applyOne<F>(decoded, sources, indices);
    if (choice == 0)
      result = value;
    same &= ~(value ^ result);
  }
  const Value &to = decoded.value(0);
  uint64_t all = llvm::maskTrailingOnes<uint64_t>(to.bits);
  warp.writePartly(to, lane, result, same & all, to.bits);
}

template <auto F, bool IsBitwise, size_t... I>
void applyLanes(Warp &warp, const Decoded &decoded,
                std::index_sequence<I...> indices) {
  const uint64_t *sources[] = {warp.lanes(decoded.value(I + 1))...};
  uint32_t defined =
      warp.active & (warp.getInitialized(decoded.value(I + 1)) & ...);
  uint32_t undefined = warp.active & ~defined;
  if (LLVM_UNLIKELY(undefined)) {
    warp.spreadUndefined(decoded.value(0), undefined,
                         {&decoded.value(I + 1)...});
    if (IsBitwise)
      forEachLane(undefined, [&](unsigned i) {
        applyPartly<F>(warp, decoded, i, indices);
      });
    else
      warp.clear(decoded.value(0), undefined);
    warp.active = defined;
  }
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(defined, [&](unsigned i) {
    const uint64_t values[] = {sources[I][i]...};
    d[i] = applyOne<F>(decoded, values, indices);
  });
  warp.active = defined | undefined;
}

/// d = F(a, b, ...) with as many sources as F takes. Registers hold the bits of
/// a value, zero-extended; F truncates what it reads to its type.
///
/// In lanes in which a source has no value the result has none either, which is
/// no error until something depends on it: compilers compute with undefined
/// values whose results nobody uses.
template <auto F> void perLane(Warp &warp, const Decoded &decoded) {
  applyLanes<F, false>(warp, decoded,
                       typename LaneFunction<decltype(F)>::Indices());
}
/// The same for functions whose bits depend on few of the sources' bits each:
/// the result has a value where those have.
template <auto F> void perBit(Warp &warp, const Decoded &decoded) {
  applyLanes<F, true>(warp, decoded,
                      typename LaneFunction<decltype(F)>::Indices());
}

/// Functions that look at the instruction's modifiers.
using Modified1 = uint64_t (*)(const Decoded &, uint64_t);
using Modified2 = uint64_t (*)(const Decoded &, uint64_t, uint64_t);
using Modified3 = uint64_t (*)(const Decoded &, uint64_t, uint64_t, uint64_t);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_LANES_H
