// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PackedGeneric.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// What moves rows
//===----------------------------------------------------------------------===//

namespace {
/// The check of one op.
class RowMove {
public:
  explicit RowMove(linalg::GenericOp op) : op(op) {}
  LogicalResult verify();

private:
  LogicalResult verifyOperands();
  LogicalResult verifyBody();
  LogicalResult verifyExtract(tensor::ExtractOp extract);
  /// Takes a sub-byte tensor whose rows of `extent` are moved.
  LogicalResult addRows(Operation *user, RankedTensorType type, int64_t extent);
  InFlightDiagnostic error(Operation *user) {
    return user->emitOpError("has no form on packed codes: ");
  }
  /// True if `value` is or depends on the position in a row.
  bool dependsOnColumn(Value value);

  linalg::GenericOp op;
  /// The iteration dimension along rows.
  unsigned column = 0;
  int64_t codesPerByte = 1;
  /// Extent of `column`.
  int64_t extent = ShapedType::kDynamic;
  /// Positions in a row, and what is computed of them.
  llvm::DenseSet<Value> columnValues;
};
} // namespace

bool RowMove::dependsOnColumn(Value value) {
  return columnValues.contains(value);
}

LogicalResult RowMove::addRows(Operation *user, RankedTensorType type,
                               int64_t length) {
  if (getCodesPerByte(type) != codesPerByte)
    return error(user) << "mixes codes of different widths";
  // The codes that fill the last byte must be those of the source.
  if (codesPerByte == 1 ||
      (!ShapedType::isDynamic(extent) && extent % codesPerByte == 0) ||
      (!ShapedType::isDynamic(extent) && extent == length))
    return success();
  return error(user) << "its rows may end within a byte";
}

LogicalResult RowMove::verifyOperands() {
  auto maps = op.getIndexingMapsArray();
  // The dimension along rows is the last one of the first sub-byte result.
  bool found = false;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    auto type = cast<ShapedType>(init.get().getType());
    AffineMap map = op.getMatchingIndexingMap(&init);
    if (!isSubByte(type.getElementType()) || map.getNumResults() == 0)
      continue;
    auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
    if (!last)
      break;
    column = last.getPosition();
    codesPerByte = getCodesPerByte(type);
    extent = type.getShape().back();
    found = true;
    break;
  }
  if (!found)
    return error(op) << "it does not write rows of codes";
  if (op.getIteratorTypesArray()[column] != utils::IteratorType::parallel)
    return error(op) << "it reduces along rows of codes";

  for (auto [operand, map] : llvm::zip_equal(op->getOpOperands(), maps)) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (isSubByte(operand.get().getType()))
      return error(op) << "operand " << operand.getOperandNumber()
                       << " is a single code";
    if (!type || !isSubByte(type.getElementType())) {
      if (map.isFunctionOfDim(column))
        return error(op) << "operand " << operand.getOperandNumber()
                         << " steps with the codes of a row";
      continue;
    }
    bool alongRows =
        map.getNumResults() > 0 &&
        map.getResults().back() == getAffineDimExpr(column, op.getContext()) &&
        !map.getMajorSubMap(map.getNumResults() - 1).isFunctionOfDim(column);
    if (!alongRows)
      return error(op) << "operand " << operand.getOperandNumber()
                       << " is not read or written row by row";
    if (failed(addRows(op, type, type.getShape().back())))
      return failure();
  }
  return success();
}

LogicalResult RowMove::verifyExtract(tensor::ExtractOp extract) {
  RankedTensorType type = extract.getTensor().getType();
  auto indices = extract.getIndices();
  if (!isSubByte(type.getElementType())) {
    return llvm::any_of(indices, [&](Value v) { return dependsOnColumn(v); })
               ? error(extract) << "its index is the position in a row of codes"
               : LogicalResult(success());
  }
  auto last = indices.empty() ? linalg::IndexOp()
                              : indices.back().getDefiningOp<linalg::IndexOp>();
  if (!last || last.getDim() != column ||
      llvm::any_of(indices.drop_back(),
                   [&](Value v) { return dependsOnColumn(v); }))
    return error(extract) << "it does not read rows from their start";
  return addRows(extract, type, type.getShape().back());
}

