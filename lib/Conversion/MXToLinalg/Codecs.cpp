// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Codecs.h"

#include "mx/Formats/Codec.h"

#include <cmath>

using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// Floating elements
//===----------------------------------------------------------------------===//

/// The bits of an f32 of the smallest normal value.
static uint32_t getMinNormalBits(const MiniFloat &f) {
  return uint32_t(128 - f.bias) << 23;
}

/// Mantissa bits of an f32 that the element lacks.
static unsigned getExcessBits(const MiniFloat &f) {
  return 23 - f.mantissaBits;
}

/// What takes a rounded f32's exponent, moved to its place, to the element's.
static uint32_t getRebias(const MiniFloat &f) {
  return uint32_t(127 - f.bias) << f.mantissaBits;
}

/// As encodeMagnitudeEven, for the bits of a magnitude that does not saturate.
static Scalar roundEven(Scalar magnitude, const MiniFloat &f) {
  // Normal: round the excess bits away, a carry moves into the exponent.
  unsigned excess = getExcessBits(f);
  Scalar odd = (magnitude >> excess) & 1u;
  Scalar rounded = magnitude + ((1u << (excess - 1)) - 1) + odd;
  Scalar normal = (rounded >> excess) - getRebias(f);
  // Subnormal: in a sum with 2^23 steps one step is one bit of the mantissa.
  float shift = std::ldexp(1.0f, 24 - f.bias - int(f.mantissaBits));
  Scalar subnormal =
      (magnitude.asFloat() + magnitude.f32(shift)).bits() - toBits(shift);
  Scalar isSubnormal = magnitude < magnitude.i32(getMinNormalBits(f));
  return select(isSubnormal, subnormal, normal);
}

/// As encodeMagnitudeStochastic, likewise.
static Scalar roundStochastic(Scalar magnitude, const MiniFloat &f,
                              const RandomBits &random) {
  // The discarded mantissa bits are the distance in units of 2^-excess.
  unsigned excess = getExcessBits(f);
  Scalar addend = random.count > excess
                      ? random.bits >> (random.count - excess)
                      : random.bits << (excess - random.count);
  Scalar normal = ((magnitude + addend) >> excess) - getRebias(f);
  // Below the normal values, the distance in units of 2^-count.
  Scalar minNormal = magnitude.i32(getMinNormalBits(f));
  float steps = std::ldexp(1.0f, f.bias + int(f.mantissaBits) - 1);
  Scalar scaled =
      min(magnitude, minNormal).asFloat() * steps * float(1u << random.count);
  Scalar subnormal = (scaled.toInteger() + random.bits) >> random.count;
  return select(magnitude < minNormal, subnormal, normal);
}

static Scalar encodeFloat(Scalar x, Element element,
                          std::optional<RandomBits> random) {
  MiniFloat f = getMiniFloat(element);
  Scalar bits = x.bits();
  // Saturating before rounding is the same as after it; NaN is replaced below.
  Scalar magnitude = min(bits & 0x7FFFFFFFu,
                         bits.i32(decodeMiniFloatBits(element, f.maxCode)));
  Scalar rounded =
      random ? roundStochastic(magnitude, f, *random) : roundEven(magnitude, f);
  Scalar code = rounded | ((bits >> 31) << f.signShift());
  return select(x.isNaN(), code.i32(f.nanCode), code);
}

static Scalar decodeFloat(Scalar code, Element element) {
  MiniFloat f = getMiniFloat(element);
  Scalar magnitude = code & ((1u << f.signShift()) - 1);
  // A subnormal is read as the normal of the lowest exponent, whose implicit
  // one is subtracted again: no f32 subnormals, which some processors take
  // hundreds of cycles for.
  Scalar isSubnormal = magnitude < code.i32(1u << f.mantissaBits);
  Scalar implicit =
      select(isSubnormal, code.i32(1u << f.mantissaBits), code.i32(0));
  Scalar wide = ((magnitude + implicit) << getExcessBits(f)) +
                (uint32_t(127 - f.bias) << 23);
  Scalar excess =
      select(isSubnormal, code.f32(fromBits(getMinNormalBits(f))), code.f32(0));
  Scalar bits = (wide.asFloat() - excess).bits();
  if (element == Element::E4M3) {
    bits = select(magnitude == code.i32(0x7F), code.i32(0x7FC00000), bits);
  } else if (element == Element::E5M2) {
    bits = select(magnitude < code.i32(0x7C), bits, code.i32(0x7F800000));
    bits = select(code.i32(0x7C) < magnitude, code.i32(0x7FC00000), bits);
  }
  return (bits | ((code >> f.signShift()) << 31)).asFloat();
}

//===----------------------------------------------------------------------===//
// Integer and table elements
//===----------------------------------------------------------------------===//

Scalar mx::roundToInteger(Scalar x, float low, float high) {
  Scalar above = select(x.f32(low) < x, x, x.f32(low));
  Scalar clamped = select(x.f32(high) < above, x.f32(high), above);
  // The sum's low mantissa bits are the integer in two's complement.
  float magic = 0x1.8p23f;
  return (clamped + x.f32(magic)).bits() - toBits(magic);
}

