// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Generic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace mx;

SmallVector<Value> mx::createGeneric(ImplicitLocOpBuilder &b,
                                     ArrayRef<GenericOperand> inputs,
                                     ArrayRef<GenericOperand> inits,
                                     GenericBody body,
                                     ArrayRef<NamedAttribute> attributes) {
  SmallVector<Value> inputValues, initValues;
  SmallVector<AffineMap> maps;
  for (const GenericOperand &input : inputs) {
    inputValues.push_back(input.value);
    maps.push_back(input.map);
  }
  for (const GenericOperand &init : inits) {
    initValues.push_back(init.value);
    maps.push_back(init.map);
  }
  AffineMap written = inits.front().map;
  SmallVector<utils::IteratorType> iterators;
  for (unsigned loop = 0; loop < written.getNumDims(); ++loop)
    iterators.push_back(written.isFunctionOfDim(loop)
                            ? utils::IteratorType::parallel
                            : utils::IteratorType::reduction);
  auto generic = linalg::GenericOp::create(
      b, TypeRange(ValueRange(initValues)), inputValues, initValues, maps,
      iterators,
      [&](OpBuilder &builder, Location loc, ValueRange args) {
        ImplicitLocOpBuilder nested(loc, builder);
        linalg::YieldOp::create(nested, body(nested, args));
      },
      attributes);
  return llvm::to_vector_of<Value>(generic.getResults());
}

Value mx::createGeneric(
    ImplicitLocOpBuilder &b, ArrayRef<GenericOperand> inputs,
    GenericOperand init,
    function_ref<Scalar(ImplicitLocOpBuilder &, ValueRange)> body,
    ArrayRef<NamedAttribute> attributes) {
  Type element = getElementTypeOrSelf(init.value.getType());
  return createGeneric(
             b, inputs, ArrayRef(init),
             [&](ImplicitLocOpBuilder &nested,
                 ValueRange args) -> SmallVector<Value> {
               return {body(nested, args).store(element)};
             },
             attributes)
      .front();
}

Value mx::addInOrder(ImplicitLocOpBuilder &b, Value sum, Value x) {
  return arith::SubFOp::create(b, sum, arith::NegFOp::create(b, x));
}
