// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Transforms/InlineRegions.h"
#include "mx/IR/MX.h"
#include "mx/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

namespace mx {
#define GEN_PASS_DEF_MXINLINEREGIONS
#include "mx/Transforms/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

namespace {
struct InlineRegions : mx::impl::MXInlineRegionsBase<InlineRegions> {
  void runOnOperation() override {
    if (failed(inlineRegions(getOperation())))
      signalPassFailure();
  }
};
} // namespace

/// A generic that applies `region`, which it takes from its op, to `element`.
static Value createGeneric(OpBuilder &b, const ElementRegion &region,
                           Value element, Value init) {
  int64_t rank = cast<RankedTensorType>(init.getType()).getRank();
  AffineMap identity = b.getMultiDimIdentityMap(rank);
  SmallVector<Value> inputs = {element};
  llvm::append_range(inputs, region.inputs);
  SmallVector<AffineMap> maps = {identity};
  llvm::append_range(maps, region.maps.getAsValueRange<AffineMapAttr>());
  maps.push_back(identity);
  Block &block = region.getBlock();
  Operation *yield = block.getTerminator();
  auto generic = linalg::GenericOp::create(
      b, yield->getLoc(), init.getType(), inputs, init, maps,
      SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel));
  generic.getRegion().takeBody(region.regions.front());
  block.addArgument(getElementTypeOrSelf(init), yield->getLoc());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(yield);
  linalg::YieldOp::create(b, yield->getLoc(), yield->getOperands());
  yield->erase();
  return generic.getResult(0);
}

//===----------------------------------------------------------------------===//
// Prologues
//===----------------------------------------------------------------------===//

static bool areEqual(const ElementRegion &a, const ElementRegion &b) {
  return !a.empty() && a.inputs == b.inputs && a.maps == b.maps &&
         OperationEquivalence::isRegionEquivalentTo(
             &a.regions.front(), &b.regions.front(),
             OperationEquivalence::IgnoreLocations);
}

/// Lets an op without its prologue read `input`.
template <typename OpTy>
static void setInput(OpBuilder &b, OpTy op, Value input) {
  op.getInputMutable().assign(input);
  op.getPrologueInputsMutable().clear();
  op.setPrologueMapsAttr(b.getArrayAttr({}));
  replaceRegions(b, op, 0);
}

/// What the prologue of `op` makes of its input, computed before `user`.
template <typename OpTy>
static Value createInput(OpBuilder &b, OpTy op, Operation *user) {
  b.setInsertionPoint(user);
  ElementRegion region = op.getElementRegion();
  Value input = op.getInput();
  Value init = tensor::EmptyOp::create(
      b, op.getLoc(), tensor::getMixedSizes(b, op.getLoc(), input),
      region.getYieldedType());
  return createGeneric(b, region, input, init);
}

/// The maximum of the tensor that `op` quantises, if it is taken of it behind
/// an equal prologue.
static AmaxOp getAmaxWithEqualPrologue(QuantizeOp op) {
  auto amax = op.getAmax() ? op.getAmax().getDefiningOp<AmaxOp>() : AmaxOp();
  if (amax && amax.getInput() == op.getInput() &&
      areEqual(amax.getElementRegion(), op.getElementRegion()))
    return amax;
  return nullptr;
}

static void inlinePrologue(OpBuilder &b, QuantizeOp op, AmaxOp amax) {
  Value input = createInput(b, op, amax ? amax.getOperation() : op);
  setInput(b, op, input);
  if (amax)
    setInput(b, amax, input);
}

static void inlinePrologue(OpBuilder &b, AmaxOp op) {
  setInput(b, op, createInput(b, op, op));
}

//===----------------------------------------------------------------------===//
// Epilogues
//===----------------------------------------------------------------------===//

static void inlineEpilogue(OpBuilder &b, MatmulOp op) {
  Location loc = op.getLoc();
  b.setInsertionPoint(op);
  Value destination = op.getInit();
  Type accumulate = op.getAccumulate();
  Value zero =
      arith::ConstantOp::create(b, loc, b.getFloatAttr(accumulate, 0.0));
  Value empty = tensor::EmptyOp::create(
      b, loc, tensor::getMixedSizes(b, loc, destination), accumulate);
  // A cast keeps a type that says less than its sizes do.
  Type type = cast<RankedTensorType>(destination.getType()).clone(accumulate);
  if (empty.getType() != type)
    empty = tensor::CastOp::create(b, loc, type, empty);
  Value init = linalg::FillOp::create(b, loc, zero, empty).getResult(0);

  Value result = op.getResult();
  op.getInitMutable().assign(init);
  result.setType(type);
  b.setInsertionPointAfter(op);
  Value replacement =
      createGeneric(b, op.getElementRegion(), result, destination);
  result.replaceAllUsesExcept(replacement, replacement.getDefiningOp());
  op.getEpilogueInputsMutable().clear();
  op.setEpilogueMapsAttr(b.getArrayAttr({}));
  replaceRegions(b, op, 0);
}

LogicalResult mx::inlineRegions(Operation *root) {
  llvm::SetVector<QuantizeOp> quantizes;
  llvm::SetVector<AmaxOp> amaxes;
  llvm::SetVector<MatmulOp> matmuls;
  LogicalResult result = success();
  auto collect = [&](auto op, auto &ops) {
    ElementRegion region = op.getElementRegion();
    if (region.empty())
      return;
    if (op.hasPureTensorSemantics()) {
      ops.insert(op);
      return;
    }
    result = op.emitOpError()
             << "on memrefs with a region (" << region.name
             << ") is not lowered; run mx-inline-regions before "
                "bufferization";
  };
  root->walk([&](Operation *op) {
    if (auto quantize = dyn_cast<QuantizeOp>(op))
      collect(quantize, quantizes);
    else if (auto amax = dyn_cast<AmaxOp>(op))
      collect(amax, amaxes);
    else if (auto matmul = dyn_cast<MatmulOp>(op))
      collect(matmul, matmuls);
  });
  if (failed(result))
    return failure();

  OpBuilder b(root->getContext());
  for (MatmulOp op : matmuls)
    inlineEpilogue(b, op);
  for (QuantizeOp op : quantizes) {
    AmaxOp amax = getAmaxWithEqualPrologue(op);
    if (amax)
      amaxes.remove(amax);
    inlinePrologue(b, op, amax);
  }
  // Those of which no such quantise is known.
  for (AmaxOp op : amaxes)
    inlinePrologue(b, op);
  return success();
}
