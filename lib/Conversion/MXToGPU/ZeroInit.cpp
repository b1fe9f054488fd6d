// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ZeroInit.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mx;

linalg::FillOp mx::getZeroFill(MatmulOp op) {
  // Nobody knows a buffer that was allocated here by another name, until one is
  // made.
  auto alloc = op.getInit().getDefiningOp<memref::AllocOp>();
  Block *block = op->getBlock();
  if (!alloc || alloc->getBlock() != block)
    return {};
  linalg::FillOp zeroFill;
  unsigned numUses = 0;
  for (Operation *user : alloc->getUsers()) {
    if (user == op) {
      ++numUses;
      continue;
    }
    Operation *ancestor = block->findAncestorOpInBlock(*user);
    if (!ancestor)
      return {};
    if (op->isBeforeInBlock(ancestor))
      continue;
    auto fill = dyn_cast<linalg::FillOp>(user);
    // Of either sign: sums start at +0 and are never -0.
    if (!fill || zeroFill || fill->getBlock() != block ||
        !matchPattern(fill.getInputs()[0], m_AnyZeroFloat()))
      return {};
    zeroFill = fill;
  }
  return numUses == 1 ? zeroFill : linalg::FillOp();
}
