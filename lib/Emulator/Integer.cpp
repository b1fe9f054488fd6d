// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Integer arithmetic (PTX ISA 9.7.1, 9.7.2).

#include "Lanes.h"

using namespace mx::ptx;

namespace {
template <typename T> using Unsigned = std::make_unsigned_t<T>;
template <typename T> uint64_t bits(T value) { return Unsigned<T>(value); }

/// Twice the width, of the same signedness.
template <typename T> struct Twice;
template <> struct Twice<int16_t> {
  using type = int32_t;
};
template <> struct Twice<uint16_t> {
  using type = uint32_t;
};
template <> struct Twice<int32_t> {
  using type = int64_t;
};
template <> struct Twice<uint32_t> {
  using type = uint64_t;
};
template <> struct Twice<int64_t> {
  using type = __int128;
};
template <> struct Twice<uint64_t> {
  using type = unsigned __int128;
};

/// The product of all bits; no overflow.
template <typename T> auto product(uint64_t a, uint64_t b) {
  using W = typename Twice<T>::type;
  return W(T(a)) * W(T(b));
}

template <typename T> uint64_t add(uint64_t a, uint64_t b) {
  return Unsigned<T>(a + b);
}
template <typename T> uint64_t sub(uint64_t a, uint64_t b) {
  return Unsigned<T>(a - b);
}
template <typename T> uint64_t mulLo(uint64_t a, uint64_t b) {
  return Unsigned<T>(a * b);
}
template <typename T> uint64_t mulHi(uint64_t a, uint64_t b) {
  return bits(T(product<T>(a, b) >> (8 * sizeof(T))));
}
template <typename T> uint64_t mulWide(uint64_t a, uint64_t b) {
  return bits(product<T>(a, b));
}
template <typename T> uint64_t madLo(uint64_t a, uint64_t b, uint64_t c) {
  return Unsigned<T>(a * b + c);
}
template <typename T> uint64_t madHi(uint64_t a, uint64_t b, uint64_t c) {
  return Unsigned<T>(mulHi<T>(a, b) + c);
}
template <typename T> uint64_t madWide(uint64_t a, uint64_t b, uint64_t c) {
  using W = Unsigned<typename Twice<T>::type>;
  return W(W(product<T>(a, b)) + W(c));
}
template <typename T> uint64_t min(uint64_t a, uint64_t b) {
  return bits(std::min(T(a), T(b)));
}
template <typename T> uint64_t max(uint64_t a, uint64_t b) {
  return bits(std::max(T(a), T(b)));
}
template <typename T> uint64_t neg(uint64_t a) { return Unsigned<T>(-a); }
template <typename T> uint64_t abs(uint64_t a) {
  return T(a) < 0 ? neg<T>(a) : bits(T(a));
}

/// Division truncates. By zero the result is unspecified, so it is an error;
/// the one overflow, least / -1, wraps.
template <typename T, bool IsRemainder>
void divide(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *b = warp.read(decoded.value(2));
  if (!a || !b)
    return;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) {
    T x = T(a[i]), y = T(b[i]);
    if (y == 0)
      return warp.fault(i, "division by zero");
    if (std::is_signed_v<T> && y == T(-1))
      d[i] = IsRemainder ? 0 : neg<T>(a[i]);
    else
      d[i] = bits(T(IsRemainder ? x % y : x / y));
  });
}

template <typename T> uint64_t popc(uint64_t a) {
  return llvm::popcount(Unsigned<T>(a));
}
template <typename T> uint64_t clz(uint64_t a) {
  return llvm::countl_zero(Unsigned<T>(a));
}
template <typename T> uint64_t brev(uint64_t a) {
  uint64_t result = 0;
  for (unsigned i = 0; i < 8 * sizeof(T); ++i)
    result = result << 1 | (a >> i & 1);
  return result;
}

/// The highest bit that is not the sign, or all ones if there is none;
/// `IsShift`: by how much it would have to be shifted to the top.
template <typename T, bool IsShift> uint64_t bfind(uint64_t a) {
  Unsigned<T> value = T(a) < 0 ? ~Unsigned<T>(a) : Unsigned<T>(a);
  if (value == 0)
    return UINT32_MAX;
  unsigned zeros = llvm::countl_zero(value);
  return IsShift ? zeros : 8 * sizeof(T) - 1 - zeros;
}

/// Bits [b, b + c) of a. Beyond the top: zeros, or the sign, which is the
/// field's last bit or that of a.
template <typename T> uint64_t bfe(uint64_t a, uint64_t b, uint64_t c) {
  constexpr unsigned msb = 8 * sizeof(T) - 1;
  unsigned position = b & 255, length = c & 255;
  if (length == 0)
    return 0;
  uint64_t value = Unsigned<T>(a);
  uint64_t field = position > msb ? 0 : value >> position;
  unsigned have = position > msb ? 0 : std::min(length, msb + 1 - position);
  uint64_t mask = llvm::maskTrailingOnes<uint64_t>(have);
  field &= mask;
  bool sign = value >> std::min(position + length - 1, msb) & 1;
  if (std::is_signed_v<T> && sign)
    field |= ~mask;
  return Unsigned<T>(field);
}

/// b with the low d bits of a inserted at c.
template <typename T>
uint64_t bfi(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  constexpr unsigned width = 8 * sizeof(T);
  unsigned position = c & 255, length = d & 255;
  if (length == 0 || position >= width)
    return Unsigned<T>(b);
  length = std::min(length, width - position);
  uint64_t mask = llvm::maskTrailingOnes<uint64_t>(length) << position;
  return Unsigned<T>((b & ~mask) | (a << position & mask));
}

