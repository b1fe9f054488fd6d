// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The less usual integer arithmetic: carries (PTX ISA 9.7.2), saturation,
// 24-bit products, pairs of 16 bits, dot products and bit fields (9.7.1).

#include "Lanes.h"

using namespace mx::ptx;

namespace {
//===----------------------------------------------------------------------===//
// Carries (9.7.2). A borrow is a carry too.
//===----------------------------------------------------------------------===//

enum Carry { Neither = 0, In = 1, Out = 2, Both = 3 };

/// d = a + b {+ carry}, or a - b {- borrow}. The last operand is the carry.
template <typename T, bool IsSub, unsigned Use>
void addCarry(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *b = warp.read(decoded.value(2));
  const Value &flag = decoded.value(3);
  uint32_t in = Use & In ? warp.readPredicate(flag) : 0;
  if (!a || !b || warp.hasFault())
    return;
  uint32_t out = 0;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) {
    using Wide = unsigned __int128;
    Wide x = T(a[i]), y = Wide(T(b[i])) + (in >> i & 1);
    Wide result = IsSub ? x - y : x + y;
    d[i] = T(result);
    out |= uint32_t(result >> (8 * sizeof(T)) & 1) << i;
  });
  if (Use & Out)
    warp.writePredicate(flag, out);
}

/// d = low or high part of a * b, + c {+ carry}.
template <typename T, bool IsHigh, unsigned Use>
void madCarry(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *b = warp.read(decoded.value(2));
  const uint64_t *c = warp.read(decoded.value(3));
  const Value &flag = decoded.value(4);
  uint32_t in = Use & In ? warp.readPredicate(flag) : 0;
  if (!a || !b || !c || warp.hasFault())
    return;
  using U = std::make_unsigned_t<T>;
  using Wide = unsigned __int128;
  uint32_t out = 0;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) {
    // Modulo 2^128: the low bits are those of the signed product as well.
    Wide product = Wide(__int128(T(a[i]))) * Wide(__int128(T(b[i])));
    U part = U(IsHigh ? product >> (8 * sizeof(T)) : product);
    Wide result = Wide(part) + U(c[i]) + (in >> i & 1);
    d[i] = U(result);
    out |= uint32_t(result >> (8 * sizeof(T)) & 1) << i;
  });
  if (Use & Out)
    warp.writePredicate(flag, out);
}

//===----------------------------------------------------------------------===//
// Saturation, pairs, 24 bits
//===----------------------------------------------------------------------===//

uint64_t saturate(int64_t value) {
  return uint32_t(
      std::min<int64_t>(std::max<int64_t>(value, INT32_MIN), INT32_MAX));
}
uint64_t addSat(uint64_t a, uint64_t b) {
  return saturate(int64_t(int32_t(a)) + int32_t(b));
}
uint64_t subSat(uint64_t a, uint64_t b) {
  return saturate(int64_t(int32_t(a)) - int32_t(b));
}
uint64_t madHiSat(uint64_t a, uint64_t b, uint64_t c) {
  int64_t high = int64_t(int32_t(a)) * int32_t(b) >> 32;
  return saturate(high + int32_t(c));
}

template <typename T> T add16(T a, T b) { return T(a + b); }
template <typename T> T min16(T a, T b) { return std::min(a, b); }
template <typename T> T max16(T a, T b) { return std::max(a, b); }
/// Both halves; .relu: not less than zero.
template <typename T, T (*F)(T, T)>
uint64_t pair(const Decoded &decoded, uint64_t a, uint64_t b) {
  auto one = [&](unsigned shift) -> uint64_t {
    T value = F(T(a >> shift), T(b >> shift));
    return uint16_t(decoded.relu ? std::max<T>(value, 0) : value);
  };
  return one(0) | one(16) << 16;
}
template <bool IsMax> uint64_t relu(uint64_t a, uint64_t b) {
  int32_t x = a, y = b;
  return uint32_t(std::max(IsMax ? std::max(x, y) : std::min(x, y), 0));
}

