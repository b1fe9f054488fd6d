// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Routers and what they weigh; heads.

#include "RoleFinder.h"

using namespace mlir;
using namespace mx;

//===----------------------------------------------------------------------===//
// Routers and experts
//===----------------------------------------------------------------------===//

void RoleFinder::findRouters() {
  GateWalk walk(graph, flow, backward);
  llvm::DenseSet<int64_t> numExperts;
  for (unsigned p = 0; p < roles.size(); ++p) {
    if (!is(p, Role::linear) || roles[p].forward)
      continue;
    bool isSingle = width(p) == 1;
    GateUses uses = walk.run(graph.products[p].node, width(p));
    SmallVector<Gate> gates;
    for (const Gate &gate : uses.gates)
      if (isSingle ? gate.isSigmoid && gate.branch : gate.isSelection)
        gates.push_back(gate);
    if (gates.empty())
      continue;
    roles[p].role = Role::router;
    roles[p].reason = isSingle ? "its sigmoid scales another branch"
                               : "its softmax or selection weighs branches";
    if (!isSingle) {
      markExperts(p, gates);
      numExperts.insert(width(p));
    }
  }
  // Layers that multiply a stack of as many weights as a router has outputs.
  for (unsigned p = 0; p < roles.size(); ++p) {
    const Product &product = graph.products[p];
    if (is(p, Role::linear) && numExperts.contains(product.shape.batch) &&
        (*roles[p].weight == 0 ? product.lhsHasBatch : product.rhsHasBatch)) {
      roles[p].role = Role::expert;
      roles[p].reason = "one weight for each output of a router";
    }
  }
}

/// The layers that make what a router's gates scale, back to where the router's
/// own input comes from, a norm, a sum of two values (a residual connection) or
/// the start of the function.
void RoleFinder::markExperts(unsigned router, ArrayRef<Gate> gates) {
  llvm::DenseSet<unsigned> seen = {dataNode(router)};
  SmallVector<unsigned> worklist;
  auto push = [&](unsigned id) {
    if (flow[id].origin >= Origin::Selected && !normOutputs.contains(id) &&
        seen.insert(id).second)
      worklist.push_back(id);
  };
  for (const Gate &gate : gates)
    if (gate.branch)
      push(*gate.branch);
  while (!worklist.empty()) {
    const Node &node = graph.nodes[worklist.pop_back_val()];
    switch (node.kind) {
    case NodeKind::Product: {
      ProductRole &role = roles[node.product];
      if (role.role != Role::linear && role.role != Role::expert)
        break;
      if (role.role == Role::linear) {
        role.role = Role::expert;
        role.reason = "a router weighs its result";
      }
      push(dataNode(node.product));
      break;
    }
    case NodeKind::Gather:
      push(node.operands[0].node);
      break;
    case NodeKind::Elementwise: {
      SmallVector<unsigned> data;
      for (Node::Edge edge : node.operands) {
        // Rows of parameters are biases.
        const Node &of = graph.nodes[edge.node];
        bool isBias = of.kind == NodeKind::Gather &&
                      flow[of.operands[0].node].origin == Origin::Weight;
        if (flow[edge.node].origin >= Origin::Selected && !isBias)
          data.push_back(edge.node);
      }
      if (node.code == NodeCode::Add && data.size() > 1)
        break;
      for (unsigned id : data)
        push(id);
      break;
    }
    default:
      break;
    }
  }
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

int64_t RoleFinder::rows(unsigned p) const {
  const ProductShape &shape = graph.products[p].shape;
  int64_t own = *roles[p].weight == 0 ? shape.n : shape.m;
  if (ShapedType::isDynamic(own) || ShapedType::isDynamic(shape.batch))
    return ShapedType::kDynamic;
  return own * shape.batch;
}

RoleFinder::HeadEvidence RoleFinder::getHeadEvidence() const {
  HeadEvidence evidence;
  for (auto [gather, table] : embeddings) {
    evidence.tables.insert(table);
    evidence.tableNames[getParameterName(table, /*stored=*/true)] = 1;
    // Tables of positions are no vocabularies.
    auto type = cast<ShapedType>(graph.nodes[table].value.getType());
    if (flow[graph.nodes[gather].operands[1].node].origin == Origin::Data &&
        !type.isDynamicDim(0))
      evidence.vocabularies.insert(type.getDimSize(0));
  }
  evidence.tableNames.erase("");
  for (unsigned p = 0; p < roles.size(); ++p) {
    evidence.hasAttention |= is(p, Role::attention_context);
    if (is(p, Role::linear) && !roles[p].forward)
      ++evidence.rows[rows(p)];
  }
  for (const Node &node : graph.nodes)
    evidence.hasConvolution |= node.kind == NodeKind::Convolution;
  return evidence;
}

/// Why layer `p` is a head; null if it is none.
const char *RoleFinder::getHeadReason(unsigned p, const HeadEvidence &evidence,
                                      const GateWalk &walk) const {
  std::optional<unsigned> weight = findParameter(weightNode(p));
  if (weight && (evidence.tables.contains(*weight) ||
                 evidence.tableNames.contains(
                     getParameterName(*weight, /*stored=*/true))))
    return "multiplies with the table of an embedding";
  const Product &product = graph.products[p];
  if (!walk.run(product.node, width(p)).endsInResults)
    return nullptr;
  if (evidence.vocabularies.contains(width(p)))
    return "its results are as wide as an embedding's table";
  // Without an embedding to compare with: it widens the output of a norm, row
  // by row as other layers do (a classifier has a row for each image or
  // sentence), in a function that has attention and no image to start from.
  bool widensNorm = normOutputs.contains(dataNode(p)) &&
                    !ShapedType::isDynamic(product.shape.k) &&
                    width(p) > product.shape.k;
  if (widensNorm && evidence.rows.lookup(rows(p)) > 1 &&
      evidence.hasAttention && !evidence.hasConvolution)
    return "widens the last norm to the function's results";
  return nullptr;
}

void RoleFinder::findHeads() {
  GateWalk walk(graph, flow, backward);
  HeadEvidence evidence = getHeadEvidence();
  for (unsigned p = 0; p < roles.size(); ++p) {
    if (!is(p, Role::linear) || roles[p].forward)
      continue;
    if (const char *reason = getHeadReason(p, evidence, walk)) {
      roles[p].role = Role::lm_head;
      roles[p].reason = reason;
    }
  }
}
