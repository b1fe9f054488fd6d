// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Matrices that come from a stack of them: the stack is quantised once, codes
// and scales are chosen as the values were.

#include "QuantizedOperands.h"
#include "mx/Analysis/Views.h"
#include "mx/IR/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// Gathered weights
//===----------------------------------------------------------------------===//

namespace {
/// A generic that copies whole rows and columns of matrices that an index
/// chooses from a stack.
struct StackGather {
  linalg::GenericOp op;
  tensor::ExtractOp extract;
  /// For each dimension of the stack, the dimension of the result that walks
  /// it; none for dimensions in which something is chosen.
  SmallVector<std::optional<unsigned>> walks;
};
} // namespace

static std::optional<StackGather> matchStackGather(Value value) {
  auto op = value.getDefiningOp<linalg::GenericOp>();
  if (!op || op->getNumResults() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops() ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity() ||
      op.payloadUsesValueFromOperand(op.getDpsInitOperand(0)))
    return std::nullopt;
  auto extract = op.getBody()
                     ->getTerminator()
                     ->getOperand(0)
                     .getDefiningOp<tensor::ExtractOp>();
  if (!extract || extract->getBlock() != op.getBody())
    return std::nullopt;
  StackGather gather = {op, extract, {}};
  llvm::SmallDenseSet<unsigned> walked;
  for (Value index : extract.getIndices()) {
    auto walk = index.getDefiningOp<linalg::IndexOp>();
    bool isWalk = walk && walk->hasOneUse();
    gather.walks.push_back(isWalk ? std::optional<unsigned>(walk.getDim())
                                  : std::nullopt);
    if (isWalk && !walked.insert(walk.getDim()).second)
      return std::nullopt;
  }
  // What is chosen must not depend on the position in the matrix, because the
  // scales have other positions.
  for (unsigned loop : walked) {
    for (OpOperand *input : op.getDpsInputOperands())
      if (op.getMatchingIndexingMap(input).isFunctionOfDim(loop))
        return std::nullopt;
    for (auto index : op.getBody()->getOps<linalg::IndexOp>())
      if (index.getDim() == loop &&
          llvm::any_of(index->getUsers(),
                       [&](Operation *user) { return user != extract; }))
        return std::nullopt;
  }
  return gather;
}

/// The same gather from another stack, of other extents in walked dimensions.
static Value gatherFrom(RewriterBase &rewriter, Location loc,
                        const StackGather &gather, Value stack) {
  linalg::GenericOp op = gather.op;
  tensor::ExtractOp extract = gather.extract;
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(rewriter, loc, op.getDpsInitOperand(0)->get());
  for (auto [dim, walk] : llvm::enumerate(gather.walks))
    if (walk)
      sizes[*walk] = tensor::getMixedSize(rewriter, loc, stack, dim);
  Value init = tensor::EmptyOp::create(rewriter, loc, sizes,
                                       getElementTypeOrSelf(stack));
  auto result = linalg::GenericOp::create(
      rewriter, loc, init.getType(), op.getInputs(), init,
      op.getIndexingMapsArray(), op.getIteratorTypesArray(),
      [&](OpBuilder &builder, Location, ValueRange arguments) {
        IRMapping mapping;
        mapping.map(op.getBody()->getArguments().drop_back(),
                    arguments.drop_back());
        for (Operation &inner : op.getBody()->without_terminator()) {
          if (&inner != extract.getOperation()) {
            builder.clone(inner, mapping);
            continue;
          }
          SmallVector<Value> indices;
          for (Value index : extract.getIndices())
            indices.push_back(mapping.lookupOrDefault(index));
          Value element =
              tensor::ExtractOp::create(builder, loc, stack, indices);
          linalg::YieldOp::create(builder, loc, element);
          return;
        }
      });
  return result.getResult(0);
}

