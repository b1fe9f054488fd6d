// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ElementwiseOps.h"
#include "Unused.h"
#include "mx/IR/MX.h"
#include "mx/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mx {
#define GEN_PASS_DEF_MXFUSE
#include "mx/Transforms/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;
using linalg::LinalgOp;

/// How far ops that read one value are followed to where they meet again.
static constexpr unsigned maxPathLength = 16;

namespace {

struct Fuse : mx::impl::MXFuseBase<Fuse> {
  void runOnOperation() override;

private:
  bool fuseEpilogue(MatmulOp &matmul);
  Value fusePrologue(Value root);
  void mergeReaders(Value value);
  void erase(Operation *op) {
    unused.remove(op);
    op->erase();
  }

  /// What may have no use left: copies that were looked through, fills. None
  /// of the ops that the pass replaces.
  llvm::SetVector<Operation *> unused;
};

} // namespace

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

static remark::RemarkOpts getRemark(Operation *op, StringRef name) {
  auto function = op->getParentOfType<FunctionOpInterface>();
  return remark::RemarkOpts::name(name).category("mx-fuse").function(
      function ? function.getName() : StringRef());
}

/// `op` became part of `into`.
static void reportFused(Operation *op, StringRef region, Operation *into) {
  remark::passed(op->getLoc(), getRemark(op, region))
      << remark::metric("Op", op->getName().getStringRef())
      << remark::metric("Into", into->getName().getStringRef());
}

/// `op` did not, because of `why`.
static void reportMissed(Operation *op, StringRef region, const Twine &why) {
  remark::missed(op->getLoc(), getRemark(op, region))
      << remark::metric("Op", op->getName().getStringRef())
      << remark::reason("{0}", why.str());
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

static ElementRegion getRegion(Operation *op) {
  return llvm::TypeSwitch<Operation *, ElementRegion>(op)
      .Case<AmaxOp, MatmulOp, QuantizeOp>(
          [](auto op) { return op.getElementRegion(); });
}

/// The argument of the region of `op` for an input that it has, or now gets.
static Value addInput(Operation *op, Value value, AffineMap map) {
  ElementRegion region = getRegion(op);
  Block &block = region.getBlock();
  for (auto [i, input] : llvm::enumerate(region.inputs))
    if (input == value && region.getMap(i) == map)
      return block.getArgument(1 + i);
  SmallVector<Attribute> maps(region.maps.getValue());
  maps.push_back(AffineMapAttr::get(map));
  auto attribute = ArrayAttr::get(op->getContext(), maps);
  llvm::TypeSwitch<Operation *>(op)
      .Case<AmaxOp, QuantizeOp>([&](auto op) {
        op.getPrologueInputsMutable().append(value);
        op.setPrologueMapsAttr(attribute);
      })
      .Case([&](MatmulOp op) {
        op.getEpilogueInputsMutable().append(value);
        op.setEpilogueMapsAttr(attribute);
      });
  return block.addArgument(getElementTypeOrSelf(value), value.getLoc());
}

/// `op` with a region that yields the element that it gets, if it has none.
static Operation *ensureRegion(OpBuilder &b, Operation *op, Type element) {
  if (hasElementRegion(op))
    return op;
  op = replaceRegions(b, op, 1);
  Block &block = op->getRegion(0).emplaceBlock();
  Value argument = block.addArgument(element, op->getLoc());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(&block);
  YieldOp::create(b, op->getLoc(), argument);
  return op;
}

/// The scalar that an input is in the region of `op`: as wide as the body that
/// is moved there takes it.
static Value createScalar(OpBuilder &b, Operation *op,
                          const ElementInput &input) {
  Location loc = input.operand->getOwner()->getLoc();
  Value scalar =
      input.constant
          ? arith::ConstantOp::create(b, loc, input.constant).getResult()
          : addInput(op, input.value, input.map);
  Type type = getElementTypeOrSelf(input.operand->get());
  if (scalar.getType() != type)
    scalar = arith::ExtFOp::create(b, loc, type, scalar);
  return scalar;
}

/// Puts the body of `fused` into the region of `op`. What it reads beside
/// `inputs` is `element` there. Returns what it yields.
static Value moveBody(OpBuilder &b, Operation *op, LinalgOp fused,
                      Value element, ArrayRef<ElementInput> inputs) {
  const auto *next = inputs.begin();
  return cloneBody(b, fused, [&](OpOperand *operand) -> Value {
    if (next != inputs.end() && next->operand == operand)
      return createScalar(b, op, *next++);
    return element;
  });
}

/// Creates the collapsed values of inputs, once for all ops that read them.
static void createValues(OpBuilder &b, MutableArrayRef<ElementInput> inputs,
                         llvm::SetVector<Operation *> &unused) {
  for (ElementInput &input : inputs) {
    // Nobody may read what was looked through.
    if (Operation *copy = input.operand->get().getDefiningOp();
        copy && input.value != input.operand->get())
      unused.insert(copy);
    if (input.isCollapsed)
      input.value = collapse(b, input.operand->getOwner()->getLoc(),
                             input.value, input.groups);
  }
}

/// How `reshape` (or, if it is null, no reshape) collapses dimensions to those
/// of `collapsed`.
template <typename OpTy>
static SmallVector<ReassociationIndices> getGroups(OpTy reshape,
                                                   Value collapsed) {
  SmallVector<ReassociationIndices> groups;
  if (reshape) {
    llvm::append_range(groups, reshape.getReassociationIndices());
    return groups;
  }
  int64_t rank = cast<RankedTensorType>(collapsed.getType()).getRank();
  for (int64_t dim = 0; dim < rank; ++dim)
    groups.push_back({dim});
  return groups;
}

//===----------------------------------------------------------------------===//
// Ops that read a product twice
//===----------------------------------------------------------------------===//

/// The elementwise generic that alone reads `op`, which is one, too.
static linalg::GenericOp getOnlyReader(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || !checkElementwise(generic).empty() ||
      !generic->getResult(0).hasOneUse())
    return nullptr;
  auto reader = dyn_cast<linalg::GenericOp>(*generic->user_begin());
  if (!reader || reader->getBlock() != op->getBlock() ||
      !checkElementwise(reader).empty())
    return nullptr;
  return reader;
}

