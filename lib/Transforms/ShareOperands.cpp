// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MatmulOperands.h"
#include "Unused.h"
#include "mx/Analysis/Views.h"
#include "mx/Transforms/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/Matchers.h"

namespace mx {
#define GEN_PASS_DEF_MXSHAREOPERANDS
#include "mx/Transforms/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

namespace {

/// What the results of an op follow from: its attributes, the value that its
/// input is a copy of and how (null where that does not matter), and its other
/// operands. Equal keys are equal results, up to the form that the attributes
/// name.
using Key = std::tuple<Attribute, Value, AffineMap, Value, Value, Value>;

struct ShareOperands : mx::impl::MXShareOperandsBase<ShareOperands> {
  void runOnOperation() override;

private:
  void share(AmaxOp op);
  void share(HadamardOp op);
  void share(QuantizeOp op);
  bool shareRows(QuantizeOp op);
  bool shareTransposed(QuantizeOp op, IndexedValue source);

  /// The op known under `key` if it dominates `op`; else `op` takes its place.
  template <typename OpTy> OpTy find(const Key &key, OpTy op) {
    Operation *&known = ops[key];
    if (known && dominance->properlyDominates(known, op))
      return cast<OpTy>(known);
    known = op;
    return nullptr;
  }

  DominanceInfo *dominance = nullptr;
  DenseMap<Key, Operation *> ops;
  /// What may have no use left. Erased in the end, as keys name values.
  llvm::SetVector<Operation *> unused;
};

} // namespace

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

static IndexedValue getSource(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return lookThroughCopies({value, AffineMap::getMultiDimIdentityMap(
                                       type.getRank(), value.getContext())});
}

/// The tensor of the same rows, in the same order, before reshapes and casts
/// that leave the last dimension as it is.
static Value getRowSource(Value value) {
  auto keepsRows = [](ArrayRef<ReassociationIndices> groups) {
    return !groups.empty() && groups.back().size() == 1;
  };
  while (Operation *op = value.getDefiningOp()) {
    auto collapse = dyn_cast<tensor::CollapseShapeOp>(op);
    auto expand = dyn_cast<tensor::ExpandShapeOp>(op);
    auto cast = dyn_cast<tensor::CastOp>(op);
    bool keeps = (collapse && keepsRows(collapse.getReassociationIndices())) ||
                 (expand && keepsRows(expand.getReassociationIndices())) ||
                 (cast && isa<RankedTensorType>(cast.getSource().getType()));
    if (!keeps)
      break;
    value = op->getOperand(0);
  }
  return value;
}

/// The tensor of the same magnitudes before copies, reshapes and casts.
static Value getMagnitudeSource(Value value) {
  while (true) {
    IndexedValue source = getSource(value);
    auto type = cast<RankedTensorType>(value.getType());
    // A broadcast to no copies at all leaves nothing.
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (!source.map.isFunctionOfDim(dim) &&
          (type.isDynamicDim(dim) || type.getDimSize(dim) == 0))
        return value;
    value = source.value;
    Operation *op = value.getDefiningOp();
    bool reshapes =
        isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp,
                        tensor::CastOp>(op) &&
        isa<RankedTensorType>(op->getOperand(0).getType());
    if (!reshapes)
      return value;
    value = op->getOperand(0);
  }
}

/// Whether the blocks of a tensor are the same along another axis: squares, or
/// one for all of the tensor. Scales that are sums of a block's elements depend
/// on their order.
static int64_t getCanonicalAxis(QuantizeOp op) {
  const Format &format = op.getFormat().getValue();
  int64_t axis = op.getAxis();
  if (op.getRounding() != Rounding::rne ||
      format.blockRows != format.blockCols || format.doubleQuant ||
      format.fourOverSix != FourOverSix::None ||
      format.rule == ScaleRule::AbsMean)
    return axis;
  if (format.blockCols == Format::Whole)
    return 0;
  int64_t rank = cast<RankedTensorType>(op.getInput().getType()).getRank();
  std::optional<int64_t> row = getRowAxis(rank, axis);
  bool isSwapped = row && getRowAxis(rank, *row) == axis;
  return isSwapped ? std::min(axis, *row) : axis;
}

/// A form in which results are shared, and what they depend on but values.
static Attribute getAttributes(Operation *op, StringRef form,
                               ArrayRef<Attribute> attributes) {
  SmallVector<Attribute> all = {op->getName().getIdentifier(),
                                StringAttr::get(op->getContext(), form)};
  llvm::append_range(all, attributes);
  return ArrayAttr::get(op->getContext(), all);
}

static Attribute getInteger(MLIRContext *context, int64_t value) {
  return IntegerAttr::get(IntegerType::get(context, 64), value);
}

//===----------------------------------------------------------------------===//
// amax, hadamard
//===----------------------------------------------------------------------===//

void ShareOperands::share(AmaxOp op) {
  // The init is read: equal constants are one.
  Attribute constant;
  Value init = op.getInit();
  if (matchPattern(init, m_Constant(&constant)))
    init = Value();
  else
    constant = UnitAttr::get(&getContext());
  Key key = {getAttributes(op, "", {constant}),
             getMagnitudeSource(op.getInput()),
             AffineMap(),
             init,
             Value(),
             Value()};
  if (AmaxOp known = find(key, op)) {
    op.getResult().replaceAllUsesWith(known.getResult());
    unused.insert(op);
    ++numAmaxes;
  }
}

void ShareOperands::share(HadamardOp op) {
  IndexedValue source = getSource(op.getInput());
  Attribute attributes[] = {op.getTransformAttr(),
                            getInteger(&getContext(), op.getAxis()),
                            TypeAttr::get(op.getInput().getType()),
                            TypeAttr::get(op.getResult().getType())};
  Key key = {getAttributes(op, "", attributes),
             source.value,
             source.map,
             Value(),
             Value(),
             Value()};
  if (HadamardOp known = find(key, op)) {
    op.getResult().replaceAllUsesWith(known.getResult());
    unused.insert(op);
    ++numHadamards;
  }
}

//===----------------------------------------------------------------------===//
// quantize
//===----------------------------------------------------------------------===//

/// `value`, rows of one tensor, in the shape of `like`, which has the same
/// rows.
static Value reshapeRows(OpBuilder &b, Location loc, Value value, Value like) {
  auto type = cast<RankedTensorType>(like.getType());
  auto getGroups = [](int64_t rank) {
    SmallVector<ReassociationIndices> groups(2);
    for (int64_t dim = 0; dim < rank - 1; ++dim)
      groups[0].push_back(dim);
    groups[1].push_back(rank - 1);
    return groups;
  };
  if (int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
      rank > 2)
    value = tensor::CollapseShapeOp::create(b, loc, value, getGroups(rank));
  auto matrix = type;
  if (type.getRank() > 2)
    matrix = tensor::CollapseShapeOp::inferCollapsedType(
        type, getGroups(type.getRank()));
  if (value.getType() != matrix)
    value = tensor::CastOp::create(b, loc, matrix, value);
  if (type.getRank() > 2)
    value = tensor::ExpandShapeOp::create(b, loc, type, value,
                                          getGroups(type.getRank()),
                                          tensor::getMixedSizes(b, loc, like));
  return value;
}

/// Blocks of one row along the last dimension do not see how rows are ordered
/// in further dimensions.
bool ShareOperands::shareRows(QuantizeOp op) {
  const Format &format = op.getFormat().getValue();
  auto type = cast<RankedTensorType>(op.getInput().getType());
  if (op.getRounding() != Rounding::rne || format.blockRows != 1 ||
      format.doubleQuant || type.getRank() < 2 ||
      int64_t(op.getAxis()) != type.getRank() - 1)
    return false;
  SmallVector<Attribute> attributes = {op.getFormatAttr()};
  for (Type result : op->getResultTypes()) {
    // Packed codes and layouts stay apart.
    if (cast<RankedTensorType>(result).getEncoding())
      return false;
    attributes.push_back(TypeAttr::get(getElementTypeOrSelf(result)));
  }
  Key key = {getAttributes(op, "rows", attributes),
             getRowSource(op.getInput()),
             AffineMap(),
             op.getAmax(),
             Value(),
             Value()};
  QuantizeOp known = find(key, op);
  if (!known)
    return false;
  OpBuilder b(op);
  for (auto [result, other, init] :
       llvm::zip_equal(op->getResults(), known->getResults(), op.getOutputs()))
    result.replaceAllUsesWith(reshapeRows(b, op.getLoc(), other, init));
  return true;
}

/// Products read an operand in any order of its dimensions.
bool ShareOperands::shareTransposed(QuantizeOp op, IndexedValue source) {
  const Format &format = op.getFormat().getValue();
  int64_t rank = source.map.getNumDims();
  if (op.getRounding() != Rounding::rne || format.doubleQuant ||
      !source.map.isPermutation())
    return false;
  auto getSourceDim = [&](std::optional<int64_t> dim) -> int64_t {
    if (!dim || format.blockRows == 1)
      return -1;
    return *source.map.getResultPosition(getAffineDimExpr(*dim, &getContext()));
  };
  int64_t axis = *source.map.getResultPosition(
      getAffineDimExpr(op.getAxis(), &getContext()));
  SmallVector<Attribute> attributes = {
      op.getFormatAttr(), getInteger(&getContext(), axis),
      getInteger(&getContext(), getSourceDim(getRowAxis(rank, op.getAxis()))),
      TypeAttr::get(getElementTypeOrSelf(op.getInput()))};
  for (Type result : op->getResultTypes()) {
    auto type = cast<RankedTensorType>(result);
    if (type.getEncoding() ||
        isPackedType(type.getElementType(), format.element))
      return false;
  }
  Key key = {getAttributes(op, "transposed", attributes),
             source.value,
             AffineMap(),
             op.getAmax(),
             Value(),
             Value()};
  if (!isReadByMatmulsOnly(op)) {
    // It may still serve others.
    ops.try_emplace(key, op);
    return false;
  }
  QuantizeOp known = find(key, op);
  if (!known)
    return false;
  AffineMap from = getSource(known.getInput()).map;
  SmallVector<int64_t> permutation(rank);
  for (int64_t dim = 0; dim < rank; ++dim)
    permutation[from.getDimPosition(dim)] = source.map.getDimPosition(dim);
  replaceInMatmuls(op, known->getResults(), permutation);
  return true;
}

void ShareOperands::share(QuantizeOp op) {
  IndexedValue source = getSource(op.getInput());
  SmallVector<Attribute> attributes = {
      op.getFormatAttr(), getInteger(&getContext(), getCanonicalAxis(op)),
      op.getRoundingAttr(), op.getRandomBitsAttr(),
      TypeAttr::get(op.getInput().getType())};
  for (Type type : op->getResultTypes())
    attributes.push_back(TypeAttr::get(type));
  Key key = {getAttributes(op, "", attributes),
             source.value,
             source.map,
             op.getAmax(),
             op.getSeed(),
             op.getOffset()};
  if (QuantizeOp known = find(key, op)) {
    op->replaceAllUsesWith(known->getResults());
    ++numShared;
  } else if (shareRows(op)) {
    ++numReshaped;
  } else if (shareTransposed(op, source)) {
    ++numTransposed;
  } else {
    return;
  }
  unused.insert(op);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

void ShareOperands::runOnOperation() {
  DominanceInfo dominanceInfo;
  dominance = &dominanceInfo;
  ops.clear();
  unused.clear();
  SmallVector<Operation *> found;
  getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<AmaxOp, HadamardOp, QuantizeOp>(op) && !hasElementRegion(op) &&
        cast<DestinationStyleOpInterface>(op).hasPureTensorSemantics())
      found.push_back(op);
  });
  for (Operation *op : found) {
    if (auto amax = dyn_cast<AmaxOp>(op))
      share(amax);
    else if (auto hadamard = dyn_cast<HadamardOp>(op))
      share(hadamard);
    else
      share(cast<QuantizeOp>(op));
  }
  // With the copies and inits that nobody else reads.
  eraseUnused(std::move(unused));
}
