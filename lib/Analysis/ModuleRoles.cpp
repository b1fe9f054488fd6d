// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/ModuleRoles.h"
#include "mx/IR/Plan.h"

#include <map>

using namespace mlir;
using namespace mx;

namespace {

class ModuleRoles {
public:
  ModuleRoles(ModuleOp module, FunctionOpInterface named);
  void run(function_ref<void(FunctionOpInterface, std::vector<RoleEntry> &)>);

private:
  /// What an entry is about; a product and a sensitive op may share an op.
  using Key = std::tuple<Operation *, unsigned, bool, Role>;

  FunctionOpInterface resolve(CallOpInterface call);
  bool isSeenThroughCalls(FunctionOpInterface function);
  SmallVector<ArgumentInfo> readArguments(FunctionOpInterface function);
  void analyze(FunctionOpInterface function);
  void add(FunctionOpInterface root, RoleEntry entry);

  FunctionOpInterface named;
  SymbolTableCollection symbols;
  SmallVector<FunctionOpInterface> functions;
  llvm::DenseSet<Operation *> analyzed;
  /// Position in the entries of the function, by what they are about.
  llvm::DenseMap<Operation *, std::vector<RoleEntry>> entries;
  std::map<Key, size_t> known;
};

} // namespace

ModuleRoles::ModuleRoles(ModuleOp module, FunctionOpInterface named)
    : named(named) {
  module.walk([&](FunctionOpInterface function) {
    if (!function.isExternal())
      functions.push_back(function);
  });
}

/// Whoever calls a private function of one block and without names of its own
/// knows all about it.
bool ModuleRoles::isSeenThroughCalls(FunctionOpInterface function) {
  if (!function.isPrivate() || function == named ||
      !function.getFunctionBody().hasOneBlock())
    return false;
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (function.getArgAttr(i, parameterAttrName))
      return false;
  return true;
}

FunctionOpInterface ModuleRoles::resolve(CallOpInterface call) {
  auto callee = dyn_cast_if_present<FunctionOpInterface>(
      call.resolveCallableInTable(&symbols));
  bool isKnown = callee && !callee.isExternal() && isSeenThroughCalls(callee) &&
                 callee.getNumArguments() == call.getArgOperands().size();
  return isKnown ? callee : FunctionOpInterface();
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

/// Merges what calls of one function found out about it.
void ModuleRoles::add(FunctionOpInterface root, RoleEntry entry) {
  auto function = entry.op->getParentOfType<FunctionOpInterface>();
  std::vector<RoleEntry> &of = entries[function];
  if (function == root) {
    of.push_back(std::move(entry));
    return;
  }
  bool isProduct = entry.shape.has_value();
  // One product has one entry, whatever its role.
  Key key = {entry.op, entry.result, isProduct,
             isProduct ? Role::other : entry.role};
  auto [it, isNew] = known.try_emplace(key, of.size());
  if (isNew) {
    of.push_back(std::move(entry));
    return;
  }
  RoleEntry &first = of[it->second];
  if (first.parameter != entry.parameter)
    first.parameter = nullptr;
  if (first.name != entry.name)
    first.name = "";
  if (first.role == entry.role && first.gemm == entry.gemm &&
      first.weightOperand == entry.weightOperand)
    return;
  first.role = Role::other;
  first.gemm = std::nullopt;
  first.weightOperand = std::nullopt;
  first.reason = "calls of its function make different things of it";
}

void ModuleRoles::analyze(FunctionOpInterface function) {
  ModelGraph graph(function,
                   [&](CallOpInterface call) { return resolve(call); });
  analyzed.insert(function);
  analyzed.insert(graph.inlined.begin(), graph.inlined.end());
  SmallVector<ArgumentInfo> arguments = readArguments(function);
  if (arguments.empty())
    arguments = guessArguments(graph);
  for (RoleEntry &entry : findRoles(graph, arguments))
    add(function, std::move(entry));
}

void ModuleRoles::run(
    function_ref<void(FunctionOpInterface, std::vector<RoleEntry> &)> visit) {
  for (FunctionOpInterface function : functions)
    if (!isSeenThroughCalls(function))
      analyze(function);
  // What nobody calls, or only itself.
  for (FunctionOpInterface function : functions)
    if (!analyzed.contains(function))
      analyze(function);

  for (FunctionOpInterface function : functions) {
    std::vector<RoleEntry> &of = entries[function];
    // In the order of the walk; an op may be several things (a fused QKV).
    llvm::DenseMap<Operation *, unsigned> order;
    function.walk<WalkOrder::PreOrder>(
        [&](Operation *op) { order.try_emplace(op, order.size()); });
    llvm::sort(of, [&](const RoleEntry &a, const RoleEntry &b) {
      return std::tuple(order.lookup(a.op), a.result, a.role) <
             std::tuple(order.lookup(b.op), b.result, b.role);
    });
    visit(function, of);
  }
}

void mx::findModuleRoles(
    ModuleOp module, FunctionOpInterface named,
    function_ref<void(FunctionOpInterface, std::vector<RoleEntry> &)> visit) {
  ModuleRoles(module, named).run(visit);
}
