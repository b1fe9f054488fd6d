// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mov, ld, st, cvta (PTX ISA 9.7.9) and atom (9.7.13.5).

#include "Warp.h"

#include <cstring>

using namespace mx::ptx;

static uint64_t getMask(unsigned bits) {
  return bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
}

/// Copies, packs or unpacks where bits of the sources may be undefined.
static void movPartly(Warp &warp, const Decoded &decoded) {
  llvm::ArrayRef<Value> to = decoded.vector(0), from = decoded.vector(1);
  unsigned width = getBitWidth(decoded.types[0]);
  unsigned fromWidth = width / from.size(), toWidth = width / to.size();
  forEachLane(warp.active, [&](unsigned lane) {
    uint64_t bits = 0, defined = 0;
    for (auto [i, source] : llvm::enumerate(from)) {
      uint64_t mask = getMask(fromWidth);
      bits |= (warp.lanes(source)[lane] & mask) << (fromWidth * i);
      defined |= (warp.getDefined(source, lane) & mask) << (fromWidth * i);
    }
    for (auto [i, target] : llvm::enumerate(to))
      if (!target.isSink)
        warp.writePartly(target, lane, bits >> (toWidth * i) & getMask(toWidth),
                         defined >> (toWidth * i) & getMask(toWidth), toWidth);
  });
}

/// Copies, packs or unpacks; the first element is the lowest. What was never
/// written stays so: compilers move undefined values around.
static void mov(Warp &warp, const Decoded &decoded) {
  llvm::ArrayRef<Value> to = decoded.vector(0), from = decoded.vector(1);
  for (const Value &source : from) {
    if (LLVM_LIKELY((warp.active & ~warp.getInitialized(source)) == 0))
      continue;
    if (warp.isOwned(source))
      return warp.faultUninitialized(source);
    return movPartly(warp, decoded);
  }
  unsigned width = getBitWidth(decoded.types[0]);
  uint64_t bits[warpSize] = {};
  for (auto [i, source] : llvm::enumerate(from)) {
    unsigned part = width / from.size();
    const uint64_t *lanes = warp.lanes(source);
    for (unsigned lane = 0; lane < warpSize; ++lane)
      bits[lane] |= (lanes[lane] & getMask(part)) << (part * i);
  }
  for (auto [i, target] : llvm::enumerate(to)) {
    if (target.isSink)
      continue;
    unsigned part = width / to.size();
    uint64_t *lanes = warp.write(target);
    forEachLane(warp.active, [&, i = i](unsigned lane) {
      lanes[lane] = bits[lane] >> (part * i) & getMask(part);
    });
  }
}

static void movPredicate(Warp &warp, const Decoded &decoded) {
  warp.writePredicate(decoded.value(0), warp.readPredicate(decoded.value(1)));
}

/// The whole vector has to be aligned. A wider register is extended by the
/// type's sign.
static void load(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(1));
  if (!base)
    return;
  llvm::ArrayRef<Value> to = decoded.vector(0);
  Type type = decoded.types[0];
  unsigned size = getByteWidth(type), all = size * to.size();
  if (to.size() != decoded.vectorWidth)
    return warp.fault(0, "the number of registers is not that of the vector");
  uint64_t buffer[warpSize][8] = {};
  forEachLane(warp.active, [&](unsigned i) {
    const uint8_t *from = warp.access(
        i, decoded.space, base[i] + decoded.offset, all, all, Access::Read);
    for (size_t j = 0; from && j < to.size(); ++j)
      std::memcpy(&buffer[i][j], from + j * size, size);
  });
  if (warp.hasFault())
    return;
  for (auto [j, target] : llvm::enumerate(to)) {
    if (target.isSink)
      continue;
    uint64_t *lanes = warp.write(target);
    forEachLane(warp.active, [&, j = j, &target = target](unsigned i) {
      uint64_t value = buffer[i][j];
      if (isSigned(type))
        value = uint64_t(int64_t(value << (64 - 8 * size)) >> (64 - 8 * size));
      lanes[i] = value & getMask(target.bits);
    });
  }
}

static void store(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(0));
  if (!base)
    return;
  llvm::ArrayRef<Value> from = decoded.vector(1);
  unsigned size = getByteWidth(decoded.types[0]), all = size * from.size();
  if (from.size() != decoded.vectorWidth)
    return warp.fault(0, "the number of registers is not that of the vector");
  for (const Value &value : from)
    if (!warp.read(value))
      return;
  forEachLane(warp.active, [&](unsigned i) {
    uint8_t *to = warp.access(i, decoded.space, base[i] + decoded.offset, all,
                              all, Access::Write);
    for (size_t j = 0; to && j < from.size(); ++j)
      std::memcpy(to + j * size, &warp.lanes(from[j])[i], size);
  });
}

