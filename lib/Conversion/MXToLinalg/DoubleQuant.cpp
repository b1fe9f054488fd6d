// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DoubleQuant.h"
#include "Generic.h"
#include "Shapes.h"

#include "mx/Formats/Quantize.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mx;

/// Scales that share a number.
static constexpr int64_t groupSize = 256;

/// The mean of a rank-1 tensor (tensor<f32>), summed in f64 and in order.
static Value computeMean(ImplicitLocOpBuilder &b, Value scales) {
  AffineMap map = b.getMultiDimIdentityMap(1);
  AffineMap noLoop = AffineMap::get(1, 0, b.getContext());
  Value sum =
      createGeneric(
          b, GenericOperand{scales, map},
          GenericOperand{createZeros(b, {}, b.getF64Type()), noLoop},
          [](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
            Value scale = arith::ExtFOp::create(b, b.getF64Type(), args[0]);
            return {addInOrder(b, args[1], scale)};
          })
          .front();
  Value count = getValueOrCreateConstantIndexOp(
      b, b.getLoc(), getTensorSizes(b, scales).front());
  count = arith::IndexCastOp::create(b, b.getI64Type(), count);
  count = arith::SIToFPOp::create(b, b.getF64Type(), count);
  AffineMap scalar = AffineMap::get(0, 0, b.getContext());
  Value empty =
      tensor::EmptyOp::create(b, ArrayRef<OpFoldResult>(), b.getF32Type());
  return createGeneric(
      b, {{sum, scalar}, {count, scalar}}, {empty, scalar},
      [](ImplicitLocOpBuilder &b, ValueRange args) {
        Value mean = arith::DivFOp::create(b, args[0], args[1]);
        return Scalar(b, arith::TruncFOp::create(b, b.getF32Type(), mean));
      });
}

/// The values of the dynamic map nearest to `groups` [g, 256] in units of each
/// group's `amax` [g].
static Value roundToMap(ImplicitLocOpBuilder &b, Value groups, Value amax) {
  ArrayRef<float> values = getDynamicMap();
  // A value is taken where the midpoint before it is passed.
  SmallVector<float> midpoints;
  for (auto [low, high] : llvm::zip(values, values.drop_front()))
    midpoints.push_back((low + high) * 0.5f);
  auto createTable = [&](ArrayRef<float> table) -> Value {
    auto type = RankedTensorType::get(table.size(), b.getF32Type());
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, table));
  };
  Value lowest = Scalar::f32(b, values.front());
  Sizes sizes = getTensorSizes(b, groups);
  Value init =
      linalg::FillOp::create(
          b, lowest,
          ValueRange(tensor::EmptyOp::create(b, sizes, b.getF32Type())))
          .getResult(0);
  auto getMap = [&](ArrayRef<unsigned> loops) {
    return AffineMap::getMultiDimMapWithTargets(3, loops, b.getContext());
  };
  return createGeneric(b,
                       {{groups, getMap({0, 1})},
                        {amax, getMap({0})},
                        {createTable(midpoints), getMap({2})},
                        {createTable(values.drop_front()), getMap({2})}},
                       {init, getMap({0, 1})},
                       [](ImplicitLocOpBuilder &b, ValueRange args) {
                         Scalar amax(b, args[1]);
                         Scalar v = Scalar(b, args[0]) * (amax.f32(1) / amax);
                         return select(Scalar(b, args[2]) < v,
                                       Scalar(b, args[3]), Scalar(b, args[4]));
                       });
}