/// `op` and the elementwise generics that follow it, each the only reader of
/// the one before.
static SmallVector<Operation *> getPath(Operation *op) {
  SmallVector<Operation *> path;
  while (op && path.size() < maxPathLength) {
    path.push_back(op);
    op = getOnlyReader(op);
  }
  return path;
}

/// x * sigmoid(x) reads x twice: where the ops that read `value` meet again,
/// they become one.
void Fuse::mergeReaders(Value value) {
  llvm::SmallSetVector<Operation *, 4> readers(value.user_begin(),
                                               value.user_end());
  if (readers.size() < 2)
    return;
  // Paths that have met stay together.
  SmallVector<Operation *> common = getPath(readers.front());
  for (Operation *reader : llvm::drop_begin(readers)) {
    SmallVector<Operation *> path = getPath(reader);
    llvm::erase_if(
        common, [&](Operation *op) { return !llvm::is_contained(path, op); });
  }
  if (common.empty())
    return;
  Operation *last = common.front();

  IRRewriter rewriter(value.getContext());
  // Each of the others leads to it.
  auto findOther = [&]() -> Operation * {
    for (Operation *user : value.getUsers())
      if (user != last)
        return user;
    return nullptr;
  };
  while (Operation *producer = findOther()) {
    OpOperand &use = *producer->getResult(0).use_begin();
    auto consumer = cast<linalg::GenericOp>(use.getOwner());
    if (!linalg::areElementwiseOpsFusable(&use))
      return;
    rewriter.setInsertionPoint(consumer);
    FailureOr<linalg::ElementwiseOpFusionResult> fused =
        linalg::fuseElementwiseOps(rewriter, &use);
    if (failed(fused))
      return;
    consumer->getResult(0).replaceAllUsesWith(
        fused->replacements.lookup(consumer->getResult(0)));
    if (consumer == last)
      last = fused->fusedOp;
    erase(consumer);
    erase(producer);
  }
}

//===----------------------------------------------------------------------===//
// Epilogues
//===----------------------------------------------------------------------===//

static bool isZero(Value value) {
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    value = fill.getInputs()[0];
  return matchPattern(value, m_PosZeroFloat());
}

/// The sizes of `value`, from where it was made.
static SmallVector<OpFoldResult> getSizes(OpBuilder &b, Value value) {
  while (auto fill = value.getDefiningOp<linalg::FillOp>())
    value = fill.getOutputs()[0];
  if (auto empty = value.getDefiningOp<tensor::EmptyOp>())
    return empty.getMixedSizes();
  return tensor::getMixedSizes(b, value.getLoc(), value);
}