std::optional<SmallVector<Value>>
QuantizedOperands::quantizeTable(Location loc, Value value, OperandAttr how,
                                 int64_t axis) {
  std::optional<StackGather> gather = matchStackGather(value);
  if (!gather)
    return std::nullopt;
  Value stack = gather->extract.getTensor();
  int64_t stackRank = gather->walks.size();
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  auto findWalk = [&](std::optional<int64_t> dim) -> std::optional<int64_t> {
    for (auto [i, walk] : llvm::enumerate(gather->walks))
      if (dim && walk && *walk == *dim)
        return i;
    return std::nullopt;
  };
  // Blocks lie within one matrix, and in it as they would in the gathered one.
  std::optional<int64_t> stackAxis = findWalk(axis);
  if (!stackAxis)
    return std::nullopt;
  const Format &blocks = how.getFormat().getValue();
  std::optional<int64_t> row = getRowAxis(rank, axis);
  if (blocks.blockRows != 1 &&
      findWalk(row) != getRowAxis(stackRank, *stackAxis))
    return std::nullopt;
  SmallVector<int64_t> block = getBlockShape(blocks, stackRank, *stackAxis);
  for (auto [walk, extent] : llvm::zip_equal(gather->walks, block))
    if (!walk && extent != 1)
      return std::nullopt;

  SmallVector<Value> ofStack(get(loc, stack, how, *stackAxis));
  SmallVector<Value> values;
  unsigned numGathered = ofStack.size() - blocks.secondLevel;
  for (Value part : ArrayRef(ofStack).take_front(numGathered))
    values.push_back(gatherFrom(rewriter, loc, *gather, part));
  if (blocks.secondLevel)
    values.push_back(ofStack.back());
  return values;
}

//===----------------------------------------------------------------------===//
// Slices in loops
//===----------------------------------------------------------------------===//

namespace {
/// A slice of a stack that loops around it do not change.
struct StackSlice {
  tensor::ExtractSliceOp op;
  Value stack;
  /// For each dimension of the slice, that of the stack; dimensions of extent
  /// one may be left out.
  SmallVector<unsigned> dims;
};
} // namespace

/// What every iteration of the loop that `value` is an argument of gets from
/// before the loop; `value` itself if that is not known.
static Value getBeforeLoop(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto loop = argument ? dyn_cast<RegionBranchOpInterface>(
                             argument.getOwner()->getParentOp())
                       : RegionBranchOpInterface();
  if (!loop)
    return value;
  RegionBranchInverseSuccessorMapping sources;
  loop.getSuccessorInputOperandMapping(sources);
  llvm::SmallSetVector<Value, 4> seen;
  seen.insert(value);
  Value outside;
  for (unsigned i = 0; i < seen.size(); ++i) {
    auto it = sources.find(seen[i]);
    if (it != sources.end()) {
      for (OpOperand *source : it->second)
        seen.insert(source->get());
    } else if (outside) {
      return value;
    } else {
      outside = seen[i];
    }
  }
  return outside && !loop->isAncestor(outside.getParentBlock()->getParentOp())
             ? outside
             : value;
}

/// The dimensions of `collapse`'s source that are those of its result, where it
/// only drops dimensions of extent one.
static std::optional<SmallVector<unsigned>>
getKeptDims(tensor::CollapseShapeOp collapse) {
  SmallVector<unsigned> kept;
  ArrayRef<int64_t> shape = collapse.getSrcType().getShape();
  for (const ReassociationIndices &group : collapse.getReassociationIndices()) {
    std::optional<unsigned> dim;
    // Upstream's verifier takes the low 32 bits of an index.
    for (unsigned i : group) {
      if (shape[i] == 1)
        continue;
      if (dim)
        return std::nullopt;
      dim = i;
    }
    kept.push_back(dim.value_or(unsigned(group.back())));
  }
  return kept;
}

