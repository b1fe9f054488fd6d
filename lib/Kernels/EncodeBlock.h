// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The default variant's arithmetic of one block (mx/Formats/Scale.h), written
// into a kernel operation by operation.

#ifndef MX_LIB_KERNELS_ENCODEBLOCK_H
#define MX_LIB_KERNELS_ENCODEBLOCK_H

#include "Emitter.h"

namespace mx::kernels {

/// The scale of a block: what is stored, and what elements are multiplied with
/// or divided by before they are rounded.
struct EncodedScale {
  mlir::Value stored, factor;
  bool divide = false;
};

/// `amaxBits` is max |x| of the block as the bits of an f32; `tensorAmax` an
/// f32 (null unless the format has a second level).
EncodedScale emitScale(Emitter &e, const Format &format, mlir::Value amaxBits,
                       mlir::Value tensorAmax);

/// Elements in units of the scale.
mlir::Value applyScale(Emitter &e, const EncodedScale &scale,
                       mlir::Value values);

/// 32 bits of codes of f32 values, rounded to nearest even and saturated.
mlir::Value emitCodes(Emitter &e, Element element, mlir::Value values);

} // namespace mx::kernels

#endif // MX_LIB_KERNELS_ENCODEBLOCK_H
