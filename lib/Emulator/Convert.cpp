// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cvt (PTX ISA 9.7.9.21) between integers and the types of at least 16 bits,
// cvt.pack (9.7.9.22). Compiled with -frounding-math.

#include "Lanes.h"
#include "Rounding.h"

#include "mx/Formats/Codec.h"

#include "llvm/Support/MathExtras.h"

#include <cfenv>
#include <cmath>

using namespace mx::ptx;

/// The low bits of a register as its type has them, extended to 64.
static uint64_t extend(Type type, uint64_t bits) {
  unsigned shift = 64 - getBitWidth(type);
  bits <<= shift;
  return isSigned(type) ? uint64_t(int64_t(bits) >> shift) : bits >> shift;
}

/// As the register holds it: extended by the type's sign, then cut.
static uint64_t fit(const Decoded &decoded, uint64_t value) {
  return extend(decoded.types[0], value) &
         llvm::maskTrailingOnes<uint64_t>(decoded.value(0).bits);
}

namespace {
//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// `value`, of at most 64 bits, within the integers of `bits` bits.
__int128 clamp(__int128 value, unsigned bits, bool isSigned) {
  __int128 most = (__int128(1) << (bits - isSigned)) - 1;
  __int128 least = isSigned ? -most - 1 : 0;
  return std::min(std::max(value, least), most);
}

uint64_t intToInt(const Decoded &decoded, uint64_t a) {
  Type to = decoded.types[0], from = decoded.types[1];
  uint64_t value = extend(from, a);
  if (decoded.sat)
    value = uint64_t(
        clamp(isSigned(from) ? __int128(int64_t(value)) : __int128(value),
              getBitWidth(to), isSigned(to)));
  return fit(decoded, value);
}

/// Saturates. A NaN is 0, or for 64-bit types and from f64 the top bit alone.
uint64_t floatToInt(const Decoded &decoded, uint64_t a) {
  Type to = decoded.types[0], from = decoded.types[1];
  double value = decodeFloat(from, a);
  if (decoded.ftz && from == Type::F32 &&
      std::fpclassify(float(value)) == FP_SUBNORMAL)
    value = 0;
  unsigned width = getBitWidth(to);
  if (std::isnan(value)) {
    bool isTop = width == 64 || (from == Type::F64 && width == 32);
    return isTop ? uint64_t(1) << (width - 1) : 0;
  }
  value = roundToIntegral(value, decoded.rounding);
  // The bound above is a power of two, and thus exact.
  double above = getPower(width - isSigned(to));
  double least = isSigned(to) ? -above : 0;
  uint64_t most = llvm::maskTrailingOnes<uint64_t>(width - isSigned(to));
  if (value >= above)
    return fit(decoded, most);
  if (value <= least)
    return fit(decoded, isSigned(to) ? ~most : 0);
  return fit(decoded,
             isSigned(to) ? uint64_t(int64_t(value)) : uint64_t(value));
}

/// In the processor's rounding mode: see intToFloat.
template <typename T>
uint64_t convertInt(const Decoded &decoded, uint64_t value) {
  return llvm::bit_cast<std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>(
      isSigned(decoded.types[1]) ? T(int64_t(value)) : T(value));
}

/// With at most 53 bits, the last one standing for those that are cut off.
double toDoubleOdd(Type type, uint64_t value) {
  bool isNegative = isSigned(type) && int64_t(value) < 0;
  uint64_t magnitude = isNegative ? -value : value;
  unsigned excess = 64 - std::min(llvm::countl_zero(magnitude | 1), 11) - 53;
  bool isSticky = magnitude & llvm::maskTrailingOnes<uint64_t>(excess);
  double result = double(((magnitude >> excess) | isSticky) << excess);
  return isNegative ? -result : result;
}

uint64_t intToFloat(const Decoded &decoded, uint64_t a) {
  Type to = decoded.types[0], from = decoded.types[1];
  uint64_t value = extend(from, a);
  uint64_t bits = to == Type::F32   ? convertInt<float>(decoded, value)
                  : to == Type::F64 ? convertInt<double>(decoded, value)
                                    : encodeFloat(to, toDoubleOdd(from, value),
                                                  decoded.rounding);
  if (!decoded.sat)
    return bits;
  // Integers are in [0, 1] or beyond.
  bool isPositive = isSigned(from) ? int64_t(value) > 0 : value > 0;
  return encodeFloat(to, isPositive ? 1 : 0, Rounding::Nearest);
}

void intToFloatDirected(Warp &warp, const Decoded &decoded) {
  if (decoded.rounding != Rounding::Nearest)
    std::fesetround(decoded.rounding == Rounding::Zero   ? FE_TOWARDZERO
                    : decoded.rounding == Rounding::Down ? FE_DOWNWARD
                                                         : FE_UPWARD);
  perLane<intToFloat>(warp, decoded);
  std::fesetround(FE_TONEAREST);
}

/// a and b, clamped, in the low bits; above them the low bits of c.
uint64_t packInts(const Decoded &decoded, uint64_t a, uint64_t b, uint64_t c) {
  Type to = decoded.types[0];
  unsigned bits = to == Type::U2 || to == Type::S2   ? 2
                  : to == Type::U4 || to == Type::S4 ? 4
                                                     : getBitWidth(to);
  bool hasSign = isSigned(to) || to == Type::S2 || to == Type::S4;
  uint64_t mask = llvm::maskTrailingOnes<uint64_t>(bits);
  uint64_t low = uint64_t(clamp(int32_t(b), bits, hasSign)) & mask;
  uint64_t high = uint64_t(clamp(int32_t(a), bits, hasSign)) & mask;
  return uint32_t(c << (2 * bits) | high << bits | low);
}
uint64_t packInts16(const Decoded &decoded, uint64_t a, uint64_t b) {
  return packInts(decoded, a, b, 0);
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

uint64_t roundFloat(const Decoded &decoded, Type to, double value) {
  if (decoded.relu && !(value > 0) && !std::isnan(value))
    value = 0;
  return encodeFloat(to, value, decoded.rounding, decoded.satfinite);
}

/// .rni and so on round to an integral value of the type. Flushing concerns
/// f32 only.
uint64_t floatToFloat(const Decoded &decoded, uint64_t a) {
  Type to = decoded.types[0], from = decoded.types[1];
  double value = decodeFloat(from, a);
  auto flush = [&](double x) {
    return decoded.ftz && std::fabs(x) < 0x1p-126 ? std::copysign(0.0, x) : x;
  };
  if (from == Type::F32)
    value = flush(value);
  if (decoded.toIntegral)
    value = roundToIntegral(value, decoded.rounding);
  if (decoded.sat)
    value = value > 0 ? std::min(value, 1.0) : 0.0;
  uint64_t bits = roundFloat(decoded, to, value);
  if (to == Type::F32 && decoded.ftz && (bits & 0x7F800000) == 0)
    bits &= 0x80000000;
  // The low 13 bits of tf32 are zero; of its NaN too.
  return to == Type::TF32 ? bits & ~uint64_t(0x1FFF) : bits;
}

/// a goes to the high half, b to the low one.
template <Type To>
uint64_t f32ToPair(const Decoded &decoded, uint64_t a, uint64_t b) {
  return roundFloat(decoded, To, mx::fromBits(a)) << 16 |
         roundFloat(decoded, To, mx::fromBits(b));
}
} // namespace

#define INTEGERS "u8|s8|u16|s16|u32|s32|u64|s64"
#define FLOATS "f16|bf16|f32|f64"
#define FLOAT_TO_INT(NAME)                                                     \
  {NAME, INTEGERS " " FLOATS, "ftz sat", "d* s1", perLane<floatToInt>}

static const Row rows[] = {
    {"cvt", INTEGERS " " INTEGERS, "sat", "d* s*", perBit<intToInt>},
    FLOAT_TO_INT("cvt.rni"),
    FLOAT_TO_INT("cvt.rzi"),
    FLOAT_TO_INT("cvt.rmi"),
    FLOAT_TO_INT("cvt.rpi"),
    {"cvt", FLOATS " " INTEGERS, "rn rz rm rp sat", "d s*", intToFloatDirected},
    {"cvt", FLOATS " " FLOATS,
     "rn rz rm rp rni rzi rmi rpi ftz sat relu satfinite", "d s1",
     perLane<floatToFloat>},
    {"cvt.rn", "tf32 f32", "satfinite relu", "d s1", perLane<floatToFloat>},
    {"cvt.rz", "tf32 f32", "satfinite relu", "d s1", perLane<floatToFloat>},
    {"cvt.rna", "tf32 f32", "satfinite", "d s1", perLane<floatToFloat>},
    {"cvt.rn", "f16x2 f32", "relu satfinite", "d s1 s1",
     perLane<f32ToPair<Type::F16>>},
    {"cvt.rz", "f16x2 f32", "relu satfinite", "d s1 s1",
     perLane<f32ToPair<Type::F16>>},
    {"cvt.rn", "bf16x2 f32", "relu satfinite", "d s1 s1",
     perLane<f32ToPair<Type::BF16>>},
    {"cvt.rz", "bf16x2 f32", "relu satfinite", "d s1 s1",
     perLane<f32ToPair<Type::BF16>>},
    {"cvt.pack.sat", "u16|s16 s32", "", "d=32 s1 s1", perLane<packInts16>},
    {"cvt.pack.sat", "u2|s2|u4|s4|u8|s8 s32 b32", "", "d=32 s1 s1 s=32",
     perLane<packInts>},
};

llvm::ArrayRef<Row> mx::ptx::getConvertRows() { return rows; }
