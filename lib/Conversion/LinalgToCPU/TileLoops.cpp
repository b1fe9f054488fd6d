// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mx {
#define GEN_PASS_DEF_MXCPUTILELOOPS
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;

namespace {

/// Iterations below which starting the threads costs more than they give.
constexpr int64_t kSmall = 16384;
/// Tiles of one op: several for each thread, so that shares are even.
constexpr int64_t kTiles = 16;
/// Tiles of an innermost loop are not smaller, so that it vectorises.
constexpr int64_t kInnermost = 1024;

/// True if each map takes the loop as it is. Where it is part of an expression
/// (an index divided by the size of a block), tiles would have to be aligned.
bool isPlain(linalg::LinalgOp op, unsigned loop) {
  return llvm::all_of(op.getIndexingMapsArray(), [&](AffineMap map) {
    return llvm::all_of(map.getResults(), [&](AffineExpr expr) {
      return isa<AffineDimExpr>(expr) || !expr.isFunctionOfDim(loop);
    });
  });
}

/// Tile sizes (0: not tiled) that cut the leading parallel loops of an op.
SmallVector<int64_t> getTileSizes(linalg::LinalgOp op) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<int64_t> sizes(ranges.size(), 0);
  int64_t total = 1;
  for (int64_t range : ranges)
    total = ShapedType::isDynamic(range) ? total * kSmall
                                         : std::min(total, kSmall) * range;
  if (total < kSmall)
    return {};

  int64_t tiles = 1;
  auto kinds = op.getIteratorTypesArray();
  for (auto [i, range] : llvm::enumerate(ranges)) {
    if (range == 1)
      continue;
    if (kinds[i] != utils::IteratorType::parallel || !isPlain(op, i))
      break;
    int64_t least = i + 1 == ranges.size() ? kInnermost : 1;
    if (ShapedType::isDynamic(range)) {
      sizes[i] = least;
      return sizes;
    }
    sizes[i] = std::max(least, range * tiles / kTiles);
    tiles *= llvm::divideCeil(range, sizes[i]);
    if (tiles >= kTiles)
      break;
  }
  return tiles > 1 ? sizes : SmallVector<int64_t>();
}

struct TileLoops : mx::impl::MXCPUTileLoopsBase<TileLoops> {
  using MXCPUTileLoopsBase::MXCPUTileLoopsBase;

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> ops;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (op.hasPureTensorSemantics() &&
          !op->getParentOfType<LoopLikeOpInterface>() &&
          !isa<linalg::FillOp>(op) && isa<TilingInterface>(*op) &&
          !llvm::is_contained(op.getStaticLoopRanges(), 0))
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops) {
      SmallVector<int64_t> sizes = getTileSizes(op);
      if (sizes.empty())
        continue;
      scf::SCFTilingOptions options;
      options.setTileSizes(getAsIndexOpFoldResult(&getContext(), sizes));
      options.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
      rewriter.setInsertionPoint(op);
      FailureOr<scf::SCFTilingResult> tiled =
          scf::tileUsingSCF(rewriter, cast<TilingInterface>(*op), options);
      if (failed(tiled)) {
        op->emitError("could not be tiled");
        return signalPassFailure();
      }
      rewriter.replaceOp(op, tiled->replacements);
    }
  }
};

} // namespace
