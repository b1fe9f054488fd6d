// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function a family of formats; in it, one line a library that differs.
// The libraries' rules were read from their sources and their outputs:
// torchao 0.18, Transformer Engine 2.20, compressed-tensors 0.20, ModelOpt
// 0.47, JAX 0.10, microxcaling 7bc4195, DeepSeek-V3 9b4e978, bitsandbytes 0.50,
// fouroversix 1.0.

#include "mx/Formats/Scale.h"

#include "mx/Formats/Codec.h"

#include "llvm/Support/ErrorHandling.h"

#include <cfloat>
#include <cmath>

using namespace mx;

//===----------------------------------------------------------------------===//
// Basics
//===----------------------------------------------------------------------===//

float mx::roundTo(FloatType type, float v) {
  switch (type) {
  case FloatType::F32:
    return v;
  case FloatType::F16:
    return decodeF16(encodeF16(v));
  case FloatType::BF16:
    return decodeBF16(encodeBF16(v));
  }
  llvm_unreachable("unknown type");
}

float mx::getMaxFinite(FloatType type) {
  switch (type) {
  case FloatType::F32:
    return FLT_MAX;
  case FloatType::F16:
    return 65504;
  case FloatType::BF16:
    return 0x1.FEp127f;
  }
  llvm_unreachable("unknown type");
}

/// `v` if it is at most `limit` or NaN, else `limit`.
static float atMost(float v, float limit) { return v > limit ? limit : v; }
/// `v` if it is at least `limit` or NaN, else `limit`.
static float atLeast(float v, float limit) { return v < limit ? limit : v; }

/// XLA on a CPU runs with subnormals flushed to zero.
static float flush(float v) {
  return std::fabs(v) < FLT_MIN ? std::copysign(0.0f, v) : v;
}

static uint8_t encodeE4M3(float v) { return encodeMiniFloat<Element::E4M3>(v); }
static float decodeE4M3(uint8_t code) {
  return fromBits(decodeMiniFloatBits(Element::E4M3, code));
}

float ElementScaling::apply(float x) const {
  float v = kind == Divide ? x / first : x * first;
  if (kind == MultiplyTwice)
    v = v * second;
  v = roundTo(result, roundTo(result, v) + addend);
  return negateZero && v == 0 ? -0.0f : v;
}

/// Distance from one to the next value of the type, which compressed-tensors
/// takes for a scale of zero.
static float getEpsilon(FloatType type) {
  return type == FloatType::BF16  ? 0x1p-7f
         : type == FloatType::F16 ? 0x1p-10f
                                  : 0x1p-23f;
}

/// Division by a scale. A scale of zero saturates what is not zero, as a
/// division would, but does not make zeros NaN.
static void setDivisor(ElementScaling &s, float divisor) {
  s.kind =
      divisor == 0 ? ElementScaling::MultiplyTwice : ElementScaling::Divide;
  s.first = divisor == 0 ? FLT_MAX : divisor;
  s.second = FLT_MAX;
}

static FloatType getFloatType(ScaleType scale) {
  return scale == ScaleType::F16    ? FloatType::F16
         : scale == ScaleType::BF16 ? FloatType::BF16
                                    : FloatType::F32;
}

/// Libraries whose E2M1 or FP8 paths turn a negative zero into a positive one.
static float getZeroAddend(const Format &f) {
  switch (f.variant) {
  case Variant::TE:
    return f.scale == ScaleType::E4M3 ? 0.0f : -0.0f;
  case Variant::CompressedTensors:
    return f.scale == ScaleType::E8M0 || f.scale == ScaleType::E4M3 ? 0.0f
                                                                    : -0.0f;
  case Variant::ModelOpt:
    return f.scale == ScaleType::E4M3 ? 0.0f : -0.0f;
  case Variant::FourOverSix:
  case Variant::Microxcaling:
    return 0.0f;
  default:
    return -0.0f;
  }
}

