// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/IR/MX.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/CompilationInterfaces.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

#include "mx/IR/MXDialect.cpp.inc"

void mx::MXDialect::initialize() {
  registerAttributes();
  declarePromisedInterface<gpu::TargetAttrInterface, NVPTXTargetAttr>();
  addOperations<
#define GET_OP_LIST
#include "mx/IR/MXOps.cpp.inc"
      >();
}

LogicalResult mx::MXDialect::verifyOperationAttribute(Operation *op,
                                                      NamedAttribute attr) {
  StringRef name = attr.getName().getValue();
  auto expect = [&](bool ok, StringRef what) -> LogicalResult {
    if (ok)
      return success();
    return op->emitError() << "'" << name << "' must be " << what;
  };
  if (name == "mx.role")
    return expect(isa<RoleAttr>(attr.getValue()), "a #mx.role");
  if (name == "mx.gemm")
    return expect(isa<GemmAttr>(attr.getValue()), "a #mx.gemm");
  if (name == "mx.policy")
    return expect(isa<PolicyAttr>(attr.getValue()), "a #mx.policy");
  if (name == "mx.kernel")
    return expect(isa<KernelAttr>(attr.getValue()), "a #mx.kernel");
  return op->emitError() << "unknown attribute '" << name
                         << "' of the mx dialect";
}
