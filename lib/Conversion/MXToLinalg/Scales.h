// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block's scale from its largest magnitude: the rules of lib/Formats on
// scalars.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_SCALES_H
#define MX_LIB_CONVERSION_MXTOLINALG_SCALES_H

#include "Scalar.h"

#include "mx/Formats/Format.h"

#include <optional>

namespace mx {

/// What follows from a block's amax.
struct BlockScale {
  /// As in `decodeScale`.
  Scalar stored;
  /// What an element is multiplied by before it is rounded (f32).
  Scalar factor;
};

/// `amax` (f32) is the block's largest magnitude, NaN if it holds a NaN;
/// `tensorAmax` that of the tensor if the format has a second level.
BlockScale computeScale(const Format &format, Scalar amax,
                        std::optional<Scalar> tensorAmax);

/// The real value (f32) of one unit of an element: the decoded scale, times
/// the second level's if there is one.
Scalar computeUnit(const Format &format, Scalar stored,
                   std::optional<Scalar> tensorAmax);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_SCALES_H
