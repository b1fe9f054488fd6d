// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/ShapedOpInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringSet.h"

namespace mx {
#define GEN_PASS_DEF_MXCPUPREPARE
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;

static LogicalResult checkIsRegistered(Operation *op) {
  if (op->isRegistered())
    return success();
  return op->emitOpError("is not registered, so it cannot be lowered to the "
                         "CPU; lower it to linalg on tensors first");
}

LogicalResult mx::checkIsComplete(Operation *op) {
  if (failed(checkIsRegistered(op)))
    return failure();
  for (NamedAttribute attr : op->getAttrs()) {
    auto resource = dyn_cast<DenseResourceElementsAttr>(attr.getValue());
    if (resource && !resource.getRawHandle().getBlob())
      return op->emitOpError("needs the data of resource '")
             << resource.getRawHandle().getKey()
             << "', which was elided from the module";
  }
  return success();
}

namespace {

/// True if `mx-to-cpu` lowers ops of this dialect.
bool isLowered(StringRef dialect) {
  static const llvm::StringSet<> names = {
      "builtin", "func",   "linalg", "tensor",        "arith",
      "math",    "scf",    "cf",     "affine",        "index",
      "ub",      "vector", "memref", "bufferization", "llvm"};
  return names.contains(dialect);
}

/// True if `mx-to-gpu` makes kernels of ops of this dialect, or finds them
/// made.
bool isOfKernels(StringRef dialect) {
  static const llvm::StringSet<> names = {"mx", "gpu"};
  return names.contains(dialect);
}

/// An index out of range is undefined behaviour, and passes rely on there being
/// none.
LogicalResult checkDimIndex(Operation *op) {
  auto dim = dyn_cast<ShapedDimOpInterface>(op);
  std::optional<int64_t> index =
      dim ? getConstantIntValue(dim.getDimension()) : std::nullopt;
  auto type =
      index ? dyn_cast<ShapedType>(dim.getShapedValue().getType()) : nullptr;
  if (!type || !type.hasRank() || (*index >= 0 && *index < type.getRank()))
    return success();
  return op->emitOpError("asks for dimension ")
         << *index << " of a value of rank " << type.getRank();
}

LogicalResult checkOp(Operation *op, bool kernels) {
  if (failed(kernels ? checkIsRegistered(op) : mx::checkIsComplete(op)))
    return failure();
  if (failed(checkDimIndex(op)))
    return failure();
  StringRef dialect = op->getName().getDialectNamespace();
  if (!isLowered(dialect) && !(kernels && isOfKernels(dialect)))
    return op->emitOpError(
        "cannot be lowered to the CPU; lower it to linalg, tensor, arith, "
        "math, scf and cf ops first");
  return success();
}

struct Prepare : mx::impl::MXCPUPrepareBase<Prepare> {
  using MXCPUPrepareBase::MXCPUPrepareBase;

  void runOnOperation() override {
    // What conversions before this pass left without users: shapes of TOSA.
    getOperation()->walk<WalkOrder::PostOrder, ReverseIterator>(
        [](Operation *op) {
          if (!isLowered(op->getName().getDialectNamespace()) &&
              isOpTriviallyDead(op))
            op->erase();
        });
    WalkResult checked =
        getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
          // The inside of a kernel is its own affair.
          if (kernels && op->getName().getStringRef() == "gpu.module")
            return WalkResult::skip();
          return failed(checkOp(op, kernels)) ? WalkResult::interrupt()
                                              : WalkResult::advance();
        });
    if (checked.wasInterrupted())
      return signalPassFailure();

    auto no = BoolAttr::get(&getContext(), false);
    auto unit = UnitAttr::get(&getContext());
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (!function.isPublic() || function.isExternal())
        continue;
      function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(), unit);
      for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
        if (isa<TensorType>(type))
          function.setArgAttr(
              i, bufferization::BufferizationDialect::kWritableAttrName, no);
    }
  }
};

} // namespace
