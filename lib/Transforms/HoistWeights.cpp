// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/IR/MX.h"
#include "mx/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace mx {
#define GEN_PASS_DEF_MXHOISTWEIGHTS
#include "mx/Transforms/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;

namespace {

/// The values that `op` reads, also in its regions.
SetVector<Value> getInputs(Operation *op) {
  SetVector<Value> inputs(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), inputs);
  return inputs;
}

/// What of a function depends on parameters and constants alone.
class Invariants {
public:
  explicit Invariants(func::FuncOp function) {
    for (BlockArgument argument : function.getArguments())
      if (function.getArgAttr(argument.getArgNumber(), "mx.parameter"))
        values.insert(argument);
    for (Operation &op : function.front().without_terminator())
      if (isPure(&op) && llvm::all_of(getInputs(&op), [&](Value input) {
            return values.contains(input);
          }))
        values.insert(op.result_begin(), op.result_end());
  }

  bool contains(Value value) const { return values.contains(value); }
  bool contains(Operation *op) const {
    return op->getNumResults() != 0 && contains(op->getResult(0));
  }

private:
  DenseSet<Value> values;
};

/// Ops that are prepared together as they share values, and what they need.
struct Group {
  /// In their order, the hoisted ones and copies of others.
  SmallVector<Operation *> ops;
  /// The function's arguments that they read.
  SetVector<BlockArgument> arguments;
  /// Results of hoisted ops with users that stay.
  SmallVector<Value> results;
};

/// Prepare functions of a module; equal ones are one.
class PrepareFunctions {
public:
  explicit PrepareFunctions(ModuleOp module) : symbols(module) {}

  /// A function that computes `group` for `user`.
  func::FuncOp get(func::FuncOp user, const Group &group);

  unsigned size() const { return numFunctions; }

private:
  SymbolTable symbols;
  DenseMap<llvm::hash_code, SmallVector<func::FuncOp>> functions;
  unsigned numFunctions = 0;
};

struct HoistWeights : mx::impl::MXHoistWeightsBase<HoistWeights> {
  using MXHoistWeightsBase::MXHoistWeightsBase;

  void runOnOperation() override;

private:
  void hoist(func::FuncOp function, PrepareFunctions &functions);
};

} // namespace

//===----------------------------------------------------------------------===//
// Grouping
//===----------------------------------------------------------------------===//

/// Calls `visit` on each invariant op that `op` needs, not looking behind those
/// on which it returns false.
static void walkBackward(Operation *op, function_ref<bool(Operation *)> visit,
                         function_ref<void(BlockArgument)> visitArgument) {
  SmallVector<Operation *> worklist = {op};
  SmallPtrSet<Operation *, 8> seen;
  while (!worklist.empty())
    for (Value input : getInputs(worklist.pop_back_val())) {
      if (auto argument = dyn_cast<BlockArgument>(input))
        visitArgument(argument);
      else if (seen.insert(input.getDefiningOp()).second &&
               visit(input.getDefiningOp()))
        worklist.push_back(input.getDefiningOp());
    }
}

/// The groups of `hoisted`, which are in their order.
static SmallVector<Group> makeGroups(ArrayRef<Operation *> hoisted) {
  SmallPtrSet<Operation *, 16> isHoisted(hoisted.begin(), hoisted.end());
  llvm::EquivalenceClasses<Operation *> classes;
  for (Operation *op : hoisted) {
    classes.insert(op);
    walkBackward(
        op,
        [&](Operation *needed) {
          if (!isHoisted.contains(needed))
            return true;
          classes.unionSets(op, needed);
          return false;
        },
        [](BlockArgument) {});
  }

  llvm::MapVector<Operation *, Group> groups;
  for (Operation *op : hoisted) {
    Group &group = groups[classes.getLeaderValue(op)];
    group.ops.push_back(op);
    walkBackward(
        op,
        [&](Operation *needed) {
          if (isHoisted.contains(needed))
            return false;
          group.ops.push_back(needed);
          return true;
        },
        [&](BlockArgument argument) { group.arguments.insert(argument); });
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            return !isHoisted.contains(user);
          }))
        group.results.push_back(result);
  }

  SmallVector<Group> used;
  for (auto &[leader, group] : groups) {
    if (group.results.empty())
      continue;
    llvm::sort(group.ops, [](Operation *a, Operation *b) {
      return a != b && a->isBeforeInBlock(b);
    });
    group.ops.erase(llvm::unique(group.ops), group.ops.end());
    used.push_back(std::move(group));
  }
  return used;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

