// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/ModelGraph.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mx;

using llvm::SmallBitVector;

namespace {
/// What is yielded for the init `accumulator` of a reduction: the code, and
/// the value that is reduced (null: several, or not recognised).
struct Reduction {
  NodeCode code = NodeCode::Other;
  Value input;
};
} // namespace

namespace mx {

/// Builds a ModelGraph: one walk, each op once.
class GraphBuilder {
public:
  explicit GraphBuilder(ModelGraph &graph) : graph(graph) {}

  void buildBlock(Block &block);
  void addArgument(BlockArgument argument);

private:
  using Ref = ModelGraph::Ref;

  Ref getRef(Value value);
  void setRef(Value value, Ref ref) { graph.refs[value] = std::move(ref); }
  unsigned addNode(NodeKind kind, NodeCode code, Operation *op, Type type,
                   ArrayRef<Node::Edge> operands = {});
  Ref addStep(NodeKind kind, NodeCode code, Operation *op, Type type,
              ArrayRef<Ref> operands, unsigned rank);

  void buildOp(Operation *op);
  void buildOpaque(Operation *op);
  void buildConstant(arith::ConstantOp op);
  void buildLinalg(linalg::LinalgOp op);
  void buildReshape(Value from, Value to,
                    ArrayRef<ReassociationIndices> reassociation);
  bool buildScalarStep(Operation *op);

  // The body of one linalg op; values of the body in the space of its loops.
  using BodyRefs = llvm::DenseMap<Value, Ref>;
  Ref readOperand(linalg::LinalgOp op, OpOperand &operand);
  Ref getBodyRef(linalg::LinalgOp op, Value value, const BodyRefs &known);
  Ref buildStep(linalg::LinalgOp op, Operation *step, const BodyRefs &known);
  void buildBody(linalg::LinalgOp op, ArrayRef<Value> wanted, BodyRefs &known);
  Ref buildProduct(linalg::LinalgOp op, const Contraction &contraction);
  Ref buildReduction(linalg::LinalgOp op, unsigned result,
                     const Reduction &reduction, const BodyRefs &known);

  ModelGraph &graph;
};

} // namespace mx

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

static unsigned getRank(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped && shaped.hasRank() ? shaped.getRank() : 0;
}

/// Dimensions of an extent other than one.
static SmallBitVector getNonUnitDims(Type type) {
  SmallBitVector dims(getRank(type));
  for (unsigned i = 0; i < dims.size(); ++i)
    dims[i] = cast<ShapedType>(type).getDimSize(i) != 1;
  return dims;
}

unsigned GraphBuilder::addNode(NodeKind kind, NodeCode code, Operation *op,
                               Type type, ArrayRef<Node::Edge> operands) {
  unsigned id = graph.nodes.size();
  Node node;
  node.kind = kind;
  node.code = code;
  node.op = op;
  node.elementType = getElementTypeOrSelf(type);
  node.operands.assign(operands.begin(), operands.end());
  graph.nodes.push_back(std::move(node));
  for (Node::Edge edge : operands)
    graph.nodes[edge.node].users.push_back(id);
  return id;
}

/// A step whose result and operands live in one space of `rank` dimensions.
GraphBuilder::Ref GraphBuilder::addStep(NodeKind kind, NodeCode code,
                                        Operation *op, Type type,
                                        ArrayRef<Ref> operands, unsigned rank) {
  SmallBitVector varies(rank);
  for (const Ref &operand : operands)
    varies |= operand.varies;
  SmallVector<Node::Edge> edges;
  for (const Ref &operand : operands)
    edges.push_back({operand.node, operand.varies.count() < varies.count()});
  if (code == NodeCode::Mul && kind == NodeKind::Elementwise &&
      edges[0].node == edges[1].node) {
    code = NodeCode::Square;
    edges.pop_back();
  }
  // What follows from literals alone is one.
  if (kind == NodeKind::Elementwise && !edges.empty() &&
      llvm::all_of(edges, [&](Node::Edge edge) {
        return graph.nodes[edge.node].kind == NodeKind::Literal;
      }))
    kind = NodeKind::Literal;
  return {addNode(kind, code, op, type, edges), varies};
}

GraphBuilder::Ref GraphBuilder::getRef(Value value) {
  auto it = graph.refs.find(value);
  if (it != graph.refs.end())
    return it->second;
  // A value of an op that this walk has not seen: only in unreachable code.
  Ref ref = {addNode(NodeKind::Opaque, NodeCode::Other, value.getDefiningOp(),
                     value.getType()),
             getNonUnitDims(value.getType())};
  setRef(value, ref);
  return ref;
}

