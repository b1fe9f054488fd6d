// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values that pass through loops, branches and calls.

#include "GraphBuilder.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mx;

/// Calls are looked into up to this many nodes: calls of calls of calls can
/// stand for more ops than a computer has.
static constexpr unsigned maxNodes = 1u << 22;

/// The one value from outside of a loop or branch that `value`, which the op
/// passes around, always is; null if it may be several.
static Value findInvariant(Value value,
                           const RegionBranchInverseSuccessorMapping &sources) {
  llvm::SetVector<Value> seen;
  seen.insert(value);
  Value outside;
  for (unsigned i = 0; i < seen.size(); ++i) {
    auto it = sources.find(seen[i]);
    if (it == sources.end()) {
      if (outside)
        return nullptr;
      outside = seen[i];
      continue;
    }
    for (OpOperand *source : it->second)
      seen.insert(source->get());
  }
  return outside;
}

void GraphBuilder::buildRegions(RegionBranchOpInterface op) {
  if (llvm::any_of(op->getRegions(), [](Region &region) {
        return !region.empty() && !region.hasOneBlock();
      }))
    return buildOpaque(op);
  RegionBranchInverseSuccessorMapping sources;
  op.getSuccessorInputOperandMapping(sources);

  // Sources that this walk has yet to come to: of the next iteration.
  SmallVector<std::pair<unsigned, Value>> carried;
  auto addInput = [&](Value value) {
    auto it = sources.find(value);
    if (it == sources.end()) {
      // An induction variable.
      setRef(value,
             {addNode(NodeKind::Index, NodeCode::Other, op, value.getType()),
              getNonUnitDims(value.getType())});
      return;
    }
    Value invariant = findInvariant(value, sources);
    if (invariant && graph.refs.contains(invariant)) {
      setRef(value, getRef(invariant));
      return;
    }
    SmallVector<Node::Edge> edges;
    SmallVector<Value> later;
    for (OpOperand *source : it->second) {
      if (graph.refs.contains(source->get()))
        edges.push_back({getRef(source->get()).node});
      else
        later.push_back(source->get());
    }
    unsigned id = addNode(NodeKind::Elementwise, NodeCode::Join, op,
                          value.getType(), edges);
    setRef(value, {id, getNonUnitDims(value.getType()),
                   getOwnDims(getRank(value.getType()))});
    for (Value source : later)
      carried.emplace_back(id, source);
  };
  for (Region &region : op->getRegions()) {
    for (BlockArgument argument : region.getArguments())
      addInput(argument);
    if (!region.empty())
      buildBlock(region.front());
  }
  for (auto [id, source] : carried)
    graph.backEdges.emplace_back(id, getRef(source).node);
  for (Value result : op->getResults())
    addInput(result);
}

bool GraphBuilder::buildCall(CallOpInterface call) {
  FunctionOpInterface callee = resolveCallee(call);
  if (!callee || llvm::is_contained(callStack, callee.getOperation()) ||
      graph.nodes.size() > maxNodes)
    return false;
  // Forget an earlier call.
  callee->walk([&](Operation *op) {
    for (Value result : op->getResults())
      graph.refs.erase(result);
    for (Region &region : op->getRegions())
      for (BlockArgument argument : region.getArguments())
        graph.refs.erase(argument);
  });
  Block &body = callee.getFunctionBody().front();
  for (auto [argument, operand] :
       llvm::zip_equal(body.getArguments(), call.getArgOperands()))
    setRef(argument, getRef(operand));
  callStack.push_back(callee);
  graph.inlined.insert(callee);
  buildBlock(body);
  callStack.pop_back();
  for (auto [result, returned] :
       llvm::zip_equal(call->getResults(), body.getTerminator()->getOperands()))
    setRef(result, getRef(returned));
  return true;
}
