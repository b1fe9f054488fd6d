// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// atom and red (PTX ISA 9.7.13.5, .6). Lanes update one after the other, by
// ascending number.

#include "MinMax.h"
#include "Rounding.h"
#include "Warp.h"

#include "mx/Formats/Codec.h"

#include <cstring>

using namespace mx::ptx;

namespace {
/// New bits of an element from its old ones, b and c (of cas).
using Update = uint64_t (*)(uint64_t, uint64_t, uint64_t);

//===----------------------------------------------------------------------===//
// Updates
//===----------------------------------------------------------------------===//

template <typename T> uint64_t add(uint64_t a, uint64_t b, uint64_t) {
  return T(a + b);
}
template <typename T> uint64_t least(uint64_t a, uint64_t b, uint64_t) {
  return T(a) < T(b) ? a : b;
}
template <typename T> uint64_t most(uint64_t a, uint64_t b, uint64_t) {
  return T(a) < T(b) ? b : a;
}
uint64_t andBits(uint64_t a, uint64_t b, uint64_t) { return a & b; }
uint64_t orBits(uint64_t a, uint64_t b, uint64_t) { return a | b; }
uint64_t xorBits(uint64_t a, uint64_t b, uint64_t) { return a ^ b; }
uint64_t exchange(uint64_t, uint64_t b, uint64_t) { return b; }
template <typename T>
uint64_t compareAndSwap(uint64_t a, uint64_t b, uint64_t c) {
  return T(a) == T(b) ? c : a;
}
uint64_t increment(uint64_t a, uint64_t b, uint64_t) {
  return uint32_t(a) >= uint32_t(b) ? 0 : a + 1;
}
uint64_t decrement(uint64_t a, uint64_t b, uint64_t) {
  return a == 0 || uint32_t(a) > uint32_t(b) ? b : a - 1;
}

uint64_t addF32(uint64_t a, uint64_t b, uint64_t) {
  return encodeFloat(Type::F32, double(mx::fromBits(a)) + mx::fromBits(b),
                     Rounding::Nearest);
}
/// In global memory subnormal inputs and results become zero.
uint64_t addF32Flushed(uint64_t a, uint64_t b, uint64_t) {
  auto flush = [](uint64_t bits) {
    return (bits & 0x7F800000) == 0 ? bits & 0x80000000 : bits;
  };
  return flush(addF32(flush(a), flush(b), 0));
}
uint64_t addF64(uint64_t a, uint64_t b, uint64_t) {
  return encodeFloat(Type::F64,
                     llvm::bit_cast<double>(a) + llvm::bit_cast<double>(b),
                     Rounding::Nearest);
}
template <Type T, double (*F)(double, double)>
uint64_t half(uint64_t a, uint64_t b, uint64_t) {
  return encodeFloat(T, F(decodeFloat(T, a), decodeFloat(T, b)),
                     Rounding::Nearest);
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

bool isGlobal(Space space, uint64_t address) {
  return space == Space::Global ||
         (space == Space::Generic && !window::isIn(address, window::shared) &&
          !window::isIn(address, window::local));
}

/// Elements of `Size` bytes, `Packed` of them in a register, and as many
/// registers as the vector has. The first operand of atom receives the old
/// values.
template <unsigned Size, unsigned Packed, Update F, Update OfGlobal = F>
void update(Warp &warp, const Decoded &decoded) {
  bool hasResult = decoded.source->opcode == "atom";
  unsigned first = hasResult;
  llvm::ArrayRef<Value> b = decoded.vector(first + 1);
  const uint64_t *base = warp.read(decoded.value(first));
  const uint64_t *sources[8], *c = nullptr;
  bool isSwap = F == Update(compareAndSwap<uint16_t>) ||
                F == Update(compareAndSwap<uint32_t>) ||
                F == Update(compareAndSwap<uint64_t>);
  if (b.size() != decoded.vectorWidth ||
      (hasResult && decoded.vector(0).size() != b.size()))
    return warp.fault(llvm::countr_zero(warp.active),
                      "the number of registers is not that of the vector");
  for (auto [j, value] : llvm::enumerate(b))
    sources[j] = warp.read(value);
  if (isSwap)
    c = warp.read(decoded.value(first + 2));
  if (warp.hasFault())
    return;
  constexpr uint64_t keep =
      Size == 8 ? ~uint64_t(0) : (uint64_t(1) << (8 * Size % 64)) - 1;
  unsigned bytes = Size * Packed * b.size();
  uint64_t old[8][warpSize] = {};
  forEachLane(warp.active, [&](unsigned i) {
    uint64_t address = base[i] + decoded.offset;
    uint8_t *place =
        warp.access(i, decoded.space, address, bytes, bytes, Access::ReadWrite);
    if (!place)
      return;
    Update apply = isGlobal(decoded.space, address) ? OfGlobal : F;
    for (unsigned j = 0; j < b.size(); ++j)
      for (unsigned k = 0; k < Packed; ++k, place += Size) {
        uint64_t value = 0;
        std::memcpy(&value, place, Size);
        old[j][i] |= value << (8 * Size * k);
        value = apply(value, sources[j][i] >> (8 * Size * k) & keep,
                      c ? c[i] & keep : 0);
        std::memcpy(place, &value, Size);
      }
  });
  if (warp.hasFault() || !hasResult)
    return;
  for (auto [j, value] : llvm::enumerate(decoded.vector(0))) {
    if (value.isSink)
      continue;
    uint64_t *d = warp.write(value);
    forEachLane(warp.active, [&, j = j](unsigned i) { d[i] = old[j][i]; });
  }
}

/// exch and cas of .b128, which is in two registers.
template <bool IsSwap> void update128(Warp &warp, const Decoded &decoded) {
  const uint64_t *base = warp.read(decoded.value(1));
  llvm::ArrayRef<Value> d = decoded.vector(0), b = decoded.vector(2);
  llvm::ArrayRef<Value> c = IsSwap ? decoded.vector(3) : b;
  if (b.size() != 2 || c.size() != 2)
    return warp.fault(llvm::countr_zero(warp.active),
                      "expected registers of type .b128");
  const uint64_t *sources[] = {warp.read(b[0]), warp.read(b[1]),
                               warp.read(c[0]), warp.read(c[1])};
  if (!base || warp.hasFault())
    return;
  uint64_t old[warpSize][2];
  forEachLane(warp.active, [&](unsigned i) {
    uint8_t *place = warp.access(i, decoded.space, base[i] + decoded.offset, 16,
                                 16, Access::ReadWrite);
    if (!place)
      return;
    std::memcpy(old[i], place, 16);
    if (IsSwap && (old[i][0] != sources[0][i] || old[i][1] != sources[1][i]))
      return;
    uint64_t value[] = {sources[2][i], sources[3][i]};
    std::memcpy(place, value, 16);
  });
  if (warp.hasFault())
    return;
  for (auto [part, value] : llvm::enumerate(d)) {
    if (value.isSink)
      continue;
    uint64_t *to = warp.write(value);
    forEachLane(warp.active,
                [&, part = part](unsigned i) { to[i] = old[i][part]; });
  }
}
} // namespace

static constexpr char modifiers[] =
    "global shared shared::cta shared::cluster relaxed acquire release acq_rel "
    "cta cluster gpu sys L2::cache_hint";
static constexpr char vectorModifiers[] =
    "global relaxed acquire release acq_rel cta cluster gpu sys v2 v4 v8 "
    "L2::cache_hint";

#define EACH(OP, TYPES, MODIFIERS, H)                                          \
  {"atom." OP, TYPES, MODIFIERS, "V A v s=64?", H}, {                          \
    "red." OP, TYPES, MODIFIERS, "A v s=64?", H                                \
  }
/// min and max of halves are for vectors in global memory only.
#define HALVES(OP, MODIFIERS, F)                                               \
  EACH(OP ".noftz", "f16", MODIFIERS, (update<2, 1, half<Type::F16, F>>)),     \
      EACH(OP ".noftz", "bf16", MODIFIERS,                                     \
           (update<2, 1, half<Type::BF16, F>>)),                               \
      EACH(OP ".noftz", "f16x2", MODIFIERS,                                    \
           (update<2, 2, half<Type::F16, F>>)),                                \
      EACH(OP ".noftz", "bf16x2", MODIFIERS,                                   \
           (update<2, 2, half<Type::BF16, F>>))

static const Row rows[] = {
    EACH("add", "u32|s32", modifiers, (update<4, 1, add<uint32_t>>)),
    EACH("add", "u64|s64", modifiers, (update<8, 1, add<uint64_t>>)),
    EACH("add", "f32", vectorModifiers, (update<4, 1, addF32, addF32Flushed>)),
    EACH("add", "f32", modifiers, (update<4, 1, addF32, addF32Flushed>)),
    EACH("add", "f64", modifiers, (update<8, 1, addF64>)),
    EACH("min", "u32", modifiers, (update<4, 1, least<uint32_t>>)),
    EACH("min", "s32", modifiers, (update<4, 1, least<int32_t>>)),
    EACH("min", "u64", modifiers, (update<8, 1, least<uint64_t>>)),
    EACH("min", "s64", modifiers, (update<8, 1, least<int64_t>>)),
    EACH("max", "u32", modifiers, (update<4, 1, most<uint32_t>>)),
    EACH("max", "s32", modifiers, (update<4, 1, most<int32_t>>)),
    EACH("max", "u64", modifiers, (update<8, 1, most<uint64_t>>)),
    EACH("max", "s64", modifiers, (update<8, 1, most<int64_t>>)),
    EACH("and", "b32", modifiers, (update<4, 1, andBits>)),
    EACH("and", "b64", modifiers, (update<8, 1, andBits>)),
    EACH("or", "b32", modifiers, (update<4, 1, orBits>)),
    EACH("or", "b64", modifiers, (update<8, 1, orBits>)),
    EACH("xor", "b32", modifiers, (update<4, 1, xorBits>)),
    EACH("xor", "b64", modifiers, (update<8, 1, xorBits>)),
    EACH("inc", "u32", modifiers, (update<4, 1, increment>)),
    EACH("dec", "u32", modifiers, (update<4, 1, decrement>)),
    HALVES("add", modifiers, addOdd),
    HALVES("add", vectorModifiers, addOdd),
    HALVES("min", vectorModifiers, min<double>),
    HALVES("max", vectorModifiers, max<double>),
    {"atom.exch", "b32", modifiers, "d A s s=64?", update<4, 1, exchange>},
    {"atom.exch", "b64", modifiers, "d A s s=64?", update<8, 1, exchange>},
    {"atom.exch", "b128", modifiers, "V A v s=64?", update128<false>},
    {"atom.cas", "b16", modifiers, "d A s s",
     update<2, 1, compareAndSwap<uint16_t>>},
    {"atom.cas", "b32", modifiers, "d A s s",
     update<4, 1, compareAndSwap<uint32_t>>},
    {"atom.cas", "b64", modifiers, "d A s s",
     update<8, 1, compareAndSwap<uint64_t>>},
    {"atom.cas", "b128", modifiers, "V A v v", update128<true>},
};

llvm::ArrayRef<Row> mx::ptx::getAtomicRows() { return rows; }
