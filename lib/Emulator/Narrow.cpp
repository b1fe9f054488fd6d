// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cvt of FP8, FP6, FP4 and UE8M0 (PTX ISA 9.7.9.21), whose codecs are those of
// lib/Formats, and stochastic rounding (.rs).

#include "Lanes.h"
#include "Rounding.h"

#include "mx/Formats/Codec.h"

#include "llvm/ADT/bit.h"

#include <cmath>

using namespace mx::ptx;

namespace {
/// Codes lie in four bits each for E2M1, in a byte each for others.
template <mx::Element E>
constexpr unsigned codeBits = E == mx::Element::E2M1 ? 4 : 8;

/// What .relu makes of a value; a NaN passes the comparison with zero.
float rectify(const Decoded &decoded, float value) {
  return decoded.relu && value <= 0 ? 0.0f : value;
}

template <mx::Element E>
uint64_t encodePair(const Decoded &decoded, float high, float low) {
  return uint64_t(mx::encodeMiniFloat<E>(rectify(decoded, high)))
             << codeBits<E> |
         mx::encodeMiniFloat<E>(rectify(decoded, low));
}
template <mx::Element E>
uint64_t f32ToNarrow(const Decoded &decoded, uint64_t a, uint64_t b) {
  return encodePair<E>(decoded, mx::fromBits(a), mx::fromBits(b));
}
template <mx::Element E>
uint64_t halfToNarrow(const Decoded &decoded, uint64_t a) {
  Type type = decoded.types[1] == Type::F16x2 ? Type::F16 : Type::BF16;
  return encodePair<E>(decoded, float(decodeFloat(type, a >> 16 & 0xFFFF)),
                       float(decodeFloat(type, a & 0xFFFF)));
}
template <mx::Element E>
uint64_t narrowToF16(const Decoded &decoded, uint64_t a) {
  auto convert = [&](uint64_t bits) {
    uint64_t code = bits & ((1u << (mx::getMiniFloat(E).signShift() + 1)) - 1);
    float value = rectify(decoded, mx::decodeElement(E, code));
    return encodeFloat(Type::F16, value, Rounding::Nearest);
  };
  return convert(a >> codeBits<E>) << 16 | convert(a);
}

//===----------------------------------------------------------------------===//
// UE8M0
//===----------------------------------------------------------------------===//

/// The exponent of |value| toward zero, or up; NaN is 0xFF, and without
/// .satfinite so is what lies beyond the largest.
uint64_t encodeScale(const Decoded &decoded, float value) {
  uint32_t magnitude = mx::toBits(value) & 0x7FFFFFFF;
  bool isUp = decoded.rounding == Rounding::Up;
  if (magnitude > 0x7F800000 ||
      (!decoded.satfinite && magnitude > (isUp ? 0x7F000000 : 0x7F7FFFFF)))
    return 0xFF;
  return isUp ? mx::encodeE8M0Up(value) : std::min(magnitude >> 23, 0xFEu);
}
uint64_t f32ToScales(const Decoded &decoded, uint64_t a, uint64_t b) {
  return encodeScale(decoded, mx::fromBits(a)) << 8 |
         encodeScale(decoded, mx::fromBits(b));
}
uint64_t bf16ToScales(const Decoded &decoded, uint64_t a) {
  return encodeScale(decoded, mx::decodeBF16(a >> 16)) << 8 |
         encodeScale(decoded, mx::decodeBF16(a));
}
uint64_t scalesToBF16(const Decoded &, uint64_t a) {
  auto convert = [](uint8_t code) {
    return code == 0xFF ? uint64_t(nanF16)
                        : uint64_t(mx::encodeBF16(mx::decodeE8M0(code)));
  };
  return convert(a >> 8) << 16 | convert(a);
}

//===----------------------------------------------------------------------===//
// Stochastic rounding. Which random bits an element gets was measured on B200
// (vkuzo/quant_cast_bench, nvidia_rs_bit_probe).
//===----------------------------------------------------------------------===//

uint32_t reverse(uint32_t value, unsigned bits) {
  uint32_t result = 0;
  for (unsigned i = 0; i < bits; ++i)
    result = result << 1 | (value >> i & 1);
  return result;
}

/// `value` as a multiple of the grid of `mantissaBits` and `minExponent`: down
/// in magnitude, or up if the rest of a step and the random number of
/// `randomBits` bits are at least one step together.
double roundStochastically(double value, unsigned mantissaBits, int minExponent,
                           uint32_t random, unsigned randomBits) {
  if (value == 0 || !std::isfinite(value))
    return value;
  int step = std::max(getExponent(value), minExponent) - int(mantissaBits);
  double steps = std::fabs(value) * getPower(-step);
  double whole = std::floor(steps);
  bool isUp = (steps - whole) + random * getPower(-int(randomBits)) >= 1;
  return std::copysign((whole + isUp) * getPower(step), value);
}

template <Type To, unsigned RandomBits>
uint64_t f32ToPairStochastic(const Decoded &decoded, uint64_t a, uint64_t b,
                             uint64_t bits) {
  constexpr bool isF16 = To == Type::F16;
  auto convert = [&](uint64_t source, uint32_t random) {
    double value = rectify(decoded, mx::fromBits(source));
    value = roundStochastically(value, isF16 ? 10 : 7, isF16 ? -14 : -126,
                                random & ((1u << RandomBits) - 1), RandomBits);
    // Already on the grid; beyond the largest value lies inf.
    return encodeFloat(To, value, Rounding::Nearest, decoded.satfinite);
  };
  return convert(a, bits >> 16) << 16 | convert(b, bits);
}

template <mx::Element E>
uint64_t encodeStochastic(const Decoded &decoded, uint64_t source,
                          uint32_t random) {
  constexpr mx::MiniFloat format = mx::getMiniFloat(E);
  float value = rectify(decoded, mx::fromBits(source));
  return mx::encodeMiniFloat<E>(
      std::isnan(value)
          ? value
          : float(roundStochastically(value, format.mantissaBits,
                                      1 - format.bias, random, 16)));
}

/// {a, b, e, f} from the top down; e and f share the low half of the random
/// bits, a and b the high one.
template <mx::Element E> void f32ToQuad(Warp &warp, const Decoded &decoded) {
  llvm::ArrayRef<Value> from = decoded.vector(1);
  const uint64_t *bits = warp.read(decoded.value(2));
  if (from.size() != 4)
    return warp.fault(llvm::countr_zero(warp.active),
                      "expected four values to convert");
  const uint64_t *source[4];
  for (unsigned i = 0; i < 4; ++i)
    source[i] = warp.read(from[i]);
  if (!bits || warp.hasFault())
    return;
  uint64_t result[warpSize];
  forEachLane(warp.active, [&](unsigned lane) {
    uint32_t word = bits[lane];
    uint32_t random[4];
    if (E == mx::Element::E2M1) {
      uint32_t b0 = word & 0xFF, b1 = word >> 8 & 0xFF;
      uint32_t b2 = word >> 16 & 0xFF, b3 = word >> 24;
      random[0] = reverse(b1, 8) << 8 | reverse(b3, 8);
      random[1] = b3 << 8 | b1;
      random[2] = reverse(b0, 8) << 8 | reverse(b2, 8);
      random[3] = b2 << 8 | b0;
    } else {
      random[0] = reverse(word >> 16, 16);
      random[1] = word >> 16;
      random[2] = reverse(word & 0xFFFF, 16);
      random[3] = word & 0xFFFF;
    }
    result[lane] = 0;
    for (unsigned i = 0; i < 4; ++i)
      result[lane] |= encodeStochastic<E>(decoded, source[i][lane], random[i])
                      << ((3 - i) * codeBits<E>);
  });
  uint64_t *d = warp.write(decoded.value(0));
  forEachLane(warp.active, [&](unsigned lane) { d[lane] = result[lane]; });
}
} // namespace

