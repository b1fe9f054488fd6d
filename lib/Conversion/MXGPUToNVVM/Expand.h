// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mxgpu conversions as integer code, for chips that lack the instruction. Each
// function gives the same bits as the instruction for every input; the tests
// compare them with lib/Formats on all codes and around all ties.

#ifndef MX_LIB_CONVERSION_MXGPUTONVVM_EXPAND_H
#define MX_LIB_CONVERSION_MXGPUTONVVM_EXPAND_H

#include "mx/IR/MXGPU.h"

#include "mlir/IR/Builders.h"

namespace mx::mxgpu {

/// The value of `op`, computed by arith and vector ops at the builder's place.
mlir::Value expand(mlir::OpBuilder &builder, EncodeOp op);
mlir::Value expand(mlir::OpBuilder &builder, DecodeOp op);
mlir::Value expand(mlir::OpBuilder &builder, EncodeScaleOp op);
mlir::Value expand(mlir::OpBuilder &builder, DecodeScaleOp op);

} // namespace mx::mxgpu

#endif // MX_LIB_CONVERSION_MXGPUTONVVM_EXPAND_H
