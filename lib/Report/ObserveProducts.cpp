// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Report/ObserveProducts.h"

#include "mx/IR/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mx;

namespace {

class ProductObserver {
public:
  explicit ProductObserver(func::FuncOp function)
      : function(function), builder(function.getContext()) {}

  SmallVector<ObservedProduct> run();

private:
  std::optional<ObservedProduct> observe(MatmulOp matmul);
  ObservedValue observe(Value value);

  func::FuncOp function;
  OpBuilder builder;
  /// What the function is to return in addition, and as which result.
  llvm::MapVector<Value, unsigned> results;
};

} // namespace

/// What `operand` was before it was quantised (itself, if it has no format), or
/// null if that is not in the function.
static Value getOriginal(Value operand, FormatAttr format) {
  if (!format)
    return operand;
  auto quantize = operand.getDefiningOp<QuantizeOp>();
  return quantize ? quantize.getInput() : Value();
}

/// The product in f32 of `lhs` and `rhs`, read as `matmul` reads its operands.
static Value createExactProduct(OpBuilder &builder, MatmulOp matmul, Value lhs,
                                Value rhs) {
  AffineMap maps[] = {matmul.getLhsMap(), matmul.getRhsMap(),
                      matmul.getResultMap()};
  SmallVector<utils::IteratorType> iterators(maps[0].getNumDims(),
                                             utils::IteratorType::parallel);
  iterators[matmul.getReductionDim()] = utils::IteratorType::reduction;
  Value init = matmul.getInit();
  auto product = linalg::GenericOp::create(
      builder, matmul.getLoc(), init.getType(), ValueRange{lhs, rhs}, init,
      maps, iterators, [](OpBuilder &b, Location loc, ValueRange arguments) {
        Type type = arguments[2].getType();
        auto extend = [&](Value value) -> Value {
          return value.getType() == type
                     ? value
                     : arith::ExtFOp::create(b, loc, type, value).getResult();
        };
        Value term = arith::MulFOp::create(b, loc, extend(arguments[0]),
                                           extend(arguments[1]));
        Value sum = arith::AddFOp::create(b, loc, arguments[2], term);
        linalg::YieldOp::create(b, loc, sum);
      });
  return product.getResult(0);
}

ObservedValue ProductObserver::observe(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return {/*isArgument=*/true, argument.getArgNumber()};
  unsigned next = function.getNumResults() + results.size();
  return {/*isArgument=*/false, results.try_emplace(value, next).first->second};
}

std::optional<ObservedProduct> ProductObserver::observe(MatmulOp matmul) {
  std::optional<int64_t> entry = getPlanId(matmul);
  if (!entry || matmul.getBias() || matmul.getNumResults() != 1)
    return std::nullopt;
  Value lhs = getOriginal(matmul.getLhs()[0], matmul.getLhsFormatAttr());
  Value rhs = getOriginal(matmul.getRhs()[0], matmul.getRhsFormatAttr());
  if (!lhs || !rhs)
    return std::nullopt;

  builder.setInsertionPoint(matmul);
  Value exact = createExactProduct(builder, matmul, lhs, rhs);
  matmul.getResult().replaceAllUsesWith(exact);
  ObservedProduct product;
  product.entry = *entry;
  product.quantized = observe(matmul.getResult());
  product.exact = observe(exact);
  if (FormatAttr format = matmul.getLhsFormatAttr())
    product.lhs = {observe(lhs), format.getValue(), matmul.getLhsAxis()};
  if (FormatAttr format = matmul.getRhsFormatAttr())
    product.rhs = {observe(rhs), format.getValue(), matmul.getRhsAxis()};
  return product;
}

SmallVector<ObservedProduct> ProductObserver::run() {
  SmallVector<ObservedProduct> products;
  if (!llvm::hasSingleElement(function.getBody()) ||
      !SymbolTable::symbolKnownUseEmpty(function, function->getParentOp()))
    return products;
  Block &body = function.getBody().front();
  for (MatmulOp matmul : llvm::make_early_inc_range(body.getOps<MatmulOp>()))
    if (std::optional<ObservedProduct> product = observe(matmul))
      products.push_back(std::move(*product));

  Operation *terminator = body.getTerminator();
  SmallVector<Type> types(function.getResultTypes());
  for (Value value : llvm::make_first_range(results)) {
    terminator->insertOperands(terminator->getNumOperands(), value);
    types.push_back(value.getType());
  }
  SmallVector<DictionaryAttr> attributes;
  function.getAllResultAttrs(attributes);
  attributes.resize(types.size(), DictionaryAttr::get(builder.getContext()));
  function.setType(builder.getFunctionType(function.getArgumentTypes(), types));
  function.setAllResultAttrs(attributes);
  return products;
}

SmallVector<ObservedProduct> mx::observeProducts(func::FuncOp function) {
  return ProductObserver(function).run();
}
