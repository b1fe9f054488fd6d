// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Conversion/LinalgToCPU/Passes.h"

#include "mlir/Conversion/BufferizationToMemRef/BufferizationToMemRef.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/MathExtras.h"

#include <map>

namespace mx {
#define GEN_PASS_DEF_MXCPUPLACEBUFFERS
#include "mx/Conversion/LinalgToCPU/Passes.h.inc"
} // namespace mx

using namespace mlir;

namespace {

constexpr int64_t kAlignment = 64;

/// An allocation (or the result of a call, which the caller owns) and its uses.
struct Buffer {
  Value value;
  /// The last op of the value's block that uses it.
  Operation *last;
  /// The operand of func.return that hands it to the caller, if any.
  OpOperand *returned = nullptr;
  /// Its address goes where this analysis does not follow it.
  bool escapes = false;

  explicit Buffer(Value value);
};

Buffer::Buffer(Value value) : value(value), last(value.getDefiningOp()) {
  SmallVector<Value> aliases = {value};
  while (!aliases.empty()) {
    for (OpOperand &use : aliases.pop_back_val().getUses()) {
      Operation *user = use.getOwner();
      if (isa<func::ReturnOp>(user)) {
        // A second result needs a buffer of its own.
        if (!returned)
          returned = &use;
        continue;
      }
      if (auto view = dyn_cast<ViewLikeOpInterface>(user))
        llvm::append_range(aliases, user->getResults());
      else if (user->hasTrait<OpTrait::IsTerminator>() ||
               (!isa<func::CallOp>(user) &&
                llvm::any_of(user->getResultTypes(),
                             llvm::IsaPred<BaseMemRefType>)))
        escapes = true;
      Operation *ancestor =
          value.getParentBlock()->findAncestorOpInBlock(*user);
      if (last->isBeforeInBlock(ancestor))
        last = ancestor;
    }
  }
}

/// Offsets in one block of memory, given and taken back in program order.
class Arena {
public:
  int64_t allocate(int64_t bytes) {
    auto best = holes.end();
    for (auto it = holes.begin(); it != holes.end(); ++it)
      if (it->second >= bytes &&
          (best == holes.end() || it->second < best->second))
        best = it;
    int64_t offset;
    if (best == holes.end()) {
      // Grow, from a hole at the end if there is one.
      offset = size;
      if (!holes.empty()) {
        auto tail = std::prev(holes.end());
        if (tail->first + tail->second == size) {
          offset = tail->first;
          holes.erase(tail);
        }
      }
      size = offset + bytes;
      return offset;
    }
    offset = best->first;
    int64_t rest = best->second - bytes;
    holes.erase(best);
    if (rest)
      holes[offset + bytes] = rest;
    return offset;
  }

  void free(int64_t offset, int64_t bytes) {
    auto next = holes.upper_bound(offset);
    if (next != holes.end() && next->first == offset + bytes) {
      bytes += next->second;
      next = holes.erase(next);
    }
    if (next != holes.begin()) {
      auto previous = std::prev(next);
      if (previous->first + previous->second == offset) {
        previous->second += bytes;
        return;
      }
    }
    holes[offset] = bytes;
  }

  int64_t getSize() const { return size; }

private:
  /// Offset and size of what is free below `size`; no two touch.
  std::map<int64_t, int64_t> holes;
  int64_t size = 0;
};

int64_t getBytes(MemRefType type) {
  Type element = type.getElementType();
  int64_t bytes = element.isIndex()
                      ? 8
                      : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  return llvm::alignTo(std::max<int64_t>(1, type.getNumElements() * bytes),
                       kAlignment);
}

/// True if the buffer may lie in the arena.
bool isPlaceable(const Buffer &buffer) {
  auto alloc = buffer.value.getDefiningOp<memref::AllocOp>();
  return alloc && alloc.getType().hasStaticShape() &&
         alloc.getType().getLayout().isIdentity() &&
         alloc.getType().getElementType().isIntOrIndexOrFloat();
}

/// Replaces the allocations of one block that do not leave it, in program
/// order, by places in one allocation. Returns its size.
int64_t placeInArena(Block &block, ArrayRef<Buffer *> buffers) {
  DenseMap<Operation *, SmallVector<Buffer *>> endsAt;
  DenseMap<Operation *, Buffer *> beginsAt;
  for (Buffer *buffer : buffers) {
    beginsAt[buffer->value.getDefiningOp()] = buffer;
    endsAt[buffer->last].push_back(buffer);
  }
  Arena arena;
  DenseMap<Buffer *, int64_t> offsets;
  for (Operation &op : block) {
    if (Buffer *buffer = beginsAt.lookup(&op))
      offsets[buffer] =
          arena.allocate(getBytes(cast<MemRefType>(buffer->value.getType())));
    auto it = endsAt.find(&op);
    if (it == endsAt.end())
      continue;
    for (Buffer *buffer : it->second)
      arena.free(offsets[buffer],
                 getBytes(cast<MemRefType>(buffer->value.getType())));
  }

  Operation *first = buffers.front()->value.getDefiningOp();
  OpBuilder builder(first);
  auto type = MemRefType::get(arena.getSize(), builder.getI8Type());
  Value memory = memref::AllocOp::create(builder, first->getLoc(), type,
                                         builder.getI64IntegerAttr(kAlignment));
  for (Buffer *buffer : buffers) {
    Operation *alloc = buffer->value.getDefiningOp();
    builder.setInsertionPoint(alloc);
    Value offset = arith::ConstantIndexOp::create(builder, alloc->getLoc(),
                                                  offsets[buffer]);
    Value view = memref::ViewOp::create(
        builder, alloc->getLoc(), cast<MemRefType>(buffer->value.getType()),
        memory, offset, ValueRange());
    alloc->getResult(0).replaceAllUsesWith(view);
    alloc->erase();
  }
  builder.setInsertionPoint(block.getTerminator());
  memref::DeallocOp::create(builder, block.getTerminator()->getLoc(), memory);
  return arena.getSize();
}

struct PlaceBuffers : mx::impl::MXCPUPlaceBuffersBase<PlaceBuffers> {
  PlaceBuffers() {
    general.addPass(
        bufferization::createOwnershipBasedBufferDeallocationPass());
    general.addPass(createCanonicalizerPass());
    general.addPass(
        bufferization::createBufferDeallocationSimplificationPass());
    lowering.addPass(bufferization::createLowerDeallocationsPass());
    // A buffer that is owned on one way only is cloned on the other.
    lowering.addPass(createConvertBufferizationToMemRefPass());
  }

