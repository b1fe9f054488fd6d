// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Bufferize.h"

#include "mx/IR/MX.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/CompilationInterfaces.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mx;

#include "mx/IR/MXDialect.cpp.inc"

void MXDialect::initialize() {
  registerAttributes();
  declarePromisedInterface<gpu::TargetAttrInterface, NVPTXTargetAttr>();
  addOperations<
#define GET_OP_LIST
#include "mx/IR/MXOps.cpp.inc"
      >();
  attachBufferizationModels(*getContext());
}

namespace {
/// An attribute that the dialect's passes leave on ops of other dialects.
struct DiscardableAttribute {
  StringLiteral name;
  StringLiteral kind;
  bool (*isValid)(Attribute);
};
} // namespace

static const DiscardableAttribute opAttributes[] = {
    {"mx.role", "a #mx.role", [](Attribute a) { return isa<RoleAttr>(a); }},
    {"mx.gemm", "a #mx.gemm", [](Attribute a) { return isa<GemmAttr>(a); }},
    {"mx.policy", "a #mx.policy",
     [](Attribute a) { return isa<PolicyAttr>(a); }},
    {"mx.kernel", "a #mx.kernel",
     [](Attribute a) { return isa<KernelAttr>(a); }},
    {"mx.id", "a position in the function's mx.plan",
     [](Attribute a) {
       auto id = dyn_cast<IntegerAttr>(a);
       return id && id.getType().isInteger(64) && id.getInt() >= 0;
     }},
    {"mx.plan", "an array of #mx.entry",
     [](Attribute a) {
       auto plan = dyn_cast<ArrayAttr>(a);
       return plan && llvm::all_of(plan, llvm::IsaPred<PlanEntryAttr>);
     }},
    {"mx.prepare", "an array of #mx.prepare",
     [](Attribute a) {
       auto array = dyn_cast<ArrayAttr>(a);
       return array && llvm::all_of(array, llvm::IsaPred<PrepareAttr>);
     }},
};

static const DiscardableAttribute argumentAttributes[] = {
    {"mx.parameter", "the name of the parameter that it is",
     [](Attribute a) { return isa<StringAttr>(a); }},
    {"mx.tied_to", "the string under which the weights store it",
     [](Attribute a) { return isa<StringAttr>(a); }},
};

static LogicalResult verifyAttribute(Operation *op, NamedAttribute attr,
                                     ArrayRef<DiscardableAttribute> known,
                                     const Twine &place) {
  StringRef name = attr.getName();
  for (const DiscardableAttribute &row : known) {
    if (row.name != name)
      continue;
    if (row.isValid(attr.getValue()))
      return success();
    return op->emitError() << "'" << name << "' must be " << row.kind
                           << ", got " << attr.getValue();
  }
  return op->emitError() << "the mx dialect has no attribute '" << name
                         << "' of " << place;
}

LogicalResult MXDialect::verifyOperationAttribute(Operation *op,
                                                  NamedAttribute attr) {
  return verifyAttribute(op, attr, opAttributes, "ops");
}

LogicalResult MXDialect::verifyRegionArgAttribute(Operation *op,
                                                  unsigned regionIndex,
                                                  unsigned argIndex,
                                                  NamedAttribute attr) {
  return verifyAttribute(op, attr, argumentAttributes,
                         "arguments (argument " + Twine(argIndex) + ")");
}

LogicalResult MXDialect::verifyRegionResultAttribute(Operation *op,
                                                     unsigned regionIndex,
                                                     unsigned resultIndex,
                                                     NamedAttribute attr) {
  return verifyAttribute(op, attr, {},
                         "results (result " + Twine(resultIndex) + ")");
}
