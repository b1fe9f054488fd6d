// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GraphBuilder.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mx;

using llvm::SmallBitVector;

GraphBuilder::Ref GraphBuilder::readValue(Value value, AffineMap map) {
  Ref ref = getRef(value);
  Ref read = {ref.node, SmallBitVector(map.getNumDims()), {}};
  read.dims.resize(map.getNumDims());
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    if (auto loop = dyn_cast<AffineDimExpr>(expr))
      read.dims[loop.getPosition()] = ref.getDim(dim);
    if (dim < ref.varies.size() && ref.varies[dim])
      for (unsigned loop = 0; loop < map.getNumDims(); ++loop)
        if (expr.isFunctionOfDim(loop))
          read.varies.set(loop);
  }
  return read;
}

GraphBuilder::Ref GraphBuilder::readOperand(linalg::LinalgOp op,
                                            OpOperand &operand) {
  return readValue(operand.get(), op.getMatchingIndexingMap(&operand));
}

GraphBuilder::Ref GraphBuilder::getBodyRef(linalg::LinalgOp op, Value value,
                                           const BodyRefs &known) {
  auto it = known.find(value);
  if (it != known.end())
    return it->second;
  // Captured from outside: the same for all iterations.
  return {getRef(value).node, SmallBitVector(op.getNumLoops())};
}

/// Operands, and what the op's regions take from outside.
static SmallVector<Value> getReadValues(Operation *op) {
  SmallVector<Value> values(op->getOperands());
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  llvm::append_range(values, captured);
  return values;
}

GraphBuilder::Ref GraphBuilder::buildStep(linalg::LinalgOp op, Operation *step,
                                          const BodyRefs &known) {
  Type type = step->getResult(0).getType();
  unsigned rank = op.getNumLoops();
  if (auto index = dyn_cast<linalg::IndexOp>(step)) {
    SmallBitVector varies(rank);
    varies.set(index.getDim());
    return {addNode(NodeKind::Index, NodeCode::Other, op, type), varies};
  }
  if (isLookedThrough(step))
    return getBodyRef(op, step->getOperand(0), known);
  SmallVector<Ref> operands;
  for (Value operand : getReadValues(step))
    operands.push_back(getBodyRef(op, operand, known));
  if (step->getNumRegions() > 0) {
    // A choice among values by position, as some front ends spell concat.
    Ref join = addStep(NodeKind::Elementwise, NodeCode::Join, op, type,
                       operands, rank);
    join.varies.set();
    return join;
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(step)) {
    Ref gather =
        addStep(NodeKind::Gather, NodeCode::Other, op, type, operands, rank);
    graph.nodes[gather.node].tableRank = getRank(extract.getTensor().getType());
    return gather;
  }
  NodeCode code = getCode(step);
  if (code == NodeCode::Square)
    operands.truncate(1);
  return addStep(NodeKind::Elementwise, code, op, type, operands, rank);
}

void GraphBuilder::buildBody(linalg::LinalgOp op, ArrayRef<Value> wanted,
                             BodyRefs &known) {
  Block *body = op.getBlock();
  llvm::SmallPtrSet<Operation *, 16> needed;
  SmallVector<Value> worklist(wanted);
  while (!worklist.empty()) {
    Operation *step = worklist.pop_back_val().getDefiningOp();
    if (step && step->getBlock() == body && needed.insert(step).second)
      llvm::append_range(worklist, getReadValues(step));
  }
  for (Operation &step : body->without_terminator()) {
    if (!needed.contains(&step))
      continue;
    Ref ref = buildStep(op, &step, known);
    for (Value result : step.getResults())
      known[result] = ref;
  }
}

