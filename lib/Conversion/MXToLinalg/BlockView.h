// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tensor seen by blocks, so that elements and scales meet in linalg ops
// through projected permutations.

#ifndef MX_LIB_CONVERSION_MXTOLINALG_BLOCKVIEW_H
#define MX_LIB_CONVERSION_MXTOLINALG_BLOCKVIEW_H

#include "Shapes.h"

#include "mx/Formats/Format.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mx {

/// How the dimensions of a tensor of elements become loops.
///
/// A dimension of blocks of b elements becomes two loops [D/b, b] (the tensor
/// padded to a multiple of b first); one that is a block as a whole or has a
/// scale an element stays one loop. The scales have the loops of the first of
/// the two and of the latter kind: for 1x16 blocks of a [N, K] tensor elements
/// are [N, K/16, 16] by (n, o, i) -> (n, o, i) and scales [N, K/16] by
/// (n, o, i) -> (n, o); for a scale a row, (n, k) -> (n).
class BlockView {
public:
  /// The view of tensors of `tensor`'s shape whose blocks run along `axis`.
  BlockView(mlir::ImplicitLocOpBuilder &builder, mlir::Value tensor,
            const Format &format, int64_t axis);

  unsigned getNumLoops() const { return numLoops; }
  /// Identity over the loops.
  mlir::AffineMap getElementMap() const;
  /// The loops of the scales.
  mlir::AffineMap getScaleMap() const;
  /// No loop: for a scalar or a rank-0 tensor.
  mlir::AffineMap getScalarMap() const;
  /// True if it is known that there are no elements.
  bool isEmpty() const;

  /// The tensor of elements by loops; padded with zeros where needed.
  mlir::Value expandElements(mlir::ImplicitLocOpBuilder &builder,
                             mlir::Value elements) const;
  /// Back to a tensor like `init`, in `init` and without the padding.
  mlir::Value collapseElements(mlir::ImplicitLocOpBuilder &builder,
                               mlir::Value view, mlir::Value init) const;
  /// Where to compute a view of elements that is to end in `init`: there or, if
  /// it is padded, in a new tensor.
  mlir::Value expandInit(mlir::ImplicitLocOpBuilder &builder,
                         mlir::Value init) const;

  /// The tensor of scales by loops, and back.
  mlir::Value collapseScales(mlir::ImplicitLocOpBuilder &builder,
                             mlir::Value scales) const;
  mlir::Value expandScales(mlir::ImplicitLocOpBuilder &builder,
                           mlir::Value view, mlir::RankedTensorType type) const;
  /// A new tensor with the loops of the scales.
  mlir::Value createForScales(mlir::ImplicitLocOpBuilder &builder,
                              mlir::Type element) const;

  /// Sizes of the tensor of elements, as it was.
  llvm::ArrayRef<mlir::OpFoldResult> getSizes() const { return sizes; }
  /// The loops of each dimension of the elements: one, or one over blocks and
  /// one in the block.
  llvm::ArrayRef<mlir::ReassociationIndices> getLoops() const {
    return elementGroups;
  }
  mlir::OpFoldResult getLoopSize(unsigned loop) const {
    return loopSizes[loop];
  }
  /// Sizes of the tensor of scales.
  Sizes getScaleSizes(mlir::ImplicitLocOpBuilder &builder) const;

private:
  /// Sizes of the original and of the padded tensor.
  Sizes sizes, paddedSizes;
  /// Sizes of the loops.
  Sizes loopSizes;
  /// The loops of each dimension.
  llvm::SmallVector<mlir::ReassociationIndices> elementGroups;
  /// The dimensions of the scale tensor that a dimension of the view stands
  /// for: unit dimensions go with a neighbour.
  llvm::SmallVector<mlir::ReassociationIndices> scaleGroups;
  /// Loops that the scales have.
  llvm::SmallVector<unsigned> scaleLoops;
  unsigned numLoops = 0;
  bool padded = false;
  mlir::MLIRContext *context;
};

} // namespace mx

#endif // MX_LIB_CONVERSION_MXTOLINALG_BLOCKVIEW_H
