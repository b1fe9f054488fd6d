// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// As BlockQuantizer::chooseFourOverSix of lib/Formats. Errors are f32 sums, so
// their order decides ties: along each row of a block in order, then over its
// 16 rows by halves, in order where a ragged block has fewer.

#include "FourOverSix.h"
#include "Codecs.h"
#include "Generic.h"
#include "Scales.h"

#include "mx/IR/FormatTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mx;

namespace {

/// The candidates' values by scale loops: six, then four.
struct Candidates {
  std::array<Value, 2> scales, factors, errors;
};

class Chooser {
public:
  Chooser(ImplicitLocOpBuilder &b, const Format &format, const BlockView &view,
          int64_t axis)
      : b(b), format(format), view(view), axis(axis) {}

  void computeScales(Value tensorAmax, Value amaxBits);
  void computeErrors(Value input, Value tensorAmax);
  std::pair<Value, Value> choose(Value init);

private:
  Value createEmpty(AffineMap map, Type element);
  Scalar addError(Scalar sum, Scalar error);
  Value sumRows(Value rows, AffineMap rowMap);
  Value sumRowsByHalves(Value rows, AffineMap rowMap, unsigned position);

  ImplicitLocOpBuilder &b;
  const Format &format;
  const BlockView &view;
  int64_t axis;
  Candidates candidates;
};

} // namespace

/// A new tensor of the loops that `map` has.
Value Chooser::createEmpty(AffineMap map, Type element) {
  Sizes sizes;
  for (unsigned i = 0; i < map.getNumResults(); ++i)
    sizes.push_back(view.getLoopSize(map.getDimPosition(i)));
  return tensor::EmptyOp::create(b, sizes, element);
}

void Chooser::computeScales(Value tensorAmax, Value amaxBits) {
  auto type = cast<RankedTensorType>(amaxBits.getType());
  AffineMap map = b.getMultiDimIdentityMap(type.getRank());
  AffineMap noLoop = AffineMap::get(type.getRank(), 0, b.getContext());
  SmallVector<GenericOperand> inits;
  for (unsigned i = 0; i < 2; ++i) {
    inits.push_back({view.createForScales(b, b.getI8Type()), map});
    inits.push_back({view.createForScales(b, b.getF32Type()), map});
  }
  SmallVector<Value> results = createGeneric(
      b, {{amaxBits, map}, {tensorAmax, noLoop}}, inits,
      [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
        auto [six, four] = computeFourOverSixScales(
            format, Scalar(b, args[1]), Scalar(b, args[0]).asFloat());
        Type code = b.getI8Type();
        return {six.stored.store(code), six.first, four.stored.store(code),
                four.first};
      });
  candidates.scales = {results[0], results[2]};
  candidates.factors = {results[1], results[3]};
}

/// The sum (or maximum) of errors with one more.
Scalar Chooser::addError(Scalar sum, Scalar error) {
  if (format.fourOverSix == FourOverSix::AbsMax)
    return select(sum < error, error, sum);
  return {sum.getBuilder(), addInOrder(sum.getBuilder(), sum, error)};
}

void Chooser::computeErrors(Value input, Value tensorAmax) {
  // Everything but the place in a block's row, which may be of one element.
  AffineMap elementMap = view.getElementMap();
  AffineMap rowMap = elementMap;
  if (format.blockCols != 1)
    rowMap = elementMap.dropResult(view.getLoops()[axis].back());
  for (unsigned i = 0; i < 2; ++i) {
    Value rows = createGeneric(
        b,
        {{input, elementMap},
         {candidates.scales[i], view.getScaleMap()},
         {candidates.factors[i], view.getScaleMap()},
         {tensorAmax, view.getScalarMap()}},
        {fillZeros(b, createEmpty(rowMap, b.getF32Type())), rowMap},
        [&](ImplicitLocOpBuilder &b, ValueRange args) {
          Scalar x = Scalar::load(b, args[0]);
          Scalar scale = decodeScale(Scalar::load(b, args[1]), format.scale);
          Scalar code = encodeElement(
              scaleElement(format, mx::FloatType::F32, x, Scalar(b, args[2])),
              format.element);
          Scalar value = decodeElement(code, format.element) * scale;
          value = value * Scalar(b, args[3]);
          value = value / x.f32(float(6 * format.scaleMax));
          Scalar difference = value - x;
          Scalar error = format.fourOverSix == FourOverSix::MSE
                             ? difference * difference
                             : difference.abs();
          return addError(Scalar(b, args[4]), error);
        });
    candidates.errors[i] = sumRows(rows, rowMap);
  }
}

