// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/Idioms.h"

#include "llvm/ADT/DenseSet.h"

#include <optional>

using namespace mlir;
using namespace mx;

/// How far a pattern looks. Idioms are spelled in a handful of steps; the
/// bound keeps the search linear in the size of the graph.
static constexpr unsigned maxSteps = 24;

static bool isStep(const Node &node, NodeCode code) {
  return node.kind == NodeKind::Elementwise && node.code == code;
}
static bool isReduce(const Node &node, NodeCode code) {
  return node.kind == NodeKind::Reduce && node.code == code;
}
static bool isLiteral(const Node &node) {
  return node.kind == NodeKind::Literal;
}

/// Two nodes compute the same: one node, or equal steps of equal operands (a
/// value that fusion computed twice).
static bool isSame(const ModelGraph &graph, unsigned a, unsigned b,
                   unsigned depth = 4) {
  if (a == b)
    return true;
  const Node &x = graph.nodes[a], &y = graph.nodes[b];
  if (depth == 0 || x.kind != NodeKind::Elementwise || x.kind != y.kind ||
      x.code != y.code || x.code == NodeCode::Other ||
      x.operands.size() != y.operands.size())
    return false;
  for (auto [ox, oy] : llvm::zip_equal(x.operands, y.operands))
    if (!isSame(graph, ox.node, oy.node, depth - 1))
      return false;
  return true;
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// The exponential that `id` is, possibly masked.
static std::optional<unsigned> getExponential(const ModelGraph &graph,
                                              unsigned id) {
  const Node &node = graph.nodes[id];
  if (isStep(node, NodeCode::Exp))
    return id;
  if (isStep(node, NodeCode::Select) || isStep(node, NodeCode::Mul))
    for (Node::Edge edge : node.operands)
      if (isStep(graph.nodes[edge.node], NodeCode::Exp))
        return edge.node;
  return std::nullopt;
}

/// The maximum that is subtracted before `id` (the argument of exp), if any.
static std::optional<unsigned> findMaximum(const ModelGraph &graph, unsigned id,
                                           int64_t extent) {
  SmallVector<unsigned> worklist = {id};
  for (unsigned i = 0; i < worklist.size() && i < maxSteps; ++i) {
    const Node &node = graph.nodes[worklist[i]];
    if (isReduce(node, NodeCode::Max) && node.reducedExtent == extent)
      return worklist[i];
    if (node.kind == NodeKind::Elementwise)
      for (Node::Edge edge : node.operands)
        worklist.push_back(edge.node);
  }
  return std::nullopt;
}

/// The softmax that the sum of exponentials `sum` belongs to.
static std::optional<unsigned>
findNormalised(const ModelGraph &graph, unsigned sum, unsigned exponential) {
  auto isNumerator = [&](unsigned id) {
    std::optional<unsigned> e = getExponential(graph, id);
    return e && isSame(graph, *e, exponential);
  };
  // Follow the sum through guards and offsets (a sink, an epsilon), its
  // reciprocal, and its logarithm.
  struct Item {
    unsigned node;
    bool isReciprocal, isLogarithm;
  };
  SmallVector<Item> worklist = {{sum, false, false}};
  for (unsigned i = 0; i < worklist.size() && i < maxSteps; ++i) {
    Item item = worklist[i];
    for (unsigned user : graph.nodes[item.node].users) {
      const Node &node = graph.nodes[user];
      if (node.kind != NodeKind::Elementwise || node.operands.size() < 1)
        continue;
      auto other = [&] {
        return node.operands[node.operands[0].node == item.node ? 1 : 0].node;
      };
      Item next = {user, item.isReciprocal, item.isLogarithm};
      switch (node.code) {
      case NodeCode::Div:
        if (item.isLogarithm || node.operands[1].node != item.node)
          continue;
        if (isNumerator(node.operands[0].node))
          return user;
        if (!isLiteral(graph.nodes[node.operands[0].node]))
          continue;
        next.isReciprocal = true;
        break;
      case NodeCode::Mul:
        if (item.isReciprocal && isNumerator(other()))
          return user;
        continue;
      case NodeCode::Log:
        next.isLogarithm = true;
        break;
      case NodeCode::Exp:
        if (!item.isLogarithm)
          continue;
        return user;
      case NodeCode::Add:
      case NodeCode::Sub:
      case NodeCode::Max:
      case NodeCode::Select:
        break;
      default:
        continue;
      }
      worklist.push_back(next);
    }
  }
  return std::nullopt;
}

/// A loop carries the sum on, and whoever comes after it divides by it: the
/// softmax of flash attention, of which this is a part.
static bool isCarried(const ModelGraph &graph, unsigned sum,
                      const llvm::DenseSet<unsigned> &carried) {
  SmallVector<unsigned> worklist = {sum};
  for (unsigned i = 0; i < worklist.size() && i < maxSteps; ++i) {
    if (carried.contains(worklist[i]))
      return true;
    for (unsigned user : graph.nodes[worklist[i]].users)
      if (isStep(graph.nodes[user], NodeCode::Add) ||
          isStep(graph.nodes[user], NodeCode::Join))
        worklist.push_back(user);
  }
  return false;
}

SmallVector<SoftmaxIdiom> mx::findSoftmaxes(const ModelGraph &graph) {
  SmallVector<SoftmaxIdiom> softmaxes;
  llvm::DenseSet<unsigned> carried;
  for (auto [argument, source] : graph.backEdges)
    carried.insert(source);
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    if (node.kind == NodeKind::Softmax) {
      softmaxes.push_back({node.operands[0].node, unsigned(id), unsigned(id),
                           node.reducedExtent});
      continue;
    }
    if (!isReduce(node, NodeCode::Add))
      continue;
    std::optional<unsigned> exponential =
        getExponential(graph, node.operands[0].node);
    if (!exponential)
      continue;
    std::optional<unsigned> output = findNormalised(graph, id, *exponential);
    if (!output && isCarried(graph, id, carried))
      output = exponential;
    if (!output)
      continue;
    unsigned input = graph.nodes[*exponential].operands[0].node;
    unsigned first = findMaximum(graph, input, node.reducedExtent).value_or(id);
    softmaxes.push_back({input, *output, first, node.reducedExtent});
  }
  return softmaxes;
}