float mx::decodeScale(ScaleType type, uint8_t code) {
  return type == ScaleType::E8M0 ? decodeE8M0(code) : decodeE4M3(code);
}

//===----------------------------------------------------------------------===//
// E8M0
//===----------------------------------------------------------------------===//

uint8_t mx::getE8M0(ScaleRule rule, Element element, float amax) {
  uint32_t bits = toBits(amax);
  if (bits > 0x7F800000)
    return 0xFF;
  if (rule == ScaleRule::RCeil)
    return encodeE8M0Up(amax * (1.0f / float(getMaxFinite(element))));
  if (rule == ScaleRule::Even)
    bits += 1u << (22 - getMantissaBits(element));
  int code = int(bits >> 23) - getMaxExponent(element);
  if (rule == ScaleRule::Ceil)
    code += (bits & 0x7FFFFF) != 0;
  return uint8_t(std::clamp(code, 0, 0xFE));
}

/// The code where a library's own rule parts from the bit form.
static uint8_t getE8M0Code(const Format &f, FloatType input, float amax) {
  uint8_t code = getE8M0(f.rule, f.element, amax);
  switch (f.variant) {
  case Variant::JAX:
    if (std::isinf(amax))
      return 0xFF;
    if (f.rule == ScaleRule::RCeil)
      return encodeE8M0Up(flush(flush(amax) / float(getMaxFinite(f.element))));
    return code;
  case Variant::FourOverSix: {
    // The exponent field of the quotient, plus one for any mantissa.
    if (std::isinf(amax))
      return 0xFF;
    uint32_t bits = toBits(amax / (f.rule == ScaleRule::Ceil ? 4.0f : 6.0f));
    return std::isnan(amax) ? 0xFF : uint8_t((bits + 0x7FFFFF) >> 23);
  }
  case Variant::Microxcaling:
    if (std::isinf(amax))
      return 0xFF;
    // An all-zero block counts as 2^-126.
    return amax == 0 ? getE8M0(f.rule, f.element, FLT_MIN) : code;
  case Variant::DeepSeek:
    return encodeE8M0Up(atLeast(amax, 1e-4f) / float(getMaxFinite(f.element)));
  case Variant::TE: {
    // The power of two below max / amax, inverted.
    if (amax == 0)
      return 127;
    float encode = float(getMaxFinite(f.element)) / amax;
    encode = std::isinf(encode) ? getMaxFinite(input) : encode;
    return encode > 0 ? uint8_t(254 - (toBits(encode) >> 23)) : 0xFF;
  }
  default:
    return code;
  }
}

static BlockScale getE8M0Scale(const Format &f, FloatType input, float amax) {
  BlockScale scale;
  scale.code = getE8M0Code(f, input, amax);
  scale.value = decodeE8M0(scale.code);
  ElementScaling &s = scale.scaling;
  s.addend = getZeroAddend(f);
  // The inverse of 2^n is exact, and E8M0 holds it.
  s.first = decodeE8M0(scale.code == 0xFF ? 0xFF : 254 - scale.code);
  if (f.variant == Variant::TorchAO && scale.code == 0)
    // The kernels cannot hold 2^-127.
    s.first = f.rule == ScaleRule::RCeil ? 1.0f : 0x1p126f;
  if (f.variant == Variant::FourOverSix && scale.code == 0)
    s.first = 0;
  if (f.variant == Variant::JAX && scale.code == 0)
    // XLA divides by 2^-127 flushed to zero.
    setDivisor(s, 0);
  if (f.variant == Variant::ModelOpt && f.element == Element::E2M1)
    s.negateZero = true;
  return scale;
}

//===----------------------------------------------------------------------===//
// E4M3 with or without a second level (NVFP4)
//===----------------------------------------------------------------------===//

bool mx::propagatesNaN(const Format &format) {
  return format.variant != Variant::OCP;
}