static llvm::hash_code hashBody(func::FuncOp function) {
  llvm::hash_code hash = hash_value(function.getFunctionType());
  for (Operation &op : function.front())
    hash =
        llvm::hash_combine(hash, OperationEquivalence::computeHash(
                                     &op, OperationEquivalence::ignoreHashValue,
                                     OperationEquivalence::ignoreHashValue,
                                     OperationEquivalence::IgnoreLocations));
  return hash;
}

func::FuncOp PrepareFunctions::get(func::FuncOp user, const Group &group) {
  Location loc = group.results.front().getLoc();
  auto inputs = llvm::map_to_vector(
      group.arguments, [](Value argument) { return argument.getType(); });
  auto type = FunctionType::get(user.getContext(), inputs,
                                ValueRange(group.results).getTypes());
  auto function =
      func::FuncOp::create(loc, (user.getName() + "_prepare").str(), type);
  OpBuilder builder = OpBuilder::atBlockBegin(function.addEntryBlock());
  IRMapping mapping;
  for (auto [argument, inner] :
       llvm::zip(group.arguments, function.getArguments()))
    mapping.map(argument, inner);
  for (Operation *op : group.ops)
    // What passes have noted on the op would make equal functions differ.
    builder.clone(*op, mapping)
        ->setDiscardableAttrs(builder.getDictionaryAttr({}));
  func::ReturnOp::create(builder, loc,
                         llvm::map_to_vector(group.results, [&](Value value) {
                           return mapping.lookup(value);
                         }));

  SmallVector<func::FuncOp> &alike = functions[hashBody(function)];
  for (func::FuncOp other : alike)
    if (other.getFunctionType() == type &&
        OperationEquivalence::isRegionEquivalentTo(
            &other.getBody(), &function.getBody(),
            OperationEquivalence::IgnoreLocations)) {
      function.erase();
      return other;
    }
  alike.push_back(function);
  symbols.insert(function, user->getIterator());
  ++numFunctions;
  return function;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Erases pure ops from the end to the beginning that have no uses (left).
static void eraseDeadOps(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

void HoistWeights::hoist(func::FuncOp function, PrepareFunctions &functions) {
  Invariants invariants(function);
  SmallVector<Operation *> hoisted;
  for (Operation &op : function.front().without_terminator())
    if (isa<MXDialect>(op.getDialect()) && invariants.contains(&op))
      hoisted.push_back(&op);
  numHoisted += hoisted.size();

  SmallVector<Attribute> steps;
  for (Group &group : makeGroups(hoisted)) {
    func::FuncOp callee = functions.get(function, group);
    auto arguments =
        llvm::map_to_vector(group.arguments, [](BlockArgument argument) {
          return int64_t(argument.getArgNumber());
        });
    steps.push_back(PrepareAttr::get(
        &getContext(), FlatSymbolRefAttr::get(callee), arguments));
    for (Value result : group.results) {
      unsigned index = function.getNumArguments();
      (void)function.insertArgument(index, result.getType(), {},
                                    result.getLoc());
      result.replaceAllUsesWith(function.getArgument(index));
    }
  }
  if (steps.empty())
    return;
  function->setAttr("mx.prepare", ArrayAttr::get(&getContext(), steps));
  eraseDeadOps(function.front());
}

void HoistWeights::runOnOperation() {
  PrepareFunctions functions(getOperation());
  SmallVector<func::FuncOp> entries;
  for (auto function : getOperation().getOps<func::FuncOp>())
    if (function.isPublic() && !function.isExternal() &&
        !function->hasAttr("mx.prepare"))
      entries.push_back(function);
  for (func::FuncOp function : entries)
    hoist(function, functions);
  numFunctions += functions.size();
}
