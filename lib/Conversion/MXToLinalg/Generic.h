// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linalg.generic from operands and a body.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_GENERIC_H
#define MX_LIB_CONVERSION_MXTOLINALG_GENERIC_H

#include "Scalar.h"

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mx {

/// A tensor or scalar and where the loops find its elements.
struct GenericOperand {
  mlir::Value value;
  mlir::AffineMap map;
};

/// What each init gets, from the elements of inputs and inits.
using GenericBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::ImplicitLocOpBuilder &, mlir::ValueRange)>;

/// A generic on tensors. Loops that the first init's map lacks are reductions.
llvm::SmallVector<mlir::Value>
createGeneric(mlir::ImplicitLocOpBuilder &builder,
              llvm::ArrayRef<GenericOperand> inputs,
              llvm::ArrayRef<GenericOperand> inits, GenericBody body,
              llvm::ArrayRef<mlir::NamedAttribute> attributes = {});

/// One of one init whose body computes a scalar, which is stored as the init's
/// element type.
mlir::Value createGeneric(
    mlir::ImplicitLocOpBuilder &builder, llvm::ArrayRef<GenericOperand> inputs,
    GenericOperand init,
    llvm::function_ref<Scalar(mlir::ImplicitLocOpBuilder &, mlir::ValueRange)>
        body,
    llvm::ArrayRef<mlir::NamedAttribute> attributes = {});

/// sum + x for a reduction whose order counts: written as sum - (-x), which is
/// the same number, but which nothing takes for a sum that may be reordered.
mlir::Value addInOrder(mlir::ImplicitLocOpBuilder &builder, mlir::Value sum,
                       mlir::Value x);

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_GENERIC_H
