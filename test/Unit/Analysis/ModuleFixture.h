// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MX_TEST_UNIT_ANALYSIS_MODULEFIXTURE_H
#define MX_TEST_UNIT_ANALYSIS_MODULEFIXTURE_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

namespace mx::test {

/// A module from text.
class ModuleFixture : public testing::Test {
protected:
  ModuleFixture() {
    context.loadDialect<mlir::arith::ArithDialect, mlir::func::FuncDialect,
                        mlir::linalg::LinalgDialect, mlir::math::MathDialect,
                        mlir::scf::SCFDialect, mlir::tensor::TensorDialect,
                        mlir::tosa::TosaDialect>();
  }

  /// The only function of the module; its body is what the tests look at.
  mlir::func::FuncOp parse(llvm::StringRef text) {
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    return *module->getOps<mlir::func::FuncOp>().begin();
  }

  /// The operand of the function's return.
  mlir::Value getResult(mlir::func::FuncOp function, unsigned result = 0) {
    return function.front().getTerminator()->getOperand(result);
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace mx::test

#endif // MX_TEST_UNIT_ANALYSIS_MODULEFIXTURE_H
