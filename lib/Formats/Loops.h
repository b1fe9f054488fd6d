// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops over contiguous runs of elements, compiled for several instruction
// sets; all give the same bits.

#ifndef MX_LIB_FORMATS_LOOPS_H
#define MX_LIB_FORMATS_LOOPS_H

#include "mx/Formats/Codec.h"
#include "mx/Formats/Scale.h"

namespace mx::detail {

/// Where random bits of a run come from.
struct RandomBits {
  uint64_t seed = 0;
  uint64_t offset = 0;
  unsigned bits = 24;
};

/// How elements become codes, the same for a whole tensor.
struct CodeOptions {
  Element element;
  ElementRounding rounding = ElementRounding::NearestEven;
  RandomBits random;
  /// Distance in the random index of neighbours of a run.
  uint64_t randomStride = 1;
  /// bitsandbytes and torchao search NF4 values in their own ways.
  Variant variant = Variant::OCP;
};

/// The largest of |x| as f32 bits, so that a NaN wins; or NaNs are skipped.
uint32_t getAbsMaxBits(const float *x, size_t n, bool skipNaN);

/// Encodes a run with one scaling. `randomIndex` is the index of its first
/// element.
void encodeRun(const CodeOptions &options, const ElementScaling &scaling,
               const float *x, size_t n, uint64_t randomIndex, uint8_t *codes);

/// out = table[code] * multiplier.
void decodeRun(const float *table, float multiplier, const uint8_t *codes,
               size_t n, float *out);

/// The values of a run of 16-bit floats.
void widenRun(FloatType type, const uint16_t *from, size_t n, float *to);

} // namespace mx::detail

#endif // MX_LIB_FORMATS_LOOPS_H