/// Lets those who ask for extents of `value` ask `other`, of the same shape.
static void askForExtents(Value value, Value other) {
  while (auto fill = other.getDefiningOp<linalg::FillOp>())
    other = fill.getOutputs()[0];
  value.replaceUsesWithIf(
      other, [](OpOperand &use) { return isa<tensor::DimOp>(use.getOwner()); });
}

/// Moves the op that reads the product into its epilogue. False if there is
/// none such.
bool Fuse::fuseEpilogue(MatmulOp &matmul) {
  Value product = matmul.getResult(), read = product;
  askForExtents(product, matmul.getInit());
  tensor::ExpandShapeOp expand;
  if (product.hasOneUse())
    expand = dyn_cast<tensor::ExpandShapeOp>(*product.user_begin());
  if (expand)
    read = expand.getResult();
  bool startsFromZero =
      !matmul.getEpilogue().empty() || isZero(matmul.getInit());
  if (startsFromZero)
    mergeReaders(read);

  llvm::SmallSetVector<Operation *, 4> readers(read.user_begin(),
                                               read.user_end());
  auto op = readers.empty() ? LinalgOp() : dyn_cast<LinalgOp>(readers.front());
  if (!op || op.getNumParallelLoops() != op.getNumLoops())
    return false;
  auto miss = [&](const Twine &why) {
    reportMissed(op, "epilogue", why);
    return false;
  };
  if (readers.size() > 1)
    return miss("the product is read by " + Twine(readers.size()) + " ops");
  if (op->getBlock() != matmul->getBlock())
    return miss("it is not in the block of the product");
  if (std::string why = checkElementwise(op); !why.empty())
    return miss(why);
  if (!llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
        return operand.get() != read || isReadInPlace(op, &operand);
      }))
    return miss("it reads the product in another order");
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (!isHighPrecisionType(type.getElementType()))
    return miss("its result is not of f32, f16 or bf16");
  if (!startsFromZero)
    return miss("the product is added to an initial value");
  if (expand && type.getShape() != expand.getType().getShape())
    return miss("its result has other static extents than the product");
  SmallVector<ReassociationIndices> groups = getGroups(expand, product);
  std::string why;
  FailureOr<SmallVector<ElementInput>> inputs =
      planInputs(op, read, groups, why);
  if (failed(inputs))
    return miss(why);

  reportFused(op, "epilogue", matmul);
  OpBuilder b(op);
  createValues(b, *inputs, unused);
  Value oldInit = matmul.getInit(), init = op.getDpsInits()[0];
  if (expand)
    init = tensor::EmptyOp::create(b, op.getLoc(), getSizes(b, oldInit),
                                   type.getElementType());
  if (auto fill = oldInit.getDefiningOp<linalg::FillOp>())
    unused.insert(fill);
  // Its operands dominate the op that reads it.
  matmul->moveBefore(op);
  matmul = cast<MatmulOp>(ensureRegion(b, matmul, matmul.getAccumulate()));
  product = matmul.getResult();
  auto yield =
      cast<YieldOp>(matmul.getElementRegion().getBlock().getTerminator());
  b.setInsertionPoint(yield);
  Value element = yield.getValue();
  // A product of another type than its sums is rounded first.
  if (Type rounded = getElementTypeOrSelf(product);
      element.getType() != rounded)
    element = arith::TruncFOp::create(b, matmul.getLoc(), rounded, element);
  Value result = moveBody(b, matmul, op, element, *inputs);
  YieldOp::create(b, op.getLoc(), result);
  yield.erase();

  matmul.getInitMutable().assign(init);
  product.setType(cast<RankedTensorType>(init.getType()));
  Value replacement = product;
  if (expand) {
    b.setInsertionPoint(op);
    replacement =
        tensor::ExpandShapeOp::create(b, expand.getLoc(), type, product, groups,
                                      expand.getMixedOutputShape());
  }
  op->getResult(0).replaceAllUsesWith(replacement);
  erase(op);
  if (expand)
    erase(expand);
  ++numEpilogues;
  return true;
}

//===----------------------------------------------------------------------===//
// Prologues
//===----------------------------------------------------------------------===//

