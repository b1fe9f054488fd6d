// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How compressed-tensors says what one tensor's format is.

#ifndef MX_LIB_RECIPE_QUANTIZATIONARGS_H
#define MX_LIB_RECIPE_QUANTIZATIONARGS_H

#include "Reader.h"

namespace mx {

enum class OperandKind { Weight, Activation };

/// The format of a `weights` or `input_activations`.
mlir::FailureOr<Format> readQuantizationArgs(const DocumentNode &node,
                                             OperandKind kind);

/// The format as compressed-tensors scales it: E8M0 scales are rounded to even.
Format withCompressedTensorsScales(Format format);

} // namespace mx

#endif // MX_LIB_RECIPE_QUANTIZATIONARGS_H
