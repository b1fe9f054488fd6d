// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RandomBits.h"
#include "mx/IR/MX.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;
using namespace mx;

/// The counter of a loop has the bits above.
static constexpr unsigned loopShift = 32;

/// The part of an offset that tells tensors apart, as create() makes them.
static std::optional<int64_t> getStaticOffset(Value offset) {
  APInt value;
  if (auto add = offset.getDefiningOp<arith::AddIOp>())
    offset = add.getRhs();
  if (!matchPattern(offset, m_ConstantInt(&value)))
    return std::nullopt;
  return value.getLoBits(loopShift).getZExtValue();
}

/// What was rounded before keeps its offsets; and which functions are called.
void RandomBits::scan() {
  if (isScanned)
    return;
  isScanned = true;
  root->walk([&](Operation *op) {
    if (auto quantize = dyn_cast<QuantizeOp>(op);
        quantize && quantize.getOffset())
      if (auto offset = getStaticOffset(quantize.getOffset()))
        nextOffset = std::max(nextOffset, *offset + 1);
    if (auto call = dyn_cast<CallOpInterface>(op))
      if (auto symbol = dyn_cast<SymbolRefAttr>(call.getCallableForCallee()))
        called.insert(symbol.getLeafReference());
  });
}

/// The counter of the only loop around `op`, null if there is no loop; failure
/// if `op` may be executed several times with no counter that says so.
static FailureOr<Value> getCounter(Operation *op) {
  Value counter;
  for (; !isa<FunctionOpInterface>(op); op = op->getParentOp()) {
    Operation *parent = op->getParentOp();
    if (!op->getParentRegion()->hasOneBlock())
      return failure();
    if (auto loop = dyn_cast<LoopLikeOpInterface>(parent)) {
      std::optional<SmallVector<Value>> variables = loop.getLoopInductionVars();
      if (counter || !variables || variables->size() != 1)
        return failure();
      counter = variables->front();
    } else if (!isa<RegionBranchOpInterface, FunctionOpInterface>(parent)) {
      return failure();
    }
  }
  return counter;
}

static bool isSeed(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return type.isInteger(64) || (tensor && tensor.getRank() == 0 &&
                                tensor.getElementType().isInteger(64));
}

std::string RandomBits::check(Operation *op) {
  scan();
  auto function = op->getParentOfType<FunctionOpInterface>();
  if (!function)
    return "stochastic rounding outside of a function";
  if (failed(getCounter(op)))
    return "stochastic rounding where each execution would have the same "
           "random bits: in a nest of loops, or a loop that does not count";
  if (seedArgument) {
    ArrayRef<Type> types = function.getArgumentTypes();
    if (*seedArgument >= types.size() || !isSeed(types[*seedArgument]))
      return "stochastic rounding takes its seed from argument " +
             std::to_string(*seedArgument) +
             " of the function, which is no i64";
  } else if (called.contains(SymbolTable::getSymbolName(function))) {
    return "stochastic rounding in a function whose calls would have the same "
           "random bits; give it a seed argument (seed-argument=)";
  }
  return "";
}

Value RandomBits::getSeed(OpBuilder &b, FunctionOpInterface function) {
  Value &value = seeds[function];
  if (value)
    return value;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&function.getFunctionBody().front());
  Location loc = function.getLoc();
  if (!seedArgument)
    return value = arith::ConstantIntOp::create(b, loc, seed, 64);
  value = function.getArgument(*seedArgument);
  if (isa<RankedTensorType>(value.getType()))
    value = tensor::ExtractOp::create(b, loc, value, ValueRange());
  return value;
}

std::pair<Value, Value> RandomBits::create(OpBuilder &b, Location loc) {
  scan();
  Operation *parent = b.getInsertionBlock()->getParentOp();
  auto function = dyn_cast<FunctionOpInterface>(parent);
  if (!function)
    function = parent->getParentOfType<FunctionOpInterface>();
  Type i64 = b.getI64Type();
  Value offset = arith::ConstantIntOp::create(b, loc, nextOffset++, 64);
  Value counter = *getCounter(b.getInsertionBlock()->getTerminator());
  if (counter) {
    if (counter.getType().isIndex())
      counter = arith::IndexCastOp::create(b, loc, i64, counter);
    else if (counter.getType() != i64)
      counter = arith::ExtUIOp::create(b, loc, i64, counter);
    Value shift = arith::ConstantIntOp::create(b, loc, loopShift, 64);
    counter = arith::ShLIOp::create(b, loc, counter, shift);
    offset = arith::AddIOp::create(b, loc, counter, offset);
  }
  return {getSeed(b, function), offset};
}
