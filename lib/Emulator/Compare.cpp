// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Comparison and selection (PTX ISA 9.7.6, 9.7.7).

#include "Lanes.h"

#include "mx/Formats/Codec.h"

#include <cmath>

using namespace mx::ptx;

namespace {
/// A source of the instruction's last type.
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
  switch (decoded.types.back()) {
  case Type::F16:
  case Type::F16x2: {
    // A subnormal has no exponent bits.
    bool isFlushed = decoded.ftz && (bits & 0x7C00) == 0;
    return isFlushed ? 0 : mx::decodeF16(bits);
  }
  case Type::BF16:
  case Type::BF16x2:
    return mx::decodeBF16(bits);
  default:
    return llvm::bit_cast<double>(bits);
  }
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

/// The lanes in which something holds, and those in which that is not known,
/// because a source has no value.
struct Lanes {
  uint32_t holds = 0, undefined = 0;
};

/// Lanes in which a source of the comparison has no value, noted for `to`.
uint32_t findUndefined(Warp &warp, const Decoded &decoded, const Value &to) {
  const Value &a = decoded.value(1), &b = decoded.value(2);
  uint32_t undefined =
      warp.active & ~(warp.getInitialized(a) & warp.getInitialized(b));
  if (LLVM_UNLIKELY(undefined) && !to.isSink)
    warp.spreadUndefined(to, undefined, {&a, &b});
  return undefined;
}

template <typename T>
Lanes compareLanes(Warp &warp, const Decoded &decoded, const Value &to) {
  const uint64_t *a = warp.lanes(decoded.value(1));
  const uint64_t *b = warp.lanes(decoded.value(2));
  Lanes lanes;
  lanes.undefined = findUndefined(warp, decoded, to);
  forEachLane(warp.active, [&](unsigned i) {
    lanes.holds |=
        uint32_t(compare(decoded.comparison, decode<T>(decoded, a[i]),
                         decode<T>(decoded, b[i])))
        << i;
  });
  return lanes;
}

uint32_t combine(const Decoded &decoded, uint32_t value, uint32_t other) {
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
}

/// With the predicate that a comparison is combined with, operand 3 if there:
/// known where it is the same whatever the unknown is.
Lanes combine(Warp &warp, const Decoded &decoded, Lanes lanes) {
  if (decoded.getNumOperands() != 4)
    return lanes;
  auto [other, defined] = warp.readPartlyPredicate(decoded.value(3));
  uint32_t value = lanes.holds & ~lanes.undefined;
  Lanes result = {combine(decoded, value, other & defined), 0};
  for (uint32_t a : {value, value | lanes.undefined})
    for (uint32_t b : {other & defined, other | ~defined})
      result.undefined |= result.holds ^ combine(decoded, a, b);
  return result;
}

/// p|q = a cmp b {op c}; q is that of the comparison's negation.
template <typename T> void setp(Warp &warp, const Decoded &decoded) {
  const Value &p = decoded.vector(0)[0], &q = decoded.vector(0)[1];
  Lanes lanes = compareLanes<T>(warp, decoded, p.isSink ? q : p);
  Lanes negated = {~lanes.holds, lanes.undefined};
  for (auto [to, value] : {std::pair(&p, lanes), std::pair(&q, negated)})
    if (!to->isSink) {
      Lanes result = combine(warp, decoded, value);
      warp.writePredicate(*to, result.holds, result.undefined);
    }
}

/// The predicate that a comparison of pairs is combined with.
uint32_t readOther(Warp &warp, const Decoded &decoded) {
  return decoded.getNumOperands() == 4 ? warp.readPredicate(decoded.value(3))
                                       : 0;
}

/// Of f16x2 and bf16x2: p is for the low halves, q for the high ones.
void setpPair(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *b = warp.read(decoded.value(2));
  if (!a || !b)
    return;
  uint32_t other = readOther(warp, decoded);
  for (unsigned half = 0; half < 2; ++half) {
    uint32_t mask = 0;
    forEachLane(warp.active, [&](unsigned i) {
      mask |= uint32_t(compare(decoded.comparison,
                               decode<double>(decoded, a[i] >> (16 * half)),
                               decode<double>(decoded, b[i] >> (16 * half))))
              << i;
    });
    const Value &to = decoded.vector(0)[half];
    if (!to.isSink)
      warp.writePredicate(to, combine(decoded, mask, other));
  }
}

/// One, or all ones for an integer destination.
uint64_t getTrue(Type type) {
  switch (type) {
  case Type::F32:
    return 0x3F800000;
  case Type::F16:
  case Type::F16x2:
    return 0x3C00;
  case Type::BF16:
  case Type::BF16x2:
    return 0x3F80;
  case Type::U16:
  case Type::S16:
    return 0xFFFF;
  default:
    return UINT32_MAX;
  }
}

/// d = a cmp b {op c}, as a value of the first type; the second is compared.
template <typename T> void set(Warp &warp, const Decoded &decoded) {
  Lanes lanes = compareLanes<T>(warp, decoded, decoded.value(0));
  lanes = combine(warp, decoded, lanes);
  uint64_t one = getTrue(decoded.types[0]);
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active,
              [&](unsigned i) { d[i] = lanes.holds >> i & 1 ? one : 0; });
  warp.clear(decoded.value(0), lanes.undefined & warp.active);
}

