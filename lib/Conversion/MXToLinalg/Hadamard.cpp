// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mx.hadamard: groups of elements times a constant matrix, in the order of
// Hadamard::apply of lib/Formats.

#include "mx/Formats/Hadamard.h"
#include "Generic.h"
#include "Patterns.h"
#include "Shapes.h"

#include "mx/IR/MX.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"
#include "llvm/ADT/bit.h"

#include <cmath>

using namespace mlir;
using namespace mx;

/// diag(signs) * H as a tensor<n x n x f32>.
static Value createMatrix(ImplicitLocOpBuilder &b, const Hadamard &transform) {
  int64_t n = transform.size();
  SmallVector<float> values;
  for (uint64_t i = 0; i < uint64_t(n); ++i)
    for (uint64_t j = 0; j < uint64_t(n); ++j)
      values.push_back(llvm::popcount(i & j) & 1 ? -transform.signs[i]
                                                 : transform.signs[i]);
  auto type = RankedTensorType::get({n, n}, b.getF32Type());
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(type, ArrayRef<float>(values)));
}

namespace {
struct LowerHadamard : OpConversionPattern<HadamardOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(HadamardOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "on memrefs");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Hadamard transform = op.getTransform().getValue();
    int64_t n = transform.size(), axis = op.getAxis();
    Value input = adaptor.getInput(), init = adaptor.getInit();

    // [.., K, ..] as [.., K/n, n, ..]; the loops are those of the input and,
    // after the place in the input's group, that in the result's. The inner of
    // the two is parallel, so that the sums vectorise in order.
    Sizes sizes = getTensorSizes(b, input), split;
    SmallVector<ReassociationIndices> groups;
    SmallVector<unsigned> inputLoops, resultLoops;
    unsigned loop = 0;
    for (int64_t dim = 0; dim < int64_t(sizes.size()); ++dim) {
      ReassociationIndices &group = groups.emplace_back();
      auto add = [&](OpFoldResult size, unsigned inputLoop,
                     unsigned resultLoop) {
        group.push_back(split.size());
        split.push_back(size);
        inputLoops.push_back(inputLoop);
        resultLoops.push_back(resultLoop);
      };
      if (dim != axis) {
        add(sizes[dim], loop, loop);
        ++loop;
        continue;
      }
      add(ceilDiv(b, sizes[dim], n), loop, loop);
      add(b.getIndexAttr(n), loop + 1, loop + 2);
      loop += 3;
    }
    unsigned from = inputLoops[axis + 1], to = resultLoops[axis + 1];
    auto getMap = [&](ArrayRef<unsigned> loops) {
      return AffineMap::getMultiDimMapWithTargets(loop, loops, b.getContext());
    };
    auto expand = [&](Value value) -> Value {
      Type element = getElementTypeOrSelf(value.getType());
      value = castTo(b, value, getTensorType(sizes, element));
      return tensor::ExpandShapeOp::create(b, getTensorType(split, element),
                                           value, groups, split);
    };

    Value sums = createZeros(b, split, b.getF32Type());
    sums = createGeneric(b,
                         {{expand(input), getMap(inputLoops)},
                          {createMatrix(b, transform), getMap({from, to})}},
                         {sums, getMap(resultLoops)},
                         [](ImplicitLocOpBuilder &b, ValueRange args) {
                           Scalar product =
                               Scalar::load(b, args[0]) * Scalar(b, args[1]);
                           return Scalar(b, addInOrder(b, args[2], product));
                         });
    AffineMap map = b.getMultiDimIdentityMap(split.size());
    float scale = float(1 / std::sqrt(double(n)));
    Value result = createGeneric(b, {{sums, map}}, {expand(init), map},
                                 [&](ImplicitLocOpBuilder &b, ValueRange args) {
                                   return Scalar(b, args[0]) * scale;
                                 });
    result = tensor::CollapseShapeOp::create(b, result, groups);
    rewriter.replaceOp(op, castTo(b, result, init.getType()));
    return success();
  }
};
} // namespace

void mx::populateHadamardPatterns(const TypeConverter &converter,
                                  RewritePatternSet &patterns) {
  patterns.add<LowerHadamard>(converter, patterns.getContext());
}