template <typename T> uint64_t sad(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t distance = T(a) < T(b) ? b - a : a - b;
  return Unsigned<T>(c + Unsigned<T>(distance));
}
} // namespace

#define EACH_TYPE(NAME, OPERANDS, F)                                           \
  {NAME, "u16", "", OPERANDS, perLane<F<uint16_t>>},                           \
      {NAME, "s16", "", OPERANDS, perLane<F<int16_t>>},                        \
      {NAME, "u32", "", OPERANDS, perLane<F<uint32_t>>},                       \
      {NAME, "s32", "", OPERANDS, perLane<F<int32_t>>},                        \
      {NAME, "u64", "", OPERANDS, perLane<F<uint64_t>>}, {                     \
    NAME, "s64", "", OPERANDS, perLane<F<int64_t>>                             \
  }
#define EACH_WIDE(NAME, OPERANDS, F)                                           \
  {NAME, "u16", "", OPERANDS, perLane<F<uint16_t>>},                           \
      {NAME, "s16", "", OPERANDS, perLane<F<int16_t>>},                        \
      {NAME, "u32", "", OPERANDS, perLane<F<uint32_t>>}, {                     \
    NAME, "s32", "", OPERANDS, perLane<F<int32_t>>                             \
  }

static const Row rows[] = {
    EACH_TYPE("add", "d s s", add),
    EACH_TYPE("sub", "d s s", sub),
    EACH_TYPE("mul.lo", "d s s", mulLo),
    EACH_TYPE("mul.hi", "d s s", mulHi),
    EACH_WIDE("mul.wide", "dw s s", mulWide),
    EACH_TYPE("mad.lo", "d s s s", madLo),
    EACH_TYPE("mad.hi", "d s s s", madHi),
    EACH_WIDE("mad.wide", "dw s s sw", madWide),
    EACH_TYPE("min", "d s s", min),
    EACH_TYPE("max", "d s s", max),
    EACH_TYPE("sad", "d s s s", sad),
    {"neg", "s16", "", "d s", perLane<neg<int16_t>>},
    {"neg", "s32", "", "d s", perLane<neg<int32_t>>},
    {"neg", "s64", "", "d s", perLane<neg<int64_t>>},
    {"abs", "s16", "", "d s", perLane<abs<int16_t>>},
    {"abs", "s32", "", "d s", perLane<abs<int32_t>>},
    {"abs", "s64", "", "d s", perLane<abs<int64_t>>},
    {"div", "u16", "", "d s s", divide<uint16_t, false>},
    {"div", "s16", "", "d s s", divide<int16_t, false>},
    {"div", "u32", "", "d s s", divide<uint32_t, false>},
    {"div", "s32", "", "d s s", divide<int32_t, false>},
    {"div", "u64", "", "d s s", divide<uint64_t, false>},
    {"div", "s64", "", "d s s", divide<int64_t, false>},
    {"rem", "u16", "", "d s s", divide<uint16_t, true>},
    {"rem", "s16", "", "d s s", divide<int16_t, true>},
    {"rem", "u32", "", "d s s", divide<uint32_t, true>},
    {"rem", "s32", "", "d s s", divide<int32_t, true>},
    {"rem", "u64", "", "d s s", divide<uint64_t, true>},
    {"rem", "s64", "", "d s s", divide<int64_t, true>},
    {"popc", "b32", "", "d=32 s", perLane<popc<int32_t>>},
    {"popc", "b64", "", "d=32 s", perLane<popc<int64_t>>},
    {"clz", "b32", "", "d=32 s", perLane<clz<int32_t>>},
    {"clz", "b64", "", "d=32 s", perLane<clz<int64_t>>},
    {"brev", "b32", "", "d s", perLane<brev<int32_t>>},
    {"brev", "b64", "", "d s", perLane<brev<int64_t>>},
    {"bfind.shiftamt", "u32", "", "d=32 s", perLane<bfind<uint32_t, true>>},
    {"bfind.shiftamt", "s32", "", "d=32 s", perLane<bfind<int32_t, true>>},
    {"bfind.shiftamt", "u64", "", "d=32 s", perLane<bfind<uint64_t, true>>},
    {"bfind.shiftamt", "s64", "", "d=32 s", perLane<bfind<int64_t, true>>},
    {"bfind", "u32", "", "d=32 s", perLane<bfind<uint32_t, false>>},
    {"bfind", "s32", "", "d=32 s", perLane<bfind<int32_t, false>>},
    {"bfind", "u64", "", "d=32 s", perLane<bfind<uint64_t, false>>},
    {"bfind", "s64", "", "d=32 s", perLane<bfind<int64_t, false>>},
    {"bfe", "u32", "", "d s s=32 s=32", perBit<bfe<uint32_t>>},
    {"bfe", "s32", "", "d s s=32 s=32", perBit<bfe<int32_t>>},
    {"bfe", "u64", "", "d s s=32 s=32", perBit<bfe<uint64_t>>},
    {"bfe", "s64", "", "d s s=32 s=32", perBit<bfe<int64_t>>},
    {"bfi", "b32", "", "d s s s=32 s=32", perBit<bfi<uint32_t>>},
    {"bfi", "b64", "", "d s s s=32 s=32", perBit<bfi<uint64_t>>},
};

llvm::ArrayRef<Row> mx::ptx::getIntegerRows() { return rows; }