bool mx::isSigmoid(const ModelGraph &graph, const Node &node) {
  if (isStep(node, NodeCode::Sigmoid))
    return true;
  if (!isStep(node, NodeCode::Div) || !isLiteral(graph.operand(node, 0)))
    return false;
  const Node &sum = graph.operand(node, 1);
  return isStep(sum, NodeCode::Add) &&
         llvm::any_of(sum.operands, [&](Node::Edge edge) {
           return isStep(graph.nodes[edge.node], NodeCode::Exp);
         });
}

//===----------------------------------------------------------------------===//
// Norm
//===----------------------------------------------------------------------===//

namespace {
/// What the argument of a square root is computed from.
struct MeanSquare {
  llvm::SmallDenseSet<unsigned> reductions;
  bool hasSquare = false;
  /// There is a division by, or a multiplication with, a number.
  bool isMean = false;
};
} // namespace

/// The sum behind `mean` if `difference` is x - mean(x).
static std::optional<unsigned> findMean(const ModelGraph &graph,
                                        const Node &difference) {
  if (!isStep(difference, NodeCode::Sub))
    return std::nullopt;
  unsigned id = difference.operands[1].node;
  for (unsigned i = 0; i < maxSteps; ++i) {
    const Node &node = graph.nodes[id];
    if (isReduce(node, NodeCode::Add)) {
      if (isSame(graph, node.operands[0].node, difference.operands[0].node))
        return id;
      return std::nullopt;
    }
    // A step with one operand that is not a number.
    std::optional<unsigned> next;
    for (Node::Edge edge : node.operands)
      if (!isLiteral(graph.nodes[edge.node])) {
        if (next)
          return std::nullopt;
        next = edge.node;
      }
    if (node.kind != NodeKind::Elementwise || !next)
      return std::nullopt;
    id = *next;
  }
  return std::nullopt;
}

/// Collects the sums that `id` is computed from by elementwise steps.
static void collectSums(const ModelGraph &graph, unsigned id,
                        MeanSquare &found) {
  SmallVector<unsigned> worklist = {id};
  for (unsigned i = 0; i < worklist.size() && i < maxSteps; ++i) {
    const Node &node = graph.nodes[worklist[i]];
    if (isReduce(node, NodeCode::Add)) {
      found.reductions.insert(worklist[i]);
      const Node &input = graph.operand(node, 0);
      if (!isStep(input, NodeCode::Square))
        continue;
      found.hasSquare = true;
      if (auto mean = findMean(graph, graph.operand(input, 0)))
        found.reductions.insert(*mean);
      continue;
    }
    if (node.kind != NodeKind::Elementwise)
      continue;
    bool scales = node.code == NodeCode::Div || node.code == NodeCode::Mul;
    for (Node::Edge edge : node.operands) {
      if (!isLiteral(graph.nodes[edge.node]))
        worklist.push_back(edge.node);
      else if (scales)
        found.isMean = true;
    }
  }
}

/// The step that scales values by `root`, a root or its reciprocal.
static std::optional<unsigned> findScaled(const ModelGraph &graph,
                                          unsigned root) {
  SmallVector<unsigned> worklist = {root};
  for (unsigned i = 0; i < worklist.size() && i < maxSteps; ++i)
    for (unsigned user : graph.nodes[worklist[i]].users) {
      const Node &node = graph.nodes[user];
      if (node.kind != NodeKind::Elementwise || node.operands.size() != 2)
        continue;
      bool isFirst = node.operands[0].node == worklist[i];
      const Node &other = graph.operand(node, isFirst ? 1 : 0);
      if ((node.code == NodeCode::Mul ||
           (node.code == NodeCode::Div && !isFirst)) &&
          !isLiteral(other))
        return user;
      if (isLiteral(other))
        worklist.push_back(user);
    }
  return std::nullopt;
}

SmallVector<NormIdiom> mx::findNorms(const ModelGraph &graph) {
  SmallVector<NormIdiom> norms;
  llvm::DenseSet<unsigned> seen;
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    if (!isStep(node, NodeCode::Rsqrt) && !isStep(node, NodeCode::Sqrt))
      continue;
    MeanSquare found;
    collectSums(graph, node.operands[0].node, found);
    if (!found.hasSquare || !found.isMean)
      continue;
    std::optional<unsigned> output = findScaled(graph, id);
    if (!output)
      continue;
    // What is scaled may be x - mean(x) with a mean of its own.
    for (Node::Edge edge : graph.nodes[*output].operands)
      if (auto mean = findMean(graph, graph.nodes[edge.node]))
        found.reductions.insert(*mean);
    unsigned first = *llvm::min_element(found.reductions);
    if (seen.insert(first).second)
      norms.push_back({*output, first});
  }
  return norms;
}
