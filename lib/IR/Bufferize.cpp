// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Bufferize.h"

#include "mx/IR/MX.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace mx;

namespace {
bool readsInit(Operation *op) {
  if (auto matmul = dyn_cast<MatmulOp>(op))
    return matmul.getEpilogue().empty();
  return isa<AmaxOp>(op);
}

/// An op on tensors becomes the same op on the buffers of its operands. The
/// init is read only where it is an accumulator.
template <typename OpTy>
struct BufferizationModel
    : DstBufferizableOpInterfaceExternalModel<BufferizationModel<OpTy>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &state) const {
    return cast<OpTy>(op).isDpsInput(&operand) || readsInit(op);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    SmallVector<Value> operands, results;
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = operand.get();
      if (auto tensor = dyn_cast<RankedTensorType>(value.getType())) {
        if (tensor.getEncoding())
          return op->emitOpError()
                 << "is not bufferized: a memref does not carry the layout of "
                 << tensor << "; lower the op first";
        FailureOr<Value> buffer = getBuffer(rewriter, value, options, state);
        if (failed(buffer))
          return failure();
        value = *buffer;
        if (cast<OpTy>(op).isDpsInit(&operand))
          results.push_back(value);
      }
      operands.push_back(value);
    }
    mlir::clone(rewriter, op, /*newResultTypes=*/TypeRange(), operands);
    replaceOpWithBufferizedValues(rewriter, op, results);
    return success();
  }
};
} // namespace

template <typename... OpTys>
static void attachBufferizationModelsTo(MLIRContext &context) {
  (OpTys::template attachInterface<BufferizationModel<OpTys>>(context), ...);
}

void mx::attachBufferizationModels(MLIRContext &context) {
  attachBufferizationModelsTo<QuantizeOp, DequantizeOp, MatmulOp, AmaxOp,
                              HadamardOp, RelayoutOp, StatsOp>(context);
}
