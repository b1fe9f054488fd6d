// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Scales.h"

#include "Codecs.h"

#include "mx/Formats/Codec.h"

#include "mlir/IR/BuiltinTypes.h"

#include <cfloat>
#include <cmath>

using namespace mx;
using mlir::ImplicitLocOpBuilder;

bool mx::hasScaleArithmetic(const Format &f) {
  switch (f.variant) {
  case Variant::OCP:
  case Variant::TE:
  case Variant::DeepSeek:
    return true;
  case Variant::FourOverSix:
    // Sums of errors are in PyTorch's order.
    return f.fourOverSix == FourOverSix::None ||
           f.fourOverSix == FourOverSix::AbsMax;
  case Variant::TorchAO:
    return f.element != Element::NF4 && f.element != Element::Int4;
  case Variant::CompressedTensors:
    return !f.zeroPoint && !f.secondLevel;
  case Variant::ModelOpt: // makes every zero of MXFP4 a negative one
    return f.element != Element::Int4 &&
           (f.element != Element::E2M1 || f.scale != ScaleType::E8M0);
  default:
    return false;
  }
}

bool mx::hasMultiplierArithmetic(const Format &f) {
  switch (f.variant) {
  case Variant::CompressedTensors: // its global scale has the input's type
    return !f.secondLevel;
  case Variant::TorchAO: // codes of asymmetric integers are unsigned
    return !f.zeroPoint;
  case Variant::JAX:
    return !f.secondLevel;
  default:
    return true;
  }
}

//===----------------------------------------------------------------------===//
// Basics
//===----------------------------------------------------------------------===//

static Scalar atMost(Scalar v, float limit) {
  return select(v.f32(limit) < v, v.f32(limit), v);
}
static Scalar atLeast(Scalar v, float limit) {
  return select(v < v.f32(limit), v.f32(limit), v);
}

/// `v`, or `other` where it is zero.
static Scalar nonZero(Scalar v, float other) {
  return select(v == v.f32(0), v.f32(other), v);
}

static Scalar roundTo(FloatType type, Scalar v) {
  ImplicitLocOpBuilder &b = v.getBuilder();
  switch (type) {
  case FloatType::F32:
    return v;
  case FloatType::F16:
    return Scalar::load(b, v.store(b.getF16Type()));
  case FloatType::BF16:
    return Scalar::load(b, v.store(b.getBF16Type()));
  }
  llvm_unreachable("unknown type");
}

/// As getEpsilon of lib/Formats.
static float getEpsilon(FloatType type) {
  return type == FloatType::BF16  ? 0x1p-7f
         : type == FloatType::F16 ? 0x1p-10f
                                  : 0x1p-23f;
}

static FloatType getFloatType(ScaleType scale) {
  return scale == ScaleType::F16    ? FloatType::F16
         : scale == ScaleType::BF16 ? FloatType::BF16
                                    : FloatType::F32;
}

/// A quotient as a float scale: rounded to the scale's type, saturating, 1
/// where that is 0.
static Scalar toStoredScale(const Format &f, Scalar value) {
  FloatType type = getFloatType(f.scale);
  return nonZero(atMost(roundTo(type, value), getMaxFinite(type)), 1);
}

//===----------------------------------------------------------------------===//
// E8M0
//===----------------------------------------------------------------------===//

/// As encodeE8M0Up, for a magnitude that is no NaN.
static Scalar encodeUp(Scalar magnitude) {
  Scalar bits = magnitude.bits();
  Scalar exponent = bits >> 23;
  Scalar mantissa = bits & 0x007FFFFFu;
  Scalar limit =
      select(exponent == bits.i32(0), bits.i32(0x400000), bits.i32(0));
  return min(select(limit < mantissa, exponent + 1u, exponent), bits.i32(0xFE));
}

/// As getE8M0, for an amax that is no NaN.
static Scalar encodeByRule(const Format &f, Scalar amax) {
  Scalar bits = amax.bits();
  if (f.rule == ScaleRule::RCeil)
    return encodeUp(amax * (1.0f / float(getMaxFinite(f.element))));
  if (f.rule == ScaleRule::Even)
    bits = bits + (1u << (22 - getMantissaBits(f.element)));
  Scalar code = (bits >> 23) - uint32_t(getMaxExponent(f.element));
  if (f.rule == ScaleRule::Ceil) {
    Scalar isExact = (bits & 0x007FFFFFu) == bits.i32(0);
    code = select(isExact, code, code + 1u);
  }
  return min(max(code, code.i32(0)), code.i32(0xFE));
}

