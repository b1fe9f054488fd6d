// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GraphBuilder.h"

#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mx;

using llvm::SmallBitVector;

static NodeCode getTosaCode(Operation *op) {
  if (isa<tosa::PowOp>(op)) {
    APFloat exponent(0.0f);
    bool isTwo = matchPattern(op->getOperand(1), m_ConstantFloat(&exponent)) &&
                 exponent.isExactlyValue(2.0);
    return isTwo ? NodeCode::Square : NodeCode::Other;
  }
  return llvm::TypeSwitch<Operation *, NodeCode>(op)
      .Case<tosa::AddOp>([](auto) { return NodeCode::Add; })
      .Case<tosa::SubOp>([](auto) { return NodeCode::Sub; })
      .Case<tosa::MulOp>([](auto) { return NodeCode::Mul; })
      .Case<tosa::NegateOp>([](auto) { return NodeCode::Neg; })
      .Case<tosa::ExpOp>([](auto) { return NodeCode::Exp; })
      .Case<tosa::LogOp>([](auto) { return NodeCode::Log; })
      .Case<tosa::RsqrtOp>([](auto) { return NodeCode::Rsqrt; })
      .Case<tosa::TanhOp>([](auto) { return NodeCode::Tanh; })
      .Case<tosa::SigmoidOp>([](auto) { return NodeCode::Sigmoid; })
      .Case<tosa::CosOp>([](auto) { return NodeCode::Cos; })
      .Case<tosa::SinOp>([](auto) { return NodeCode::Sin; })
      .Case<tosa::MaximumOp>([](auto) { return NodeCode::Max; })
      .Case<tosa::MinimumOp>([](auto) { return NodeCode::Min; })
      .Case<tosa::SelectOp>([](auto) { return NodeCode::Select; })
      .Case<tosa::EqualOp, tosa::GreaterOp, tosa::GreaterEqualOp>(
          [](auto) { return NodeCode::Compare; })
      .Default([](Operation *) { return NodeCode::Other; });
}

/// What a reduction reduces by; none if `op` is no reduction.
static std::optional<NodeCode> getReductionCode(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<NodeCode>>(op)
      .Case<tosa::ReduceSumOp>([](auto) { return NodeCode::Add; })
      .Case<tosa::ReduceMaxOp>([](auto) { return NodeCode::Max; })
      .Case<tosa::ReduceMinOp>([](auto) { return NodeCode::Min; })
      .Case<tosa::ArgMaxOp>([](auto) { return NodeCode::ArgMax; })
      .Case<tosa::ReduceProductOp, tosa::ReduceAllOp, tosa::ReduceAnyOp>(
          [](auto) { return NodeCode::Other; })
      .Default([](Operation *) { return std::nullopt; });
}

static int64_t getExtent(Value value, std::optional<int64_t> dim) {
  auto type = cast<ShapedType>(value.getType());
  bool isKnown = dim && type.hasRank() && *dim < type.getRank();
  return isKnown ? type.getDimSize(*dim) : ShapedType::kDynamic;
}

/// A reshape that only merges or only splits dimensions is a view of which the
/// dimensions are known; through others (merge, then split) go the values only.
void GraphBuilder::buildTosaReshape(Value from, Value to) {
  auto fromType = dyn_cast<RankedTensorType>(from.getType());
  auto toType = dyn_cast<RankedTensorType>(to.getType());
  if (fromType && toType) {
    if (fromType.getRank() == toType.getRank() &&
        fromType.getShape() == toType.getShape())
      return setRef(to, getRef(from));
    if (auto groups = getReassociationIndicesForReshape(fromType, toType))
      return buildReshape(from, to, *groups);
  }
  Ref ref = getRef(from);
  SmallBitVector varies = getNonUnitDims(to.getType());
  if (ref.varies.none())
    varies.reset();
  setRef(to, {ref.node, varies});
}

