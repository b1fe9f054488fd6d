// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise linalg ops as mx-fuse sees them: functions of scalars and what
// they read.

#ifndef MX_LIB_TRANSFORMS_ELEMENTWISEOPS_H
#define MX_LIB_TRANSFORMS_ELEMENTWISEOPS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

namespace mx {

/// Why `op` is no function of scalars that is applied to each element of its
/// result, or may not be moved; empty if it is and may.
std::string checkElementwise(mlir::linalg::LinalgOp op);

/// Whether `op` reads the element of `operand` at the place of its result's.
bool isReadInPlace(mlir::linalg::LinalgOp op, mlir::OpOperand *operand);

/// What an elementwise op reads, as a region can: a constant, or elements of a
/// tensor of which `map` says where they are.
struct ElementInput {
  mlir::OpOperand *operand;
  mlir::TypedAttr constant;
  mlir::Value value;
  mlir::AffineMap map;
  /// How `value` is collapsed first, if `isCollapsed`.
  llvm::SmallVector<mlir::ReassociationIndices> groups;
  bool isCollapsed = false;
};

/// The inputs of an elementwise op but those of `core`, over the dimensions
/// that `groups` collapse the result's to. Copies are looked through. Nothing
/// is created; fails with a reason.
mlir::FailureOr<llvm::SmallVector<ElementInput>>
planInputs(mlir::linalg::LinalgOp op, mlir::Value core,
           llvm::ArrayRef<mlir::ReassociationIndices> groups,
           std::string &reason);

/// `value` collapsed by `groups`; what it was before it was expanded so.
mlir::Value collapse(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value,
                     llvm::ArrayRef<mlir::ReassociationIndices> groups);

/// Clones the body of an elementwise op, whose arguments `getArgument` maps, to
/// the insertion point, with the constants that it reads from outside. Returns
/// what it yields.
mlir::Value
cloneBody(mlir::OpBuilder &b, mlir::linalg::LinalgOp op,
          llvm::function_ref<mlir::Value(mlir::OpOperand *)> getArgument);

} // namespace mx

#endif // MX_LIB_TRANSFORMS_ELEMENTWISEOPS_H
