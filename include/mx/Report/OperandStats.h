// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a format does to the values of one operand, as data for a report.

#ifndef MX_REPORT_OPERANDSTATS_H
#define MX_REPORT_OPERANDSTATS_H

#include "mx/Formats/Format.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/JSON.h"

namespace mx {

/// Quantises a row-major tensor of `dtype` (f32, f16 or bf16) at `data`,
/// aligned for it, with blocks along `axis`:
///
///   {"snr": dB or null, "underflow": x, "saturation": x, "used_codes": n,
///    "range": r, "bins": [...]}
///
/// `underflow` is the fraction of nonzero values that become zero, `saturation`
/// that of values beyond the largest code. `bins` count the values in units of
/// the code points, each divided by its block's scale, in equal parts of
/// [-range, range]; the outermost also count what is beyond. Null where
/// lib/Formats refuses the tensor.
llvm::json::Value getOperandStats(const Format &format, int64_t axis,
                                  llvm::StringRef dtype, const void *data,
                                  llvm::ArrayRef<int64_t> shape);

/// The finite values of a format's codes, ascending, each once.
llvm::SmallVector<float> getCodePoints(const Format &format);

} // namespace mx

#endif // MX_REPORT_OPERANDSTATS_H
