// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Seeds and offsets of what is rounded stochastically.

#ifndef MX_LIB_TRANSFORMS_RANDOMBITS_H
#define MX_LIB_TRANSFORMS_RANDOMBITS_H

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

#include <optional>

namespace mx {

/// Gives each tensor random bits that no other one has: one seed, and an offset
/// for each. In a loop the offset has the counter in its upper 32 bits.
class RandomBits {
public:
  /// Random bits in `root`. The seed is `seed`, or argument `seedArgument` of
  /// the function, an i64 or a tensor of one, if that is given.
  RandomBits(mlir::Operation *root, int64_t seed,
             std::optional<unsigned> seedArgument = std::nullopt)
      : root(root), seed(seed), seedArgument(seedArgument) {}

  /// Why there are none before `op`; empty if there are. None are where a
  /// second execution would see the same ones: in loops that do not count, in
  /// nests of loops, and, without a seed argument, in functions that are
  /// called.
  std::string check(mlir::Operation *op);

  /// Seed and offset of the next tensor, at the builder's insertion point; both
  /// i64.
  std::pair<mlir::Value, mlir::Value> create(mlir::OpBuilder &b,
                                             mlir::Location loc);

private:
  void scan();
  mlir::Value getSeed(mlir::OpBuilder &b, mlir::FunctionOpInterface function);

  mlir::Operation *root;
  int64_t seed;
  std::optional<unsigned> seedArgument;
  /// Found in the module once, when first asked for.
  bool isScanned = false;
  int64_t nextOffset = 0;
  llvm::DenseSet<mlir::StringAttr> called;
  llvm::DenseMap<mlir::Operation *, mlir::Value> seeds;
};

} // namespace mx

#endif // MX_LIB_TRANSFORMS_RANDOMBITS_H