/// A whole number next to `x`, by chance; NaN stays.
static Scalar roundStochastic(Scalar x, const RandomBits &random) {
  Scalar magnitude = x.abs();
  magnitude =
      select(magnitude.f32(256) < magnitude, magnitude.f32(256), magnitude);
  Scalar whole = magnitude.toInteger();
  Scalar fraction = magnitude - whole.toFloat();
  Scalar distance = (fraction * float(1u << random.count)).toInteger();
  Scalar up = (distance + random.bits) >> random.count;
  Scalar rounded = (whole + up).toFloat();
  Scalar sign = x.bits() & 0x80000000u;
  return select(x.isNaN(), x, (rounded.bits() | sign).asFloat());
}

/// The low `width` bits of clamp(rne(x) + zeroPoint).
static Scalar encodeInteger(Scalar x, float low, float high, unsigned width,
                            std::optional<RandomBits> random,
                            std::optional<Scalar> zeroPoint = std::nullopt) {
  if (random)
    x = roundStochastic(x, *random);
  uint32_t mask = (1u << width) - 1;
  if (!zeroPoint)
    return roundToInteger(x, low, high) & mask;
  Scalar code = roundToInteger(x, -64, 64) + *zeroPoint;
  return min(max(code, code.i32(int32_t(low))), code.i32(int32_t(high))) & mask;
}

static Scalar decodeInteger(Scalar code, unsigned width) {
  uint32_t sign = 1u << (width - 1);
  return ((code ^ sign) - sign).toFloat();
}

/// The value of an NF4 code by a tree of selects, one level a bit.
static Scalar decodeTable(Scalar code) {
  SmallVector<Scalar> values;
  for (float value : nf4Values)
    values.push_back(code.f32(value));
  for (unsigned bit = 0; values.size() > 1; ++bit) {
    Scalar isClear = (code & (1u << bit)) == code.i32(0);
    SmallVector<Scalar> halves;
    for (unsigned i = 0; i < values.size(); i += 2)
      halves.push_back(select(isClear, values[i], values[i + 1]));
    values = std::move(halves);
  }
  return values.front();
}

/// As encodeNF4: the number of midpoints below.
static Scalar encodeTable(Scalar x) {
  Scalar one = x.i32(1), zero = x.i32(0), code = zero;
  for (unsigned i = 0; i < 15; ++i)
    code = code + select(x.f32(getNF4Midpoint(i)) < x, one, zero);
  return code;
}

/// The code below or above, by chance; NaN gives 0.
static Scalar encodeTableStochastic(Scalar x, const RandomBits &random) {
  Scalar one = x.i32(1), zero = x.i32(0), low = zero;
  for (unsigned i = 1; i < 15; ++i)
    low = low + select(x < x.f32(nf4Values[i]), zero, one);
  low = select(x.isNaN(), zero, low);
  Scalar below = decodeTable(low), above = decodeTable(low + 1u);
  Scalar position = (x - below) / (above - below);
  position = select(x.f32(0) < position, position, x.f32(0));
  position = select(x.f32(1) < position, x.f32(1), position);
  Scalar distance = (position * float(1u << random.count)).toInteger();
  return low + ((distance + random.bits) >> random.count);
}

//===----------------------------------------------------------------------===//
// All elements and scales
//===----------------------------------------------------------------------===//

Scalar mx::encodeElement(Scalar x, Element element,
                         std::optional<RandomBits> random,
                         std::optional<Scalar> zeroPoint) {
  switch (element) {
  case Element::E2M1:
  case Element::E2M3:
  case Element::E3M2:
  case Element::E4M3:
  case Element::E5M2:
    return encodeFloat(x, element, random);
  case Element::MXInt8:
    return encodeInteger(x * 64.0f, -127, 127, 8, random);
  case Element::Int8:
    return encodeInteger(x, -127, 127, 8, random);
  case Element::Int4:
    return encodeInteger(x, -8, 7, 4, random, zeroPoint);
  case Element::NF4:
    return random ? encodeTableStochastic(x, *random) : encodeTable(x);
  case Element::Ternary:
    return encodeInteger(x, -1, 1, 2, random);
  }
  llvm_unreachable("unknown element");
}

Scalar mx::decodeElement(Scalar code, Element element) {
  // What stands above a code's bits is dirt.
  unsigned width = getBitWidth(element);
  if (width < 8)
    code = code & ((1u << width) - 1);
  if (isMiniFloat(element))
    return decodeFloat(code, element);
  if (element == Element::NF4)
    return decodeTable(code);
  Scalar value = decodeInteger(code, width);
  return element == Element::MXInt8 ? value * (1.0f / 64) : value;
}

Scalar mx::decodeScale(Scalar stored, ScaleType type) {
  switch (type) {
  case ScaleType::E8M0: {
    // As decodeE8M0: an f32's exponent field, but for 2^-127 and NaN.
    Scalar bits =
        select(stored == stored.i32(0), stored.i32(0x00400000), stored << 23);
    return select(stored == stored.i32(0xFF), stored.i32(0x7FC00000), bits)
        .asFloat();
  }
  case ScaleType::E4M3:
    return decodeElement(stored, Element::E4M3);
  case ScaleType::F32:
  case ScaleType::F16:
  case ScaleType::BF16:
    return stored;
  }
  llvm_unreachable("unknown scale type");
}