/// Finds how `yielded` combines with `accumulator`, both of one body.
static Reduction matchReduction(Value yielded, Value accumulator) {
  Operation *op = yielded.getDefiningOp();
  while (op && isLookedThrough(op))
    op = op->getOperand(0).getDefiningOp();
  if (!op)
    return {};
  auto isAccumulator = [&](Value value) {
    while (Operation *producer = value.getDefiningOp()) {
      if (!isLookedThrough(producer))
        return false;
      value = producer->getOperand(0);
    }
    return value == accumulator;
  };
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    // A maximum spelled as compare and select; or its position.
    auto compare = select.getCondition().getDefiningOp<arith::CmpFOp>();
    if (!compare)
      return {};
    for (auto [input, other] :
         {std::pair(select.getTrueValue(), select.getFalseValue()),
          std::pair(select.getFalseValue(), select.getTrueValue())}) {
      if (!isAccumulator(other))
        continue;
      if (compare.getLhs() != input && compare.getRhs() != input)
        return {NodeCode::ArgMax, nullptr};
      return {NodeCode::Max, input};
    }
    return {};
  }
  NodeCode code = getCode(op);
  if (op->getNumOperands() == 2)
    for (unsigned i : {0, 1})
      if (isAccumulator(op->getOperand(i)) &&
          !isAccumulator(op->getOperand(1 - i)))
        return {code, op->getOperand(1 - i)};
  return {};
}

/// Number of elements that are reduced to one element of the result.
static int64_t getReducedExtent(linalg::LinalgOp op, AffineMap resultMap) {
  int64_t reduced = 1;
  for (auto [loop, range] : llvm::enumerate(op.getStaticLoopRanges())) {
    if (resultMap.isFunctionOfDim(loop))
      continue;
    if (ShapedType::isDynamic(range))
      return ShapedType::kDynamic;
    reduced *= range;
  }
  return reduced;
}

GraphBuilder::Ref GraphBuilder::buildReduction(linalg::LinalgOp op,
                                               unsigned result,
                                               const Reduction &reduction,
                                               const BodyRefs &known) {
  OpOperand *init = op.getDpsInitOperand(result);
  SmallVector<Ref> inputs;
  if (reduction.input) {
    inputs.push_back(getBodyRef(op, reduction.input, known));
  } else {
    // All that the body reads, so that nothing is lost.
    for (OpOperand *input : op.getDpsInputOperands())
      inputs.push_back(readOperand(op, *input));
  }
  Ref reduced = addStep(NodeKind::Reduce, reduction.code, op,
                        init->get().getType(), inputs, op.getNumLoops());
  graph.nodes[reduced.node].reducedExtent =
      getReducedExtent(op, op.getMatchingIndexingMap(init));
  return reduced;
}

static int64_t multiply(ArrayRef<int64_t> ranges, ArrayRef<unsigned> loops) {
  int64_t product = 1;
  for (unsigned loop : loops) {
    if (ShapedType::isDynamic(ranges[loop]))
      return ShapedType::kDynamic;
    product *= ranges[loop];
  }
  return product;
}

GraphBuilder::Ref GraphBuilder::buildProduct(const Contraction &contraction,
                                             const BodyRefs &known) {
  auto read = [&](OpOperand *operand, AffineMap map, Value factor) {
    if (factor)
      return getBodyRef(cast<linalg::LinalgOp>(contraction.op), factor, known);
    return readValue(operand->get(), map);
  };
  Ref lhs = read(contraction.lhs, contraction.lhsMap, contraction.lhsFactor);
  Ref rhs = read(contraction.rhs, contraction.rhsMap, contraction.rhsFactor);
  Product product;
  product.contraction = contraction;

  ArrayRef<int64_t> ranges = contraction.ranges;
  SmallVector<unsigned, 2> m(contraction.m), n(contraction.n), batch;
  for (unsigned loop : contraction.batch) {
    product.lhsHasBatch |= lhs.varies[loop];
    product.rhsHasBatch |= rhs.varies[loop];
    if (ranges[loop] == 1 || lhs.varies[loop] == rhs.varies[loop])
      batch.push_back(loop);
    else
      (lhs.varies[loop] ? m : n).push_back(loop);
  }
  product.shape = {multiply(ranges, m), multiply(ranges, n),
                   multiply(ranges, contraction.k), multiply(ranges, batch)};
  for (unsigned loop : contraction.k) {
    if (std::optional<int64_t> dim = lhs.getDim(loop))
      product.lhsReduced.push_back(*dim);
    if (std::optional<int64_t> dim = rhs.getDim(loop))
      product.rhsReduced.push_back(*dim);
  }

  Operation *op = contraction.op;
  Ref ref = addStep(NodeKind::Product, NodeCode::Mul, op,
                    op->getResultTypes().empty()
                        ? contraction.init->get().getType()
                        : op->getResult(contraction.result).getType(),
                    {lhs, rhs}, ranges.size());
  product.node = ref.node;
  graph.nodes[ref.node].product = graph.products.size();
  graph.products.push_back(std::move(product));
  return ref;
}

