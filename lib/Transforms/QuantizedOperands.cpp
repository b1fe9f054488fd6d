// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "QuantizedOperands.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mx;

ArrayRef<Value> QuantizedOperands::get(Location loc, Value value,
                                       OperandAttr how, int64_t axis) {
  Key key = {rewriter.getInsertionBlock(), value, how, axis};
  auto it = known.find(key);
  if (it == known.end()) {
    auto values = quantizeTable(loc, value, how, axis);
    if (!values)
      values = quantize(loc, value, how, axis);
    it = known.try_emplace(key, std::move(*values)).first;
  }
  return it->second;
}

Value QuantizedOperands::moveLast(Location loc, Value value, int64_t axis) {
  Value &result = moved[{rewriter.getInsertionBlock(), value, axis}];
  if (result)
    return result;
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> permutation =
      llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  permutation.erase(permutation.begin() + axis);
  permutation.push_back(axis);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, value);
  applyPermutationToVector(sizes, permutation);
  Value init =
      tensor::EmptyOp::create(rewriter, loc, sizes, type.getElementType());
  return result = linalg::TransposeOp::create(rewriter, loc, value, init,
                                              permutation)
                      .getResult()[0];
}

SmallVector<Value> QuantizedOperands::quantize(Location loc, Value value,
                                               OperandAttr how, int64_t axis) {
  ++numCreated;
  FormatAttr format = how.getFormat();
  if (HadamardAttr transform = how.getTransform()) {
    Value init = tensor::EmptyOp::create(
        rewriter, loc, tensor::getMixedSizes(rewriter, loc, value),
        getElementTypeOrSelf(value));
    value = HadamardOp::create(rewriter, loc, init.getType(), transform, axis,
                               value, init)
                .getResult();
  }
  Value amax;
  if (format.getValue().secondLevel)
    amax = AmaxOp::createOnTensor(rewriter, loc, value).getResult();
  auto op =
      QuantizeOp::createOnTensor(rewriter, loc, value, amax, format, axis);
  if (how.getRounding() == Rounding::sr) {
    rewriter.setInsertionPoint(op);
    auto [seed, offset] = random.create(rewriter, loc);
    op.setRounding(Rounding::sr);
    op.getSeedMutable().assign(seed);
    op.getOffsetMutable().assign(offset);
    rewriter.setInsertionPointAfter(op);
  }
  SmallVector<Value> values(op.getResults());
  if (amax)
    values.push_back(amax);
  return values;
}

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
