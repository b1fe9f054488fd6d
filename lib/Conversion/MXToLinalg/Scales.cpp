// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Scales.h"

#include "Codecs.h"

#include <cfloat>

using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// E8M0
//===----------------------------------------------------------------------===//

/// The biased exponent of `x` rounded up to a power of two, as
/// cvt.rp.satfinite.ue8m0x2: a mantissa counts but in the lower half of the
/// subnormals, and infinity is 0xFE. `bits` without sign; not for NaN.
static Scalar roundUpExponent(Scalar bits) {
  Scalar exponent = bits >> 23;
  Scalar mantissa = bits & 0x007FFFFFu;
  Scalar threshold =
      select(exponent == bits.i32(0), bits.i32(0x400000), bits.i32(0));
  Scalar rounded = select(threshold < mantissa, exponent + 1u, exponent);
  return min(rounded, bits.i32(0xFE));
}

static BlockScale computeE8M0(const Format &format, Scalar amax) {
  Scalar bits = amax.bits();
  unsigned emax = getMaxExponent(format.element);
  Scalar code = bits;
  switch (format.rule) {
  case ScaleRule::Floor:
    code = (bits >> 23) - emax;
    break;
  case ScaleRule::Even:
    code =
        ((bits + (1u << (22 - getMantissaBits(format.element)))) >> 23) - emax;
    break;
  case ScaleRule::Ceil:
    code = roundUpExponent(bits) - emax;
    break;
  case ScaleRule::RCeil:
    code = roundUpExponent(
        (amax * float(1 / getMaxFinite(format.element))).bits());
    break;
  default:
    llvm_unreachable("no rule of an E8M0 scale");
  }
  code = min(max(code, code.i32(0)), code.i32(0xFE));
  code = select(amax.isNaN(), code.i32(0xFF), code);
  // 2^(127 - code) is an f32's exponent field, but for the subnormal 2^-127
  // and the NaN.
  Scalar inverse = select(code == code.i32(0xFE), code.i32(0x00400000),
                          (code.i32(0xFE) - code) << 23);
  inverse = select(code == code.i32(0xFF), code.i32(0x7FC00000), inverse);
  return {code, inverse.asFloat()};
}

//===----------------------------------------------------------------------===//
// NVFP4
//===----------------------------------------------------------------------===//

/// The tensor's encode scale: scaleMax * 6 / amax, 1 where that is no number
/// (Transformer Engine's reference).
static Scalar computeEncodeScale(const Format &format, Scalar tensorAmax) {
  Scalar largest = tensorAmax.f32(FLT_MAX);
  Scalar one = tensorAmax.f32(1), zero = tensorAmax.f32(0);
  Scalar scale =
      min(tensorAmax.f32(float(format.scaleMax * 6)) / tensorAmax, largest);
  return select(tensorAmax == zero, one, select(scale == zero, one, scale));
}

static BlockScale computeE4M3(const Format &format, Scalar amax,
                              std::optional<Scalar> tensorAmax) {
  Scalar one = amax.f32(1);
  Scalar encode = tensorAmax ? computeEncodeScale(format, *tensorAmax) : one;
  Scalar scaled = amax * (encode * (1.0f / 6));
  Scalar code = encodeElement(scaled, Element::E4M3);
  Scalar unit = decodeElement(code, Element::E4M3) * (one / encode);
  return {code, min(one / unit, amax.f32(FLT_MAX))};
}

//===----------------------------------------------------------------------===//
// All formats
//===----------------------------------------------------------------------===//

BlockScale mx::computeScale(const Format &format, Scalar amax,
                            std::optional<Scalar> tensorAmax) {
  switch (format.scale) {
  case ScaleType::E8M0:
    return computeE8M0(format, amax);
  case ScaleType::E4M3:
    return computeE4M3(format, amax, tensorAmax);
  default:
    llvm_unreachable("refused by checkSupported");
  }
}

Scalar mx::computeUnit(const Format &format, Scalar stored,
                       std::optional<Scalar> tensorAmax) {
  Scalar scale = decodeScale(stored, format.scale);
  if (!tensorAmax)
    return scale;
  Scalar one = scale.f32(1);
  return scale * (one / computeEncodeScale(format, *tensorAmax));
}
