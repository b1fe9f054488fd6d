// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ElementwiseOps.h"
#include "mx/Analysis/Views.h"
#include "mx/IR/ElementRegion.h"
#include "mx/IR/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mx;

/// The constant that a scalar or a tensor of equal elements is; null if it is
/// something else.
static TypedAttr getConstant(Value value) {
  TypedAttr constant;
  if (auto fill = value.getDefiningOp<linalg::FillOp>()) {
    Value scalar = fill.getInputs()[0];
    if (scalar.getType() != getElementTypeOrSelf(value))
      return {};
    value = scalar;
  }
  if (!matchPattern(value, m_Constant(&constant)))
    return {};
  if (auto elements = dyn_cast<DenseElementsAttr>(constant))
    constant =
        elements.isSplat() ? elements.getSplatValue<TypedAttr>() : TypedAttr();
  if (!constant || !constant.getType().isIntOrIndexOrFloat())
    return {};
  return constant;
}

static bool isConstantScalar(Value value) {
  return value.getType().isIntOrIndexOrFloat() && getConstant(value);
}

/// Whether all that is read in the body is computed in it or constant.
static bool readsConstantsOnly(Operation &op, Block *body) {
  return llvm::all_of(op.getOperands(), [&](Value value) {
    return value.getParentBlock() == body || isConstantScalar(value);
  });
}

std::string mx::checkElementwise(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics() || op->getNumResults() != 1)
    return "it has several results";
  for (Type operand : op->getOperandTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(operand);
        tensor && tensor.getEncoding())
      return "a tensor is not row-major";
  if (op->hasAttr(roleAttrName))
    return "the plan keeps it as it is";
  OpOperand *init = op.getDpsInitOperand(0);
  if (op.getNumParallelLoops() != op.getNumLoops() ||
      !op.getMatchingIndexingMap(init).isIdentity())
    return "it is not applied to each element";
  if (op.payloadUsesValueFromOperand(init))
    return "it reads its destination";
  Block *body = op.getBlock();
  for (Operation &inner : *body) {
    if (!inner.hasTrait<OpTrait::IsTerminator>() && !isElementOp(&inner))
      return (inner.getName().getStringRef() + " is no arithmetic on scalars")
          .str();
    if (!readsConstantsOnly(inner, body))
      return "it reads a scalar that is no constant";
  }
  return "";
}

bool mx::isReadInPlace(linalg::LinalgOp op, OpOperand *operand) {
  return isa<RankedTensorType>(operand->get().getType()) &&
         op.getMatchingIndexingMap(operand).isIdentity();
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// `read` as an input over collapsed dimensions; none if it is not one. `whole`
/// is the type of the op's result.
static std::optional<ElementInput>
collapseRead(IndexedValue read, RankedTensorType whole,
             ArrayRef<ReassociationIndices> groups) {
  auto type = dyn_cast<RankedTensorType>(read.value.getType());
  if (!type || type.getEncoding() || !isElementInputType(type.getElementType()))
    return std::nullopt;

  // Dimensions of extent one do not matter. Of the others, an input has all or
  // none of a group, side by side.
  SmallVector<int64_t> groupOf(whole.getRank(), -1), missing(groups.size(), 0);
  for (auto [i, group] : llvm::enumerate(groups))
    for (int64_t dim : group)
      if (whole.getDimSize(dim) != 1) {
        groupOf[dim] = i;
        ++missing[i];
      }

  ElementInput input;
  ReassociationIndices leading;
  SmallVector<int64_t> found;
  int64_t last = -1;
  for (auto [dim, expr] : llvm::enumerate(read.map.getResults())) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (!loop && (expr != getAffineConstantExpr(0, expr.getContext()) ||
                  type.getDimSize(dim) != 1))
      return std::nullopt;
    int64_t group = loop ? groupOf[loop.getPosition()] : -1;
    if (group < 0) {
      (found.empty() ? leading : input.groups.back()).push_back(dim);
      continue;
    }
    if (found.empty() || found.back() != group) {
      if (llvm::is_contained(found, group))
        return std::nullopt;
      found.push_back(group);
      input.groups.push_back(std::move(leading));
      leading.clear();
    } else if (int64_t(loop.getPosition()) <= last) {
      return std::nullopt;
    }
    input.groups.back().push_back(dim);
    last = loop.getPosition();
    --missing[group];
  }
  if (llvm::any_of(found, [&](int64_t group) { return missing[group] != 0; }))
    return std::nullopt;
  // Only extents that are known to be one collapse to none.
  if (found.empty() && type.getRank() != 0 &&
      (!type.hasStaticShape() || type.getNumElements() != 1))
    return std::nullopt;

  SmallVector<AffineExpr> exprs;
  for (int64_t group : found)
    exprs.push_back(getAffineDimExpr(group, whole.getContext()));
  input.value = read.value;
  input.map = AffineMap::get(groups.size(), 0, exprs, whole.getContext());
  input.isCollapsed = int64_t(found.size()) != type.getRank();
  return input;
}

FailureOr<SmallVector<ElementInput>>
mx::planInputs(linalg::LinalgOp op, Value core,
               ArrayRef<ReassociationIndices> groups, std::string &reason) {
  auto whole = cast<RankedTensorType>(op->getResult(0).getType());
  SmallVector<ElementInput> inputs;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    if (operand->get() == core && isReadInPlace(op, operand))
      continue;
    std::optional<ElementInput> input;
    if (isa<RankedTensorType>(operand->get().getType())) {
      IndexedValue read = {operand->get(), op.getMatchingIndexingMap(operand)};
      IndexedValue source = lookThroughCopies(read);
      if (TypedAttr constant = getConstant(source.value)) {
        input.emplace();
        input->constant = constant;
      }
      if (!input)
        input = collapseRead(source, whole, groups);
      if (!input)
        input = collapseRead(read, whole, groups);
    } else if (TypedAttr constant = getConstant(operand->get())) {
      input.emplace();
      input->constant = constant;
    }
    if (!input) {
      reason = "operand " + std::to_string(operand->getOperandNumber()) +
               " is not read along dimensions of the result";
      return failure();
    }
    input->operand = operand;
    inputs.push_back(std::move(*input));
  }
  return inputs;
}

Value mx::collapse(OpBuilder &b, Location loc, Value value,
                   ArrayRef<ReassociationIndices> groups) {
  auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
  if (expand && ArrayRef(expand.getReassociationIndices()) == groups)
    return expand.getSrc();
  return tensor::CollapseShapeOp::create(b, loc, value, groups);
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

Value mx::cloneBody(OpBuilder &b, linalg::LinalgOp op,
                    function_ref<Value(OpOperand *)> getArgument) {
  IRMapping mapping;
  Block *body = op.getBlock();
  for (OpOperand *operand : op.getDpsInputOperands())
    mapping.map(op.getMatchingBlockArgument(operand), getArgument(operand));
  auto mapConstants = [&](Operation &inner) {
    for (Value value : inner.getOperands())
      if (value.getParentBlock() != body && !mapping.contains(value))
        mapping.map(value, arith::ConstantOp::create(b, inner.getLoc(),
                                                     getConstant(value)));
  };
  for (Operation &inner : body->without_terminator()) {
    mapConstants(inner);
    b.clone(inner, mapping);
  }
  mapConstants(*body->getTerminator());
  return mapping.lookup(body->getTerminator()->getOperand(0));
}
