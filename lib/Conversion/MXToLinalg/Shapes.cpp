// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Shapes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mx;

Sizes mx::getTensorSizes(ImplicitLocOpBuilder &b, Value tensor) {
  // A constant may come as the value of an op.
  Sizes sizes = tensor::getMixedSizes(b, b.getLoc(), tensor);
  for (OpFoldResult &size : sizes)
    if (std::optional<int64_t> constant = getConstantIntValue(size))
      size = b.getIndexAttr(*constant);
  return sizes;
}

OpFoldResult mx::ceilDiv(ImplicitLocOpBuilder &b, OpFoldResult size,
                         int64_t divisor) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return b.getIndexAttr(llvm::divideCeil(*constant, divisor));
  Value rhs = arith::ConstantIndexOp::create(b, divisor);
  return arith::CeilDivUIOp::create(b, cast<Value>(size), rhs).getResult();
}

OpFoldResult mx::multiply(ImplicitLocOpBuilder &b, OpFoldResult size,
                          int64_t factor) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return b.getIndexAttr(*constant * factor);
  Value rhs = arith::ConstantIndexOp::create(b, factor);
  return arith::MulIOp::create(b, cast<Value>(size), rhs).getResult();
}

static OpFoldResult subtract(ImplicitLocOpBuilder &b, OpFoldResult lhs,
                             OpFoldResult rhs) {
  std::optional<int64_t> l = getConstantIntValue(lhs);
  std::optional<int64_t> r = getConstantIntValue(rhs);
  if (lhs == rhs || (l && r))
    return b.getIndexAttr(l && r ? *l - *r : 0);
  Location loc = b.getLoc();
  return arith::SubIOp::create(b, getValueOrCreateConstantIndexOp(b, loc, lhs),
                               getValueOrCreateConstantIndexOp(b, loc, rhs))
      .getResult();
}

RankedTensorType mx::getTensorType(ArrayRef<OpFoldResult> sizes, Type element) {
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(sizes, dynamic, shape);
  return RankedTensorType::get(shape, element);
}

Value mx::fillZeros(ImplicitLocOpBuilder &b, Value init) {
  Type element = getElementTypeOrSelf(init.getType());
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
  return linalg::FillOp::create(b, zero, init).getResult(0);
}

Value mx::createZeros(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> sizes,
                      Type element) {
  return fillZeros(b, tensor::EmptyOp::create(b, sizes, element));
}

Value mx::castTo(ImplicitLocOpBuilder &b, Value value, Type type) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(b, type, value);
}

Value mx::padTo(ImplicitLocOpBuilder &b, Value value,
                ArrayRef<OpFoldResult> sizes,
                ArrayRef<OpFoldResult> paddedSizes, TypedAttr padding) {
  if (sizes == paddedSizes)
    return value;
  Type element = getElementTypeOrSelf(value);
  SmallVector<OpFoldResult> low(sizes.size(), b.getIndexAttr(0)), high;
  for (auto [size, padded] : llvm::zip_equal(sizes, paddedSizes))
    high.push_back(subtract(b, padded, size));
  Value constant =
      arith::ConstantOp::create(b, padding ? padding : b.getZeroAttr(element));
  return tensor::PadOp::create(b, getTensorType(paddedSizes, element), value,
                               low, high, constant);
}

Value mx::copySlice(ImplicitLocOpBuilder &b, Value value, Value init) {
  // Upstream's verifier takes no slice of an empty tensor, at offset 0 neither.
  if (llvm::is_contained(cast<ShapedType>(init.getType()).getShape(), 0))
    return init;
  Sizes sizes = getTensorSizes(b, init);
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  Value slice =
      tensor::ExtractSliceOp::create(b, value, offsets, sizes, strides);
  return linalg::CopyOp::create(b, castTo(b, slice, init.getType()), init)
      .getResult(0);
}