static std::optional<StackSlice> matchStackSlice(Value value) {
  std::optional<SmallVector<unsigned>> kept;
  if (auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>()) {
    kept = getKeptDims(collapse);
    if (!kept)
      return std::nullopt;
    value = collapse.getSrc();
  }
  auto op = value.getDefiningOp<tensor::ExtractSliceOp>();
  if (!op)
    return std::nullopt;
  StackSlice slice = {op, op.getSource(), {}};
  while (true) {
    Value before = getBeforeLoop(slice.stack);
    if (before == slice.stack)
      break;
    slice.stack = before;
  }
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (unsigned dim = 0; dim < dropped.size(); ++dim)
    if (!dropped[dim])
      slice.dims.push_back(dim);
  if (kept)
    slice.dims = llvm::map_to_vector(
        *kept, [&](unsigned dim) { return slice.dims[dim]; });
  return slice;
}

/// A constant or an argument that is known to be a parameter, or a copy.
static bool isParameter(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  value = lookThroughCopies({value, AffineMap::getMultiDimIdentityMap(
                                        type.getRank(), value.getContext())})
              .value;
  if (value.getDefiningOp<arith::ConstantOp>())
    return true;
  auto argument = dyn_cast<BlockArgument>(value);
  auto function =
      argument
          ? dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp())
          : FunctionOpInterface();
  return function &&
         function.getArgAttr(argument.getArgNumber(), parameterAttrName);
}

std::optional<SmallVector<Value>>
QuantizedOperands::quantizeSliced(Location loc, Value value, OperandAttr how,
                                  int64_t axis) {
  std::optional<StackSlice> slice = matchStackSlice(value);
  if (!slice)
    return std::nullopt;
  Operation *outside = getUserOutsideOfLoops(slice->op, slice->stack);
  if (outside == slice->op)
    return std::nullopt;
  // The second level is a maximum over the stack, which is right for weights
  // and would let values of one iteration change those of another. Data that
  // are read again are rounded again.
  const Format &format = how.getFormat().getValue();
  if ((format.secondLevel || how.getRounding() == Rounding::sr) &&
      !isParameter(slice->stack))
    return std::nullopt;

  // Blocks lie within the slice, and in it as they would without the stack.
  int64_t stackAxis = slice->dims[axis], rank = slice->dims.size();
  int64_t stackRank = slice->op.getSourceType().getRank();
  std::optional<int64_t> row = getRowAxis(rank, axis);
  if (format.blockRows != 1 &&
      (!row || getRowAxis(stackRank, stackAxis) != slice->dims[*row]))
    return std::nullopt;
  SmallVector<int64_t> block = getBlockShape(format, stackRank, stackAxis);
  SmallVector<OpFoldResult> offsets = slice->op.getMixedOffsets();
  SmallVector<OpFoldResult> sizes = slice->op.getMixedSizes();
  SmallVector<OpFoldResult> strides = slice->op.getMixedStrides();
  ArrayRef<int64_t> shape = slice->op.getSourceType().getShape();
  for (int64_t dim = 0; dim < stackRank; ++dim)
    if (block[dim] != 1 && (!isConstantIntValue(offsets[dim], 0) ||
                            !isConstantIntValue(strides[dim], 1) ||
                            getConstantIntValue(sizes[dim]) != shape[dim]))
      return std::nullopt;

  SmallVector<Value> ofStack;
  {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(outside);
    ofStack = llvm::to_vector(get(loc, slice->stack, how, stackAxis));
  }
  SmallVector<Value> values;
  unsigned numSliced = ofStack.size() - format.secondLevel;
  for (Value part : ArrayRef(ofStack).take_front(numSliced)) {
    auto type = cast<RankedTensorType>(part.getType());
    SmallVector<OpFoldResult> partSizes = sizes;
    for (int64_t dim = 0; dim < stackRank; ++dim)
      if (block[dim] != 1)
        partSizes[dim] = tensor::getMixedSize(rewriter, loc, part, dim);
    SmallVector<int64_t> kept;
    for (unsigned dim : slice->dims)
      kept.push_back(
          getConstantIntValue(partSizes[dim]).value_or(ShapedType::kDynamic));
    auto result = RankedTensorType::get(kept, type.getElementType());
    values.push_back(tensor::ExtractSliceOp::create(
        rewriter, loc, result, part, offsets, partSizes, strides));
  }
  if (format.secondLevel)
    values.push_back(ofStack.back());
  return values;
}
