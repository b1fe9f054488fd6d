// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mlir-opt with the mx dialects, passes and pipelines.

#include "mx/InitAll.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"

static llvm::cl::extrahelp
    example("\nEXAMPLE:\n"
            "  mx-opt model.mlir --mx-lower-precision=\"scheme=nvfp4 "
            "args=model.args.json\" --mx-report-plan -o lowered.mlir\n");

int main(int argc, char **argv) {
  mlir::registerAllPasses();
  mx::registerAllPasses();

  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mx::registerAllDialects(registry);

  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "mlir-opt with the mx dialect, passes and pipelines\n",
      registry));
}
