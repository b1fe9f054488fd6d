// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LinalgProduct.h"
#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

namespace mx {
#define GEN_PASS_DEF_MXCPUOUTLINE
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;
using mx::LinalgProduct;

namespace {

/// Scalars and splats are part of what a kernel is; other constants (weights)
/// are arguments, or each layer would have kernels of its own.
bool isSmallConstant(Operation *op) {
  Attribute value;
  return matchPattern(op, m_Constant(&value)) &&
         (!isa<ShapedType>(op->getResult(0).getType()) ||
          isa<SplatElementsAttr>(value));
}

/// True if a tile of the op's result is computed from tiles of its operands:
/// an elementwise op that is worth doing again for each panel of a product,
/// because nothing else needs its result or because its inputs are narrower.
bool isPanelProducer(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || op->getNumResults() != 1 ||
      linalgOp.getNumParallelLoops() != linalgOp.getNumLoops() ||
      linalgOp.hasIndexSemantics() ||
      linalgOp.payloadUsesValueFromOperand(linalgOp.getDpsInitOperand(0)) ||
      !linalgOp.getMatchingIndexingMap(linalgOp.getDpsInitOperand(0))
           .isPermutation() ||
      !linalg::hasOnlyScalarElementwiseOp(op->getRegion(0)))
    return false;
  auto width = [](Value value) {
    Type type = getElementTypeOrSelf(value);
    return type.isIntOrFloat() ? type.getIntOrFloatBitWidth() : 64;
  };
  unsigned result = width(op->getResult(0));
  return op->hasOneUse() ||
         llvm::all_of(linalgOp.getDpsInputs(), [&](Value input) {
           auto tensor = dyn_cast<RankedTensorType>(input.getType());
           return !tensor || tensor.getRank() == 0 || width(input) < result ||
                  tensor.getRank() < linalgOp.getNumLoops();
         });
}

/// True for a padding whose elements are all the same value.
bool isPadOfOneValue(Operation *op) {
  auto pad = dyn_cast<tensor::PadOp>(op);
  return pad && pad.getConstantPaddingValue();
}

/// True if an op makes the packed operand `value`, perhaps seen by a reshape or
/// without padding.
bool isPanelComputed(Value value) {
  Operation *def = value.getDefiningOp();
  while (def && def->hasOneUse()) {
    auto slice = dyn_cast<tensor::ExtractSliceOp>(def);
    if (!isa<tensor::CollapseShapeOp>(def) &&
        !(slice && slice.hasUnitStride() && slice.hasZeroOffset()))
      break;
    def = def->getOperand(0).getDefiningOp();
  }
  return def && isPanelProducer(def);
}

/// The constant that fills `init`, or null.
Value getFillValue(Value init) {
  while (Operation *def = init.getDefiningOp()) {
    if (auto fill = dyn_cast<linalg::FillOp>(def))
      return fill.getInputs()[0];
    if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(def))
      break;
    init = def->getOperand(0);
  }
  return {};
}

/// Sizes of a result, without new ops where they are known.
FailureOr<SmallVector<OpFoldResult>> getSizes(OpBuilder &builder,
                                              OpResult result) {
  Operation *op = result.getOwner();
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    SmallVector<OpFoldResult> sizes;
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    for (auto [i, size] : llvm::enumerate(slice.getMixedSizes()))
      if (!dropped[i])
        sizes.push_back(size);
    return sizes;
  }
  auto dps = dyn_cast<DestinationStyleOpInterface>(op);
  if (!dps) {
    ReifiedRankedShapedTypeDims shapes;
    if (failed(reifyResultShapes(builder, op, shapes)))
      return failure();
    return shapes[result.getResultNumber()];
  }
  Value init = dps.getTiedOpOperand(result)->get();
  if (auto fill = init.getDefiningOp<linalg::FillOp>())
    init = fill.getOutputs()[0];
  if (auto empty = init.getDefiningOp<tensor::EmptyOp>())
    return empty.getMixedSizes();
  return tensor::getMixedSizes(builder, op->getLoc(), init);
}

/// What goes into one kernel.
struct Slice {
  /// Ops to clone, in order, the root not among them.
  llvm::SetVector<Operation *> ops;
  /// Values of the caller.
  llvm::SetVector<Value> captured;

  Slice(Operation *root, ArrayRef<Value> used) {
    FailureOr<LinalgProduct> product = LinalgProduct::match(root);
    for (Value value : used)
      add(value, succeeded(product) && value == product->rhs->get());
  }

private:
  /// `isPanel`: the value is the packed operand of a product, or only part of
  /// its computation.
  void add(Value value, bool isPanel) {
    Operation *def = value.getDefiningOp();
    if (!def) {
      captured.insert(value);
      return;
    }
    if (ops.contains(def))
      return;
    bool isComputed = isPanel && isPanelComputed(value);
    if (!isComputed && !isSmallConstant(def) &&
        !isa<tensor::ExtractSliceOp>(def)) {
      captured.insert(value);
      return;
    }
    auto dps = dyn_cast<DestinationStyleOpInterface>(def);
    for (OpOperand &operand : def->getOpOperands()) {
      auto empty = operand.get().getDefiningOp<tensor::EmptyOp>();
      if (empty && dps && dps.isDpsInit(&operand)) {
        for (Value size : empty->getOperands())
          add(size, false);
        ops.insert(empty);
        continue;
      }
      add(operand.get(), isComputed);
    }
    llvm::SetVector<Value> fromAbove;
    getUsedValuesDefinedAbove(def->getRegions(), fromAbove);
    for (Value value : fromAbove)
      add(value, /*isPanel=*/false);
    ops.insert(def);
  }
};

