// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The backward pass of a training step, and which forward product each of its
// products is a gradient of. For y = x W^T they are dx = dy W and dW = dy^T x.

#include "RoleFinder.h"

using namespace mlir;
using namespace mx;

/// Two products that sum one value along different dimensions. Where those are
/// not known, their extents tell.
static bool sumDifferently(const Product &a, unsigned operandOfA,
                           const Product &b, unsigned operandOfB) {
  ArrayRef<int64_t> dimsA = operandOfA == 0 ? a.lhsReduced : a.rhsReduced;
  ArrayRef<int64_t> dimsB = operandOfB == 0 ? b.lhsReduced : b.rhsReduced;
  if (dimsA.empty() || dimsB.empty())
    return a.shape.k != b.shape.k;
  return llvm::none_of(
      dimsA, [&](int64_t dim) { return llvm::is_contained(dimsB, dim); });
}

/// Products of a weight that an earlier product summed along another dimension.
/// In a forward pass alone that happens too (two layers that share a matrix),
/// so there has to be the gradient of a weight as well; else it may be either.
void RoleFinder::findBackwardPass() {
  llvm::DenseMap<unsigned, unsigned> forward;
  SmallVector<unsigned> seeds;
  for (unsigned p = 0; p < roles.size(); ++p) {
    if (!roles[p].weight || is(p, Role::quantized))
      continue;
    auto [it, isNew] = forward.try_emplace(weightNode(p), p);
    if (isNew)
      continue;
    unsigned first = it->second;
    if (sumDifferently(graph.products[first], *roles[first].weight,
                       graph.products[p], *roles[p].weight)) {
      roles[p].gemm = Gemm::dgrad;
      roles[p].forward = first;
      seeds.push_back(p);
    }
  }
  markBackward(seeds);

  SmallVector<unsigned> gradients = findWeightGradients();
  if (gradients.empty()) {
    for (unsigned p : seeds) {
      roles[p].gemm = std::nullopt;
      roles[p].forward = std::nullopt;
      roles[p].blocker = "its weight is summed along another dimension before: "
                         "a shared weight or a gradient";
    }
    backward.reset();
    return;
  }
  markBackward(gradients);
}

/// Marks what is computed from `products`, and what serves that alone.
void RoleFinder::markBackward(ArrayRef<unsigned> products) {
  for (unsigned p : products)
    backward.set(graph.products[p].node);
  for (auto [id, node] : llvm::enumerate(graph.nodes))
    if (llvm::any_of(node.operands,
                     [&](Node::Edge edge) { return backward[edge.node]; }))
      backward.set(id);
  for (unsigned id = graph.nodes.size(); id-- > 0;) {
    const Node &node = graph.nodes[id];
    // A forward product may have no other use than its gradients: then the loss
    // is not among the results.
    if (node.kind != NodeKind::Product && !node.users.empty() &&
        !node.isReturned && !node.operands.empty() &&
        llvm::all_of(node.users, [&](unsigned user) { return backward[user]; }))
      backward.set(id);
  }
}

/// Products of the data that a layer multiplies with what the backward pass
/// made. Layers that share their data (q, k, v) differ in that: it is what
/// their own `dgrad` multiplies, else the shape tells.
SmallVector<unsigned> RoleFinder::findWeightGradients() {
  llvm::DenseMap<unsigned, SmallVector<unsigned, 4>> layersByData;
  llvm::DenseMap<unsigned, unsigned> deltas;
  for (unsigned p = 0; p < roles.size(); ++p) {
    if (!roles[p].weight)
      continue;
    if (roles[p].forward)
      deltas[*roles[p].forward] = dataNode(p);
    else
      layersByData[dataNode(p)].push_back(p);
  }

  SmallVector<unsigned> gradients;
  llvm::DenseSet<unsigned> taken;
  for (unsigned p = 0; p < roles.size(); ++p) {
    if (roles[p].weight || !isOfData(p))
      continue;
    std::optional<unsigned> best;
    bool isTied = false;
    for (unsigned i : {0, 1}) {
      unsigned delta = node(p).operands[1 - i].node;
      auto layers = layersByData.find(node(p).operands[i].node);
      if (layers == layersByData.end())
        continue;
      for (unsigned layer : layers->second) {
        const Product &of = graph.products[layer];
        const Product &gradient = graph.products[p];
        bool fits =
            backward[delta] &&
            gradient.shape.m * gradient.shape.n == width(layer) * of.shape.k &&
            sumDifferently(of, 1 - *roles[layer].weight, gradient, i);
        auto known = deltas.find(layer);
        bool tied = known != deltas.end() && known->second == delta;
        if (taken.contains(layer) || !(tied || fits) || (best && isTied))
          continue;
        if (tied || !best) {
          best = layer;
          isTied = tied;
        }
      }
    }
    if (!best)
      continue;
    taken.insert(*best);
    roles[p].gemm = Gemm::wgrad;
    roles[p].forward = best;
    gradients.push_back(p);
  }
  return gradients;
}

/// Products of what attention multiplies (queries, keys, probabilities, values)
/// with what the backward pass made. Both gradients are `dgrad`.
void RoleFinder::findAttentionGradients() {
  llvm::DenseMap<unsigned, SmallVector<unsigned, 2>> attention;
  for (unsigned p = 0; p < roles.size(); ++p)
    if (is(p, Role::attention_scores) || is(p, Role::attention_context))
      for (Node::Edge edge : node(p).operands)
        attention[edge.node].push_back(p);
  for (unsigned p = 0; p < roles.size(); ++p) {
    if (roles[p].forward || !isBackward(p))
      continue;
    for (unsigned i : {0, 1}) {
      auto of = attention.find(node(p).operands[i].node);
      if (of == attention.end() || !backward[node(p).operands[1 - i].node])
        continue;
      roles[p].gemm = Gemm::dgrad;
      roles[p].forward = of->second.front();
      break;
    }
  }
}

/// A gradient is what its forward product is.
void RoleFinder::nameGradients() {
  for (ProductRole &role : roles) {
    if (!role.forward)
      continue;
    role.role = roles[*role.forward].role;
    role.blocker = "gradients are not lowered yet, only forward products";
    role.reason = role.gemm == Gemm::wgrad ? "gradient of a weight"
                                           : "gradient of an input";
  }
}
