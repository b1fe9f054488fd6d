// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Logic, shifts, byte permutation, comparison and selection (PTX ISA 9.7.6 to
// 9.7.9).

#include "Lanes.h"

#include <cmath>

#include "mx/Formats/Codec.h"

using namespace mx::ptx;

namespace {
uint64_t andBits(uint64_t a, uint64_t b) { return a & b; }
uint64_t orBits(uint64_t a, uint64_t b) { return a | b; }
uint64_t xorBits(uint64_t a, uint64_t b) { return a ^ b; }
template <typename T> uint64_t notBits(uint64_t a) { return T(~a); }
/// Immediates are wider than the type.
template <typename T, uint64_t (*F)(uint64_t, uint64_t)>
uint64_t narrow(uint64_t a, uint64_t b) {
  return T(F(a, b));
}

template <uint64_t (*F)(uint64_t, uint64_t)>
void predicateLogic(Warp &warp, const Decoded &decoded) {
  uint32_t a = warp.readPredicate(decoded.value(1));
  uint32_t b = warp.readPredicate(decoded.value(2));
  warp.writePredicate(decoded.value(0), F(a, b));
}
void predicateNot(Warp &warp, const Decoded &decoded) {
  warp.writePredicate(decoded.value(0), ~warp.readPredicate(decoded.value(1)));
}

/// The amount is an unsigned number, not taken modulo the width.
template <typename T> uint64_t shl(uint64_t a, uint64_t b) {
  uint32_t amount = b;
  return amount >= 8 * sizeof(T) ? 0 : T(a << amount);
}
template <typename T> uint64_t shr(uint64_t a, uint64_t b) {
  uint32_t amount = b;
  if (amount >= 8 * sizeof(T))
    amount = std::is_signed_v<T> ? 8 * sizeof(T) - 1 : 64;
  return amount == 64 ? 0 : std::make_unsigned_t<T>(T(a) >> amount);
}

/// The pair {b, a} shifted; a left shift returns its high word, a right shift
/// the low one.
template <bool IsLeft, bool IsWrap>
uint64_t funnel(uint64_t a, uint64_t b, uint64_t c) {
  uint32_t amount = IsWrap ? c & 31 : std::min<uint32_t>(c, 32);
  uint64_t pair = uint64_t(uint32_t(b)) << 32 | uint32_t(a);
  return IsLeft ? uint32_t(amount == 32 ? a : pair << amount >> 32)
                : uint32_t(pair >> amount);
}

/// lut has the result for each (a, b, c), bit (a << 2 | b << 1 | c).
uint64_t lop3(uint64_t a, uint64_t b, uint64_t c, uint64_t lut) {
  uint32_t result = 0;
  for (unsigned i = 0; i < 8; ++i)
    if (lut >> i & 1)
      result |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
  return result;
}

/// Each nibble of c selects one of the bytes of {b, a}; its top bit asks for
/// that byte's sign instead.
uint64_t prmt(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t pair = uint64_t(uint32_t(b)) << 32 | uint32_t(a);
  uint32_t result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    uint32_t selector = c >> (4 * i);
    uint8_t byte = pair >> (8 * (selector & 7));
    if (selector & 8)
      byte = byte & 0x80 ? 0xFF : 0;
    result |= uint32_t(byte) << (8 * i);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

template <typename T> T decode(const Decoded &, uint64_t bits) {
  return T(bits);
}
template <> float decode<float>(const Decoded &decoded, uint64_t bits) {
  float value = mx::fromBits(bits);
  return decoded.ftz && std::fpclassify(value) == FP_SUBNORMAL
             ? std::copysign(0.0f, value)
             : value;
}
template <> double decode<double>(const Decoded &decoded, uint64_t bits) {
  if (decoded.types[0] == Type::F16)
    return mx::decodeF16(bits);
  if (decoded.types[0] == Type::BF16)
    return mx::decodeBF16(bits);
  return llvm::bit_cast<double>(bits);
}

/// eq to ge are false with a NaN, and so is ne; equ to geu are true. lo, ls,
/// hi, hs are lt to ge of unsigned types.
template <typename T> bool compare(Comparison comparison, T a, T b) {
  using C = Comparison;
  bool isUnordered = a != a || b != b;
  switch (comparison) {
  case C::Eq:
    return a == b;
  case C::Ne:
    return a != b && !isUnordered;
  case C::Lt:
  case C::Lo:
    return a < b;
  case C::Le:
  case C::Ls:
    return a <= b;
  case C::Gt:
  case C::Hi:
    return a > b;
  case C::Ge:
  case C::Hs:
    return a >= b;
  case C::Equ:
    return a == b || isUnordered;
  case C::Neu:
    return a != b;
  case C::Ltu:
    return !(a >= b);
  case C::Leu:
    return !(a > b);
  case C::Gtu:
    return !(a <= b);
  case C::Geu:
    return !(a < b);
  case C::Num:
    return !isUnordered;
  case C::Nan:
    return isUnordered;
  }
  return false;
}

/// p|q = a cmp b {op c}; q is that of the comparison's negation.
template <typename T> void setp(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *b = warp.read(decoded.value(2));
  if (!a || !b)
    return;
  uint32_t mask = 0;
  forEachLane(warp.active, [&](unsigned i) {
    mask |= uint32_t(compare(decoded.comparison, decode<T>(decoded, a[i]),
                             decode<T>(decoded, b[i])))
            << i;
  });
  uint32_t other = 0;
  if (decoded.getNumOperands() == 4)
    other = warp.readPredicate(decoded.value(3));
  auto combine = [&](uint32_t value) {
    switch (decoded.combine) {
    case Combine::And:
      return value & other;
    case Combine::Or:
      return value | other;
    case Combine::Xor:
      return value ^ other;
    default:
      return value;
    }
  };
  const Value &p = decoded.vector(0)[0], &q = decoded.vector(0)[1];
  if (!p.isSink)
    warp.writePredicate(p, combine(mask));
  if (!q.isSink)
    warp.writePredicate(q, combine(~mask));
}

/// Only the chosen source is read: the other may be undefined.
void selp(Warp &warp, const Decoded &decoded) {
  uint32_t mask = warp.readPredicate(decoded.value(3));
  uint32_t all = warp.active;
  warp.active = all & mask;
  const uint64_t *a = warp.read(decoded.value(1));
  warp.active = all & ~mask;
  const uint64_t *b = warp.read(decoded.value(2));
  warp.active = all;
  if (!a || !b)
    return;
  uint64_t bits = getBitWidth(decoded.types[0]);
  uint64_t keep = bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(all,
              [&](unsigned i) { d[i] = (mask >> i & 1 ? a[i] : b[i]) & keep; });
}
} // namespace

#define EACH_BITS(NAME, F)                                                     \
  {NAME, "b16", "", "d s s", perLane<narrow<uint16_t, F>>},                    \
      {NAME, "b32", "", "d s s", perLane<narrow<uint32_t, F>>},                \
      {NAME, "b64", "", "d s s", perLane<narrow<uint64_t, F>>}, {              \
    NAME, "pred", "", "p P P", predicateLogic<F>                               \
  }

static constexpr char compareInteger[] =
    "eq ne lt le gt ge lo ls hi hs and or xor";
static constexpr char compareFloat[] =
    "eq ne lt le gt ge equ neu ltu leu gtu geu num nan ftz and or xor";

static const Row rows[] = {
    EACH_BITS("and", andBits),
    EACH_BITS("or", orBits),
    EACH_BITS("xor", xorBits),
    {"not", "b16", "", "d s", perLane<notBits<uint16_t>>},
    {"not", "b32", "", "d s", perLane<notBits<uint32_t>>},
    {"not", "b64", "", "d s", perLane<notBits<uint64_t>>},
    {"not", "pred", "", "p P", predicateNot},
    {"shl", "b16", "", "d s s=32", perLane<shl<uint16_t>>},
    {"shl", "b32", "", "d s s=32", perLane<shl<uint32_t>>},
    {"shl", "b64", "", "d s s=32", perLane<shl<uint64_t>>},
    {"shr", "b16|u16", "", "d s s=32", perLane<shr<uint16_t>>},
    {"shr", "b32|u32", "", "d s s=32", perLane<shr<uint32_t>>},
    {"shr", "b64|u64", "", "d s s=32", perLane<shr<uint64_t>>},
    {"shr", "s16", "", "d s s=32", perLane<shr<int16_t>>},
    {"shr", "s32", "", "d s s=32", perLane<shr<int32_t>>},
    {"shr", "s64", "", "d s s=32", perLane<shr<int64_t>>},
    {"shf.l.wrap", "b32", "", "d s s s", perLane<funnel<true, true>>},
    {"shf.l.clamp", "b32", "", "d s s s", perLane<funnel<true, false>>},
    {"shf.r.wrap", "b32", "", "d s s s", perLane<funnel<false, true>>},
    {"shf.r.clamp", "b32", "", "d s s s", perLane<funnel<false, false>>},
    {"lop3", "b32", "", "d s s s i=32", perLane<lop3>},
    {"prmt", "b32", "", "d s s s", perLane<prmt>},
    {"setp", "b16|u16", compareInteger, "p|p s s P?", setp<uint16_t>},
    {"setp", "b32|u32", compareInteger, "p|p s s P?", setp<uint32_t>},
    {"setp", "b64|u64", compareInteger, "p|p s s P?", setp<uint64_t>},
    {"setp", "s16", compareInteger, "p|p s s P?", setp<int16_t>},
    {"setp", "s32", compareInteger, "p|p s s P?", setp<int32_t>},
    {"setp", "s64", compareInteger, "p|p s s P?", setp<int64_t>},
    {"setp", "f32", compareFloat, "p|p s s P?", setp<float>},
    {"setp", "f16|bf16|f64", compareFloat, "p|p s s P?", setp<double>},
    {"selp", "b16|u16|s16|f16|bf16", "", "d s s P", selp},
    {"selp", "b32|u32|s32|f32", "", "d s s P", selp},
    {"selp", "b64|u64|s64|f64", "", "d s s P", selp},
};

llvm::ArrayRef<Row> mx::ptx::getLogicRows() { return rows; }