  void getDependentDialects(DialectRegistry &registry) const override {
    MXCPUPlaceBuffersBase::getDependentDialects(registry);
    general.getDependentDialects(registry);
    lowering.getDependentDialects(registry);
  }

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && failed(place(function)))
        return signalPassFailure();
    if (isGeneral && failed(runPipeline(lowering, getOperation())))
      signalPassFailure();
  }

  LogicalResult place(func::FuncOp function) {
    std::vector<Buffer> buffers;
    function.walk([&](Operation *op) {
      auto call = dyn_cast<func::CallOp>(op);
      if (!call && !isa<memref::AllocOp>(op))
        return;
      for (Value result : op->getResults())
        if (isa<MemRefType>(result.getType()))
          buffers.emplace_back(result);
    });
    // Buffers that control flow chooses among need to be followed at run time.
    if (!llvm::hasSingleElement(function.getBody()) ||
        llvm::any_of(buffers, [](Buffer &buffer) { return buffer.escapes; })) {
      isGeneral = true;
      return runPipeline(general, function);
    }

    ownResults(function, buffers);
    SmallVector<Buffer *> placed, freed;
    Block &entry = function.getBody().front();
    for (Buffer &buffer : buffers) {
      if (buffer.returned)
        continue;
      bool isPlaced =
          isPlaceable(buffer) && buffer.value.getParentBlock() == &entry;
      (isPlaced ? placed : freed).push_back(&buffer);
    }
    for (Buffer *buffer : freed) {
      OpBuilder builder(buffer->last->getContext());
      builder.setInsertionPointAfter(buffer->last);
      memref::DeallocOp::create(builder, buffer->value.getLoc(), buffer->value);
    }
    if (!placed.empty())
      arenaBytes += placeInArena(entry, placed);
    return success();
  }

  /// Copies each result that is not an allocation of this function, or that
  /// another result has already.
  void ownResults(func::FuncOp function, ArrayRef<Buffer> buffers) {
    DenseSet<OpOperand *> owned;
    for (const Buffer &buffer : buffers)
      owned.insert(buffer.returned);
    Operation *exit = function.getBody().front().getTerminator();
    OpBuilder builder(exit);
    for (OpOperand &result : exit->getOpOperands()) {
      auto type = dyn_cast<MemRefType>(result.get().getType());
      if (!type || owned.contains(&result))
        continue;
      Location loc = exit->getLoc();
      SmallVector<Value> sizes;
      for (int64_t i = 0; i < type.getRank(); ++i)
        if (type.isDynamicDim(i))
          sizes.push_back(memref::DimOp::create(builder, loc, result.get(), i));
      Value copy = memref::AllocOp::create(
          builder, loc, type, sizes, builder.getI64IntegerAttr(kAlignment));
      memref::CopyOp::create(builder, loc, result.get(), copy);
      result.set(copy);
    }
  }

  /// For functions whose control flow chooses among buffers.
  OpPassManager general{func::FuncOp::getOperationName()};
  /// For the module they are in: where several buffers may be the same one,
  /// what is freed is decided by a function that is added to it.
  OpPassManager lowering{ModuleOp::getOperationName()};
  bool isGeneral = false;
};

} // namespace