TensorScale mx::getTensorScale(const Format &f, FloatType input, float amax) {
  TensorScale t;
  if (!f.secondLevel)
    return t;
  float largest = float(6 * f.scaleMax);
  t.amax = amax;
  switch (f.variant) {
  case Variant::TorchAO:
    t.decode = amax / largest;
    t.encode = 1.0f / t.decode;
    t.stored = t.decode;
    return t;
  case Variant::ModelOpt:
    t.decode = amax / largest;
    t.stored = t.decode;
    return t;
  case Variant::JAX:
    t.decode = flush(flush(amax) / largest);
    t.encode = 1.0f / t.decode;
    t.stored = t.decode;
    return t;
  case Variant::CompressedTensors: {
    // In the type of the weights, by way of the reciprocal.
    float inverse = roundTo(input, 1.0f / atLeast(amax, FLT_MIN));
    t.encode = roundTo(input, inverse * largest);
    if (!std::isfinite(t.encode))
      t.encode = 1;
    t.stored = t.encode;
    return t;
  }
  case Variant::FourOverSix:
    t.encode = largest / amax;
    t.decode = 1.0f / t.encode;
    t.stored = amax;
    return t;
  default:
    t.encode = atMost(largest / amax, FLT_MAX);
    if (amax == 0 || t.encode == 0)
      t.encode = 1;
    t.decode = 1.0f / t.encode;
    t.stored = amax;
    return t;
  }
}

/// The multiplication that Transformer Engine and `ocp` share.
static void setNVFP4Code(BlockScale &scale, const TensorScale &t,
                         uint8_t code) {
  scale.code = code;
  scale.value = decodeE4M3(code);
  scale.scaling.first = atMost(1.0f / (scale.value * t.decode), FLT_MAX);
}

static BlockScale getE4M3Scale(const Format &f, FloatType input,
                               const TensorScale &t, float amax) {
  BlockScale scale;
  ElementScaling &s = scale.scaling;
  s.addend = getZeroAddend(f);
  auto store = [&](float value) {
    scale.code = encodeE4M3(value);
    scale.value = decodeE4M3(scale.code);
  };
  switch (f.variant) {
  case Variant::TorchAO:
    // At least the smallest normal E4M3.
    if (!f.secondLevel) {
      store(atLeast(amax / 6.0f, 0x1p-6f));
      s.first = 1.0f / scale.value;
      return scale;
    }
    store(atLeast((amax / 6.0f) / t.decode, 0x1p-6f));
    s.first = t.encode / scale.value;
    return scale;
  case Variant::ModelOpt: {
    float value = amax / (6.0f * t.decode);
    store(atLeast(value == 0 ? 1.0f : value, 0x1p-9f));
    s.kind = ElementScaling::Divide;
    s.first = scale.value * t.decode;
    return scale;
  }
  case Variant::CompressedTensors:
    store(t.encode * roundTo(input, amax / 6.0f));
    if (scale.value == 0)
      store(0.125f);
    s.kind = ElementScaling::Divide;
    s.first = scale.value / t.encode;
    return scale;
  case Variant::JAX:
    // XLA turns the divisions by 6, by the global scale and by the block's into
    // multiplications.
    store(flush(flush(flush(amax) * t.encode) * (1.0f / 6.0f)));
    s.kind = ElementScaling::MultiplyTwice;
    s.first = t.encode;
    s.second = atMost(1.0f / scale.value, FLT_MAX);
    return scale;
  case Variant::FourOverSix:
    store(t.amax == 0 ? 0.0f : (amax / 6.0f) * t.encode);
    s.first = scale.value == 0 ? 0.0f : 1.0f / (t.decode * scale.value);
    return scale;
  default:
    setNVFP4Code(
        scale, t,
        encodeE4M3(atMost(amax * (t.encode * (1.0f / 6.0f)), FLT_MAX)));
    return scale;
  }
}

