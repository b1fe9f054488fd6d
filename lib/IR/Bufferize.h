// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MX_LIB_IR_BUFFERIZE_H
#define MX_LIB_IR_BUFFERIZE_H

namespace mlir {
class MLIRContext;
} // namespace mlir

namespace mx {

/// Attaches BufferizableOpInterface to the dialect's ops, so that one-shot
/// bufferization needs no registration of ours.
void attachBufferizationModels(mlir::MLIRContext &context);

} // namespace mx

#endif // MX_LIB_IR_BUFFERIZE_H