/// Between a space's own addresses and generic ones.
template <bool ToSpace> static void cvta(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  if (!a)
    return;
  uint64_t base = decoded.space == Space::Shared  ? window::shared
                  : decoded.space == Space::Local ? window::local
                  : decoded.space == Space::Param ? window::param
                                                  : 0;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active,
              [&](unsigned i) { d[i] = ToSpace ? a[i] - base : a[i] + base; });
}

namespace {
/// Lanes one after the other, by ascending number; the old value is returned.
template <typename T, T (*F)(T, T, T)>
void atom(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(1));
  const uint64_t *b = warp.read(decoded.value(2));
  const uint64_t *c =
      decoded.getNumOperands() == 4 ? warp.read(decoded.value(3)) : b;
  if (!base || !b || !c)
    return;
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  uint64_t old[warpSize];
  forEachLane(warp.active, [&](unsigned i) {
    uint8_t *place = warp.access(i, decoded.space, base[i] + decoded.offset,
                                 sizeof(T), sizeof(T), Access::ReadWrite);
    if (!place)
      return;
    T value;
    std::memcpy(&value, place, sizeof(T));
    old[i] = llvm::bit_cast<Bits>(value);
    value =
        F(value, llvm::bit_cast<T>(Bits(b[i])), llvm::bit_cast<T>(Bits(c[i])));
    std::memcpy(place, &value, sizeof(T));
  });
  if (warp.hasFault() || decoded.value(0).isSink)
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = old[i]; });
}

template <typename T> T add(T a, T b, T) { return a + b; }
template <typename T> T min(T a, T b, T) { return std::min(a, b); }
template <typename T> T max(T a, T b, T) { return std::max(a, b); }
template <typename T> T andBits(T a, T b, T) { return a & b; }
template <typename T> T orBits(T a, T b, T) { return a | b; }
template <typename T> T xorBits(T a, T b, T) { return a ^ b; }
template <typename T> T exch(T, T b, T) { return b; }
template <typename T> T cas(T a, T b, T c) { return a == b ? c : a; }
uint32_t inc(uint32_t a, uint32_t b, uint32_t) { return a >= b ? 0 : a + 1; }
uint32_t dec(uint32_t a, uint32_t b, uint32_t) {
  return a == 0 || a > b ? b : a - 1;
}
} // namespace

#define VALUES "b8|u8|s8|b16|u16|s16|b32|u32|s32|b64|u64|s64|f16|bf16|f32|f64"
static constexpr char loadModifiers[] =
    "global shared shared::cta shared::cluster local const param param::entry "
    "v2 v4 v8 nc weak "
    "volatile relaxed acquire cta cluster gpu sys ca cg cs lu cv";
static constexpr char storeModifiers[] =
    "global shared shared::cta shared::cluster local v2 v4 v8 weak volatile "
    "relaxed release "
    "cta cluster gpu sys wb cg cs wt";
static constexpr char atomModifiers[] =
    "global shared shared::cta shared::cluster relaxed acquire release "
    "acq_rel cta cluster gpu sys";

static const Row rows[] = {
    {"mov", "pred", "", "p P", movPredicate},
    {"mov", "b16|u16|s16|b32|u32|s32|b64|u64|s64|f16|bf16|f32|f64", "", "V* v*",
     mov},
    {"ld", VALUES, loadModifiers, "V* A", load},
    {"st", VALUES, storeModifiers, "A v*", store},
    {"cvta.to", "u64", "global shared local const param", "d s", cvta<true>},
    {"cvta", "u64", "global shared local const param", "d s", cvta<false>},
    {"atom.add", "u32|s32", atomModifiers, "d A s", atom<uint32_t, add>},
    {"atom.add", "u64", atomModifiers, "d A s", atom<uint64_t, add>},
    {"atom.add", "f32", atomModifiers, "d A s", atom<float, add>},
    {"atom.add", "f64", atomModifiers, "d A s", atom<double, add>},
    {"atom.min", "u32", atomModifiers, "d A s", atom<uint32_t, min>},
    {"atom.min", "s32", atomModifiers, "d A s", atom<int32_t, min>},
    {"atom.max", "u32", atomModifiers, "d A s", atom<uint32_t, max>},
    {"atom.max", "s32", atomModifiers, "d A s", atom<int32_t, max>},
    {"atom.and", "b32", atomModifiers, "d A s", atom<uint32_t, andBits>},
    {"atom.or", "b32", atomModifiers, "d A s", atom<uint32_t, orBits>},
    {"atom.xor", "b32", atomModifiers, "d A s", atom<uint32_t, xorBits>},
    {"atom.exch", "b32", atomModifiers, "d A s", atom<uint32_t, exch>},
    {"atom.cas", "b32", atomModifiers, "d A s s", atom<uint32_t, cas>},
    {"atom.cas", "b64", atomModifiers, "d A s s", atom<uint64_t, cas>},
    {"atom.inc", "u32", atomModifiers, "d A s", atom<uint32_t, inc>},
    {"atom.dec", "u32", atomModifiers, "d A s", atom<uint32_t, dec>},
};

llvm::ArrayRef<Row> mx::ptx::getMemoryRows() { return rows; }