/// Pooling shares the interface of convolutions but multiplies nothing.
static bool isConvolution(linalg::LinalgOp op) {
  if (isa<linalg::ConvolutionOpInterface>(op.getOperation()))
    return !op->getName().getStringRef().starts_with("linalg.pooling");
  // A generic of this form reads its input at a sum of two loops.
  return op.getNumDpsInits() == 1 && op.getNumReductionLoops() > 0 &&
         linalg::isaConvolutionOpInterface(op) &&
         isa_and_nonnull<arith::AddFOp, arith::AddIOp>(
             op.getBlock()->getTerminator()->getOperand(0).getDefiningOp());
}

void GraphBuilder::buildLinalg(linalg::LinalgOp op) {
  Block *body = op.getBlock();
  unsigned numResults = op.getNumDpsInits();
  bool isConv = isConvolution(op);
  bool isReduction = op.getNumReductionLoops() > 0;
  BodyRefs known;
  if (body->getNumArguments() == op->getNumOperands())
    for (OpOperand &operand : op->getOpOperands())
      known[op.getMatchingBlockArgument(&operand)] = readOperand(op, operand);

  // What each result is, and which values of the body that takes.
  SmallVector<FailureOr<Contraction>> contractions(numResults, failure());
  SmallVector<Reduction> reductions(numResults);
  SmallVector<Value> wanted;
  for (unsigned i = 0; i < numResults; ++i) {
    Value yielded = body->getTerminator()->getOperand(i);
    contractions[i] = matchContraction(op, i);
    if (succeeded(contractions[i]))
      for (Value factor :
           {contractions[i]->lhsFactor, contractions[i]->rhsFactor})
        if (factor)
          wanted.push_back(factor);
    if (succeeded(contractions[i]) || isConv)
      continue;
    if (isReduction)
      reductions[i] = matchReduction(
          yielded, op.getMatchingBlockArgument(op.getDpsInitOperand(i)));
    Value value = isReduction ? reductions[i].input : yielded;
    if (value)
      wanted.push_back(value);
  }
  buildBody(op, wanted, known);

  for (unsigned i = 0; i < numResults; ++i) {
    OpOperand *init = op.getDpsInitOperand(i);
    Type type = init->get().getType();
    Ref result;
    if (succeeded(contractions[i])) {
      result = buildProduct(*contractions[i], known);
    } else if (isConv) {
      SmallVector<Ref> inputs;
      for (OpOperand *input : op.getDpsInputOperands())
        inputs.push_back(readOperand(op, *input));
      result = addStep(NodeKind::Convolution, NodeCode::Mul, op, type, inputs,
                       op.getNumLoops());
      result.varies.set();
    } else if (isReduction) {
      result = buildReduction(op, i, reductions[i], known);
    } else {
      result = getBodyRef(op, body->getTerminator()->getOperand(i), known);
    }
    // A real accumulator is an addition to the result.
    Ref initRef = readOperand(op, *init);
    if ((isReduction || isConv) &&
        graph.nodes[initRef.node].kind != NodeKind::Literal) {
      result = addStep(NodeKind::Elementwise, NodeCode::Add, op, type,
                       {result, initRef}, op.getNumLoops());
      graph.nodes[result.node].isAccumulation = true;
    }

    if (i >= op->getNumResults()) {
      // On memrefs the result is written to the init.
      graph.nodes[result.node].isReturned = true;
      continue;
    }
    AffineMap map = op.getMatchingIndexingMap(init);
    Ref yielded = {result.node, getNonUnitDims(type), {}};
    yielded.dims.resize(yielded.varies.size());
    for (auto [dim, expr] : llvm::enumerate(map.getResults()))
      if (auto loop = dyn_cast<AffineDimExpr>(expr)) {
        unsigned position = loop.getPosition();
        yielded.varies[dim] = yielded.varies[dim] && result.varies[position];
        yielded.dims[dim] = result.getDim(position);
      }
    setRef(op->getResult(i), std::move(yielded));
  }
}
