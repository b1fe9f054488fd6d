// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element and scale codecs: f32 to code and back, bit by bit. The floating
// types agree with the CUDA 13 headers (cuda_fp8.h, cuda_fp6.h, cuda_fp4.h) on
// every input; see also OCP MX v1.0 section 5.3.
//
// A code is the element's bit pattern in the low bits of a byte. All functions
// are pure and branch-free, so that loops over them vectorise; nothing here
// depends on the rounding mode or contracts operations.

#ifndef MX_FORMATS_CODEC_H
#define MX_FORMATS_CODEC_H

#include "mx/Formats/Format.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/bit.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace mx {

/// How a value between two codes is rounded.
enum class ElementRounding : uint8_t {
  /// To the nearest, ties to the even code.
  NearestEven,
  /// To the nearest, ties away from zero (microxcaling's default).
  NearestAway,
  /// Up with the probability of the distance to the lower code.
  Stochastic
};

/// A sign-magnitude floating type of at most 8 bits. The magnitude codes
/// ascend with the value: below 2^mantissaBits they are subnormal.
struct MiniFloat {
  unsigned exponentBits;
  unsigned mantissaBits;
  int bias;
  /// Magnitude code of the largest finite value.
  uint32_t maxCode;
  /// What NaN encodes as, its sign dropped.
  uint32_t nanCode;

  constexpr unsigned signShift() const { return exponentBits + mantissaBits; }
};

/// The layout of E2M1, E2M3, E3M2, E4M3 or E5M2.
constexpr MiniFloat getMiniFloat(Element element) {
  switch (element) {
  case Element::E2M1:
    return {2, 1, 1, 0x7, 0x7};
  case Element::E2M3:
    return {2, 3, 1, 0x1F, 0x1F};
  case Element::E3M2:
    return {3, 2, 3, 0x1F, 0x1F};
  case Element::E4M3:
    return {4, 3, 7, 0x7E, 0x7F};
  default:
    return {5, 2, 15, 0x7B, 0x7F};
  }
}

/// True for the elements that `getMiniFloat` describes.
constexpr bool isMiniFloat(Element element) { return element <= Element::E5M2; }

/// Exponent of an MX element's largest value.
constexpr int getMaxExponent(Element element) {
  switch (element) {
  case Element::E2M1:
  case Element::E2M3:
    return 2;
  case Element::E3M2:
    return 4;
  case Element::E4M3:
    return 8;
  case Element::E5M2:
    return 15;
  default:
    return 0;
  }
}

/// Bits behind the leading one of an MX element's values.
constexpr unsigned getMantissaBits(Element element) {
  return isMiniFloat(element) ? getMiniFloat(element).mantissaBits : 6;
}

inline uint32_t toBits(float value) { return llvm::bit_cast<uint32_t>(value); }
inline float fromBits(uint32_t bits) { return llvm::bit_cast<float>(bits); }

//===----------------------------------------------------------------------===//
// Floating elements
//===----------------------------------------------------------------------===//

/// Magnitude code of |v|, `abs` its f32 bits (not NaN), to nearest, ties to
/// even; saturating. Normal codes round the f32 bits as integers; below the
/// smallest normal value an f32 addition rounds at the subnormal step, because
/// the sum's last place is that step.
template <Element E> inline uint32_t encodeMagnitudeEven(uint32_t abs) {
  constexpr MiniFloat f = getMiniFloat(E);
  constexpr unsigned shift = 23 - f.mantissaBits;
  constexpr uint32_t half = (1u << (shift - 1)) - 1;
  constexpr uint32_t rebias = uint32_t(127 - f.bias) << f.mantissaBits;
  constexpr uint32_t minNormal = uint32_t(128 - f.bias) << 23;
  constexpr uint32_t magic = uint32_t(151 - f.bias - f.mantissaBits) << 23;
  uint32_t normal = ((abs + half + ((abs >> shift) & 1)) >> shift) - rebias;
  uint32_t subnormal = toBits(fromBits(abs) + fromBits(magic)) - magic;
  return std::min(abs < minNormal ? subnormal : normal, f.maxCode);
}