void GraphBuilder::addArgument(BlockArgument argument) {
  unsigned id =
      addNode(NodeKind::Argument, NodeCode::Other, nullptr, argument.getType());
  graph.nodes[id].value = argument;
  setRef(argument, {id, getNonUnitDims(argument.getType())});
}

//===----------------------------------------------------------------------===//
// Steps of one element
//===----------------------------------------------------------------------===//

/// True if `op` is a conversion that keeps the number what it is, or nearly.
static bool isLookedThrough(Operation *op) {
  return isa<arith::ExtFOp, arith::TruncFOp, arith::ExtSIOp, arith::ExtUIOp,
             arith::TruncIOp, arith::IndexCastOp, arith::IndexCastUIOp,
             tensor::CastOp>(op);
}

/// A power of two; a product of a value with itself shows in the graph only.
static bool isSquare(Operation *op) {
  APInt power;
  if (isa<math::FPowIOp>(op))
    return matchPattern(op->getOperand(1), m_ConstantInt(&power)) && power == 2;
  APFloat exponent(0.0f);
  if (isa<math::PowFOp>(op))
    return matchPattern(op->getOperand(1), m_ConstantFloat(&exponent)) &&
           exponent.isExactlyValue(2.0);
  return false;
}

static NodeCode getCode(Operation *op) {
  if (isSquare(op))
    return NodeCode::Square;
  return llvm::TypeSwitch<Operation *, NodeCode>(op)
      .Case<arith::AddFOp, arith::AddIOp>([](auto) { return NodeCode::Add; })
      .Case<arith::SubFOp, arith::SubIOp>([](auto) { return NodeCode::Sub; })
      .Case<arith::MulFOp, arith::MulIOp>([](auto) { return NodeCode::Mul; })
      .Case<arith::DivFOp>([](auto) { return NodeCode::Div; })
      .Case<arith::NegFOp>([](auto) { return NodeCode::Neg; })
      .Case<math::ExpOp, math::Exp2Op>([](auto) { return NodeCode::Exp; })
      .Case<math::LogOp, math::Log2Op>([](auto) { return NodeCode::Log; })
      .Case<math::SqrtOp>([](auto) { return NodeCode::Sqrt; })
      .Case<math::RsqrtOp>([](auto) { return NodeCode::Rsqrt; })
      .Case<math::TanhOp>([](auto) { return NodeCode::Tanh; })
      .Case<math::CosOp>([](auto) { return NodeCode::Cos; })
      .Case<math::SinOp>([](auto) { return NodeCode::Sin; })
      .Case<arith::MaximumFOp, arith::MaxNumFOp, arith::MaxSIOp,
            arith::MaxUIOp>([](auto) { return NodeCode::Max; })
      .Case<arith::MinimumFOp, arith::MinNumFOp, arith::MinSIOp,
            arith::MinUIOp>([](auto) { return NodeCode::Min; })
      .Case<arith::CmpFOp, arith::CmpIOp>(
          [](auto) { return NodeCode::Compare; })
      .Case<arith::SelectOp>([](auto) { return NodeCode::Select; })
      .Case<arith::SIToFPOp, arith::UIToFPOp>(
          [](auto) { return NodeCode::IntToFloat; })
      .Default([](Operation *) { return NodeCode::Other; });
}

/// An arith or math op on scalars or whole tensors, outside of a linalg body.
bool GraphBuilder::buildScalarStep(Operation *op) {
  if (op->getNumResults() != 1 ||
      !isa<arith::ArithDialect, math::MathDialect>(op->getDialect()))
    return false;
  Value result = op->getResult(0);
  if (isLookedThrough(op)) {
    setRef(result, getRef(op->getOperand(0)));
    return true;
  }
  unsigned rank = getRank(result.getType());
  SmallVector<Ref> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back(getRef(operand));
    operands.back().varies.resize(rank);
  }
  if (getCode(op) == NodeCode::Square)
    operands.truncate(1);
  setRef(result, addStep(NodeKind::Elementwise, getCode(op), op,
                         result.getType(), operands, rank));
  return true;
}

//===----------------------------------------------------------------------===//
// linalg
//===----------------------------------------------------------------------===//

