// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/ModuleRoles.h"
#include "mx/IR/Plan.h"

#include "mlir/Interfaces/CallInterfaces.h"

using namespace mlir;
using namespace mx;

namespace {

/// A function, who calls it, and what the calls seen so far pass.
struct Callee {
  FunctionOpInterface function;
  unsigned callsLeft = 0;
  bool isDone = false;
  SmallVector<ArgumentInfo> passed;
};

class ModuleRoles {
public:
  explicit ModuleRoles(ModuleOp module);
  void run(function_ref<void(FunctionOpInterface, std::vector<RoleEntry> &)>);

private:
  Callee *resolve(CallOpInterface call);
  void pass(CallOpInterface call, ArrayRef<ArgumentInfo> operands);

  SymbolTableCollection symbols;
  llvm::MapVector<Operation *, Callee> callees;
};

} // namespace

static SmallVector<CallOpInterface> getCalls(FunctionOpInterface function) {
  SmallVector<CallOpInterface> calls;
  function.walk([&](CallOpInterface call) { calls.push_back(call); });
  return calls;
}

ModuleRoles::ModuleRoles(ModuleOp module) {
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

/// From the attributes; empty if no argument has one.
static SmallVector<ArgumentInfo> readArguments(FunctionOpInterface function) {
  SmallVector<ArgumentInfo> infos(function.getNumArguments());
  bool hasNames = false;
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

void ModuleRoles::run(
    function_ref<void(FunctionOpInterface, std::vector<RoleEntry> &)> visit) {
  auto analyze = [&](Callee &callee) {
    callee.isDone = true;
    ModelGraph graph(callee.function);
    SmallVector<ArgumentInfo> arguments = readArguments(callee.function);
    bool isFullyKnown = callee.callsLeft == 0 && !callee.function.isPublic();
    if (arguments.empty() && isFullyKnown)
      arguments = callee.passed;
    if (arguments.empty())
      arguments = guessArguments(graph);
    std::vector<RoleEntry> entries =
        findRoles(graph, arguments,
                  [&](CallOpInterface call, ArrayRef<ArgumentInfo> operands) {
                    pass(call, operands);
                  });
    visit(callee.function, entries);
  };
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
    ModuleOp module,
    function_ref<void(FunctionOpInterface, std::vector<RoleEntry> &)> visit) {
  ModuleRoles(module).run(visit);
}
