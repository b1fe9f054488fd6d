// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants as raw data, and what mx/Formats makes of them.

#ifndef MX_IR_CONSTANTS_H
#define MX_IR_CONSTANTS_H

#include "mx/Formats/Quantize.h"
#include "mx/IR/MX.h"

namespace mx {

/// Row-major elements, each in whole bytes.
using Bytes = llvm::SmallVector<char, 0>;

/// Bytes that one element takes.
size_t getNumBytes(mlir::Type element);

/// True if a static shape has more than `limit` elements, whose number may
/// overflow: splats and broadcasts may have any extents.
bool hasMoreElements(mlir::ShapedType type, uint64_t limit);

/// The data of a literal or resource; none if it is of another kind, a splat of
/// more than `maxSplatElements`, or a resource whose blob is missing or has
/// another size. A view of the attribute, or of `storage` where the attribute
/// does not hold it as such (splats, blobs that are not aligned).
std::optional<llvm::ArrayRef<char>>
getRawData(mlir::ElementsAttr attr, int64_t maxSplatElements, Bytes &storage);

/// Data of f32, f16 or bf16 as the reference takes it; `data` and `shape`
/// outlive it.
TensorView getTensorView(llvm::ArrayRef<char> data, mlir::Type element,
                         llvm::ArrayRef<int64_t> shape);

/// The results of `op` for `input`, row-major as its types say. The others are
/// the operands of that name; null ones are not constant. Fails if one of them
/// is needed and is not, if a result is packed or has a layout, and for double
/// quantisation.
mlir::FailureOr<llvm::SmallVector<Bytes>>
quantizeConstant(QuantizeOp op, int64_t axis, TensorView input,
                 mlir::Attribute amax, mlir::Attribute seed = {},
                 mlir::Attribute offset = {});

} // namespace mx

#endif // MX_IR_CONSTANTS_H