/// An operand as the body sees it: in the space of the loops.
GraphBuilder::Ref GraphBuilder::readOperand(linalg::LinalgOp op,
                                            OpOperand &operand) {
  Ref value = getRef(operand.get());
  Ref read = {value.node, SmallBitVector(op.getNumLoops())};
  AffineMap map = op.getMatchingIndexingMap(&operand);
  for (auto [dim, expr] : llvm::enumerate(map.getResults()))
    if (dim < value.varies.size() && value.varies[dim])
      for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
        if (expr.isFunctionOfDim(loop))
          read.varies.set(loop);
  return read;
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

/// Builds the steps that `wanted` values depend on, and no others: the one
/// which combines with an accumulator, and assertions, are not part of the
/// graph.
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

GraphBuilder::Ref GraphBuilder::buildProduct(linalg::LinalgOp op,
                                             const Contraction &contraction) {
  Ref lhs = readOperand(op, *contraction.lhs);
  Ref rhs = readOperand(op, *contraction.rhs);
  Product product;
  product.contraction = contraction;

  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
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

  Ref ref =
      addStep(NodeKind::Product, NodeCode::Mul, op,
              contraction.init->get().getType(), {lhs, rhs}, op.getNumLoops());
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
      result = buildProduct(op, *contractions[i]);
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
    SmallBitVector varies = getNonUnitDims(type);
    for (auto [dim, expr] : llvm::enumerate(map.getResults()))
      if (auto loop = dyn_cast<AffineDimExpr>(expr))
        varies[dim] = varies[dim] && result.varies[loop.getPosition()];
    setRef(op->getResult(i), {result.node, varies});
  }
}

//===----------------------------------------------------------------------===//
// Other ops
//===----------------------------------------------------------------------===//

/// expand_shape and collapse_shape: `reassociation` groups the dimensions of
/// the side that has more of them.
void GraphBuilder::buildReshape(Value from, Value to,
                                ArrayRef<ReassociationIndices> reassociation) {
  Ref ref = getRef(from);
  SmallBitVector varies = getNonUnitDims(to.getType());
  bool expands = getRank(to.getType()) > getRank(from.getType());
  for (auto [group, dims] : llvm::enumerate(reassociation)) {
    if (expands) {
      for (int64_t dim : dims)
        if (!ref.varies[group])
          varies.reset(dim);
    } else {
      bool any = llvm::any_of(dims, [&](int64_t d) { return ref.varies[d]; });
      varies[group] = varies[group] && any;
    }
  }
  setRef(to, {ref.node, varies});
}

void GraphBuilder::buildConstant(arith::ConstantOp op) {
  Value value = op.getResult();
  auto type = dyn_cast<RankedTensorType>(value.getType());
  bool hasData =
      type && type.getRank() > 0 && !isa<SplatElementsAttr>(op.getValue());
  unsigned id = addNode(hasData ? NodeKind::Constant : NodeKind::Literal,
                        NodeCode::Other, op, value.getType());
  graph.nodes[id].value = value;
  setRef(value, {id, hasData ? getNonUnitDims(type)
                             : SmallBitVector(getRank(value.getType()))});
}

void GraphBuilder::buildOpaque(Operation *op) {
  SmallVector<Node::Edge> operands;
  for (Value operand : op->getOperands())
    operands.push_back({getRef(operand).node});
  bool isLiteral = isPure(op) && op->getNumRegions() == 0 &&
                   llvm::all_of(operands, [&](Node::Edge edge) {
                     return graph.nodes[edge.node].kind == NodeKind::Literal;
                   });
  // Values that regions are given, then what the regions compute, then the
  // results, which depend on both.
  if (!op->hasTrait<OpTrait::IsIsolatedFromAbove>())
    for (Region &region : op->getRegions())
      for (Block &block : region) {
        for (BlockArgument argument : block.getArguments())
          setRef(argument, {addNode(NodeKind::Opaque, NodeCode::Other, op,
                                    argument.getType(), operands),
                            getNonUnitDims(argument.getType())});
        buildBlock(block);
        if (!block.empty())
          for (Value yielded : block.back().getOperands())
            operands.push_back({getRef(yielded).node});
      }
  for (Value result : op->getResults())
    setRef(result, {addNode(isLiteral ? NodeKind::Literal : NodeKind::Opaque,
                            NodeCode::Other, op, result.getType(), operands),
                    getNonUnitDims(result.getType())});
  if (op->getNumResults() == 0)
    for (Value operand : op->getOperands())
      if (isa<ShapedType>(operand.getType()))
        graph.nodes[getRef(operand).node].isReturned = true;
}