void GraphBuilder::buildTosa(Operation *op) {
  if (op->getNumResults() != 1 || op->getNumRegions() != 0)
    return buildOpaque(op);
  Value result = op->getResult(0);
  unsigned rank = getRank(result.getType());

  if (std::optional<NodeCode> code = getReductionCode(op)) {
    auto axis = op->getAttrOfType<IntegerAttr>("axis");
    Value input = op->getOperand(0);
    Ref reduced = addStep(NodeKind::Reduce, *code, op, result.getType(),
                          {getRef(input)}, getRank(input.getType()));
    graph.nodes[reduced.node].reducedExtent =
        getExtent(input, axis ? std::optional(axis.getInt()) : std::nullopt);
    setRef(result, {reduced.node, getNonUnitDims(result.getType())});
    return;
  }

  llvm::TypeSwitch<Operation *>(op)
      .Case([&](tosa::MatMulOp matmul) {
        Ref product = buildProduct(*matchContraction(op, 0), BodyRefs());
        product.varies.resize(3);
        setRef(result, {product.node, getNonUnitDims(result.getType()),
                        getOwnDims(rank)});
      })
      .Case<tosa::Conv2DOp, tosa::Conv3DOp, tosa::DepthwiseConv2DOp,
            tosa::TransposeConv2DOp>([&](auto) {
        buildValueStep(op, NodeKind::Convolution, NodeCode::Mul,
                       op->getOperands().take_front(2));
      })
      .Case([&](tosa::ConstOp constant) {
        buildConstant(result, constant.getValues());
      })
      .Case<tosa::ConstShapeOp>([&](auto) {
        setRef(result, {addNode(NodeKind::Literal, NodeCode::Other, op,
                                result.getType()),
                        SmallBitVector()});
      })
      .Case([&](tosa::GatherOp gather) {
        // [n, rows, row] by [n, rows chosen]; with n = 1 a table of rows. Rows
        // may be matrices, if a reshape made the table of a stack.
        unsigned id =
            buildValueStep(op, NodeKind::Gather, NodeCode::Other,
                           ValueRange{gather.getValues(), gather.getIndices()});
        const Node &table = graph.nodes[getRef(gather.getValues()).node];
        bool isTable = getExtent(gather.getValues(), 0) == 1;
        graph.nodes[id].tableRank = table.value ? getRank(table.value.getType())
                                    : isTable   ? 2
                                                : 3;
      })
      .Case([&](tosa::ScatterOp scatter) {
        buildValueStep(op, NodeKind::Elementwise, NodeCode::Join,
                       ValueRange{scatter.getValuesIn(), scatter.getInput()});
      })
      .Case<tosa::ConcatOp>([&](auto) {
        buildValueStep(op, NodeKind::Elementwise, NodeCode::Join,
                       op->getOperands());
      })
      .Case<tosa::SliceOp, tosa::PadOp, tosa::ReverseOp>(
          [&](auto) { buildView(op, op->getOperand(0)); })
      .Case<tosa::IdentityOp>(
          [&](auto) { setRef(result, getRef(op->getOperand(0))); })
      .Case([&](tosa::TransposeOp transpose) {
        buildTranspose(transpose.getInput1(), result, transpose.getPerms());
      })
      .Case([&](tosa::ReshapeOp reshape) {
        buildTosaReshape(reshape.getInput1(), result);
      })
      .Case([&](tosa::TileOp tile) {
        // Repeats all elements: what was one is the same everywhere.
        Ref ref = getRef(tile.getInput1());
        ref.varies.resize(rank);
        setRef(result, ref);
      })
      .Case([&](tosa::CastOp cast) {
        bool isFloat = isa<FloatType>(getElementTypeOrSelf(result.getType()));
        bool wasFloat =
            isa<FloatType>(getElementTypeOrSelf(cast.getInput().getType()));
        if (isFloat == wasFloat)
          return setRef(result, getRef(cast.getInput()));
        setRef(result,
               addStep(NodeKind::Elementwise,
                       isFloat ? NodeCode::IntToFloat : NodeCode::Other, op,
                       result.getType(), {getRef(cast.getInput())}, rank));
      })
      .Case([&](tosa::ReciprocalOp reciprocal) {
        Ref one = {
            addNode(NodeKind::Literal, NodeCode::Other, op, result.getType()),
            SmallBitVector(rank)};
        setRef(result, addStep(NodeKind::Elementwise, NodeCode::Div, op,
                               result.getType(),
                               {one, getRef(reciprocal.getInput1())}, rank));
      })
      .Default([&](Operation *) {
        if (!isPure(op))
          return buildOpaque(op);
        NodeCode code = getTosaCode(op);
        SmallVector<Ref> operands;
        for (Value operand : op->getOperands()) {
          operands.push_back(getRef(operand));
          operands.back().varies.resize(rank);
        }
        // What follows are shifts, zero points and exponents.
        if (isa<tosa::MulOp>(op))
          operands.truncate(2);
        if (code == NodeCode::Neg || code == NodeCode::Square)
          operands.truncate(1);
        setRef(result, addStep(NodeKind::Elementwise, code, op,
                               result.getType(), operands, rank));
      });
}
