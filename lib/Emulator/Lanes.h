// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Handlers of instructions that work on each lane by itself.

#ifndef MX_LIB_EMULATOR_LANES_H
#define MX_LIB_EMULATOR_LANES_H

#include "Machine.h"

namespace mx::ptx {

/// d = F(a, b, c) with as many sources as F takes. Registers hold the bits of
/// a value, zero-extended; F truncates what it reads to its type.
template <uint64_t (*F)(uint64_t)>
void unary(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  if (!a)
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = F(a[i]); });
}

template <uint64_t (*F)(uint64_t, uint64_t)>
void binary(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *b = warp.read(decoded.value(2));
  if (!a || !b)
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = F(a[i], b[i]); });
}

template <uint64_t (*F)(uint64_t, uint64_t, uint64_t)>
void ternary(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *b = warp.read(decoded.value(2));
  const uint64_t *c = warp.read(decoded.value(3));
  if (!a || !b || !c)
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = F(a[i], b[i], c[i]); });
}

template <uint64_t (*F)(uint64_t, uint64_t, uint64_t, uint64_t)>
void quaternary(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *b = warp.read(decoded.value(2));
  const uint64_t *c = warp.read(decoded.value(3));
  const uint64_t *e = warp.read(decoded.value(4));
  if (!a || !b || !c || !e)
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active,
              [&](unsigned i) { d[i] = F(a[i], b[i], c[i], e[i]); });
}

/// As above, of functions that look at the instruction's modifiers.
using Modified1 = uint64_t (*)(const Decoded &, uint64_t);
using Modified2 = uint64_t (*)(const Decoded &, uint64_t, uint64_t);
using Modified3 = uint64_t (*)(const Decoded &, uint64_t, uint64_t, uint64_t);

template <Modified1 F> void modified1(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  if (!a)
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = F(decoded, a[i]); });
}

template <Modified2 F> void modified2(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *b = warp.read(decoded.value(2));
  if (!a || !b)
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = F(decoded, a[i], b[i]); });
}

template <Modified3 F> void modified3(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *b = warp.read(decoded.value(2));
  const uint64_t *c = warp.read(decoded.value(3));
  if (!a || !b || !c)
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active,
              [&](unsigned i) { d[i] = F(decoded, a[i], b[i], c[i]); });
}

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_LANES_H
