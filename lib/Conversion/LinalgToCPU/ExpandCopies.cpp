// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mx {
#define GEN_PASS_DEF_MXCPUEXPANDCOPIES
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;

namespace {

/// Upstream lowers a copy between such buffers to memcpy.
bool isRowMajor(Value buffer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  return type && type.getLayout().isIdentity();
}

struct ExpandCopies : mx::impl::MXCPUExpandCopiesBase<ExpandCopies> {
  using MXCPUExpandCopiesBase::MXCPUExpandCopiesBase;

  void runOnOperation() override {
    SmallVector<memref::CopyOp> copies;
    getOperation()->walk([&](memref::CopyOp copy) {
      if (!isRowMajor(copy.getSource()) || !isRowMajor(copy.getTarget()))
        copies.push_back(copy);
    });
    for (memref::CopyOp copy : copies) {
      OpBuilder builder(copy);
      linalg::makeMemRefCopyOp(builder, copy.getLoc(), copy.getSource(),
                               copy.getTarget());
      copy.erase();
    }
  }
};

} // namespace