void GraphBuilder::buildOp(Operation *op) {
  auto step = [&](NodeKind kind, NodeCode code, ValueRange operands) {
    Type type = op->getResult(0).getType();
    SmallVector<Node::Edge> edges;
    for (Value operand : operands)
      edges.push_back({getRef(operand).node});
    setRef(op->getResult(0),
           {addNode(kind, code, op, type, edges), getNonUnitDims(type)});
  };
  auto view = [&](Value source) {
    setRef(op->getResult(0),
           {getRef(source).node, getNonUnitDims(op->getResult(0).getType())});
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](linalg::LinalgOp linalgOp) { buildLinalg(linalgOp); })
      .Case([&](linalg::SoftmaxOp softmax) {
        step(NodeKind::Softmax, NodeCode::Other, softmax.getInput());
        graph.nodes.back().reducedExtent =
            softmax.getInputOperandType().getDimSize(softmax.getDimension());
      })
      .Case([&](arith::ConstantOp constant) { buildConstant(constant); })
      .Case<tensor::EmptyOp, tensor::DimOp, tensor::RankOp>([&](auto) {
        Type type = op->getResult(0).getType();
        setRef(op->getResult(0),
               {addNode(NodeKind::Literal, NodeCode::Other, op, type),
                SmallBitVector(getRank(type))});
      })
      .Case<tensor::ExpandShapeOp, tensor::CollapseShapeOp>([&](auto reshape) {
        buildReshape(reshape.getSrc(), reshape.getResult(),
                     reshape.getReassociationIndices());
      })
      .Case([&](tensor::ReshapeOp reshape) { view(reshape.getSource()); })
      .Case([&](tensor::SplatOp splat) {
        setRef(splat, {getRef(splat.getInput()).node,
                       SmallBitVector(getRank(splat.getType()))});
      })
      .Case([&](tensor::CastOp cast) {
        Ref ref = getRef(cast.getSource());
        ref.varies.resize(getRank(cast.getType()));
        setRef(cast, ref);
      })
      .Case([&](tensor::ExtractSliceOp slice) {
        // At positions that are not known the slice is a choice of data.
        bool isStatic = llvm::all_of(slice.getMixedOffsets(), [&](auto offset) {
          auto value = dyn_cast<Value>(offset);
          return !value ||
                 graph.nodes[getRef(value).node].kind == NodeKind::Literal;
        });
        if (!isStatic)
          return step(NodeKind::Gather, NodeCode::Other, op->getOperands());
        Ref source = getRef(slice.getSource());
        SmallBitVector varies = getNonUnitDims(slice.getType());
        llvm::SmallBitVector dropped = slice.getDroppedDims();
        for (unsigned from = 0, to = 0; from < dropped.size(); ++from)
          if (!dropped[from]) {
            varies[to] = varies[to] && source.varies[from];
            ++to;
          }
        setRef(slice, {source.node, varies});
      })
      .Case<tensor::ConcatOp, tensor::FromElementsOp>([&](auto) {
        step(NodeKind::Elementwise, NodeCode::Join, op->getOperands());
      })
      .Case([&](tensor::InsertSliceOp insert) {
        step(NodeKind::Elementwise, NodeCode::Join,
             ValueRange{insert.getSource(), insert.getDest()});
      })
      .Case([&](tensor::PadOp pad) { view(pad.getSource()); })
      .Case<tensor::GatherOp, tensor::ExtractOp>([&](auto) {
        step(NodeKind::Gather, NodeCode::Other, op->getOperands());
        graph.nodes.back().tableRank = getRank(op->getOperand(0).getType());
      })
      .Default([&](Operation *) {
        if (!buildScalarStep(op))
          buildOpaque(op);
      });
}

void GraphBuilder::buildBlock(Block &block) {
  bool isBody = block.getParentOp() == graph.function;
  for (Operation &op : block)
    // The operands of a region's last op are what its parent op computes.
    if (isBody || &op != &block.back() || op.getNumResults() > 0)
      buildOp(&op);
}

ModelGraph::ModelGraph(FunctionOpInterface function) : function(function) {
  GraphBuilder builder(*this);
  for (Block &block : function.getFunctionBody()) {
    for (BlockArgument argument : block.getArguments())
      builder.addArgument(argument);
    builder.buildBlock(block);
  }
}
