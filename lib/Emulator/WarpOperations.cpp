// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions that look across the lanes of a warp: shuffles, votes, matches,
// reductions (PTX ISA 9.7.9.6, 9.7.13).

#include "MinMax.h"
#include "Rounding.h"
#include "Warp.h"

#include "mx/Formats/Codec.h"

using namespace mx::ptx;

namespace {
enum class Shuffle { Up, Down, Bfly, Idx };

template <Shuffle Mode> void shfl(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *b = warp.read(decoded.value(2));
  const uint64_t *c = warp.read(decoded.value(3));
  if (!a || !b || !c || warp.checkMask(decoded.value(4)))
    return;
  uint64_t result[warpSize];
  uint32_t inRange = 0;
  forEachLane(warp.active, [&](unsigned lane) {
    unsigned distance = b[lane] & 31, clamp = c[lane] & 31;
    unsigned segment = c[lane] >> 8 & 31;
    int most = (lane & segment) | (clamp & ~segment), least = lane & segment;
    int from = Mode == Shuffle::Up     ? int(lane) - int(distance)
               : Mode == Shuffle::Down ? int(lane + distance)
               : Mode == Shuffle::Bfly ? int(lane ^ distance)
                                       : int(least | (distance & ~segment));
    bool isIn = Mode == Shuffle::Up ? from >= most : from <= most;
    if (isIn && !(warp.active >> from & 1))
      return warp.fault(lane, "shuffle reads lane " + llvm::Twine(from) +
                                  ", which is not active");
    inRange |= uint32_t(isIn) << lane;
    result[lane] = uint32_t(a[isIn ? from : lane]);
  });
  const Value &d = decoded.vector(0)[0], &p = decoded.vector(0)[1];
  if (!d.isSink) {
    uint64_t *to = warp.write(d);
    forEachLane(warp.active, [&](unsigned i) { to[i] = result[i]; });
  }
  if (!p.isSink)
    warp.writePredicate(p, inRange);
}

enum class Vote { All, Any, Uni };

template <Vote Mode> void vote(Warp &warp, const Decoded &decoded) {
  uint32_t holds = warp.readPredicate(decoded.value(1)) & warp.active;
  if (warp.checkMask(decoded.value(2)))
    return;
  bool all = holds == warp.active;
  bool result = Mode == Vote::All   ? all
                : Mode == Vote::Any ? holds != 0
                                    : all || holds == 0;
  warp.writePredicate(decoded.value(0), result ? allLanes : 0);
}
} // namespace

static void ballot(Warp &warp, const Decoded &decoded) {
  uint32_t holds = warp.readPredicate(decoded.value(1)) & warp.active;
  if (warp.checkMask(decoded.value(2)))
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = holds; });
}

static void activemask(Warp &warp, const Decoded &decoded) {
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = warp.active; });
}

/// any: the lanes with this lane's value; all: the mask if all are equal.
template <bool IsAll> static void match(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  if (!a || warp.checkMask(decoded.value(2)))
    return;
  uint64_t keep =
      getBitWidth(decoded.types[0]) == 64 ? ~uint64_t(0) : UINT32_MAX;
  uint64_t masks[warpSize] = {};
  uint32_t holds = 0;
  forEachLane(warp.active, [&](unsigned i) {
    forEachLane(warp.active, [&](unsigned j) {
      masks[i] |= uint64_t((a[i] & keep) == (a[j] & keep)) << j;
    });
    if (IsAll) {
      bool all = masks[i] == warp.active;
      masks[i] = all ? masks[i] : 0;
      holds |= uint32_t(all) << i;
    }
  });
  const Value &d = decoded.vector(0)[0];
  if (!d.isSink) {
    uint64_t *to = warp.write(d);
    forEachLane(warp.active, [&](unsigned i) { to[i] = masks[i]; });
  }
  if (IsAll && !decoded.vector(0)[1].isSink)
    warp.writePredicate(decoded.vector(0)[1], holds);
}

template <typename T, T (*F)(T, T)>
static void redux(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  if (!a || warp.checkMask(decoded.value(2)))
    return;
  T result = T(a[llvm::countr_zero(warp.active)]);
  forEachLane(warp.active & (warp.active - 1),
              [&](unsigned i) { result = F(result, T(a[i])); });
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = uint32_t(result); });
}

