// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the kernels of products are built with.

#ifndef MX_LIB_CONVERSION_LINALGTOCPU_KERNELBUILDER_H
#define MX_LIB_CONVERSION_LINALGTOCPU_KERNELBUILDER_H

#include "LinalgProduct.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/PatternMatch.h"

namespace mx {

/// Builds loops over one tile of a product.
class KernelBuilder {
public:
  /// A position in the tile: an index for each loop of the product.
  using Position = llvm::SmallVector<mlir::Value>;
  /// The body of a loop: from its index and what it carries to what it yields.
  using Body = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::Value, mlir::ValueRange)>;

  KernelBuilder(mlir::RewriterBase &builder, const LinalgProduct &product);

  mlir::Value constant(int64_t value);
  mlir::Value add(mlir::Value a, int64_t value);
  /// `expr` of dimensions, folded.
  mlir::OpFoldResult apply(mlir::AffineExpr expr,
                           llvm::ArrayRef<mlir::OpFoldResult> operands);
  mlir::Value toValue(mlir::OpFoldResult size);
  mlir::AffineExpr dim(unsigned i) { return b.getAffineDimExpr(i); }

  /// The size of a loop of the product.
  mlir::OpFoldResult size(unsigned loop) { return sizes[loop]; }
  /// Where `loop` is among the dimensions of an operand.
  unsigned positionOf(unsigned loop, mlir::OpOperand *operand);
  /// The innermost dimension of an operand, as a loop.
  unsigned innermost(mlir::OpOperand *operand);
  /// The indices of an operand at a position.
  llvm::SmallVector<mlir::Value> at(mlir::OpOperand *operand,
                                    const Position &position);
  /// The first element of the tile.
  Position origin();

  /// A loop over [lower, upper) that carries `values`.
  llvm::SmallVector<mlir::Value> loop(mlir::Value lower, mlir::Value upper,
                                      int64_t step, mlir::ValueRange values,
                                      Body body);
  /// Loops over whole dimensions of the tile; they move `position`.
  llvm::SmallVector<mlir::Value>
  loops(llvm::ArrayRef<unsigned> dims, Position &position,
        llvm::SmallVector<mlir::Value> values,
        llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::ValueRange)>
            body);

  mlir::RewriterBase &b;
  const LinalgProduct &product;
  mlir::Location loc;

private:
  llvm::SmallVector<mlir::OpFoldResult> sizes;
};

/// A part of a tensor. Each offset is a multiple of its step; a dimension with
/// step 0 is there as a whole.
struct TensorPart {
  llvm::SmallVector<mlir::OpFoldResult> offsets, sizes;
  llvm::SmallVector<int64_t> steps;
};

/// The right operand of a tile of a product, from where it is stored or where
/// elementwise ops compute it.
class PanelSource {
public:
  /// nStep: elements of `n.back()` in a tile.
  PanelSource(KernelBuilder &builder, int64_t nStep);

  /// True if ops compute it: then get it in parts that stay in a cache.
  bool isComputed() const { return computed; }

  /// The elements [kOffset, kOffset + kSize) of the innermost K; `kOffset` is a
  /// multiple of `kStep`.
  mlir::Value get(mlir::OpFoldResult kOffset, mlir::OpFoldResult kSize,
                  int64_t kStep);

private:
  mlir::Value sliceOf(mlir::Value source, const TensorPart &part);
  std::optional<TensorPart> expand(mlir::tensor::CollapseShapeOp collapse,
                                   const TensorPart &part);
  mlir::Value compute(mlir::Value source, const TensorPart &part);

  KernelBuilder &k;
  mlir::Value source;
  TensorPart tile;
  bool computed;
};

} // namespace mx

#endif // MX_LIB_CONVERSION_LINALGTOCPU_KERNELBUILDER_H
