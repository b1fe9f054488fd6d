// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An opt tool of another project: mx's dialect and passes, and a pass of its
// own that reads what mx-annotate wrote.

#include "mx/IR/MX.h"
#include "mx/IR/Plan.h"
#include "mx/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

using namespace mlir;

namespace {
/// Says of each op with a policy what becomes of its right operand.
struct ExplainPolicies : PassWrapper<ExplainPolicies, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExplainPolicies)
  StringRef getArgument() const override { return "explain-policies"; }
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      auto policy = op->getAttrOfType<mx::PolicyAttr>(mx::policyAttrName);
      if (!policy || !policy.getRhs())
        return;
      const mx::Format &format = policy.getRhs().getFormat().getValue();
      op->emitRemark("rhs: ")
          << mx::stringify(format.element) << " in blocks of "
          << format.blockCols << ", by rule '" << policy.getRule().getValue()
          << "'";
    });
  }
};
} // namespace

int main(int argc, char **argv) {
  DialectRegistry registry;
  registry.insert<mx::MXDialect, arith::ArithDialect, func::FuncDialect,
                  linalg::LinalgDialect, tensor::TensorDialect>();
  mx::registerMXTransformsPasses();
  PassRegistration<ExplainPolicies>();
  return failed(MlirOptMain(argc, argv, "consumer\n", registry));
}
