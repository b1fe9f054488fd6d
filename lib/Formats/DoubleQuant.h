// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Double quantisation of NF4's scales (QLoRA, arXiv 2305.14314, section 3).

#ifndef MX_LIB_FORMATS_DOUBLEQUANT_H
#define MX_LIB_FORMATS_DOUBLEQUANT_H

#include "mx/Formats/Quantize.h"

namespace mx::detail {

/// Turns `scales` into `scaleCodes`, `groupScales` and `scaleOffset`.
///
/// `ocp` and `bitsandbytes`: offset = mean of the scales (summed in f64; in f32
/// in PyTorch's order for the libraries); per 256 scales, g = max |s - offset|;
/// the code is that of the value of the signed dynamic map nearest to
/// (s - offset) * (1 / g), the lower of two. Back: map[code] * g + offset.
///
/// `torchao`: g = 256 / (2 * max |s - offset|), code = (s - offset) * g rounded
/// to nearest even and clamped to an i8. Back: code / g + offset.
void quantizeScales(Quantized &quantized);

/// The scales that the codes stand for.
llvm::SmallVector<float, 0> dequantizeScales(const Quantized &quantized);

} // namespace mx::detail

#endif // MX_LIB_FORMATS_DOUBLEQUANT_H