LogicalResult RowMove::verifyBody() {
  for (Operation &inner : op.getBody()->getOperations()) {
    if (inner.getNumRegions() != 0)
      return error(&inner) << "it stands among codes";
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      if (index.getDim() == column)
        columnValues.insert(index);
      continue;
    }
    if (auto extract = dyn_cast<tensor::ExtractOp>(inner)) {
      if (failed(verifyExtract(extract)))
        return failure();
      continue;
    }
    bool takesColumn = llvm::any_of(
        inner.getOperands(), [&](Value v) { return dependsOnColumn(v); });
    // Six-bit codes have a byte each: positions stay what they are.
    if (takesColumn && codesPerByte != 1)
      return error(&inner) << "it looks at the position in a row of codes";
    if (takesColumn)
      columnValues.insert_range(inner.getResults());
    bool seesCodes = llvm::any_of(inner.getOperandTypes(), isSubByte) ||
                     llvm::any_of(inner.getResultTypes(), isSubByte);
    if (seesCodes && !isa<arith::SelectOp, linalg::YieldOp>(inner))
      return error(&inner) << "it looks at codes";
    for (Value value : inner.getOperands())
      if (isSubByte(value.getType()) && value.getParentBlock() != op.getBody())
        return error(&inner) << "it takes a single code from outside";
  }
  return success();
}

LogicalResult RowMove::verify() {
  return failure(failed(verifyOperands()) || failed(verifyBody()));
}

LogicalResult mx::verifyMovesRows(linalg::GenericOp op) {
  return RowMove(op).verify();
}

//===----------------------------------------------------------------------===//
// Pattern
//===----------------------------------------------------------------------===//

namespace {
struct PackGeneric : OpConversionPattern<linalg::GenericOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(linalg::GenericOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    // Tensors of which the body takes codes.
    IRMapping map;
    for (auto extract : op.getBody()->getOps<tensor::ExtractOp>()) {
      Value tensor = rewriter.getRemappedValue(extract.getTensor());
      if (!tensor)
        return rewriter.notifyMatchFailure(extract, "source is not converted");
      map.map(extract.getTensor(), tensor);
    }
    SmallVector<Type> types;
    if (failed(getTypeConverter()->convertTypes(op->getResultTypes(), types)))
      return rewriter.notifyMatchFailure(op, "a result type does not convert");
    auto packed = linalg::GenericOp::create(
        rewriter, op.getLoc(), types, adaptor.getInputs(), adaptor.getOutputs(),
        op.getIndexingMaps(), op.getIteratorTypes(), op.getDocAttr(),
        op.getLibraryCallAttr());
    packed->setDiscardableAttrs(op->getDiscardableAttrDictionary());

    OpBuilder::InsertionGuard guard(rewriter);
    SmallVector<Type> argumentTypes;
    for (Value operand : packed->getOperands())
      argumentTypes.push_back(getElementTypeOrSelf(operand));
    SmallVector<Location> locs(argumentTypes.size(), op.getLoc());
    Block *body =
        rewriter.createBlock(&packed.getRegion(), {}, argumentTypes, locs);
    map.map(op.getBody()->getArguments(), body->getArguments());
    for (Operation &inner : op.getBody()->getOperations()) {
      Operation *clone = rewriter.clone(inner, map);
      for (Value result : clone->getResults())
        if (isSubByte(result.getType()))
          result.setType(rewriter.getI8Type());
    }
    rewriter.replaceOp(op, packed);
    return success();
  }
};
} // namespace

void mx::populatePackGenericPatterns(const TypeConverter &converter,
                                     RewritePatternSet &patterns) {
  patterns.add<PackGeneric>(converter, patterns.getContext());
}
