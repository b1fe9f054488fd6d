// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelBuilder.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mx;

KernelBuilder::KernelBuilder(RewriterBase &builder,
                             const LinalgProduct &product)
    : b(builder), product(product), loc(linalg::LinalgOp(product.op).getLoc()) {
  linalg::LinalgOp op = product.op;
  b.setInsertionPoint(op);
  for (Range range : cast<TilingInterface>(*op).getIterationDomain(b))
    sizes.push_back(range.size);
}

Value KernelBuilder::constant(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value KernelBuilder::add(Value a, int64_t value) {
  return value == 0 ? a : arith::AddIOp::create(b, loc, a, constant(value));
}

OpFoldResult KernelBuilder::apply(AffineExpr expr,
                                  ArrayRef<OpFoldResult> operands) {
  return affine::makeComposedFoldedAffineApply(
      b, loc, AffineMap::get(operands.size(), 0, expr), operands);
}

Value KernelBuilder::toValue(OpFoldResult size) {
  return getValueOrCreateConstantIndexOp(b, loc, size);
}

unsigned KernelBuilder::positionOf(unsigned loop, OpOperand *operand) {
  return *product.getMap(operand).getResultPosition(dim(loop));
}

unsigned KernelBuilder::innermost(OpOperand *operand) {
  AffineMap map = product.getMap(operand);
  return map.getDimPosition(map.getNumResults() - 1);
}

SmallVector<Value> KernelBuilder::at(OpOperand *operand,
                                     const Position &position) {
  return llvm::map_to_vector(
      product.getMap(operand).getResults(), [&](AffineExpr expr) {
        return position[cast<AffineDimExpr>(expr).getPosition()];
      });
}

KernelBuilder::Position KernelBuilder::origin() {
  return Position(sizes.size(), constant(0));
}

SmallVector<Value> KernelBuilder::loop(Value lower, Value upper, int64_t step,
                                       ValueRange values, Body body) {
  auto loop = scf::ForOp::create(
      b, loc, lower, upper, constant(step), values,
      [&](OpBuilder &, Location, Value index, ValueRange carried) {
        scf::YieldOp::create(b, loc, body(index, carried));
      });
  return loop.getResults();
}

SmallVector<Value>
KernelBuilder::loops(ArrayRef<unsigned> dims, Position &position,
                     SmallVector<Value> values,
                     function_ref<SmallVector<Value>(ValueRange)> body) {
  if (dims.empty())
    return body(values);
  return loop(constant(0), toValue(size(dims[0])), 1, values,
              [&](Value index, ValueRange carried) {
                position[dims[0]] = index;
                return loops(dims.drop_front(), position,
                             SmallVector<Value>(carried), body);
              });
}