/// The 48-bit product of the low 24 bits of both.
template <typename T> int64_t product24(uint64_t a, uint64_t b) {
  auto low = [](uint64_t value) -> int64_t {
    return std::is_signed_v<T> ? int32_t(uint32_t(value) << 8) >> 8
                               : int32_t(value & 0xFFFFFF);
  };
  return low(a) * low(b);
}
template <typename T, bool IsHigh> uint64_t mul24(uint64_t a, uint64_t b) {
  return uint32_t(product24<T>(a, b) >> (IsHigh ? 16 : 0));
}
template <typename T, bool IsHigh>
uint64_t mad24(uint64_t a, uint64_t b, uint64_t c) {
  return uint32_t(mul24<T, IsHigh>(a, b) + c);
}
uint64_t mad24HiSat(uint64_t a, uint64_t b, uint64_t c) {
  return saturate(int64_t(int32_t(mul24<int32_t, true>(a, b))) + int32_t(c));
}

//===----------------------------------------------------------------------===//
// Dot products (9.7.1.23, .24). Sums wrap.
//===----------------------------------------------------------------------===//

/// Part `i` of `bits` bits, extended as the type says.
int64_t getPart(uint64_t value, unsigned i, unsigned bits, bool isSigned) {
  uint64_t part = value >> (i * bits) << (64 - bits);
  return isSigned ? int64_t(part) >> (64 - bits) : int64_t(part >> (64 - bits));
}
uint64_t dp4a(const Decoded &decoded, uint64_t a, uint64_t b, uint64_t c) {
  for (unsigned i = 0; i < 4; ++i)
    c += getPart(a, i, 8, isSigned(decoded.types[0])) *
         getPart(b, i, 8, isSigned(decoded.types[1]));
  return uint32_t(c);
}
template <bool IsHigh>
uint64_t dp2a(const Decoded &decoded, uint64_t a, uint64_t b, uint64_t c) {
  for (unsigned i = 0; i < 2; ++i)
    c += getPart(a, i, 16, isSigned(decoded.types[0])) *
         getPart(b, i + 2 * IsHigh, 8, isSigned(decoded.types[1]));
  return uint32_t(c);
}

//===----------------------------------------------------------------------===//
// Bits (9.7.1.17, .21, .22)
//===----------------------------------------------------------------------===//

/// The n-th set bit from `base` on, up or down.
uint64_t fns(uint64_t mask, uint64_t base, uint64_t n) {
  int offset = int32_t(n), position = int32_t(base);
  int left = std::abs(int64_t(offset)) - (offset != 0);
  for (; position >= 0 && position < 32; position += offset < 0 ? -1 : 1) {
    if ((mask >> position & 1) && left-- == 0)
      return position;
    if (offset == 0)
      break;
  }
  return UINT32_MAX;
}

/// The low b bits of a, extended.
template <bool IsSigned, bool IsClamp> uint64_t szext(uint64_t a, uint64_t b) {
  uint32_t value = a, bits = b;
  if (IsClamp && bits >= 32)
    return value;
  bits &= 31;
  if (bits == 0)
    return 0;
  uint32_t shifted = value << (32 - bits);
  return IsSigned ? uint32_t(int32_t(shifted) >> (32 - bits))
                  : shifted >> (32 - bits);
}

/// Ones from bit a on, b of them.
template <bool IsClamp> uint64_t bmsk(uint64_t a, uint64_t b) {
  uint64_t position = IsClamp ? std::min<uint32_t>(a, 32) : a & 31;
  uint64_t width = IsClamp ? std::min<uint32_t>(b, 32) : b & 31;
  return uint32_t(((uint64_t(1) << width) - 1) << position);
}
} // namespace

#define CARRY(NAME, IS_SUB, USE)                                               \
  {NAME, "u32|s32", "", "d s s c", addCarry<uint32_t, IS_SUB, USE>}, {         \
    NAME, "u64|s64", "", "d s s c", addCarry<uint64_t, IS_SUB, USE>            \
  }