FourOverSixScales mx::getFourOverSixScales(const Format &f,
                                           const TensorScale &t, float amax) {
  FourOverSixScales scales;
  float base = (amax / 6.0f) * t.encode;
  auto set = [&](BlockScale &scale, float value) {
    setNVFP4Code(scale, t, encodeE4M3(value));
    scale.scaling.addend = getZeroAddend(f);
    if (f.variant == Variant::FourOverSix)
      scale.scaling.first =
          scale.value == 0 ? 0.0f : 1.0f / (t.decode * scale.value);
  };
  if (f.variant == Variant::FourOverSix && t.amax == 0)
    base = 0;
  set(scales.six, base);
  set(scales.four, base * 1.5f);
  return scales;
}

//===----------------------------------------------------------------------===//
// FP8 with float scales
//===----------------------------------------------------------------------===//

static BlockScale getFP8Scale(const Format &f, FloatType input, float amax) {
  BlockScale scale;
  ElementScaling &s = scale.scaling;
  float largest = float(getMaxFinite(f.element));
  FloatType type = getFloatType(f.scale);
  switch (f.variant) {
  case Variant::DeepSeek:
    scale.value = atLeast(amax, 1e-4f) / largest;
    break;
  case Variant::TorchAO:
    if (f.blockCols == Format::Whole) {
      // Row and tensor: rounded in the type of the tensor.
      scale.value = roundTo(input, amax / largest);
      break;
    }
    s.first = float(double(largest) / std::max(double(amax), 1e-12));
    scale.value = 1.0f / s.first;
    return scale;
  case Variant::TE:
    s.first = largest / amax;
    if (std::isinf(s.first))
      s.first = getMaxFinite(input);
    if (amax == 0)
      s.first = 1;
    scale.value = 1.0f / s.first;
    return scale;
  case Variant::CompressedTensors:
  case Variant::ModelOpt:
    // In the type of the weights, quotients too.
    scale.value = roundTo(input, amax / largest);
    s.result = input;
    if (scale.value == 0 && f.variant == Variant::CompressedTensors)
      scale.value = getEpsilon(input);
    break;
  default:
    scale.value = roundTo(type, amax / largest);
    scale.value = atMost(scale.value, getMaxFinite(type));
    if (scale.value == 0)
      scale.value = 1;
  }
  setDivisor(s, scale.value);
  return scale;
}

//===----------------------------------------------------------------------===//
// Integers and NF4
//===----------------------------------------------------------------------===//

static BlockScale getInt4Scale(const Format &f, FloatType input,
                               const BlockRange &range) {
  BlockScale scale;
  ElementScaling &s = scale.scaling;
  FloatType type = getFloatType(f.scale);
  s.kind = ElementScaling::Divide;
  if (f.variant == Variant::ModelOpt) {
    // Stores the inverse, 7 / amax, and computes in the type of the weights.
    scale.value = roundTo(input, roundTo(input, 1.0f / range.amax) * 7.0f);
    s.kind = ElementScaling::Multiply;
    s.first = scale.value;
    s.result = input;
    return scale;
  }
  float low = atMost(range.low, 0), high = atLeast(range.high, 0);
  if (f.variant == Variant::OCP) {
    low = atLeast(low, -FLT_MAX);
    high = atMost(high, FLT_MAX);
  }
  float value = f.zeroPoint ? (high - low) / 15.0f : range.amax / 7.5f;
  int lowest = f.zeroPoint && f.variant == Variant::TorchAO ? 0 : -8;
  switch (f.variant) {
  case Variant::TorchAO:
    // The scale in the type of the tensor, the product in f32.
    if (f.zeroPoint)
      value = roundTo(input, high - low) / 15.0f;
    value = atLeast(roundTo(input, value), FLT_MIN);
    s.kind = ElementScaling::Multiply;
    s.first = 1.0f / value;
    break;
  case Variant::CompressedTensors:
    value = f.zeroPoint ? roundTo(input, roundTo(input, high - low) / 15.0f)
                        : roundTo(input, value);
    s.result = input;
    s.first = value == 0 ? getEpsilon(input) : value;
    break;
  default:
    value = atMost(roundTo(type, value), getMaxFinite(type));
    s.first = value == 0 ? 1 : value;
    break;
  }
  scale.value = s.kind == ElementScaling::Multiply ? value : s.first;
  if (!f.zeroPoint)
    return scale;
  float zeroPoint;
  if (f.variant == Variant::TorchAO) {
    // Rounded before it is subtracted.
    float steps = roundTo(input, low / scale.value);
    zeroPoint = float(-roundToInteger(steps, -64, 64));
  } else {
    float steps = roundTo(s.result, low / scale.value);
    zeroPoint = roundTo(s.result, -8.0f - steps);
  }
  scale.zeroPoint = int8_t(roundToInteger(zeroPoint, lowest, lowest + 15));
  s.lowest = int8_t(lowest);
  if (f.variant == Variant::CompressedTensors)
    s.addend = scale.zeroPoint;
  else
    s.zeroPoint = scale.zeroPoint;
  return scale;
}

