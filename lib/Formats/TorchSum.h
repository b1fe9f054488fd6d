// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A sum in the order in which PyTorch's CPU kernel adds a contiguous row of f32
// (8 lanes, 4 accumulators each, cascaded): libraries that average or compare
// sums can be followed bit by bit only in this order.

#ifndef MX_LIB_FORMATS_TORCHSUM_H
#define MX_LIB_FORMATS_TORCHSUM_H

#include "llvm/ADT/ArrayRef.h"

namespace mx::detail {

float computeTorchSum(llvm::ArrayRef<float> values);

} // namespace mx::detail

#endif // MX_LIB_FORMATS_TORCHSUM_H
