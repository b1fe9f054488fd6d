// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GraphBuilder.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mx;

using llvm::SmallBitVector;

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

unsigned mx::getRank(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped && shaped.hasRank() ? shaped.getRank() : 0;
}

SmallBitVector mx::getNonUnitDims(Type type) {
  SmallBitVector dims(getRank(type));
  for (unsigned i = 0; i < dims.size(); ++i)
    dims[i] = cast<ShapedType>(type).getDimSize(i) != 1;
  return dims;
}

SmallVector<std::optional<int64_t>, 4> mx::getOwnDims(unsigned rank) {
  SmallVector<std::optional<int64_t>, 4> dims;
  for (unsigned i = 0; i < rank; ++i)
    dims.push_back(i);
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
  return {addNode(kind, code, op, type, edges), varies, getOwnDims(rank)};
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
  setRef(argument, {id, getNonUnitDims(argument.getType()),
                    getOwnDims(getRank(argument.getType()))});
}

//===----------------------------------------------------------------------===//
// Steps of one element
//===----------------------------------------------------------------------===//

bool mx::isLookedThrough(Operation *op) {
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

NodeCode mx::getCode(Operation *op) {
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

bool GraphBuilder::buildScalarStep(Operation *op) {
  if (op->getNumResults() != 1 ||
      !isa_and_nonnull<arith::ArithDialect, math::MathDialect>(
          op->getDialect()))
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
// Other ops
//===----------------------------------------------------------------------===//

/// expand_shape and collapse_shape: `reassociation` groups the dimensions of
/// the side that has more of them.
void GraphBuilder::buildReshape(Value from, Value to,
                                ArrayRef<ReassociationIndices> reassociation) {
  Ref ref = getRef(from);
  bool expands = getRank(to.getType()) > getRank(from.getType());
  SmallBitVector fromExtents = getNonUnitDims(from.getType());
  SmallBitVector toExtents = getNonUnitDims(to.getType());
  Ref result = {ref.node, toExtents, {}};
  result.dims.resize(toExtents.size());
  for (auto [group, dims] : llvm::enumerate(reassociation)) {
    // The one dimension of the group that has an extent, if there is one.
    const SmallBitVector &extents = expands ? toExtents : fromExtents;
    bool isOne =
        llvm::count_if(dims, [&](int64_t dim) { return extents[dim]; }) <= 1;
    for (int64_t dim : dims) {
      unsigned source = expands ? group : dim, target = expands ? dim : group;
      if (isOne && extents[dim])
        result.dims[target] = ref.getDim(source);
      if (expands && !ref.varies[source])
        result.varies.reset(target);
    }
    if (!expands &&
        llvm::none_of(dims, [&](int64_t dim) { return bool(ref.varies[dim]); }))
      result.varies.reset(group);
  }
  setRef(to, std::move(result));
}

void GraphBuilder::buildTranspose(Value from, Value to,
                                  ArrayRef<int32_t> permutation) {
  Ref ref = getRef(from);
  if (ref.varies.size() != permutation.size()) {
    // Its rank is not known.
    setRef(to, {ref.node, getNonUnitDims(to.getType())});
    return;
  }
  Ref result = {ref.node, SmallBitVector(permutation.size()), {}};
  for (auto [dim, source] : llvm::enumerate(permutation)) {
    result.varies[dim] = ref.varies[source];
    result.dims.push_back(ref.getDim(source));
  }
  setRef(to, std::move(result));
}

void GraphBuilder::buildConstant(Value value, Attribute data) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  bool hasData = type && type.getRank() > 0 && !isa<SplatElementsAttr>(data);
  unsigned id =
      addNode(hasData ? NodeKind::Constant : NodeKind::Literal, NodeCode::Other,
              value.getDefiningOp(), value.getType());
  graph.nodes[id].value = value;
  setRef(value, {id,
                 hasData ? getNonUnitDims(type)
                         : SmallBitVector(getRank(value.getType())),
                 getOwnDims(getRank(value.getType()))});
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

unsigned GraphBuilder::buildValueStep(Operation *op, NodeKind kind,
                                      NodeCode code, ValueRange operands) {
  Type type = op->getResult(0).getType();
  SmallVector<Node::Edge> edges;
  for (Value operand : operands)
    edges.push_back({getRef(operand).node});
  unsigned id = addNode(kind, code, op, type, edges);
  setRef(op->getResult(0),
         {id, getNonUnitDims(type), getOwnDims(getRank(type))});
  return id;
}

void GraphBuilder::buildView(Operation *op, Value source) {
  Type type = op->getResult(0).getType();
  setRef(op->getResult(0), {getRef(source).node, getNonUnitDims(type)});
}

void GraphBuilder::buildOp(Operation *op) {
  auto step = [&](NodeKind kind, NodeCode code, ValueRange operands) {
    buildValueStep(op, kind, code, operands);
  };
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](linalg::LinalgOp linalgOp) { buildLinalg(linalgOp); })
      .Case([&](linalg::SoftmaxOp softmax) {
        step(NodeKind::Softmax, NodeCode::Other, softmax.getInput());
        graph.nodes.back().reducedExtent =
            softmax.getInputOperandType().getDimSize(softmax.getDimension());
      })
      .Case([&](arith::ConstantOp constant) {
        buildConstant(constant, constant.getValue());
      })
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
      .Case([&](tensor::ReshapeOp reshape) {
        buildView(op, reshape.getSource());
      })
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
        if (!isStatic) {
          step(NodeKind::Gather, NodeCode::Other, op->getOperands());
          graph.nodes.back().tableRank = slice.getSourceType().getRank();
          return;
        }
        Ref source = getRef(slice.getSource());
        Ref result = {source.node, getNonUnitDims(slice.getType()), {}};
        llvm::SmallBitVector dropped = slice.getDroppedDims();
        for (unsigned from = 0; from < dropped.size(); ++from)
          if (!dropped[from]) {
            unsigned to = result.dims.size();
            result.varies[to] = result.varies[to] && source.varies[from];
            result.dims.push_back(source.getDim(from));
          }
        setRef(slice, std::move(result));
      })
      .Case<tensor::ConcatOp, tensor::FromElementsOp>([&](auto) {
        step(NodeKind::Elementwise, NodeCode::Join, op->getOperands());
      })
      .Case([&](tensor::InsertSliceOp insert) {
        step(NodeKind::Elementwise, NodeCode::Join,
             ValueRange{insert.getSource(), insert.getDest()});
      })
      .Case([&](tensor::PadOp pad) { buildView(op, pad.getSource()); })
      .Case<tensor::GatherOp, tensor::ExtractOp>([&](auto) {
        step(NodeKind::Gather, NodeCode::Other, op->getOperands());
        graph.nodes.back().tableRank = getRank(op->getOperand(0).getType());
      })
      .Case([&](RegionBranchOpInterface branch) { buildRegions(branch); })
      .Case([&](CallOpInterface call) {
        if (!buildCall(call))
          buildOpaque(op);
      })
      .Default([&](Operation *) {
        if (isa_and_nonnull<tosa::TosaDialect>(op->getDialect()))
          buildTosa(op);
        else if (!buildScalarStep(op))
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

void GraphBuilder::buildFunction() {
  callStack.push_back(graph.function);
  for (Block &block : graph.function.getFunctionBody()) {
    for (BlockArgument argument : block.getArguments())
      addArgument(argument);
    buildBlock(block);
  }
}

ModelGraph::ModelGraph(FunctionOpInterface function,
                       CalleeResolver resolveCallee)
    : function(function) {
  GraphBuilder(*this, resolveCallee).buildFunction();
}