/// Moves ops into kernels.
class Outliner {
public:
  explicit Outliner(ModuleOp module) : symbols(module) {}

  void outline(Operation *root);
  unsigned getNumKernels() const { return known.size(); }

private:
  /// The body of a kernel: clones the slice and the root; returns the results.
  SmallVector<Value> build(OpBuilder &builder, Operation *root,
                           const Slice &slice, IRMapping &map,
                           ValueRange destinations);
  SmallVector<Value> buildConcat(OpBuilder &builder, tensor::ConcatOp concat,
                                 IRMapping &map, Value destination);
  SmallVector<Value> buildPad(OpBuilder &builder, tensor::PadOp pad,
                              IRMapping &map, Value destination);
  /// An equal kernel if there is one, else this one, named.
  func::FuncOp unique(func::FuncOp kernel, Operation *root);

  SymbolTable symbols;
  llvm::StringMap<func::FuncOp> known;
};

/// Values from outside that the root reads: inputs, the initial values that
/// count, and what its regions use.
SmallVector<Value> getUsedValues(Operation *root) {
  SmallVector<Value> used;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(root);
  for (OpOperand &operand : root->getOpOperands()) {
    if (linalgOp && linalgOp.isDpsInit(&operand)) {
      if (!linalgOp.payloadUsesValueFromOperand(&operand))
        continue;
      if (Value fill = getFillValue(operand.get())) {
        used.push_back(fill);
        continue;
      }
    }
    used.push_back(operand.get());
  }
  llvm::SetVector<Value> fromAbove;
  getUsedValuesDefinedAbove(root->getRegions(), fromAbove);
  llvm::append_range(used, fromAbove);
  return used;
}

SmallVector<Value> Outliner::build(OpBuilder &builder, Operation *root,
                                   const Slice &slice, IRMapping &map,
                                   ValueRange destinations) {
  auto strip = [](Operation *op) {
    // Roles and the like do not change what is computed.
    if (!isa<DestinationStyleOpInterface>(op))
      return;
    op->setDiscardableAttrs(ArrayRef<NamedAttribute>());
  };
  for (Operation *op : slice.ops)
    strip(builder.clone(*op, map));
  if (auto concat = dyn_cast<tensor::ConcatOp>(root))
    return buildConcat(builder, concat, map, destinations[0]);
  if (auto pad = dyn_cast<tensor::PadOp>(root))
    return buildPad(builder, pad, map, destinations[0]);
  if (isa<tensor::ExtractSliceOp>(root)) {
    Value part = builder.clone(*root, map)->getResult(0);
    auto copy =
        linalg::CopyOp::create(builder, root->getLoc(), part, destinations[0]);
    return copy->getResults();
  }

  auto linalgOp = cast<linalg::LinalgOp>(root);
  IRMapping local(map);
  SmallVector<Value> inits;
  for (auto [i, destination] : llvm::enumerate(destinations)) {
    OpOperand *init = linalgOp.getDpsInitOperand(i);
    Value value = destination;
    if (linalgOp.payloadUsesValueFromOperand(init)) {
      Location loc = root->getLoc();
      if (Value fill = getFillValue(init->get()))
        value = linalg::FillOp::create(builder, loc, map.lookup(fill), value)
                    .getResult(0);
      else
        value =
            linalg::CopyOp::create(builder, loc, map.lookup(init->get()), value)
                .getResult(0);
    }
    inits.push_back(value);
  }
  Operation *copy = builder.clone(*root, local);
  strip(copy);
  for (auto [i, init] : llvm::enumerate(inits))
    cast<linalg::LinalgOp>(copy).setDpsInitOperand(i, init);
  return copy->getResults();
}

SmallVector<Value> Outliner::buildConcat(OpBuilder &builder,
                                         tensor::ConcatOp concat,
                                         IRMapping &map, Value destination) {
  Location loc = concat.getLoc();
  int64_t rank = concat.getResultType().getRank();
  SmallVector<OpFoldResult> offsets(rank, builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(rank, builder.getIndexAttr(1));
  OpFoldResult &at = offsets[concat.getDim()];
  AffineExpr a, b;
  bindSymbols(builder.getContext(), a, b);
  for (Value input : concat.getInputs()) {
    Value part = map.lookup(input);
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, part);
    destination = tensor::InsertSliceOp::create(builder, loc, part, destination,
                                                offsets, sizes, strides);
    at = affine::makeComposedFoldedAffineApply(builder, loc, a + b,
                                               {at, sizes[concat.getDim()]});
  }
  return {destination};
}

