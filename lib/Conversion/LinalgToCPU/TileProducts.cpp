// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinalgProduct.h"
#include "ProductKernel.h"
#include "Utils.h"
#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mx {
#define GEN_PASS_DEF_MXCPUTILEPRODUCTS
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;
using mx::LinalgProduct;
using mx::ProductTile;

namespace {

struct TileProducts : mx::impl::MXCPUTileProductsBase<TileProducts> {
  using MXCPUTileProductsBase::MXCPUTileProductsBase;

  void runOnOperation() override {
    FailureOr<mx::CPUTarget> target = mx::getTargetOrError(getOperation(), cpu);
    if (failed(target))
      return signalPassFailure();
    SmallVector<LinalgProduct> products;
    getOperation()->walk([&](linalg::LinalgOp op) {
      FailureOr<LinalgProduct> product = LinalgProduct::match(op);
      if (succeeded(product) && isLowered(*product))
        products.push_back(*product);
    });
    IRRewriter rewriter(&getContext());
    for (LinalgProduct &product : products)
      if (failed(tile(rewriter, product, *target)))
        return signalPassFailure();
  }

  /// Products in normal form (mx-cpu-normalize-products) that do anything
  /// (upstream's tiling does not expect a size of 0).
  static bool isLowered(LinalgProduct &product) {
    return getElementTypeOrSelf(product.lhs->get()).isF32() &&
           getElementTypeOrSelf(product.rhs->get()).isF32() &&
           !llvm::is_contained(product.op.getStaticLoopRanges(), 0);
  }

  LogicalResult tile(RewriterBase &rewriter, const LinalgProduct &product,
                     const mx::CPUTarget &target) {
    linalg::LinalgOp op = product.op;
    ProductTile tile = ProductTile::get(product, target);

    // A constant initial value stays in registers.
    Value fill;
    if (auto def = product.init->get().getDefiningOp<linalg::FillOp>()) {
      fill = def.getInputs()[0];
      rewriter.modifyOpInPlace(op,
                               [&] { product.init->set(def.getOutputs()[0]); });
    }

    SmallVector<OpFoldResult> sizes(op.getNumLoops(), rewriter.getIndexAttr(0));
    for (unsigned loop : product.batch)
      sizes[loop] = rewriter.getIndexAttr(1);
    for (unsigned loop : product.n)
      sizes[loop] = rewriter.getIndexAttr(1);
    sizes[product.n.back()] = rewriter.getIndexAttr(tile.columns);
    scf::SCFTilingOptions options;
    options.setTileSizes(sizes);
    options.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
    rewriter.setInsertionPoint(op);
    FailureOr<scf::SCFTilingResult> tiled =
        scf::tileUsingSCF(rewriter, cast<TilingInterface>(*op), options);
    if (failed(tiled))
      return op->emitError("could not be tiled");
    rewriter.replaceOp(op, tiled->replacements);

    FailureOr<LinalgProduct> inner =
        LinalgProduct::match(tiled->tiledOps.front());
    if (failed(inner))
      return tiled->tiledOps.front()->emitError("is no longer a product");
    mx::lowerProduct(rewriter, *inner, tile, fill);
    return success();
  }
};

} // namespace
