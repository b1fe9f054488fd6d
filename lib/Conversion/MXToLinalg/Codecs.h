// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element and scale codecs of lib/Formats as integer and f32 arithmetic on
// scalars: no tables, no branches, no narrow types, so that loops over them
// vectorise.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_CODECS_H
#define MX_LIB_CONVERSION_MXTOLINALG_CODECS_H

#include "Scalar.h"

#include "mx/Formats/Format.h"

#include <optional>

namespace mx {

/// The random bits of one element: an i32 of `count` (8 to 24) of them.
struct RandomBits {
  Scalar bits;
  unsigned count;
};

/// The code (i32) of `x`, which is in units of the block's scale, as
/// mx::encodeElement: saturating, to the nearest, ties to even; or, with random
/// bits, rounded up with the probability of the distance to the lower code. A
/// zero point (i32, Int4 only) is added to the rounded integer.
Scalar encodeElement(Scalar x, Element element,
                     std::optional<RandomBits> random = std::nullopt,
                     std::optional<Scalar> zeroPoint = std::nullopt);
/// The value (f32) of an element's code (i32).
Scalar decodeElement(Scalar code, Element element);

/// A scale in the form in which it is stored: an i32 code of E8M0 and E4M3, an
/// f32 otherwise (a value of the stored type). Decoding gives f32.
Scalar decodeScale(Scalar stored, ScaleType type);

/// As roundToInteger: an i32.
Scalar roundToInteger(Scalar x, float low, float high);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_CODECS_H
