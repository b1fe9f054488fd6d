// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of one block on scalars, operation by operation that of
// mx/Formats/Scale.h.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_SCALES_H
#define MX_LIB_CONVERSION_MXTOLINALG_SCALES_H

#include "Scalar.h"

#include "mx/Formats/Scale.h"

#include <optional>

namespace mx {

/// True if this file has the arithmetic that quantises to the format; some
/// libraries' variants are left to lib/Formats.
bool hasScaleArithmetic(const Format &format);

/// True if it has what takes codes of the format back to values.
bool hasMultiplierArithmetic(const Format &format);

/// What a block's elements say about its scale, as mx::BlockRange (f32).
struct ScalarRange {
  /// max |x|, or sum |x| / count for `ScaleRule::AbsMean`.
  Scalar magnitude;
  /// For zero points only.
  std::optional<Scalar> low, high;
};

/// The scale of a block.
struct ScalarScale {
  /// As it is stored: an i32 code of E8M0 and E4M3, else an f32.
  Scalar stored;
  /// mx::ElementScaling::first.
  Scalar first;
  /// i32, for zero points only.
  std::optional<Scalar> zeroPoint;
};

/// As getBlockScale; `tensorAmax` is given if the format has a second level,
/// `input` is the type of the tensor.
ScalarScale computeScale(const Format &format, FloatType input,
                         std::optional<Scalar> tensorAmax,
                         const ScalarRange &range);

/// As getFourOverSixScales: the scale that maps amax to six, then to four.
std::pair<ScalarScale, ScalarScale>
computeFourOverSixScales(const Format &format, Scalar tensorAmax, Scalar amax);

/// As ElementScaling::apply: a block's element before it is rounded to a code.
Scalar scaleElement(const Format &format, FloatType input, Scalar x,
                    Scalar first);

/// As getDequantMultiplier, from the stored scale.
Scalar computeMultiplier(const Format &format, Scalar stored,
                         std::optional<Scalar> tensorAmax);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_SCALES_H
