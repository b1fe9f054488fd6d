// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cvt (PTX ISA 9.7.9.21) between integers, floats and the narrow types, whose
// codecs are those of lib/Formats.

#include "Lanes.h"
#include "Rounding.h"

#include "mx/Formats/Codec.h"

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
  unsigned bits = decoded.value(0).bits;
  value = extend(decoded.types[0], value);
  return bits == 64 ? value : value & ((uint64_t(1) << bits) - 1);
}

namespace {
uint64_t intToInt(const Decoded &decoded, uint64_t a) {
  Type to = decoded.types[0], from = decoded.types[1];
  uint64_t value = extend(from, a);
  if (decoded.sat) {
    __int128 wide = isSigned(from) ? __int128(int64_t(value)) : __int128(value);
    unsigned bits = getBitWidth(to) - isSigned(to);
    __int128 most = (__int128(1) << bits) - 1;
    __int128 least = isSigned(to) ? -most - 1 : 0;
    value = uint64_t(std::min(std::max(wide, least), most));
  }
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
  switch (decoded.rounding[1]) {
  case 'n':
    value = std::nearbyint(value);
    break;
  case 'z':
    value = std::trunc(value);
    break;
  case 'm':
    value = std::floor(value);
    break;
  default:
    value = std::ceil(value);
  }
  // The bound above is a power of two, and thus exact.
  double above = std::ldexp(1, width - isSigned(to));
  double least = isSigned(to) ? -above : 0;
  uint64_t most = width == 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1;
  if (isSigned(to))
    most >>= 1;
  if (value >= above)
    return fit(decoded, most);
  if (value <= least)
    return fit(decoded, isSigned(to) ? ~most : 0);
  return fit(decoded,
             isSigned(to) ? uint64_t(int64_t(value)) : uint64_t(value));
}

uint64_t intToF32(const Decoded &decoded, uint64_t a) {
  uint64_t value = extend(decoded.types[1], a);
  return mx::toBits(isSigned(decoded.types[1]) ? float(int64_t(value))
                                               : float(value));
}
uint64_t intToF64(const Decoded &decoded, uint64_t a) {
  uint64_t value = extend(decoded.types[1], a);
  return llvm::bit_cast<uint64_t>(
      isSigned(decoded.types[1]) ? double(int64_t(value)) : double(value));
}
/// Of at most 32 bits, which a double holds.
uint64_t intToHalf(const Decoded &decoded, uint64_t a) {
  uint64_t value = extend(decoded.types[1], a);
  double exact =
      isSigned(decoded.types[1]) ? double(int64_t(value)) : double(value);
  return encodeFloat(decoded.types[0], exact, decoded.rounding);
}

uint64_t roundFloat(const Decoded &decoded, Type to, double value) {
  if (decoded.relu && !(value > 0) && !std::isnan(value))
    value = 0;
  return encodeFloat(to, value, decoded.rounding, decoded.sat);
}

/// Narrowing needs a rounding mode; .rni and so on round to an integral value
/// of the type.
uint64_t floatToFloat(const Decoded &decoded, uint64_t a) {
  Type to = decoded.types[0], from = decoded.types[1];
  double value = decodeFloat(from, a);
  auto flush = [&](double x) {
    return decoded.ftz && std::fabs(x) < std::ldexp(1, -126)
               ? std::copysign(0.0, x)
               : x;
  };
  if (from == Type::F32)
    value = flush(value);
  if (decoded.rounding.size() == 3 && decoded.rounding.back() == 'i')
    value = roundTo(value, 1 << 11, 1 << 11, decoded.rounding.take_front(2));
  if (decoded.sat && to != Type::TF32)
    value = value > 0 ? std::min(value, 1.0) : 0.0;
  if (to == Type::F32 && from != Type::F64)
    return std::isnan(value) ? nanF32 : mx::toBits(float(flush(value)));
  return roundFloat(decoded, to, value);
}

/// a goes to the high half, b to the low one.
template <Type To>
uint64_t f32ToPair(const Decoded &decoded, uint64_t a, uint64_t b) {
  return roundFloat(decoded, To, mx::fromBits(a)) << 16 |
         roundFloat(decoded, To, mx::fromBits(b));
}

//===----------------------------------------------------------------------===//
// Narrow types
//===----------------------------------------------------------------------===//

/// Two codes side by side: E2M1 in four bits each, others in a byte each.
template <mx::Element E>
uint64_t encodePair(const Decoded &decoded, float high, float low) {
  constexpr unsigned shift = E == mx::Element::E2M1 ? 4 : 8;
  // A NaN passes the comparison with zero.
  if (decoded.relu) {
    high = high <= 0 ? 0.0f : high;
    low = low <= 0 ? 0.0f : low;
  }
  return uint64_t(mx::encodeMiniFloat<E>(high)) << shift |
         mx::encodeMiniFloat<E>(low);
}
template <mx::Element E>
uint64_t f32ToNarrow(const Decoded &decoded, uint64_t a, uint64_t b) {
  return encodePair<E>(decoded, mx::fromBits(a), mx::fromBits(b));
}
template <mx::Element E>
uint64_t f16ToNarrow(const Decoded &decoded, uint64_t a) {
  return encodePair<E>(decoded, mx::decodeF16(a >> 16), mx::decodeF16(a));
}
template <mx::Element E>
uint64_t narrowToF16(const Decoded &decoded, uint64_t a) {
  constexpr unsigned shift = E == mx::Element::E2M1 ? 4 : 8;
  auto convert = [&](uint64_t bits) {
    uint64_t code = bits & ((1u << (mx::getMiniFloat(E).signShift() + 1)) - 1);
    float value = mx::fromBits(mx::decodeMiniFloatBits(E, code));
    return roundFloat(decoded, Type::F16, value);
  };
  return convert(a >> shift) << 16 | convert(a);
}

/// The exponent of |value| toward zero, or up; NaN is 0xFF.
uint64_t encodeScale(const Decoded &decoded, float value) {
  if (decoded.rounding == "rp")
    return mx::encodeE8M0Up(value);
  uint32_t magnitude = mx::toBits(value) & 0x7FFFFFFF;
  return magnitude > 0x7F800000 ? 0xFF : std::min(magnitude >> 23, 0xFEu);
}
uint64_t f32ToScales(const Decoded &decoded, uint64_t a, uint64_t b) {
  return encodeScale(decoded, mx::fromBits(a)) << 8 |
         encodeScale(decoded, mx::fromBits(b));
}
uint64_t scalesToBF16(const Decoded &, uint64_t a) {
  auto convert = [](uint8_t code) {
    return code == 0xFF ? uint64_t(nanF16)
                        : uint64_t(mx::encodeBF16(mx::decodeE8M0(code)));
  };
  return convert(a >> 8) << 16 | convert(a);
}
} // namespace

