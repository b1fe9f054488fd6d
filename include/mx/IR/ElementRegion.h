// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prologues and epilogues: regions over scalars that an mx op applies to each
// element of a tensor.

#ifndef MX_IR_ELEMENTREGION_H
#define MX_IR_ELEMENTREGION_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"

namespace mx {

/// A region over scalars and the op's operands that it reads beside the tensor
/// to whose elements it is applied. A view; the ops' verifiers check the
/// constraints R1 to R6 of dialects/mx/README.md.
struct ElementRegion {
  /// Prologue or epilogue.
  llvm::StringLiteral name;
  /// Of which the op has one or none. The arguments are the element and one of
  /// each of `inputs`; an mx.yield ends it.
  llvm::MutableArrayRef<mlir::Region> regions;
  mlir::OperandRange inputs;
  /// For each input, a projected permutation from the tensor's dimensions.
  mlir::ArrayAttr maps;

  bool empty() const { return regions.empty(); }
  /// The only block. Not of an empty one, as what follows.
  mlir::Block &getBlock() const { return regions.front().front(); }
  mlir::AffineMap getMap(unsigned input) const {
    return llvm::cast<mlir::AffineMapAttr>(maps[input]).getValue();
  }
  /// The type of the scalar that the region yields.
  mlir::Type getYieldedType() const {
    return getBlock().getTerminator()->getOperand(0).getType();
  }
};

/// Whether a tensor of this type may be a further input of a region: f64, f32,
/// f16, bf16, signless integers of 1, 8, 16, 32 or 64 bits.
bool isElementInputType(mlir::Type type);

/// Whether `op` may be in a region: an op of arith or math that has no effects,
/// from scalars to scalars.
bool isElementOp(mlir::Operation *op);

/// Whether an mx op has a prologue or an epilogue.
bool hasElementRegion(mlir::Operation *op);

/// Replaces `op` by a copy with `count` regions, which are empty: an op has its
/// number of regions for good.
mlir::Operation *replaceRegions(mlir::OpBuilder &builder, mlir::Operation *op,
                                unsigned count);

/// Reports an mx op that has one, for passes that would lose it.
llvm::LogicalResult verifyNoElementRegion(mlir::Operation *op);

} // namespace mx

#endif // MX_IR_ELEMENTREGION_H