#define NARROW(NAME, E)                                                        \
  {"cvt.rn.satfinite", NAME " f32", "relu", "d s1 s1",                         \
   perLane<f32ToNarrow<mx::Element::E>>},                                      \
      {"cvt.rn.satfinite", NAME " f16x2|bf16x2", "relu", "d s1",               \
       perLane<halfToNarrow<mx::Element::E>>},                                 \
  {                                                                            \
    "cvt.rn", "f16x2 " NAME, "relu", "d s1",                                   \
        perLane<narrowToF16<mx::Element::E>>                                   \
  }

// The random bits of e2m3x4 and e3m2x4 are not known, so they are left out.
static const Row rows[] = {
    NARROW("e4m3x2", E4M3),
    NARROW("e5m2x2", E5M2),
    NARROW("e2m1x2", E2M1),
    NARROW("e2m3x2", E2M3),
    NARROW("e3m2x2", E3M2),
    {"cvt.rp", "ue8m0x2 f32", "satfinite", "d s1 s1", perLane<f32ToScales>},
    {"cvt.rz", "ue8m0x2 f32", "satfinite", "d s1 s1", perLane<f32ToScales>},
    {"cvt.rp", "ue8m0x2 bf16x2", "satfinite", "d s1", perLane<bf16ToScales>},
    {"cvt.rz", "ue8m0x2 bf16x2", "satfinite", "d s1", perLane<bf16ToScales>},
    {"cvt.rn", "bf16x2 ue8m0x2", "", "d s1", perLane<scalesToBF16>},
    {"cvt.rs", "f16x2 f32", "relu satfinite", "d s1 s1 s=32",
     perLane<f32ToPairStochastic<Type::F16, 13>>},
    {"cvt.rs", "bf16x2 f32", "relu satfinite", "d s1 s1 s=32",
     perLane<f32ToPairStochastic<Type::BF16, 16>>},
    {"cvt.rs.satfinite", "e4m3x4 f32", "relu", "d v1 s=32",
     f32ToQuad<mx::Element::E4M3>},
    {"cvt.rs.satfinite", "e5m2x4 f32", "relu", "d v1 s=32",
     f32ToQuad<mx::Element::E5M2>},
    {"cvt.rs.satfinite", "e2m1x4 f32", "relu", "d v1 s=32",
     f32ToQuad<mx::Element::E2M1>},
};

llvm::ArrayRef<Row> mx::ptx::getNarrowRows() { return rows; }
