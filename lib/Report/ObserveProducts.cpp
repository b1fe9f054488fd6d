// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Report/ObserveProducts.h"

#include "mx/IR/Plan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mx;

namespace {

class ProductObserver {
public:
  explicit ProductObserver(func::FuncOp function)
      : function(function), builder(function.getContext()) {}

  ObservedFunction run();

private:
  FailureOr<ObservedProduct> observe(MatmulOp matmul, std::string &reason);
  ObservedValue observe(Value value);

  func::FuncOp function;
  OpBuilder builder;
  /// What the function is to return in addition, and as which result.
  llvm::MapVector<Value, unsigned> results;
};

} // namespace

/// What a gather of codes would have gathered from the tensor that was
/// quantised: weights of experts are quantised before they are chosen. Null for
/// any other op.
static Value gatherOriginal(OpBuilder &builder, Value codes) {
  auto gather = codes.getDefiningOp<linalg::GenericOp>();
  if (!gather || gather.getNumResults() != 1)
    return {};
  Block &body = *gather.getBody();
  auto extract =
      body.getTerminator()->getOperand(0).getDefiningOp<tensor::ExtractOp>();
  if (!extract || extract->getBlock() != &body ||
      !body.getArguments().back().use_empty())
    return {};
  auto quantize = extract.getTensor().getDefiningOp<QuantizeOp>();
  if (!quantize || extract.getTensor() != quantize->getResult(0))
    return {};

  builder.setInsertionPoint(gather);
  Type element = getElementTypeOrSelf(quantize.getInput().getType());
  auto type = cast<RankedTensorType>(codes.getType()).clone(element);
  OpOperand &init = gather.getDpsInitsMutable()[0];
  IRMapping mapping;
  mapping.map(init.get(),
              tensor::EmptyOp::create(
                  builder, gather.getLoc(),
                  tensor::getMixedSizes(builder, gather.getLoc(), init.get()),
                  element)
                  .getResult());
  mapping.map(extract.getTensor(), quantize.getInput());
  auto original = cast<linalg::GenericOp>(builder.clone(*gather, mapping));
  original.getResult(0).setType(type);
  original.getBody()->getArguments().back().setType(element);
  mapping.lookup(extract.getResult()).setType(element);
  return original.getResult(0);
}

/// What `operand` was before it was quantised (itself, if it has no format), or
/// null if that is not in the function.
static Value getOriginal(OpBuilder &builder, Value operand, FormatAttr format) {
  if (!format)
    return operand;
  if (auto quantize = operand.getDefiningOp<QuantizeOp>())
    return quantize.getInput();
  return gatherOriginal(builder, operand);
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

/// Why values of `op`'s block do not reach the end of `function`; empty if they
/// do.
static std::string getObstacle(func::FuncOp function, Operation *op) {
  if (!llvm::hasSingleElement(function.getBody()))
    return "the function has branches";
  if (!SymbolTable::symbolKnownUseEmpty(function, function->getParentOp()))
    return "the function is called in the module";
  Operation *parent = op->getParentOp();
  if (parent == function)
    return "";
  for (Operation *loop = parent; loop != function; loop = loop->getParentOp())
    if (isa<LoopLikeOpInterface>(loop))
      return ("inside a loop (" + loop->getName().getStringRef() + ")").str();
  return ("inside " + parent->getName().getStringRef()).str();
}

FailureOr<ObservedProduct> ProductObserver::observe(MatmulOp matmul,
                                                    std::string &reason) {
  reason = getObstacle(function, matmul);
  if (!reason.empty())
    return failure();
  if (matmul.getBias() || matmul.getNumResults() != 1) {
    reason = "fused with what follows it";
    return failure();
  }
  Value lhs =
      getOriginal(builder, matmul.getLhs()[0], matmul.getLhsFormatAttr());
  Value rhs =
      getOriginal(builder, matmul.getRhs()[0], matmul.getRhsFormatAttr());
  if (!lhs || !rhs) {
    reason = "an operand comes quantised";
    return failure();
  }

  builder.setInsertionPoint(matmul);
  Value exact = createExactProduct(builder, matmul, lhs, rhs);
  matmul.getResult().replaceAllUsesWith(exact);
  ObservedProduct product;
  product.quantized = observe(matmul.getResult());
  product.exact = observe(exact);
  if (FormatAttr format = matmul.getLhsFormatAttr())
    product.lhs = {observe(lhs), format.getValue(), matmul.getLhsAxis()};
  if (FormatAttr format = matmul.getRhsFormatAttr())
    product.rhs = {observe(rhs), format.getValue(), matmul.getRhsAxis()};
  return product;
}

ObservedFunction ProductObserver::run() {
  ObservedFunction observed;
  SmallVector<MatmulOp> matmuls;
  function.walk([&](MatmulOp matmul) { matmuls.push_back(matmul); });
  for (MatmulOp matmul : matmuls) {
    std::optional<int64_t> entry = getPlanId(matmul);
    if (!entry)
      continue;
    std::string reason;
    FailureOr<ObservedProduct> product = observe(matmul, reason);
    if (failed(product)) {
      observed.others.push_back({*entry, std::move(reason)});
      continue;
    }
    product->entry = *entry;
    observed.products.push_back(std::move(*product));
  }
  if (results.empty())
    return observed;

  Operation *terminator = function.getBody().front().getTerminator();
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
  return observed;
}

ObservedFunction mx::observeProducts(func::FuncOp function) {
  return ProductObserver(function).run();
}

llvm::SetVector<Operation *> mx::getCallees(func::FuncOp function) {
  llvm::SetVector<Operation *> callees;
  SymbolTableCollection symbols;
  auto addCallees = [&](Operation *caller) {
    caller->walk([&](CallOpInterface call) {
      if (Operation *callee = call.resolveCallableInTable(&symbols))
        callees.insert(callee);
    });
  };
  addCallees(function);
  for (size_t i = 0; i < callees.size(); ++i)
    addCallees(callees[i]);
  callees.remove(function);
  return callees;
}
