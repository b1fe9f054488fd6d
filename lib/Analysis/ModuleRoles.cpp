// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/ModuleRoles.h"
#include "mx/IR/Plan.h"

#include "mlir/Interfaces/CallInterfaces.h"

using namespace mlir;
using namespace mx;

namespace {

/// A function, its graph, and what is known about its arguments.
struct Callee {
  FunctionOpInterface function;
  std::unique_ptr<ModelGraph> graph;
  /// What its names say, else its body and callees; once `isGuessed`.
  SmallVector<ArgumentInfo> guessed;
  bool isGuessed = false;
  /// What the calls seen so far pass, and how many are yet to be seen.
  SmallVector<ArgumentInfo> passed;
  unsigned callsLeft = 0;
  bool isDone = false;
};

class ModuleRoles {
public:
  ModuleRoles(ModuleOp module, FunctionOpInterface named);
  void run(function_ref<void(FunctionOpInterface, std::vector<RoleEntry> &)>);

private:
  Callee *resolve(CallOpInterface call);
  SmallVector<ArgumentInfo> readArguments(FunctionOpInterface function);
  void guess(Callee &callee);
  void guessAll();
  SmallVector<ArgumentInfo> getArguments(Callee &callee);
  void pass(CallOpInterface call, ArrayRef<ArgumentInfo> operands);

  FunctionOpInterface named;
  SymbolTableCollection symbols;
  llvm::MapVector<Operation *, Callee> callees;
};

} // namespace

static SmallVector<CallOpInterface> getCalls(FunctionOpInterface function) {
  SmallVector<CallOpInterface> calls;
  function.walk([&](CallOpInterface call) { calls.push_back(call); });
  return calls;
}

ModuleRoles::ModuleRoles(ModuleOp module, FunctionOpInterface named)
    : named(named) {
  module.walk([&](FunctionOpInterface function) {
    if (!function.isExternal())
      callees[function].function = function;
  });
  for (auto &[op, callee] : callees)
    for (CallOpInterface call : getCalls(callee.function))
      if (Callee *target = resolve(call))
        ++target->callsLeft;
}

Callee *ModuleRoles::resolve(CallOpInterface call) {
  auto it = callees.find(call.resolveCallableInTable(&symbols));
  return it == callees.end() ? nullptr : &it->second;
}

/// From the attributes; empty if nobody has named arguments.
SmallVector<ArgumentInfo>
ModuleRoles::readArguments(FunctionOpInterface function) {
  SmallVector<ArgumentInfo> infos(function.getNumArguments());
  bool hasNames = function == named;
  for (auto [i, info] : llvm::enumerate(infos)) {
    auto name = function.getArgAttrOfType<StringAttr>(i, parameterAttrName);
    if (!name)
      continue;
    hasNames = true;
    info.origin = Origin::Weight;
    info.name = name.str();
    auto tiedTo = function.getArgAttrOfType<StringAttr>(i, tiedToAttrName);
    info.storedName = (tiedTo ? tiedTo : name).str();
  }
  if (!hasNames)
    infos.clear();
  return infos;
}

/// The names of a function's arguments, else a guess from its body and what is
/// known of its callees.
void ModuleRoles::guess(Callee &callee) {
  callee.graph = std::make_unique<ModelGraph>(callee.function);
  callee.guessed = readArguments(callee.function);
  if (callee.guessed.empty())
    callee.guessed = guessArguments(
        *callee.graph,
        [&](CallOpInterface call, unsigned operand) -> std::optional<Origin> {
          Callee *target = resolve(call);
          if (!target || !target->isGuessed ||
              operand >= target->guessed.size())
            return std::nullopt;
          return target->guessed[operand].origin;
        });
  callee.isGuessed = true;
}

/// Guesses for all functions, callees first but in cycles.
void ModuleRoles::guessAll() {
  llvm::DenseSet<Callee *> entered;
  for (auto &[op, root] : callees) {
    SmallVector<Callee *> stack = {&root};
    while (!stack.empty()) {
      Callee *callee = stack.back();
      if (entered.insert(callee).second) {
        for (CallOpInterface call : getCalls(callee->function))
          if (Callee *target = resolve(call); target && !entered.count(target))
            stack.push_back(target);
        continue;
      }
      stack.pop_back();
      if (!callee->isGuessed)
        guess(*callee);
    }
  }
}

/// Adds what one call passes to what its callee knows.
void ModuleRoles::pass(CallOpInterface call, ArrayRef<ArgumentInfo> operands) {
  Callee *callee = resolve(call);
  if (!callee || callee->isDone)
    return;
  --callee->callsLeft;
  if (callee->passed.empty()) {
    callee->passed.assign(operands.begin(), operands.end());
    return;
  }
  for (auto [known, operand] : llvm::zip(callee->passed, operands)) {
    known.origin = std::max(known.origin, operand.origin);
    if (known.name != operand.name)
      known.name = known.storedName = "";
  }
}

/// What a private function is passed by its callers, if all are known; else
/// what it says itself.
SmallVector<ArgumentInfo> ModuleRoles::getArguments(Callee &callee) {
  SmallVector<ArgumentInfo> infos(callee.guessed);
  bool isNamed = llvm::any_of(
      infos, [](const ArgumentInfo &info) { return !info.name.empty(); });
  if (!isNamed && callee.function.isPrivate() && callee.callsLeft == 0 &&
      !callee.passed.empty())
    return callee.passed;
  return infos;
}

void ModuleRoles::run(
    function_ref<void(FunctionOpInterface, std::vector<RoleEntry> &)> visit) {
  auto analyze = [&](Callee &callee) {
    callee.isDone = true;
    SmallVector<ArgumentInfo> arguments = getArguments(callee);
    std::vector<RoleEntry> entries =
        findRoles(*callee.graph, arguments,
                  [&](CallOpInterface call, ArrayRef<ArgumentInfo> operands) {
                    pass(call, operands);
                  });
    callee.graph.reset();
    visit(callee.function, entries);
  };
  guessAll();
  // Whoever has no calls left to wait for; in a cycle of calls, the first.
  SmallVector<Callee *> ready;
  for (auto &[op, callee] : callees)
    if (callee.callsLeft == 0)
      ready.push_back(&callee);
  auto it = callees.begin();
  while (true) {
    while (!ready.empty()) {
      Callee &callee = *ready.pop_back_val();
      if (callee.isDone)
        continue;
      analyze(callee);
      for (CallOpInterface call : getCalls(callee.function))
        if (Callee *target = resolve(call))
          if (!target->isDone && target->callsLeft == 0)
            ready.push_back(target);
    }
    while (it != callees.end() && it->second.isDone)
      ++it;
    if (it == callees.end())
      return;
    ready.push_back(&it->second);
  }
}

void mx::findModuleRoles(
    ModuleOp module, FunctionOpInterface named,
    function_ref<void(FunctionOpInterface, std::vector<RoleEntry> &)> visit) {
  ModuleRoles(module, named).run(visit);
}