/// As above, ties away from zero.
template <Element E> inline uint32_t encodeMagnitudeAway(uint32_t abs) {
  constexpr MiniFloat f = getMiniFloat(E);
  constexpr unsigned shift = 23 - f.mantissaBits;
  constexpr uint32_t rebias = uint32_t(127 - f.bias) << f.mantissaBits;
  constexpr uint32_t minNormal = uint32_t(128 - f.bias) << 23;
  constexpr uint32_t steps = uint32_t(126 + f.bias + f.mantissaBits) << 23;
  uint32_t normal = ((abs + (1u << (shift - 1))) >> shift) - rebias;
  // In units of the subnormal step: exact, and so is the fraction.
  float scaled = fromBits(std::min(abs, minNormal)) * fromBits(steps);
  uint32_t whole = uint32_t(int32_t(scaled));
  uint32_t subnormal = whole + (scaled - float(int32_t(whole)) >= 0.5f);
  return std::min(abs < minNormal ? subnormal : normal, f.maxCode);
}

/// As above, stochastic: with u the top `bits` (8 to 24) bits of `random` and d
/// the distance to the lower code in steps of the grid, rounds up if
/// floor(d * 2^bits) + u >= 2^bits. Unbiased up to 2^-bits of a step.
template <Element E>
inline uint32_t encodeMagnitudeStochastic(uint32_t abs, uint32_t random,
                                          unsigned bits) {
  constexpr MiniFloat f = getMiniFloat(E);
  constexpr unsigned shift = 23 - f.mantissaBits;
  constexpr uint32_t rebias = uint32_t(127 - f.bias) << f.mantissaBits;
  constexpr uint32_t minNormal = uint32_t(128 - f.bias) << 23;
  constexpr uint32_t steps = uint32_t(126 + f.bias + f.mantissaBits) << 23;
  uint32_t u = random >> (32 - bits);
  // The discarded mantissa bits are d in units of 2^-shift.
  uint32_t normalRandom =
      bits > shift ? u >> (bits - shift) : u << (shift - bits);
  uint32_t normal = ((abs + normalRandom) >> shift) - rebias;
  // Below: d in units of 2^-bits, at most 2^3 * 2^24.
  float scaled =
      fromBits(std::min(abs, minNormal)) * fromBits(steps) * float(1u << bits);
  uint32_t subnormal = (uint32_t(int32_t(scaled)) + u) >> bits;
  return std::min(abs < minNormal ? subnormal : normal, f.maxCode);
}

/// Puts the sign back, or gives NaN's code.
template <Element E>
inline uint8_t finishCode(uint32_t valueBits, uint32_t magnitude) {
  constexpr MiniFloat f = getMiniFloat(E);
  uint32_t sign = valueBits >> 31 << f.signShift();
  bool isNaN = (valueBits & 0x7FFFFFFF) > 0x7F800000;
  return uint8_t(isNaN ? f.nanCode : sign | magnitude);
}

/// The code of `v` as element E: round to nearest even, saturate (inf too),
/// keep the sign of zero; NaN encodes as `nanCode`.
template <Element E> inline uint8_t encodeMiniFloat(float v) {
  uint32_t bits = toBits(v);
  return finishCode<E>(bits, encodeMagnitudeEven<E>(bits & 0x7FFFFFFF));
}

/// The f32 bits of a code of the floating type E, exact. E5M2 has inf and NaN,
/// E4M3 NaN.
constexpr uint32_t decodeMiniFloatBits(Element element, uint32_t code) {
  MiniFloat f = getMiniFloat(element);
  uint32_t sign = (code >> f.signShift() & 1) << 31;
  uint32_t magnitude = code & ((1u << f.signShift()) - 1);
  uint32_t exponent = magnitude >> f.mantissaBits;
  uint32_t mantissa = magnitude & ((1u << f.mantissaBits) - 1);
  if (element == Element::E4M3 && magnitude == 0x7F)
    return sign | 0x7FC00000;
  if (element == Element::E5M2 && exponent == 31)
    return sign | (mantissa ? 0x7FC00000 : 0x7F800000);
  if (exponent == 0) {
    if (mantissa == 0)
      return sign;
    // Normalise: the leading one of the mantissa becomes the hidden bit.
    exponent = 1;
    while (!(mantissa >> f.mantissaBits)) {
      mantissa <<= 1;
      --exponent;
    }
    mantissa &= (1u << f.mantissaBits) - 1;
  }
  return sign | (exponent + 127 - f.bias) << 23 |
         mantissa << (23 - f.mantissaBits);
}

