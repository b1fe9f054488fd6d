// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinalgProduct.h"
#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mx {
#define GEN_PASS_DEF_MXCPUNORMALIZEPRODUCTS
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;
using mx::LinalgProduct;

namespace {

/// If `value` is a transposed or broadcast copy of another tensor, gives that
/// tensor, and in `map` (loops to dimensions of `value`) its dimensions.
Value lookThroughCopy(Value value, AffineMap &map) {
  auto copy = value.getDefiningOp<linalg::LinalgOp>();
  if (!copy || copy.getNumDpsInputs() != 1 || copy.getNumDpsInits() != 1 ||
      copy.getNumParallelLoops() != copy.getNumLoops() ||
      copy.getBlock()->getTerminator()->getOperand(0) !=
          copy.getBlock()->getArgument(0))
    return {};
  // linalg.fill yields its input too, a scalar.
  if (!isa<RankedTensorType>(copy.getDpsInputOperand(0)->get().getType()))
    return {};
  AffineMap from = copy.getMatchingIndexingMap(copy.getDpsInputOperand(0));
  AffineMap to = copy.getMatchingIndexingMap(copy.getDpsInitOperand(0));
  if (!from.isProjectedPermutation() || !to.isPermutation())
    return {};
  map = from.compose(inversePermutation(to)).compose(map);
  return copy.getDpsInputOperand(0)->get();
}

struct NormalizeProducts
    : mx::impl::MXCPUNormalizeProductsBase<NormalizeProducts> {
  using MXCPUNormalizeProductsBase::MXCPUNormalizeProductsBase;

  void runOnOperation() override {
    extended.clear();
    SmallVector<LinalgProduct> products;
    getOperation()->walk([&](linalg::LinalgOp op) {
      FailureOr<LinalgProduct> product = LinalgProduct::match(op);
      if (succeeded(product))
        products.push_back(*product);
    });
    IRRewriter rewriter(&getContext());
    for (const LinalgProduct &product : products)
      normalize(rewriter, product);
  }

  /// Replaces a product by its normal form.
  void normalize(RewriterBase &rewriter, const LinalgProduct &product) {
    linalg::LinalgOp op = product.op;
    rewriter.setInsertionPoint(op);
    SmallVector<AffineMap> maps;
    SmallVector<Value> inputs;
    for (OpOperand *operand : {product.lhs, product.rhs}) {
      AffineMap map = product.getMap(operand);
      Value value = operand->get();
      while (Value source = lookThroughCopy(value, map))
        value = source;
      inputs.push_back(extend(rewriter, op.getLoc(), value,
                              /*share=*/operand == product.lhs));
      maps.push_back(map);
    }
    maps.push_back(product.getMap(product.init));
    auto generic = linalg::GenericOp::create(
        rewriter, op.getLoc(), op->getResultTypes(), inputs,
        product.init->get(), maps, op.getIteratorTypesArray(),
        [](OpBuilder &b, Location loc, ValueRange args) {
          Value term = arith::MulFOp::create(b, loc, args[0], args[1]);
          Value sum = arith::AddFOp::create(b, loc, args[2], term);
          linalg::YieldOp::create(b, loc, sum);
        });
    rewriter.replaceOp(op, generic);

    rewriter.setInsertionPoint(generic);
    FailureOr<linalg::DropUnitDimsResult> dropped =
        linalg::dropUnitDims(rewriter, generic, linalg::ControlDropUnitDims());
    if (succeeded(dropped))
      rewriter.replaceOp(generic, dropped->replacements);
  }

  /// `value` as f32. With `share`, products of one value have one extension.
  Value extend(RewriterBase &rewriter, Location loc, Value value, bool share) {
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getElementType().isF32())
      return value;
    Value &known = extended[value];
    if (share && known)
      return known;
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointAfterValue(value);
    Value init = tensor::EmptyOp::create(
        rewriter, loc, tensor::getMixedSizes(rewriter, loc, value),
        rewriter.getF32Type());
    SmallVector<AffineMap> maps(
        2, rewriter.getMultiDimIdentityMap(type.getRank()));
    SmallVector<utils::IteratorType> kinds(type.getRank(),
                                           utils::IteratorType::parallel);
    auto result = linalg::GenericOp::create(
        rewriter, loc, init.getType(), value, init, maps, kinds,
        [&](OpBuilder &b, Location loc, ValueRange args) {
          Value wide = arith::ExtFOp::create(b, loc, b.getF32Type(), args[0]);
          linalg::YieldOp::create(b, loc, wide);
        });
    if (share)
      known = result.getResult(0);
    return result.getResult(0);
  }

  /// The extensions of left operands.
  DenseMap<Value, Value> extended;
};

} // namespace
