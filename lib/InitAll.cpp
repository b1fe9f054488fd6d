// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/InitAll.h"
#include "mx/IR/MX.h"

#include "mlir/IR/DialectRegistry.h"

void mx::registerAllDialects(mlir::DialectRegistry &registry) {
  registry.insert<MXDialect>();
}

void mx::registerAllPasses() {}