/// Both halves; an integer destination has 16 bits for each.
void setPair(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.lanes(decoded.value(1));
  const uint64_t *b = warp.lanes(decoded.value(2));
  uint32_t undefined = findUndefined(warp, decoded, decoded.value(0));
  uint32_t other = readOther(warp, decoded);
  uint64_t one = getTrue(decoded.types[0]) & 0xFFFF;
  uint64_t result[warpSize];
  forEachLane(warp.active, [&](unsigned i) {
    result[i] = 0;
    for (unsigned shift : {0, 16}) {
      bool holds =
          compare(decoded.comparison, decode<double>(decoded, a[i] >> shift),
                  decode<double>(decoded, b[i] >> shift));
      if (combine(decoded, holds, other >> i & 1))
        result[i] |= one << shift;
    }
  });
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned i) { d[i] = result[i]; });
  warp.clear(decoded.value(0), undefined);
}

/// c >= 0 ? a : b; NaN chooses b.
template <typename T>
uint64_t slct(const Decoded &decoded, uint64_t a, uint64_t b, uint64_t c) {
  unsigned bits = getBitWidth(decoded.types[0]);
  uint64_t keep = llvm::maskTrailingOnes<uint64_t>(bits);
  return (decode<T>(decoded, c) >= 0 ? a : b) & keep;
}

/// Only the chosen source is read: the other may be undefined.
void selp(Warp &warp, const Decoded &decoded) {
  const Value &first = decoded.value(1), &second = decoded.value(2);
  uint32_t mask = warp.readPredicate(decoded.value(3));
  const uint64_t *a = warp.lanes(first), *b = warp.lanes(second);
  uint32_t undefined = warp.active & ~((mask & warp.getInitialized(first)) |
                                       (~mask & warp.getInitialized(second)));
  uint64_t bits = getBitWidth(decoded.types[0]);
  uint64_t keep = llvm::maskTrailingOnes<uint64_t>(bits);
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active,
              [&](unsigned i) { d[i] = (mask >> i & 1 ? a[i] : b[i]) & keep; });
  if (LLVM_UNLIKELY(undefined)) {
    warp.spreadUndefined(decoded.value(0), undefined, {&first, &second});
    warp.clear(decoded.value(0), undefined);
  }
}
} // namespace

static constexpr char compareInteger[] =
    "eq ne lt le gt ge lo ls hi hs and or xor";
static constexpr char compareFloat[] =
    "eq ne lt le gt ge equ neu ltu leu gtu geu num nan ftz and or xor";

#define SETP(TYPES, MODIFIERS, T)                                              \
  {"setp", TYPES, MODIFIERS, "p|p s s P?", setp<T>}
#define SET(TYPES, MODIFIERS, T)                                               \
  {"set", "u32|s32|f32|f16|bf16 " TYPES, MODIFIERS, "d s1 s1 P?", set<T>}

static const Row rows[] = {
    SETP("b16|u16", compareInteger, uint16_t),
    SETP("b32|u32", compareInteger, uint32_t),
    SETP("b64|u64", compareInteger, uint64_t),
    SETP("s16", compareInteger, int16_t),
    SETP("s32", compareInteger, int32_t),
    SETP("s64", compareInteger, int64_t),
    SETP("f32", compareFloat, float),
    SETP("f16|bf16|f64", compareFloat, double),
    {"setp", "f16x2|bf16x2", compareFloat, "p|p s s P?", setpPair},
    SET("b16|u16", compareInteger, uint16_t),
    SET("b32|u32", compareInteger, uint32_t),
    SET("b64|u64", compareInteger, uint64_t),
    SET("s16", compareInteger, int16_t),
    SET("s32", compareInteger, int32_t),
    SET("s64", compareInteger, int64_t),
    SET("f32", compareFloat, float),
    SET("f16|bf16|f64", compareFloat, double),
    {"set", "u16|s16 f16|bf16", compareFloat, "d s1 s1 P?", set<double>},
    {"set", "f16x2|u32|s32 f16x2", compareFloat, "d s1 s1 P?", setPair},
    {"set", "bf16x2|u32|s32 bf16x2", compareFloat, "d s1 s1 P?", setPair},
    {"selp", "b16|u16|s16|f16|bf16", "", "d s s P", selp},
    {"selp", "b32|u32|s32|f32", "", "d s s P", selp},
    {"selp", "b64|u64|s64|f64", "", "d s s P", selp},
    {"slct", "b16|u16|s16|b32|u32|s32|b64|u64|s64|f32|f64 s32", "", "d s s s1",
     perLane<slct<int32_t>>},
    {"slct", "b16|u16|s16|b32|u32|s32|b64|u64|s64|f32|f64 f32", "ftz",
     "d s s s1", perLane<slct<float>>},
};

llvm::ArrayRef<Row> mx::ptx::getCompareRows() { return rows; }