#define INTEGERS "u8|s8|u16|s16|u32|s32|u64|s64"
#define NARROW(NAME, E)                                                        \
  {"cvt.rn.satfinite", NAME " f32", "relu", "d s1 s1",                         \
   perLane<f32ToNarrow<mx::Element::E>>},                                      \
      {"cvt.rn.satfinite", NAME " f16x2", "relu", "d s1",                      \
       perLane<f16ToNarrow<mx::Element::E>>},                                  \
  {                                                                            \
    "cvt.rn", "f16x2 " NAME, "relu", "d s1",                                   \
        perLane<narrowToF16<mx::Element::E>>                                   \
  }

static const Row rows[] = {
    {"cvt", INTEGERS " " INTEGERS, "sat", "d* s*", perLane<intToInt>},
    {"cvt.rni", INTEGERS " f16|bf16|f32|f64", "ftz sat", "d* s1",
     perLane<floatToInt>},
    {"cvt.rzi", INTEGERS " f16|bf16|f32|f64", "ftz sat", "d* s1",
     perLane<floatToInt>},
    {"cvt.rmi", INTEGERS " f16|bf16|f32|f64", "ftz sat", "d* s1",
     perLane<floatToInt>},
    {"cvt.rpi", INTEGERS " f16|bf16|f32|f64", "ftz sat", "d* s1",
     perLane<floatToInt>},
    {"cvt.rn", "f32 " INTEGERS, "", "d s*", perLane<intToF32>},
    {"cvt.rn", "f64 " INTEGERS, "", "d s*", perLane<intToF64>},
    {"cvt.rn", "f16|bf16 u8|s8|u16|s16|u32|s32", "", "d s*",
     perLane<intToHalf>},
    {"cvt", "f32 f16|bf16", "ftz sat", "d s1", perLane<floatToFloat>},
    {"cvt", "f64 f16|bf16|f32", "ftz", "d s1", perLane<floatToFloat>},
    {"cvt", "f32 f32", "ftz sat rni rzi rmi rpi", "d s1",
     perLane<floatToFloat>},
    {"cvt", "f16|bf16 f32", "rn rz relu ftz", "d s1", perLane<floatToFloat>},
    {"cvt", "f16 f32", "rm rp ftz", "d s1", perLane<floatToFloat>},
    {"cvt", "f32 f64", "rn rz rm rp", "d s1", perLane<floatToFloat>},
    {"cvt", "tf32 f32", "rn rz rna satfinite relu", "d s1",
     perLane<floatToFloat>},
    {"cvt", "f16x2 f32", "rn rz relu satfinite", "d s1 s1",
     perLane<f32ToPair<Type::F16>>},
    {"cvt", "bf16x2 f32", "rn rz relu satfinite", "d s1 s1",
     perLane<f32ToPair<Type::BF16>>},
    NARROW("e4m3x2", E4M3),
    NARROW("e5m2x2", E5M2),
    NARROW("e2m1x2", E2M1),
    NARROW("e2m3x2", E2M3),
    NARROW("e3m2x2", E3M2),
    {"cvt.rp.satfinite", "ue8m0x2 f32", "", "d s1 s1", perLane<f32ToScales>},
    {"cvt.rz.satfinite", "ue8m0x2 f32", "", "d s1 s1", perLane<f32ToScales>},
    {"cvt.rn", "bf16x2 ue8m0x2", "", "d s1", perLane<scalesToBF16>},
};

llvm::ArrayRef<Row> mx::ptx::getConvertRows() { return rows; }