static BlockScale getNF4Scale(const Format &f, FloatType input,
                              const BlockRange &range) {
  BlockScale scale;
  ElementScaling &s = scale.scaling;
  scale.value = range.amax;
  switch (f.variant) {
  case Variant::TorchAO:
    s.kind = ElementScaling::Divide;
    s.first = range.amax;
    s.result = input;
    return scale;
  case Variant::BitsAndBytes:
    s.first = atLeast(range.amax, 1e-38f);
    if (range.ragged) {
      s.kind = ElementScaling::Divide;
      scale.value = s.first;
    } else {
      s.first = 1.0f / s.first;
    }
    return scale;
  default:
    scale.value = atMost(range.amax, FLT_MAX);
    s.first = scale.value == 0 ? 0.0f : atMost(1.0f / scale.value, FLT_MAX);
    return scale;
  }
}

static BlockScale getInt8Scale(float amax) {
  BlockScale scale;
  float encode = atLeast(atMost(127.0f / amax, FLT_MAX), FLT_MIN);
  scale.scaling.first = amax == 0 ? 1.0f : encode;
  scale.value = 1.0f / scale.scaling.first;
  return scale;
}

static BlockScale getTernaryScale(const Format &f, float absMean) {
  BlockScale scale;
  FloatType type = getFloatType(f.scale);
  scale.value = atMost(roundTo(type, absMean), getMaxFinite(type));
  if (scale.value == 0)
    scale.value = 1;
  scale.scaling.kind = ElementScaling::Divide;
  scale.scaling.first = scale.value;
  return scale;
}

//===----------------------------------------------------------------------===//
// All formats
//===----------------------------------------------------------------------===//

BlockScale mx::getBlockScale(const Format &f, FloatType input,
                             const TensorScale &tensor,
                             const BlockRange &range) {
  if (f.scale == ScaleType::E8M0)
    return getE8M0Scale(f, input, range.amax);
  if (f.scale == ScaleType::E4M3)
    return getE4M3Scale(f, input, tensor, range.amax);
  switch (f.element) {
  case Element::Int4:
    return getInt4Scale(f, input, range);
  case Element::NF4:
    return getNF4Scale(f, input, range);
  case Element::Int8:
    return getInt8Scale(range.amax);
  case Element::Ternary:
    return getTernaryScale(f, range.absMean);
  default:
    return getFP8Scale(f, input, range.amax);
  }
}

float mx::getDequantMultiplier(const Format &f, const TensorScale &tensor,
                               float scale) {
  if (f.element == Element::Int4 && f.variant == Variant::ModelOpt)
    return 1.0f / scale;
  if (!f.secondLevel)
    return scale;
  if (f.variant == Variant::CompressedTensors)
    return scale / tensor.encode;
  return scale * tensor.decode;
}