/// A rank-1 tensor in `shape`, of which more than one extent may be unknown:
/// upstream's lowering of tensor.expand_shape crashes on such.
static Value unflatten(ImplicitLocOpBuilder &b, Value flat,
                       ArrayRef<OpFoldResult> shape) {
  AffineMap map = b.getMultiDimIdentityMap(shape.size());
  AffineMap scalar = AffineMap::get(shape.size(), 0, b.getContext());
  SmallVector<GenericOperand> sizes;
  for (OpFoldResult size : shape)
    sizes.push_back(
        {getValueOrCreateConstantIndexOp(b, b.getLoc(), size), scalar});
  Value empty = tensor::EmptyOp::create(b, shape, b.getF32Type());
  return createGeneric(
      b, sizes, {empty, map}, [&](ImplicitLocOpBuilder &b, ValueRange args) {
        Value index = linalg::IndexOp::create(b, 0);
        for (size_t dim = 1; dim < shape.size(); ++dim)
          index = arith::AddIOp::create(
              b, arith::MulIOp::create(b, index, args[dim]),
              linalg::IndexOp::create(b, dim));
        return Scalar(b, tensor::ExtractOp::create(b, flat, index));
      });
}

Value mx::roundTripScales(ImplicitLocOpBuilder &b, Value scales) {
  auto type = cast<RankedTensorType>(scales.getType());
  Sizes shape = getTensorSizes(b, scales);
  SmallVector<ReassociationIndices> flat(1);
  flat[0] = llvm::to_vector(llvm::seq<int64_t>(type.getRank()));
  Value values = castTo(b, scales, getTensorType(shape, b.getF32Type()));
  if (type.getRank() > 1)
    values = tensor::CollapseShapeOp::create(b, values, flat);

  // Deviations from the mean, padded with zeros to whole groups.
  AffineMap map = b.getMultiDimIdentityMap(1);
  AffineMap noLoop = AffineMap::get(1, 0, b.getContext());
  Value mean = computeMean(b, values);
  Sizes sizes = getTensorSizes(b, values);
  auto createLike = [&](ArrayRef<OpFoldResult> like) -> Value {
    return tensor::EmptyOp::create(b, like, b.getF32Type());
  };
  Value deviations = createGeneric(
      b, {{values, map}, {mean, noLoop}}, {createLike(sizes), map},
      [](ImplicitLocOpBuilder &b, ValueRange args) {
        return Scalar(b, args[0]) - Scalar(b, args[1]);
      });
  OpFoldResult numGroups = ceilDiv(b, sizes.front(), groupSize);
  Sizes padded = {multiply(b, numGroups, groupSize)};
  Sizes grouped = {numGroups, b.getIndexAttr(groupSize)};
  SmallVector<ReassociationIndices> groups = {{0, 1}};
  deviations = tensor::ExpandShapeOp::create(
      b, getTensorType(grouped, b.getF32Type()),
      padTo(b, deviations, sizes, padded), groups, grouped);

  AffineMap byElement = b.getMultiDimIdentityMap(2);
  AffineMap byGroup = byElement.dropResult(1);
  Value amax =
      createGeneric(b, {{deviations, byElement}},
                    {createZeros(b, grouped.front(), b.getF32Type()), byGroup},
                    [](ImplicitLocOpBuilder &b, ValueRange args) {
                      Scalar magnitude = Scalar(b, args[0]).abs(),
                             largest(b, args[1]);
                      return select(largest < magnitude, magnitude, largest);
                    });
  Value rounded = createGeneric(
      b,
      {{roundToMap(b, deviations, amax), byElement},
       {amax, byGroup},
       {mean, AffineMap::get(2, 0, b.getContext())}},
      {createLike(grouped), byElement},
      [](ImplicitLocOpBuilder &b, ValueRange args) {
        return Scalar(b, args[0]) * Scalar(b, args[1]) + Scalar(b, args[2]);
      });
  rounded = tensor::CollapseShapeOp::create(b, rounded, groups);
  if (type.getRank() == 1)
    return copySlice(b, rounded, scales);
  rounded = copySlice(b, rounded, createLike(sizes));
  auto shaped = getTensorType(shape, b.getF32Type());
  Value result =
      shaped.getNumDynamicDims() > 1
          ? unflatten(b, rounded, shape)
          : tensor::ExpandShapeOp::create(b, shaped, rounded, flat, shape);
  return castTo(b, result, type);
}
