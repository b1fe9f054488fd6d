// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Logic, shifts and byte permutation (PTX ISA 9.7.8, 9.7.9.7).

#include "Lanes.h"

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
  auto [a, aDefined] = warp.readPartlyPredicate(decoded.value(1));
  auto [b, bDefined] = warp.readPartlyPredicate(decoded.value(2));
  // Where the result is the same whatever an undefined source is.
  uint32_t result = F(a & aDefined, b & bDefined), differs = 0;
  for (uint32_t a1 : {a & aDefined, a | ~aDefined})
    for (uint32_t b1 : {b & bDefined, b | ~bDefined})
      differs |= result ^ uint32_t(F(a1, b1));
  if (LLVM_UNLIKELY(differs & warp.active))
    warp.spreadUndefined(decoded.value(0), differs & warp.active,
                         {&decoded.value(1), &decoded.value(2)});
  warp.writePredicate(decoded.value(0), result, differs);
}
void predicateNot(Warp &warp, const Decoded &decoded) {
  auto [a, defined] = warp.readPartlyPredicate(decoded.value(1));
  if (LLVM_UNLIKELY(warp.active & ~defined))
    warp.spreadUndefined(decoded.value(0), warp.active & ~defined,
                         {&decoded.value(1)});
  warp.writePredicate(decoded.value(0), ~a, ~defined);
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

/// The fixed modes of prmt: what `c` would be for the low two bits of c.
enum class Permute { F4E, B4E, RC8, ECL, ECR, RC16 };
template <Permute Mode> uint64_t prmtMode(uint64_t a, uint64_t b, uint64_t c) {
  static constexpr uint16_t selectors[6][4] = {
      {0x3210, 0x4321, 0x5432, 0x6543}, {0x5670, 0x6701, 0x7012, 0x0123},
      {0x0000, 0x1111, 0x2222, 0x3333}, {0x3210, 0x3211, 0x3222, 0x3333},
      {0x0000, 0x1110, 0x2210, 0x3210}, {0x1010, 0x3232, 0x1010, 0x3232}};
  return prmt(a, b, selectors[unsigned(Mode)][c & 3]);
}

template <typename T> uint64_t cnot(uint64_t a) { return T(a) == 0; }

/// d|p: whether the result is not zero, combined with a predicate.
void lop3Predicate(Warp &warp, const Decoded &decoded) {
  const uint64_t *a = warp.read(decoded.value(1));
  const uint64_t *b = warp.read(decoded.value(2));
  const uint64_t *c = warp.read(decoded.value(3));
  const uint64_t *lut = warp.read(decoded.value(4));
  uint32_t q = warp.readPredicate(decoded.value(5));
  if (!a || !b || !c || warp.hasFault())
    return;
  const Value &d = decoded.vector(0)[0], &p = decoded.vector(0)[1];
  uint64_t result[warpSize];
  uint32_t holds = 0;
  forEachLane(warp.active, [&](unsigned i) {
    result[i] = lop3(a[i], b[i], c[i], lut[i]);
    holds |= uint32_t(result[i] != 0) << i;
  });
  if (!d.isSink) {
    uint64_t *to = warp.write(d);
    forEachLane(warp.active, [&](unsigned i) { to[i] = result[i]; });
  }
  if (!p.isSink)
    warp.writePredicate(p, decoded.combine == Combine::And ? holds & q
                                                           : holds | q);
}
} // namespace

#define EACH_BITS(NAME, F)                                                     \
  {NAME, "b16", "", "d s s", perBit<narrow<uint16_t, F>>},                     \
      {NAME, "b32", "", "d s s", perBit<narrow<uint32_t, F>>},                 \
      {NAME, "b64", "", "d s s", perBit<narrow<uint64_t, F>>}, {               \
    NAME, "pred", "", "p P P", predicateLogic<F>                               \
  }

static const Row rows[] = {
    EACH_BITS("and", andBits),
    EACH_BITS("or", orBits),
    EACH_BITS("xor", xorBits),
    {"not", "b16", "", "d s", perBit<notBits<uint16_t>>},
    {"not", "b32", "", "d s", perBit<notBits<uint32_t>>},
    {"not", "b64", "", "d s", perBit<notBits<uint64_t>>},
    {"not", "pred", "", "p P", predicateNot},
    {"shl", "b16", "", "d s s=32", perBit<shl<uint16_t>>},
    {"shl", "b32", "", "d s s=32", perBit<shl<uint32_t>>},
    {"shl", "b64", "", "d s s=32", perBit<shl<uint64_t>>},
    {"shr", "b16|u16", "", "d s s=32", perBit<shr<uint16_t>>},
    {"shr", "b32|u32", "", "d s s=32", perBit<shr<uint32_t>>},
    {"shr", "b64|u64", "", "d s s=32", perBit<shr<uint64_t>>},
    {"shr", "s16", "", "d s s=32", perBit<shr<int16_t>>},
    {"shr", "s32", "", "d s s=32", perBit<shr<int32_t>>},
    {"shr", "s64", "", "d s s=32", perBit<shr<int64_t>>},
    {"shf.l.wrap", "b32", "", "d s s s", perBit<funnel<true, true>>},
    {"shf.l.clamp", "b32", "", "d s s s", perBit<funnel<true, false>>},
    {"shf.r.wrap", "b32", "", "d s s s", perBit<funnel<false, true>>},
    {"shf.r.clamp", "b32", "", "d s s s", perBit<funnel<false, false>>},
    {"lop3", "b32", "", "d s s s i=32", perBit<lop3>},
    {"prmt", "b32", "", "d s s s", perBit<prmt>},
    {"prmt.f4e", "b32", "", "d s s s", perBit<prmtMode<Permute::F4E>>},
    {"prmt.b4e", "b32", "", "d s s s", perBit<prmtMode<Permute::B4E>>},
    {"prmt.rc8", "b32", "", "d s s s", perBit<prmtMode<Permute::RC8>>},
    {"prmt.ecl", "b32", "", "d s s s", perBit<prmtMode<Permute::ECL>>},
    {"prmt.ecr", "b32", "", "d s s s", perBit<prmtMode<Permute::ECR>>},
    {"prmt.rc16", "b32", "", "d s s s", perBit<prmtMode<Permute::RC16>>},
    {"lop3.and", "b32", "", "d|p s s s i=32 P", lop3Predicate},
    {"lop3.or", "b32", "", "d|p s s s i=32 P", lop3Predicate},
    {"cnot", "b16", "", "d s", perLane<cnot<uint16_t>>},
    {"cnot", "b32", "", "d s", perLane<cnot<uint32_t>>},
    {"cnot", "b64", "", "d s", perLane<cnot<uint64_t>>},
};

llvm::ArrayRef<Row> mx::ptx::getLogicRows() { return rows; }