/// The errors of blocks from those of their rows.
Value Chooser::sumRows(Value rows, AffineMap rowMap) {
  AffineMap scaleMap = view.getScaleMap();
  if (rowMap == scaleMap)
    return rows;
  int64_t rank = view.getLoops().size();
  int64_t rowAxis = *getRowAxis(rank, axis);
  ReassociationIndices rowLoops = view.getLoops()[rowAxis];
  unsigned position =
      *rowMap.getResultPosition(b.getAffineDimExpr(rowLoops.back()));

  // Over the dimensions of `rows` instead of the loops.
  AffineMap identity = b.getMultiDimIdentityMap(rowMap.getNumResults());
  AffineMap blockMap = identity.dropResult(position);
  auto sumInOrder = [&] {
    return createGeneric(
        b, {{rows, identity}},
        {fillZeros(b, createEmpty(scaleMap, b.getF32Type())), blockMap},
        [&](ImplicitLocOpBuilder &b, ValueRange args) {
          return addError(Scalar(b, args[1]), Scalar(b, args[0]));
        });
  };
  if (format.fourOverSix == FourOverSix::AbsMax || format.blockRows != 16)
    return sumInOrder();
  Value byHalves = sumRowsByHalves(rows, rowMap, position);
  std::optional<int64_t> extent = getConstantIntValue(view.getSizes()[rowAxis]);
  if (extent && *extent % format.blockRows == 0)
    return byHalves;

  // The last block's rows, fewer than 16, in order; padding adds zeros.
  Value inOrder = sumInOrder();
  Value size =
      getValueOrCreateConstantIndexOp(b, b.getLoc(), view.getSizes()[rowAxis]);
  AffineMap map = b.getMultiDimIdentityMap(blockMap.getNumResults());
  unsigned blockLoop =
      *scaleMap.getResultPosition(b.getAffineDimExpr(rowLoops.front()));
  return createGeneric(
      b,
      {{inOrder, map},
       {byHalves, map},
       {size, AffineMap::get(map.getNumDims(), 0, b.getContext())}},
      {createEmpty(scaleMap, b.getF32Type()), map},
      [&](ImplicitLocOpBuilder &b, ValueRange args) {
        Value block = linalg::IndexOp::create(b, blockLoop);
        Value one = arith::ConstantIndexOp::create(b, 1);
        Value rowsPerBlock =
            arith::ConstantIndexOp::create(b, format.blockRows);
        Value end = arith::MulIOp::create(
            b, arith::AddIOp::create(b, block, one), rowsPerBlock);
        Value isRagged =
            arith::CmpIOp::create(b, arith::CmpIPredicate::ugt, end, args[2]);
        return select(Scalar(b, isRagged), Scalar(b, args[0]),
                      Scalar(b, args[1]));
      });
}

/// rows[r] += rows[r + half] for half = 8, 4, 2, 1 along dimension `position`.
Value Chooser::sumRowsByHalves(Value rows, AffineMap rowMap,
                               unsigned position) {
  Sizes sizes;
  for (unsigned i = 0; i < rowMap.getNumResults(); ++i)
    sizes.push_back(view.getLoopSize(rowMap.getDimPosition(i)));
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  AffineMap map = b.getMultiDimIdentityMap(sizes.size());
  for (int64_t half = format.blockRows / 2; half; half /= 2) {
    sizes[position] = b.getIndexAttr(half);
    SmallVector<OpFoldResult> upper(offsets);
    upper[position] = b.getIndexAttr(half);
    Value low =
        tensor::ExtractSliceOp::create(b, rows, offsets, sizes, strides);
    Value high = tensor::ExtractSliceOp::create(b, rows, upper, sizes, strides);
    Value empty = tensor::EmptyOp::create(b, sizes, b.getF32Type());
    rows = createGeneric(b, {{low, map}, {high, map}}, {empty, map},
                         [](ImplicitLocOpBuilder &b, ValueRange args) {
                           return Scalar(b, args[0]) + Scalar(b, args[1]);
                         });
  }
  // The dimension of size one goes with a neighbour.
  SmallVector<ReassociationIndices> groups;
  for (unsigned dim = 0; dim < sizes.size(); ++dim) {
    if (dim == position && !groups.empty())
      groups.back().push_back(dim);
    else if (dim == 1 && position == 0)
      groups.back().push_back(dim);
    else
      groups.push_back({int64_t(dim)});
  }
  return tensor::CollapseShapeOp::create(b, rows, groups);
}

std::pair<Value, Value> Chooser::choose(Value init) {
  auto type = cast<RankedTensorType>(init.getType());
  AffineMap map = b.getMultiDimIdentityMap(type.getRank());
  SmallVector<GenericOperand> inputs;
  for (auto &pair : {candidates.scales, candidates.factors, candidates.errors})
    for (Value value : pair)
      inputs.push_back({value, map});
  SmallVector<Value> results = createGeneric(
      b, inputs, {{init, map}, {view.createForScales(b, b.getF32Type()), map}},
      [](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
        auto arg = [&](unsigned i) { return Scalar(b, args[i]); };
        Scalar four = arg(5) < arg(4);
        return {select(four, arg(1), arg(0)), select(four, arg(3), arg(2))};
      });
  return {results[0], results[1]};
}

std::pair<Value, Value>
mx::chooseFourOverSix(ImplicitLocOpBuilder &b, const Format &format,
                      const BlockView &view, int64_t axis, Value input,
                      Value tensorAmax, Value amaxBits, Value init) {
  Chooser chooser(b, format, view, axis);
  chooser.computeScales(tensorAmax, amaxBits);
  chooser.computeErrors(input, tensorAmax);
  return chooser.choose(init);
}