/// min or max of f32 (.NaN: NaN if one is); .abs: of the magnitudes.
template <float (*F)(float, float), bool IsAbs>
static void reduxFloat(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  if (!a || warp.checkMask(decoded.value(2)))
    return;
  auto get = [&](unsigned i) {
    float value = mx::fromBits(a[i]);
    return IsAbs ? std::fabs(value) : value;
  };
  float result = get(llvm::countr_zero(warp.active));
  forEachLane(warp.active & (warp.active - 1),
              [&](unsigned i) { result = F(result, get(i)); });
  uint32_t bits = std::isnan(result) ? nanF32 : mx::toBits(result);
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = bits; });
}

template <typename T> static T add(T a, T b) {
  return T(uint32_t(a) + uint32_t(b));
}
template <typename T> static T least(T a, T b) { return std::min(a, b); }
template <typename T> static T most(T a, T b) { return std::max(a, b); }
static uint32_t andBits(uint32_t a, uint32_t b) { return a & b; }
static uint32_t orBits(uint32_t a, uint32_t b) { return a | b; }
static uint32_t xorBits(uint32_t a, uint32_t b) { return a ^ b; }

#define REDUX_FLOAT(NAME, F)                                                   \
  {"redux.sync." NAME, "f32", "", "d s s=32", reduxFloat<F, false>},           \
      {"redux.sync." NAME ".abs", "f32", "", "d s s=32", reduxFloat<F, true>}, \
      {"redux.sync." NAME ".NaN", "f32", "", "d s s=32",                       \
       reduxFloat<orNaN<float, F>, false>},                                    \
  {                                                                            \
    "redux.sync." NAME ".abs.NaN", "f32", "", "d s s=32",                      \
        reduxFloat<orNaN<float, F>, true>                                      \
  }

static const Row rows[] = {
    {"shfl.sync.up", "b32", "", "d|p s s=32 s=32 s=32", shfl<Shuffle::Up>},
    {"shfl.sync.down", "b32", "", "d|p s s=32 s=32 s=32", shfl<Shuffle::Down>},
    {"shfl.sync.bfly", "b32", "", "d|p s s=32 s=32 s=32", shfl<Shuffle::Bfly>},
    {"shfl.sync.idx", "b32", "", "d|p s s=32 s=32 s=32", shfl<Shuffle::Idx>},
    {"vote.sync.all", "pred", "", "p P s=32", vote<Vote::All>},
    {"vote.sync.any", "pred", "", "p P s=32", vote<Vote::Any>},
    {"vote.sync.uni", "pred", "", "p P s=32", vote<Vote::Uni>},
    {"vote.sync.ballot", "b32", "", "d P s=32", ballot},
    {"activemask", "b32", "", "d", activemask},
    {"match.sync.any", "b32|b64", "", "d|p=32 s s=32", match<false>},
    {"match.sync.all", "b32|b64", "", "d|p=32 s s=32", match<true>},
    {"redux.sync.add", "u32", "", "d s s=32", redux<uint32_t, add>},
    {"redux.sync.add", "s32", "", "d s s=32", redux<int32_t, add>},
    {"redux.sync.min", "u32", "", "d s s=32", redux<uint32_t, least>},
    {"redux.sync.min", "s32", "", "d s s=32", redux<int32_t, least>},
    {"redux.sync.max", "u32", "", "d s s=32", redux<uint32_t, most>},
    {"redux.sync.max", "s32", "", "d s s=32", redux<int32_t, most>},
    REDUX_FLOAT("min", min<float>),
    REDUX_FLOAT("max", max<float>),
    {"redux.sync.and", "b32", "", "d s s=32", redux<uint32_t, andBits>},
    {"redux.sync.or", "b32", "", "d s s=32", redux<uint32_t, orBits>},
    {"redux.sync.xor", "b32", "", "d s s=32", redux<uint32_t, xorBits>},
};

llvm::ArrayRef<Row> mx::ptx::getWarpRows() { return rows; }