SmallVector<Value> Outliner::buildPad(OpBuilder &builder, tensor::PadOp pad,
                                      IRMapping &map, Value destination) {
  Location loc = pad.getLoc();
  Value padding = pad.getConstantPaddingValue();
  Attribute constant;
  if (matchPattern(padding, m_Constant(&constant)))
    padding =
        arith::ConstantOp::create(builder, loc, cast<TypedAttr>(constant));
  else
    padding = map.lookup(padding);
  destination =
      linalg::FillOp::create(builder, loc, padding, destination).getResult(0);
  Value source = map.lookup(pad.getSource());
  SmallVector<OpFoldResult> offsets = pad.getMixedLowPad();
  for (OpFoldResult &offset : offsets)
    if (auto value = dyn_cast<Value>(offset))
      offset = map.lookup(value);
  SmallVector<OpFoldResult> strides(offsets.size(), builder.getIndexAttr(1));
  return {tensor::InsertSliceOp::create(
      builder, loc, source, destination, offsets,
      tensor::getMixedSizes(builder, loc, source), strides)};
}

func::FuncOp Outliner::unique(func::FuncOp kernel, Operation *root) {
  std::string key;
  llvm::raw_string_ostream os(key);
  kernel.print(os, OpPrintingFlags().useLocalScope());
  auto [it, isNew] = known.try_emplace(key, kernel);
  if (!isNew) {
    kernel.erase();
    return it->second;
  }
  kernel.setName("mx_kernel_" + root->getName().stripDialect().str());
  symbols.insert(kernel);
  Builder builder(kernel.getContext());
  // Upstream passes a static, non-empty buffer as one pointer if asked to.
  bool isBare = true;
  for (auto [i, type] : llvm::enumerate(kernel.getArgumentTypes())) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      continue;
    isBare &= tensor.hasStaticShape() && tensor.getNumElements() > 0;
    // Destinations are new, so an argument that is written overlaps no other.
    kernel.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                      builder.getUnitAttr());
  }
  if (isBare)
    kernel->setAttr("llvm.bareptr", builder.getUnitAttr());
  return kernel;
}

void Outliner::outline(Operation *root) {
  OpBuilder builder(root);
  Location loc = root->getLoc();
  Slice slice(root, getUsedValues(root));

  // Each result has a destination of its own: where many share one,
  // bufferization is quadratic.
  SmallVector<Value> destinations;
  for (OpResult result : root->getResults()) {
    FailureOr<SmallVector<OpFoldResult>> sizes = getSizes(builder, result);
    if (failed(sizes))
      return;
    destinations.push_back(tensor::EmptyOp::create(
        builder, loc, *sizes, getElementTypeOrSelf(result.getType())));
  }

  SmallVector<Value> operands(slice.captured.begin(), slice.captured.end());
  llvm::append_range(operands, destinations);
  auto type = builder.getFunctionType(TypeRange(ValueRange(operands)),
                                      root->getResultTypes());
  auto kernel =
      func::FuncOp::create(UnknownLoc::get(root->getContext()), "kernel", type);
  kernel.setPrivate();
  Block *body = kernel.addEntryBlock();
  OpBuilder inside = OpBuilder::atBlockEnd(body);
  IRMapping map;
  for (auto [value, argument] : llvm::zip(slice.captured, body->getArguments()))
    map.map(value, argument);
  SmallVector<Value> results =
      build(inside, root, slice, map,
            body->getArguments().take_back(destinations.size()));
  func::ReturnOp::create(inside, loc, results);

  kernel = unique(kernel, root);
  auto call = func::CallOp::create(builder, loc, kernel, operands);
  root->replaceAllUsesWith(call.getResults());
  root->erase();
}

struct Outline : mx::impl::MXCPUOutlineBase<Outline> {
  using MXCPUOutlineBase::MXCPUOutlineBase;

  void runOnOperation() override {
    SmallVector<Operation *> candidates;
    for (auto function : getOperation().getOps<func::FuncOp>())
      function.walk<WalkOrder::PreOrder>([&](Operation *op) {
        candidates.push_back(op);
        return isa<linalg::LinalgOp, tensor::PadOp>(op) ? WalkResult::skip()
                                                        : WalkResult::advance();
      });
    // From the last to the first: what only kernels used is dead by then.
    Outliner outliner(getOperation());
    for (Operation *op : llvm::reverse(candidates)) {
      if (isOpTriviallyDead(op)) {
        op->erase();
        continue;
      }
      auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
      if ((linalgOp && linalgOp.hasPureTensorSemantics()) ||
          isa<tensor::ConcatOp, tensor::ExtractSliceOp>(op) ||
          isPadOfOneValue(op)) {
        outliner.outline(op);
        ++numCalls;
      }
    }
    numKernels = outliner.getNumKernels();
  }
};

} // namespace
