// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registration of everything this project has, for tools and the plugin.

#ifndef MX_INITALL_H
#define MX_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mx {

/// Registers our dialects and our extensions of other dialects.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Registers our passes and pipelines with the global pass registry. Call it
/// once a process.
void registerAllPasses();

} // namespace mx

#endif // MX_INITALL_H
