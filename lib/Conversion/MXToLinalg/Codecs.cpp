// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Codecs.h"

#include "llvm/ADT/bit.h"
#include "llvm/Support/ErrorHandling.h"

#include <cmath>
#include <optional>

using namespace mlir;
using namespace mx;

namespace {
/// A narrow IEEE-like type below f32: sign, exponent, mantissa.
struct Minifloat {
  unsigned exponentBits, mantissaBits;
  /// Exponent bias.
  unsigned bias;
  /// Largest finite magnitude.
  float max;
  /// What NaN encodes as (cuda_fp4.h, cuda_fp6.h, cuda_fp8.h).
  uint32_t nanCode;

  unsigned width() const { return 1 + exponentBits + mantissaBits; }
  /// Bits of an f32's mantissa that do not fit.
  unsigned excessBits() const { return 23 - mantissaBits; }
  /// Distance of the subnormals, an exact power of two.
  float step() const { return ldexpf(1, 1 - int(bias) - int(mantissaBits)); }
  float minNormal() const { return ldexpf(1, 1 - int(bias)); }
};
} // namespace

static std::optional<Minifloat> getMinifloat(Element element) {
  switch (element) {
  case Element::E2M1:
    return Minifloat{2, 1, 1, 6.0f, 0x07};
  case Element::E2M3:
    return Minifloat{2, 3, 1, 7.5f, 0x1F};
  case Element::E3M2:
    return Minifloat{3, 2, 3, 28.0f, 0x1F};
  case Element::E4M3:
    return Minifloat{4, 3, 7, 448.0f, 0x7F};
  case Element::E5M2:
    return Minifloat{5, 2, 15, 57344.0f, 0x7F};
  default:
    return std::nullopt;
  }
}

static Scalar encodeMinifloat(Scalar x, const Minifloat &type) {
  Scalar bits = x.bits();
  Scalar magnitude = bits & 0x7FFFFFFFu;
  // Saturating before rounding is the same as after it; NaN is replaced below.
  Scalar clamped = min(magnitude, bits.i32(llvm::bit_cast<uint32_t>(type.max)));

  // Normal: round the excess bits away, a carry moves into the exponent; then
  // take the difference of the biases off the exponent.
  unsigned excess = type.excessBits();
  Scalar odd = (clamped >> excess) & 1u;
  Scalar rounded = clamped + ((1u << (excess - 1)) - 1) + odd;
  Scalar normal =
      (rounded >> excess) - ((127u - type.bias) << type.mantissaBits);

  // Subnormal: in a sum with 2^23 steps one step is one bit of the mantissa.
  float shift = 0x1p23f * type.step();
  Scalar subnormal = (clamped.asFloat() + x.f32(shift)).bits() -
                     llvm::bit_cast<uint32_t>(shift);

  Scalar isSubnormal =
      clamped < bits.i32(llvm::bit_cast<uint32_t>(type.minNormal()));
  Scalar sign = (bits >> 31) << (type.width() - 1);
  Scalar code = select(isSubnormal, subnormal, normal) | sign;
  return select(x.isNaN(), code.i32(type.nanCode), code);
}

static Scalar decodeMinifloat(Scalar code, const Minifloat &type) {
  unsigned magnitudeBits = type.width() - 1;
  Scalar magnitude = code & ((1u << magnitudeBits) - 1);
  // A subnormal is read as the normal of the lowest exponent, whose implicit
  // one is subtracted again: no f32 subnormals, which some processors take
  // hundreds of cycles for.
  Scalar isSubnormal = magnitude < code.i32(1u << type.mantissaBits);
  Scalar implicit =
      select(isSubnormal, code.i32(1u << type.mantissaBits), code.i32(0));
  Scalar wide = ((magnitude + implicit) << type.excessBits()) +
                ((127u - type.bias) << 23);
  Scalar value = wide.asFloat() -
                 select(isSubnormal, code.f32(type.minNormal()), code.f32(0));
  Scalar bits = value.bits();
  if (type.exponentBits == 5) // infinities and NaNs
    bits = select(magnitude < code.i32(0x7C), bits,
                  (magnitude << type.excessBits()) + (224u << 23));
  else if (type.exponentBits == 4) // one NaN
    bits = select(magnitude == code.i32(0x7F), code.i32(0x7FC00000), bits);
  return (bits | ((code >> magnitudeBits) << 31)).asFloat();
}

/// clamp(rne(x * scale)) as an integer of `width` bits, two's complement; NaN
/// is 0.
static Scalar encodeInteger(Scalar x, float scale, float lowest, float highest,
                            unsigned width) {
  Scalar scaled = x * scale;
  Scalar clamped = min(max(scaled, x.f32(lowest)), x.f32(highest));
  // 1.5 * 2^23: the sum's low mantissa bits are the integer, negative too.
  Scalar code = (clamped + x.f32(0x1.8p23f)).bits();
  return code & ((1u << width) - 1);
}

static Scalar decodeInteger(Scalar code, float step, unsigned width) {
  uint32_t sign = 1u << (width - 1);
  Scalar masked = code & ((1u << width) - 1);
  return ((masked ^ sign) - sign).toFloat() * step;
}

Scalar mx::encodeElement(Scalar x, Element element) {
  if (std::optional<Minifloat> type = getMinifloat(element))
    return encodeMinifloat(x, *type);
  switch (element) {
  case Element::MXInt8:
    return encodeInteger(x, 64, -127, 127, 8);
  case Element::Int8:
    return encodeInteger(x, 1, -127, 127, 8);
  case Element::Int4:
    return encodeInteger(x, 1, -8, 7, 4);
  case Element::Ternary:
    return encodeInteger(x, 1, -1, 1, 2);
  default:
    llvm_unreachable("no integer element");
  }
}

Scalar mx::decodeElement(Scalar code, Element element) {
  if (std::optional<Minifloat> type = getMinifloat(element))
    return decodeMinifloat(code, *type);
  switch (element) {
  case Element::MXInt8:
    return decodeInteger(code, 0x1p-6f, 8);
  case Element::Int8:
  case Element::Int4:
  case Element::Ternary:
    return decodeInteger(code, 1, getBitWidth(element));
  default:
    llvm_unreachable("no integer element");
  }
}

Scalar mx::decodeScale(Scalar stored, ScaleType type) {
  switch (type) {
  case ScaleType::E8M0: {
    // 2^(code - 127): an f32's exponent field, but for the subnormal 2^-127
    // and the NaN.
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

unsigned mx::getMaxExponent(Element element) {
  return std::ilogb(getMaxFinite(element));
}

unsigned mx::getMantissaBits(Element element) {
  std::optional<Minifloat> type = getMinifloat(element);
  return type ? type->mantissaBits : 6;
}