//===----------------------------------------------------------------------===//
// Integer and table elements
//===----------------------------------------------------------------------===//

/// The integer nearest to `v`, ties to even, clamped to [low, high]; NaN gives
/// `low`. Both bounds are at most 2^21 in magnitude: 1.5 * 2^23 has a last
/// place of one, so the addition rounds.
inline int32_t roundToInteger(float v, float low, float high) {
  constexpr float magic = 12582912.0f;
  float clamped = v > low ? (v < high ? v : high) : low;
  return int32_t((clamped + magic) - magic);
}

/// The 16 values of NF4 (QLoRA, arXiv 2305.14314, appendix E): quantiles of
/// the normal distribution, scaled to [-1, 1].
inline constexpr std::array<float, 16> nf4Values = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f,
};

/// Midpoint i lies between values i and i + 1, rounded to f32.
constexpr float getNF4Midpoint(unsigned i) {
  return (nf4Values[i] + nf4Values[i + 1]) / 2;
}

/// The NF4 code nearest to `v`: the number of midpoints below it (so a tie goes
/// to the lower code, and NaN to 0).
inline uint8_t encodeNF4(float v) {
  uint32_t code = 0;
  for (unsigned i = 0; i < 15; ++i)
    code += v > getNF4Midpoint(i);
  return uint8_t(code);
}

//===----------------------------------------------------------------------===//
// All elements
//===----------------------------------------------------------------------===//

/// The code of `v`, which is in units of the block's scale: rounded to nearest
/// even (NF4: see `encodeNF4`) and saturated. Integers clamp to -8..7 (Int4),
/// -127..127 (Int8, and MXInt8 in units of 1/64), -1..1 (Ternary); their NaN is
/// the lowest value. Codes are two's complement in the element's width.
uint8_t encodeElement(Element element, float v);

/// The value of each code, `1 << getBitWidth(element)` of them.
llvm::ArrayRef<float> getDecodeTable(Element element);

/// The value of a code, in units of the block's scale.
inline float decodeElement(Element element, uint8_t code) {
  return getDecodeTable(element)[code];
}

//===----------------------------------------------------------------------===//
// E8M0 and 16-bit floats
//===----------------------------------------------------------------------===//

/// 2^(code - 127); 0xFF is NaN. Code 0 is an f32 subnormal.
inline float decodeE8M0(uint8_t code) {
  uint32_t bits = code == 0 ? 0x00400000 : uint32_t(code) << 23;
  return fromBits(code == 0xFF ? 0x7FC00000 : bits);
}

/// `v` rounded up to a power of two: cvt.rp.satfinite.ue8m0x2.f32. The sign is
/// ignored; 0 gives 0x00, inf 0xFE, NaN 0xFF.
inline uint8_t encodeE8M0Up(float v) {
  uint32_t abs = toBits(v) & 0x7FFFFFFF;
  uint32_t exponent = abs >> 23, mantissa = abs & 0x7FFFFF;
  bool up = mantissa > (exponent == 0 ? 0x400000u : 0u) && exponent != 0xFE;
  uint32_t code = std::min(exponent + up, 0xFEu);
  return uint8_t(abs > 0x7F800000 ? 0xFF : code);
}

/// f32 to bf16 and f16 bits, to nearest even; and back.
inline uint16_t encodeBF16(float v) {
  uint32_t bits = toBits(v);
  if ((bits & 0x7FFFFFFF) > 0x7F800000)
    return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
inline float decodeBF16(uint16_t bits) {
  return fromBits(uint32_t(bits) << 16);
}
uint16_t encodeF16(float v);
float decodeF16(uint16_t bits);

} // namespace mx

#endif // MX_FORMATS_CODEC_H