#define MAD_CARRY(NAME, IS_HIGH, USE)                                          \
  {NAME, "u32", "", "d s s s c", madCarry<uint32_t, IS_HIGH, USE>},            \
      {NAME, "s32", "", "d s s s c", madCarry<int32_t, IS_HIGH, USE>},         \
      {NAME, "u64", "", "d s s s c", madCarry<uint64_t, IS_HIGH, USE>}, {      \
    NAME, "s64", "", "d s s s c", madCarry<int64_t, IS_HIGH, USE>              \
  }
#define PAIR(NAME, F)                                                          \
  {NAME, "u16x2", "", "d s s", perLane<pair<uint16_t, F<uint16_t>>>}, {        \
    NAME, "s16x2", "relu", "d s s", perLane<pair<int16_t, F<int16_t>>>         \
  }
#define MUL24(MODE, IS_HIGH)                                                   \
  {"mul24." MODE, "u32", "", "d s s", perLane<mul24<uint32_t, IS_HIGH>>},      \
      {"mul24." MODE, "s32", "", "d s s", perLane<mul24<int32_t, IS_HIGH>>},   \
      {"mad24." MODE, "u32", "", "d s s s",                                    \
       perLane<mad24<uint32_t, IS_HIGH>>},                                     \
  {                                                                            \
    "mad24." MODE, "s32", "", "d s s s", perLane<mad24<int32_t, IS_HIGH>>      \
  }

static const Row rows[] = {
    CARRY("add.cc", false, Out),
    CARRY("addc.cc", false, Both),
    CARRY("addc", false, In),
    CARRY("sub.cc", true, Out),
    CARRY("subc.cc", true, Both),
    CARRY("subc", true, In),
    MAD_CARRY("mad.lo.cc", false, Out),
    MAD_CARRY("mad.hi.cc", true, Out),
    MAD_CARRY("madc.lo.cc", false, Both),
    MAD_CARRY("madc.hi.cc", true, Both),
    MAD_CARRY("madc.lo", false, In),
    MAD_CARRY("madc.hi", true, In),
    {"add.sat", "s32", "", "d s s", perLane<addSat>},
    {"sub.sat", "s32", "", "d s s", perLane<subSat>},
    {"mad.hi.sat", "s32", "", "d s s s", perLane<madHiSat>},
    {"add", "u16x2", "", "d s s", perLane<pair<uint16_t, add16>>},
    {"add", "s16x2", "", "d s s", perLane<pair<int16_t, add16>>},
    PAIR("min", min16),
    PAIR("max", max16),
    {"min.relu", "s32", "", "d s s", perLane<relu<false>>},
    {"max.relu", "s32", "", "d s s", perLane<relu<true>>},
    MUL24("lo", false),
    MUL24("hi", true),
    {"mad24.hi.sat", "s32", "", "d s s s", perLane<mad24HiSat>},
    {"dp4a", "u32|s32 u32|s32", "", "d s s s", perLane<dp4a>},
    {"dp2a.lo", "u32|s32 u32|s32", "", "d s s s", perLane<dp2a<false>>},
    {"dp2a.hi", "u32|s32 u32|s32", "", "d s s s", perLane<dp2a<true>>},
    {"fns", "b32", "", "d s s s", perLane<fns>},
    {"szext.clamp", "u32", "", "d s s", perLane<szext<false, true>>},
    {"szext.clamp", "s32", "", "d s s", perLane<szext<true, true>>},
    {"szext.wrap", "u32", "", "d s s", perLane<szext<false, false>>},
    {"szext.wrap", "s32", "", "d s s", perLane<szext<true, false>>},
    {"bmsk.clamp", "b32", "", "d s s", perLane<bmsk<true>>},
    {"bmsk.wrap", "b32", "", "d s s", perLane<bmsk<false>>},
};

llvm::ArrayRef<Row> mx::ptx::getExtendedRows() { return rows; }