/// As getE8M0Code, but for NaN.
static Scalar encodeE8M0(const Format &f, FloatType input, Scalar amax) {
  Scalar infinity = amax.f32(INFINITY);
  switch (f.variant) {
  case Variant::FourOverSix: {
    float largest = f.rule == ScaleRule::Ceil ? 4 : 6;
    Scalar code = ((amax / amax.f32(largest)).bits() + 0x7FFFFFu) >> 23;
    return select(amax == infinity, code.i32(0xFF), code);
  }
  case Variant::DeepSeek:
    return encodeUp(atLeast(amax, 1e-4f) /
                    amax.f32(float(getMaxFinite(f.element))));
  case Variant::TE: {
    Scalar encode = amax.f32(float(getMaxFinite(f.element))) / amax;
    encode = select(encode == infinity, amax.f32(getMaxFinite(input)), encode);
    Scalar code = amax.bits().i32(254) - (encode.bits() >> 23);
    code = select(amax.f32(0) < encode, code, code.i32(0xFF));
    return select(amax == amax.f32(0), code.i32(127), code);
  }
  default:
    return encodeByRule(f, amax);
  }
}

static ScalarScale computeE8M0(const Format &f, FloatType input, Scalar amax) {
  Scalar code = encodeE8M0(f, input, amax);
  code = select(amax.isNaN(), code.i32(0xFF), code);
  // 2^(127 - code), NaN for NaN.
  Scalar inverse = select(code == code.i32(0xFF), code, code.i32(254) - code);
  Scalar first = decodeScale(inverse, ScaleType::E8M0);
  Scalar isLowest = code == code.i32(0);
  if (f.variant == Variant::TorchAO)
    first =
        select(isLowest, amax.f32(f.rule == ScaleRule::RCeil ? 1.0f : 0x1p126f),
               first);
  if (f.variant == Variant::FourOverSix)
    first = select(isLowest, amax.f32(0), first);
  return {code, first, std::nullopt};
}

//===----------------------------------------------------------------------===//
// E4M3 with or without a second level (NVFP4)
//===----------------------------------------------------------------------===//

namespace {
/// As mx::TensorScale.
struct ScalarTensorScale {
  Scalar encode, decode;
};
} // namespace

static ScalarTensorScale
computeTensorScale(const Format &f, std::optional<Scalar> amax, Scalar any) {
  Scalar one = any.f32(1);
  if (!amax)
    return {one, one};
  Scalar largest = any.f32(float(6 * f.scaleMax));
  if (f.variant == Variant::TorchAO) {
    Scalar decode = *amax / largest;
    return {one / decode, decode};
  }
  if (f.variant == Variant::ModelOpt)
    return {one, *amax / largest};
  Scalar encode = largest / *amax;
  if (f.variant != Variant::FourOverSix) {
    encode = nonZero(atMost(encode, FLT_MAX), 1);
    encode = select(*amax == any.f32(0), one, encode);
  }
  return {encode, one / encode};
}

static ScalarScale storeE4M3(Scalar value) {
  Scalar code = encodeElement(value, Element::E4M3);
  return {code, decodeElement(code, Element::E4M3), std::nullopt};
}

/// The scale and the factor of Transformer Engine, `ocp` and fouroversix.
static ScalarScale computeNVFP4(const Format &f, const ScalarTensorScale &t,
                                Scalar value) {
  ScalarScale scale = storeE4M3(value);
  Scalar decoded = scale.first, one = value.f32(1);
  if (f.variant == Variant::FourOverSix)
    scale.first = select(decoded == value.f32(0), value.f32(0),
                         one / (t.decode * decoded));
  else
    scale.first = atMost(one / (decoded * t.decode), FLT_MAX);
  return scale;
}

