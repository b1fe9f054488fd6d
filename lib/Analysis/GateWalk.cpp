// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GateWalk.h"

#include <map>
#include <set>

using namespace mlir;
using namespace mx;

GateWalk::GateWalk(const ModelGraph &graph, const Dataflow &flow,
                   const llvm::BitVector &backward)
    : graph(graph), flow(flow), backward(backward) {
  for (auto [index, softmax] : llvm::enumerate(flow.getSoftmaxes()))
    softmaxOutputs[softmax.output] = index;
  for (auto [argument, source] : graph.backEdges)
    if (graph.nodes[source].elementType.isIntOrIndex())
      tokens.insert(source);
}

GateUses GateWalk::run(unsigned product, int64_t width) const {
  enum : unsigned { Selection = 1, Sigmoid = 2 };
  // Nodes computed from the product alone, with what lies on the way to them.
  llvm::DenseMap<unsigned, unsigned> own = {{product, 0}};
  // Users yet to be looked at, in the order of the graph, so that all operands
  // of a node are settled before it.
  std::set<unsigned> users(graph.nodes[product].users.begin(),
                           graph.nodes[product].users.end());
  GateUses uses;
  bool isReturned = graph.nodes[product].isReturned, isMixed = false;
  bool isTraining = backward.any();

  while (!users.empty()) {
    unsigned id = *users.begin();
    users.erase(users.begin());
    if (backward[id]) {
      isReturned = true;
      continue;
    }
    const Node &node = graph.nodes[id];

    unsigned flags = 0;
    bool hasBroadcastOwn = false;
    std::optional<unsigned> other;
    for (Node::Edge edge : node.operands) {
      auto it = own.find(edge.node);
      if (it != own.end()) {
        flags |= it->second;
        hasBroadcastOwn |= edge.isBroadcast;
      } else if (flow[edge.node].origin >= Origin::Selected &&
                 isa<FloatType>(graph.nodes[edge.node].elementType)) {
        other = edge.node;
      }
    }
    auto addGate = [&](std::optional<unsigned> branch) {
      uses.gates.push_back(
          {branch, bool(flags & Selection), bool(flags & Sigmoid)});
    };

    switch (node.kind) {
    case NodeKind::Product:
      isMixed = true;
      if (other && flags)
        addGate(*other);
      continue;
    case NodeKind::Convolution:
      isMixed = true;
      continue;
    case NodeKind::Gather:
      if (own.count(node.operands[0].node))
        break; // Its own values, chosen.
      // It chooses among weights or rows of other values.
      isMixed = true;
      if (node.tableRank >= 3 ||
          flow[node.operands[0].node].origin == Origin::Data)
        addGate(std::nullopt);
      continue;
    default:
      if (!other)
        break;
      if (isTraining && flow[*other].products.isNone())
        break;
      isMixed = true;
      if (hasBroadcastOwn &&
          (node.code == NodeCode::Mul || node.code == NodeCode::Select))
        addGate(*other);
      continue;
    }

    if (node.kind == NodeKind::Opaque ||
        (node.kind == NodeKind::Reduce && node.code == NodeCode::ArgMax))
      flags |= Selection;
    auto softmax = softmaxOutputs.find(id);
    if (softmax != softmaxOutputs.end()) {
      int64_t extent = flow.getSoftmaxes()[softmax->second].extent;
      if (extent == width || ShapedType::isDynamic(extent))
        flags |= Selection;
    }
    if (isSigmoid(graph, node))
      flags |= Sigmoid;
    own[id] = flags;
    isReturned |= node.isReturned || tokens.contains(id);
    users.insert(node.users.begin(), node.users.end());
  }
  uses.endsInResults = isReturned && !isMixed;
  return uses;
}
