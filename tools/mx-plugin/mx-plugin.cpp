// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dialect and pass plugin of stock mlir-opt:
//   mlir-opt --load-dialect-plugin=MXPlugin.so --load-pass-plugin=MXPlugin.so

#include "mx/InitAll.h"

#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/Config/llvm-config.h"

static constexpr char pluginName[] = "MX";

extern "C" LLVM_ATTRIBUTE_WEAK mlir::DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, pluginName, LLVM_VERSION_STRING,
          [](mlir::DialectRegistry *registry) {
            mx::registerAllDialects(*registry);
          }};
}

// Passes are registered here only, so that giving both options does not
// register a pipeline twice.
extern "C" LLVM_ATTRIBUTE_WEAK mlir::PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, pluginName, LLVM_VERSION_STRING,
          mx::registerAllPasses};
}