static ScalarScale computeE4M3(const Format &f, FloatType input,
                               std::optional<Scalar> tensorAmax, Scalar amax) {
  ScalarTensorScale t = computeTensorScale(f, tensorAmax, amax);
  if (f.variant == Variant::ModelOpt) {
    Scalar value = nonZero(amax / (amax.f32(6) * t.decode), 1);
    ScalarScale scale = storeE4M3(atLeast(value, 0x1p-9f));
    scale.first = scale.first * t.decode;
    return scale;
  }
  if (f.variant == Variant::CompressedTensors) {
    // A scale of zero is 0.125.
    Scalar value = roundTo(input, amax / amax.f32(6));
    ScalarScale scale = storeE4M3(value);
    ScalarScale least = storeE4M3(amax.f32(0.125f));
    scale.stored =
        select(scale.first == amax.f32(0), least.stored, scale.stored);
    scale.first = nonZero(scale.first, 0.125f);
    return scale;
  }
  if (f.variant == Variant::TorchAO) {
    Scalar value = amax / amax.f32(6);
    if (f.secondLevel)
      value = value / t.decode;
    ScalarScale scale = storeE4M3(atLeast(value, 0x1p-6f));
    scale.first = (f.secondLevel ? t.encode : amax.f32(1)) / scale.first;
    return scale;
  }
  if (f.variant == Variant::FourOverSix) {
    Scalar value = (amax / amax.f32(6)) * t.encode;
    if (tensorAmax)
      value = select(*tensorAmax == amax.f32(0), amax.f32(0), value);
    return computeNVFP4(f, t, value);
  }
  return computeNVFP4(f, t, amax * (t.encode * (1.0f / 6.0f)));
}

std::pair<ScalarScale, ScalarScale>
mx::computeFourOverSixScales(const Format &f, Scalar tensorAmax, Scalar amax) {
  ScalarTensorScale t = computeTensorScale(f, tensorAmax, amax);
  Scalar base = (amax / amax.f32(6)) * t.encode;
  if (f.variant == Variant::FourOverSix)
    base = select(tensorAmax == amax.f32(0), amax.f32(0), base);
  ScalarScale six = computeNVFP4(f, t, base);
  return {six, computeNVFP4(f, t, base * 1.5f)};
}

//===----------------------------------------------------------------------===//
// Float scales
//===----------------------------------------------------------------------===//

static ScalarScale computeFP8(const Format &f, FloatType input, Scalar amax) {
  Scalar largest = amax.f32(float(getMaxFinite(f.element)));
  Scalar one = amax.f32(1);
  Scalar value = one;
  switch (f.variant) {
  case Variant::DeepSeek:
    value = atLeast(amax, 1e-4f) / largest;
    break;
  case Variant::TorchAO: {
    if (f.blockCols == Format::Whole) {
      value = roundTo(input, amax / largest);
      break;
    }
    // A quotient of f32 taken in f64 and rounded to f32 is the f32 quotient;
    // only the limit is no f32: it lies above the nearest one.
    double limit = 1e-12, top = getMaxFinite(f.element);
    Scalar above = amax.f32(std::nextafter(float(limit), 1.0f));
    Scalar first =
        select(amax < above, amax.f32(float(top / limit)), largest / amax);
    return {one / first, first, std::nullopt};
  }
  case Variant::TE: {
    Scalar first = largest / amax;
    first = select(first == amax.f32(INFINITY), amax.f32(getMaxFinite(input)),
                   first);
    first = select(amax == amax.f32(0), one, first);
    return {one / first, first, std::nullopt};
  }
  case Variant::CompressedTensors:
    value = nonZero(roundTo(input, amax / largest), getEpsilon(input));
    break;
  case Variant::ModelOpt:
    value = roundTo(input, amax / largest);
    break;
  default:
    value = toStoredScale(f, amax / largest);
  }
  return {value, value, std::nullopt};
}