/// The input of an elementwise op that goes on as what is quantised: rather one
/// that can be moved, too.
static Value chooseCore(LinalgOp op) {
  Value core;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    Value value = operand->get();
    if (!isReadInPlace(op, operand) ||
        !isHighPrecisionType(getElementTypeOrSelf(value)))
      continue;
    auto producer = value.getDefiningOp<LinalgOp>();
    if (producer && value.hasOneUse() && checkElementwise(producer).empty())
      return value;
    if (!core)
      core = value;
  }
  return core;
}

/// Moves the op that computes `root`, which ops quantise, into their prologues.
/// Returns what they quantise then; null if it did not.
Value Fuse::fusePrologue(Value root) {
  auto reshape = root.getDefiningOp<tensor::CollapseShapeOp>();
  Value produced = reshape ? reshape.getSrc() : root;
  auto op = produced.getDefiningOp<LinalgOp>();
  if (!op || isa<linalg::FillOp>(op) ||
      op.getNumParallelLoops() != op.getNumLoops())
    return {};
  auto miss = [&](const Twine &why) {
    reportMissed(op, "prologue", why);
    return Value();
  };
  // The destination has the shape of the result.
  unsigned number = cast<OpResult>(produced).getResultNumber();
  askForExtents(produced, op.getDpsInitOperand(number)->get());
  SmallVector<Operation *> readers;
  unsigned numQuantizes = 0;
  for (OpOperand &use : root.getUses()) {
    if (reshape && isa<tensor::DimOp>(use.getOwner()))
      continue;
    Operation *reader = use.getOwner();
    if (!isa<AmaxOp, QuantizeOp>(reader) || use.getOperandNumber() != 0)
      return miss("others read what is quantised");
    if (reader->getBlock() != op->getBlock())
      return miss("it is not in the block of the quantisation");
    numQuantizes += isa<QuantizeOp>(reader);
    readers.push_back(reader);
  }
  if (reshape && !produced.hasOneUse())
    return miss("others read its result");
  if (numQuantizes != 1)
    return miss("its result is quantised " + Twine(numQuantizes) + " times");
  if (std::string why = checkElementwise(op); !why.empty())
    return miss(why);
  Value core = chooseCore(op);
  if (!core)
    return miss("it reads no tensor of f32, f16 or bf16 in place");
  SmallVector<ReassociationIndices> groups = getGroups(reshape, root);
  std::string why;
  FailureOr<SmallVector<ElementInput>> inputs =
      planInputs(op, core, groups, why);
  if (failed(inputs))
    return miss(why);

  OpBuilder b(op);
  createValues(b, *inputs, unused);
  Value input = reshape ? collapse(b, reshape.getLoc(), core, groups) : core;
  for (Operation *reader : readers) {
    reportFused(op, "prologue", reader);
    reader = ensureRegion(b, reader, getElementTypeOrSelf(root));
    Block &block = getRegion(reader).getBlock();
    // The argument becomes what the op reads; its readers get the op's result.
    Value element = block.getArgument(0);
    auto uses = llvm::map_to_vector(element.getUses(),
                                    [](OpOperand &use) { return &use; });
    element.setType(getElementTypeOrSelf(core));
    b.setInsertionPointToStart(&block);
    Value result = moveBody(b, reader, op, element, *inputs);
    for (OpOperand *use : uses)
      use->set(result);
    reader->setOperand(0, input);
  }
  if (reshape) {
    askForExtents(root, input);
    erase(reshape);
  }
  erase(op);
  ++numPrologues;
  return input;
}

void Fuse::runOnOperation() {
  unused.clear();
  SmallVector<MatmulOp> matmuls;
  llvm::SetVector<Value> roots;
  getOperation()->walk([&](MatmulOp op) {
    if (op.hasPureTensorSemantics())
      matmuls.push_back(op);
  });
  // A product's epilogue saves more than a prologue: its result is not written.
  for (MatmulOp &op : matmuls)
    while (fuseEpilogue(op)) {
    }
  getOperation()->walk([&](Operation *op) {
    if (!isa<AmaxOp, QuantizeOp>(op) ||
        !cast<DestinationStyleOpInterface>(op).hasPureTensorSemantics())
      return;
    Value root = op->getOperand(0);
    if (isa_and_nonnull<LinalgOp, tensor::CollapseShapeOp>(
            root.getDefiningOp()))
      roots.insert(root);
  });
  for (Value root : roots)
    while (root)
      root = fusePrologue(root);
  eraseUnused(std::move(unused));
}
