// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of one block: from its amax to the scale that is stored, to
// what each element is multiplied with before it is rounded, and back. Small
// pure functions; every operation is one IEEE f32 operation (round to nearest
// even, subnormals kept, no contraction) in the order written, so that another
// implementation (a lowering, a kernel) can mirror it bit by bit.
//
// `ocp`, the default variant, with a = max |x| of the block (NaN if one is),
// A = max |x| of the tensor (NaN ignored), M = `scaleMax`:
//
//   e8m0 scales     code = getE8M0(rule, element, a)
//                   v = x * 2^(127 - code)            exact; NaN for code 0xFF
//   e4m3 scales     S = min(6 M / A, FLT_MAX); 1 if A = 0 or S = 0
//   (NVFP4)         S = 1 without a second level
//                   s = e4m3(min(a * (S * (1 / 6)), FLT_MAX))     saturating
//                   v = x * min(1 / (s * (1 / S)), FLT_MAX)
//   fp8, float s    s = round(a / max(element)); 1 if that is 0
//                   v = x / s
//   int4            s = round(a / 7.5); 1 if that is 0
//                   v = x / s
//   int4, zero pt.  lo = min(min x, 0), hi = max(max x, 0), within +-FLT_MAX
//                   s = round((hi - lo) / 15); 1 if that is 0
//                   z = rne(-8 - lo / s) clamped to -8..7
//                   v = x / s; code = rne(v) + z clamped to -8..7
//   nf4             s = min(a, FLT_MAX)
//                   v = x * min(1 / s, FLT_MAX), x * 0 if s = 0
//   int8            S = 127 / a clamped to FLT_MIN .. FLT_MAX, 1 if a = 0
//                   s = 1 / S; v = x * S
//   ternary         s = sum |x| / count, in f64 in row-major order, then to
//                   f32; 1 if that is 0
//                   v = x / s
//
// `round` rounds to the scale's type, saturating at its largest finite value.
// The code of an element is `encodeElement(v)` or its stochastic counterpart.
// "4 over 6" tries two scales; see `getFourOverSixScales`.
//
// Back: x = q * m (q the code's value, minus the zero point), with
//
//   e8m0 m = 2^(code - 127)     e4m3 m = s * (1 / S)     else m = s
//
// Other variants follow a library where it differs; each is one line of
// Scale.cpp and says which.

#ifndef MX_FORMATS_SCALE_H
#define MX_FORMATS_SCALE_H

#include "mx/Formats/Format.h"

namespace mx {

/// The floating types of tensors to quantise.
enum class FloatType : uint8_t { F32, F16, BF16 };

/// `v` rounded to a value of the type.
float roundTo(FloatType type, float v);

/// Largest finite value of the type.
float getMaxFinite(FloatType type);

/// What the elements of a block go through before they are rounded to codes:
/// v = x * first, x / first or (x * first) * second, then v + addend, each step
/// rounded to `result`.
struct ElementScaling {
  enum Kind : uint8_t { Multiply, Divide, MultiplyTwice };

  Kind kind = Multiply;
  float first = 1;
  float second = 1;
  /// -0 changes nothing, +0 makes a negative zero positive; a zero point where
  /// it is added before rounding.
  float addend = -0.0f;
  /// Every zero becomes a negative one.
  bool negateZero = false;
  /// A zero point that is added to the rounded code, which is then clamped to
  /// `lowest` .. `lowest` + 15 (Int4 only).
  int8_t zeroPoint = 0;
  int8_t lowest = -8;
  FloatType result = FloatType::F32;

  float apply(float x) const;
};

/// The second level of a tensor's scales.
struct TensorScale {
  /// The tensor's amax.
  float amax = 1;
  /// What block scales are multiplied with before they are stored (S above).
  float encode = 1;
  /// Its inverse.
  float decode = 1;
  /// The number that the variant's library stores: amax itself (`ocp`, `te`,
  /// `fouroversix`), amax / 2688 (`torchao`, `modelopt`, `jax`) or 2688 / amax
  /// (`compressed_tensors`).
  float stored = 1;
};

/// The scale of one block.
struct BlockScale {
  /// The byte of an E8M0 or E4M3 scale.
  uint8_t code = 0;
  /// The stored scale as a number.
  float value = 1;
  /// Int4 with zero points only.
  int8_t zeroPoint = 0;
  ElementScaling scaling;
};

/// What a block's elements say about its scale.
struct BlockRange {
  /// max |x|; NaN if an element is NaN.
  float amax = 0;
  /// min x and max x, for zero points only.
  float low = 0;
  float high = 0;
  /// sum |x| / count, for `ScaleRule::AbsMean` only.
  float absMean = 0;
  /// True if the tensor ends inside the block.
  bool ragged = false;
};

/// The E8M0 code of a block, by the rule's bit form on the f32 bits of `amax`
/// (>= 0), emax the exponent of the element's largest value:
///   floor  exponent field - emax
///   ceil   exponent field + (mantissa != 0) - emax
///   even   floor of amax with half a unit of the element's last mantissa bit
///          added to its mantissa
///   rceil  amax * (1 / max(element)) rounded up to a power of two
/// clamped at 0x00. Inf gives 255 - emax (0xFE for mxint8 and under `rceil`),
/// NaN 0xFF.
uint8_t getE8M0(ScaleRule rule, Element element, float amax);

/// The second level from a tensor's amax. `input` matters where a library
/// computes in the type of the weights.
TensorScale getTensorScale(const Format &format, FloatType input, float amax);

/// True if NaN elements make the tensor's amax NaN. The default ignores them,
/// so that they spoil their own block only.
bool propagatesNaN(const Format &format);

/// The scale of a block.
BlockScale getBlockScale(const Format &format, FloatType input,
                         const TensorScale &tensor, const BlockRange &range);

/// The two candidates of "4 over 6" (arXiv 2512.02010): s6 = e4m3((a / 6) * S)
/// maps amax to 6, s4 = e4m3(((a / 6) * S) * 1.5) to 4, both saturating.
struct FourOverSixScales {
  BlockScale six;
  BlockScale four;
};
FourOverSixScales getFourOverSixScales(const Format &format,
                                       const TensorScale &tensor, float amax);

/// What a code's value is multiplied with: m above. `scale` is
/// `BlockScale::value`.
float getDequantMultiplier(const Format &format, const TensorScale &tensor,
                           float scale);

/// The number that a stored E8M0 or E4M3 scale byte stands for.
float decodeScale(ScaleType type, uint8_t code);

} // namespace mx

#endif // MX_FORMATS_SCALE_H