static ScalarScale computeInt4(const Format &f, FloatType input,
                               const ScalarRange &range) {
  if (f.variant == Variant::CompressedTensors) {
    Scalar value = roundTo(input, range.magnitude / range.magnitude.f32(7.5f));
    value = nonZero(value, getEpsilon(input));
    return {value, value, std::nullopt};
  }
  if (!f.zeroPoint) {
    Scalar value =
        toStoredScale(f, range.magnitude / range.magnitude.f32(7.5f));
    return {value, value, std::nullopt};
  }
  Scalar low = atLeast(atMost(*range.low, 0), -FLT_MAX);
  Scalar high = atMost(atLeast(*range.high, 0), FLT_MAX);
  Scalar value = toStoredScale(f, (high - low) / low.f32(15));
  Scalar point = roundToInteger(low.f32(-8) - low / value, -8, 7);
  return {value, value, point};
}

ScalarScale mx::computeScale(const Format &f, FloatType input,
                             std::optional<Scalar> tensorAmax,
                             const ScalarRange &range) {
  Scalar amax = range.magnitude;
  if (f.scale == ScaleType::E8M0)
    return computeE8M0(f, input, amax);
  if (f.scale == ScaleType::E4M3)
    return computeE4M3(f, input, tensorAmax, amax);
  Scalar one = amax.f32(1), zero = amax.f32(0);
  switch (f.element) {
  case Element::Int4:
    return computeInt4(f, input, range);
  case Element::NF4: {
    Scalar value = atMost(amax, FLT_MAX);
    Scalar first = atMost(one / value, FLT_MAX);
    return {value, select(value == zero, zero, first), std::nullopt};
  }
  case Element::Int8: {
    Scalar first = atLeast(atMost(amax.f32(127) / amax, FLT_MAX), FLT_MIN);
    first = select(amax == zero, one, first);
    return {one / first, first, std::nullopt};
  }
  case Element::Ternary: {
    Scalar value = toStoredScale(f, amax);
    return {value, value, std::nullopt};
  }
  default:
    return computeFP8(f, input, amax);
  }
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// True if elements are divided by ScalarScale::first.
static bool isDivided(const Format &f) {
  switch (f.element) {
  case Element::Int4:
  case Element::Ternary:
    return true;
  case Element::E2M1:
    return f.scale == ScaleType::E4M3 &&
           (f.variant == Variant::CompressedTensors ||
            f.variant == Variant::ModelOpt);
  case Element::E4M3:
  case Element::E5M2:
    return f.scale != ScaleType::E8M0 && f.variant != Variant::TE &&
           !(f.variant == Variant::TorchAO && f.blockCols != Format::Whole);
  default:
    return false;
  }
}

/// Whether elements are rounded to the input's type before they are encoded.
static bool isRoundedToInput(const Format &f) {
  bool hasFloatScale = f.scale != ScaleType::E8M0 && f.scale != ScaleType::E4M3;
  return hasFloatScale && (f.variant == Variant::CompressedTensors ||
                           f.variant == Variant::ModelOpt);
}

static Scalar roundQuotient(const Format &f, FloatType input, Scalar v) {
  return isRoundedToInput(f) ? roundTo(input, v) : v;
}

Scalar mx::scaleElement(const Format &f, FloatType input, Scalar x,
                        Scalar first) {
  Scalar v = isDivided(f) ? x / first : x * first;
  // The only scales that may be zero: see setDivisor of lib/Formats.
  bool mayBeZero = f.variant == Variant::TorchAO ||
                   (f.variant == Variant::ModelOpt && isRoundedToInput(f));
  if (mayBeZero && isDivided(f))
    v = select(first == x.f32(0), x * FLT_MAX * FLT_MAX, v);
  v = roundQuotient(f, input, v);
  // These make a negative zero positive.
  bool losesSign =
      f.variant == Variant::FourOverSix ||
      (f.variant == Variant::TE && f.scale == ScaleType::E4M3) ||
      (f.variant == Variant::ModelOpt && f.scale == ScaleType::E4M3) ||
      (f.variant == Variant::CompressedTensors && !isRoundedToInput(f));
  if (losesSign)
    v = v + v.f32(0);
  return v;
}

Scalar mx::computeMultiplier(const Format &f, Scalar stored,
                             std::optional<Scalar> tensorAmax) {
  Scalar scale = decodeScale(stored, f.scale);
  if (!f.secondLevel)
    return scale;
  return scale * computeTensorScale(f, tensorAmax, scale).decode;
}
