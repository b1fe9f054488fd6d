// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Analysis/Dataflow.h"

using namespace mlir;
using namespace mx;

void SmallNodeSet::insert(unsigned node) {
  auto it = llvm::lower_bound(nodes, node);
  if (!known || (it != nodes.end() && *it == node))
    return;
  if (nodes.size() == limit) {
    known = false;
    nodes.clear();
    return;
  }
  nodes.insert(it, node);
}

void SmallNodeSet::insert(const SmallNodeSet &other) {
  if (!other.known) {
    known = false;
    nodes.clear();
  }
  for (unsigned node : other.nodes)
    insert(node);
}

bool Facts::join(const Facts &other) {
  Facts before = *this;
  origin = std::max(origin, other.origin);
  isLowPrecision |= other.isLowPrecision;
  isFromNumbers |= other.isFromNumbers;
  products.insert(other.products);
  softmaxes.insert(other.softmaxes);
  return std::tie(before.origin, before.isLowPrecision, before.isFromNumbers) !=
             std::tie(origin, isLowPrecision, isFromNumbers) ||
         before.products.get() != products.get() ||
         before.softmaxes.get() != softmaxes.get();
}

//===----------------------------------------------------------------------===//
// Facts
//===----------------------------------------------------------------------===//

static bool isNarrow(Type type) {
  return type.isIntOrFloat() && type.getIntOrFloatBitWidth() <= 8 &&
         !type.isInteger(1);
}

static Origin getConstantOrigin(const Node &node) {
  // Integer vectors are positions and shapes, booleans masks; integer matrices
  // are packed weights.
  if (isa<FloatType>(node.elementType) || isNarrow(node.elementType))
    return Origin::Weight;
  auto shape = cast<ShapedType>(node.value.getType()).getShape();
  bool isMatrix = llvm::count_if(shape, [](int64_t d) { return d != 1; }) >= 2;
  return isMatrix && !node.elementType.isInteger(1) ? Origin::Weight
                                                    : Origin::Literal;
}

Facts Dataflow::compute(const ModelGraph &graph, unsigned id) const {
  const Node &node = graph.nodes[id];
  Facts result;
  auto operand = [&](unsigned i) -> const Facts & {
    return facts[node.operands[i].node];
  };
  for (Node::Edge edge : node.operands) {
    const Facts &of = facts[edge.node];
    result.origin = std::max(result.origin, of.origin);
    result.isFromNumbers |= of.isFromNumbers;
  }
  // Values pass through all kinds of nodes but products, which make new ones.
  bool isProduct =
      node.kind == NodeKind::Product || node.kind == NodeKind::Convolution;
  if (isProduct) {
    if (result.origin != Origin::Literal)
      result.origin = Origin::Data;
    result.products.insert(id);
  } else {
    for (Node::Edge edge : node.operands) {
      result.products.insert(facts[edge.node].products);
      result.softmaxes.insert(facts[edge.node].softmaxes);
    }
  }

  switch (node.kind) {
  case NodeKind::Constant:
    result.origin = getConstantOrigin(node);
    break;
  case NodeKind::Opaque:
    if (node.operands.empty())
      result.origin = Origin::Data;
    break;
  case NodeKind::Gather: {
    Origin choice = Origin::Literal;
    for (unsigned i = 1; i < node.operands.size(); ++i)
      choice = std::max(choice, operand(i).origin);
    result.origin = operand(0).origin;
    // Rows of a matrix are embeddings; matrices of a stack are weights.
    if (choice == Origin::Data)
      result.origin = result.origin == Origin::Weight && node.tableRank >= 3
                          ? Origin::Selected
                          : Origin::Data;
    result.isLowPrecision = operand(0).isLowPrecision;
    result.isCosine = operand(0).isCosine;
    break;
  }
  case NodeKind::Elementwise: {
    bool ofCosine = false, ofOthers = false;
    for (auto [i, edge] : llvm::enumerate(node.operands)) {
      const Facts &of = facts[edge.node];
      // Masks are no numbers, whatever type carries them.
      bool isMask = node.elementType.isInteger(1) ||
                    (node.code == NodeCode::Select && i == 0);
      if (!isMask && of.origin != Origin::Literal)
        result.isLowPrecision |= of.isLowPrecision;
      if (of.isCosine)
        ofCosine = true;
      else if (of.origin != Origin::Literal)
        ofOthers = true;
    }
    result.isCosine = node.code == NodeCode::Cos || (ofCosine && !ofOthers);
    if (node.code == NodeCode::IntToFloat &&
        operand(0).origin == Origin::Weight)
      result.isLowPrecision = true;
    break;
  }
  default:
    break;
  }
  if (isNarrow(node.elementType) && node.kind != NodeKind::Literal)
    result.isLowPrecision = true;
  if (isa<FloatType>(node.elementType) && result.origin >= Origin::Selected)
    result.isFromNumbers = true;
  return result;
}

Dataflow::Dataflow(const ModelGraph &graph, ArrayRef<ArgumentInfo> arguments)
    : softmaxes(findSoftmaxes(graph)), norms(findNorms(graph)) {
  llvm::DenseMap<unsigned, unsigned> softmaxOutputs;
  for (auto [index, softmax] : llvm::enumerate(softmaxes))
    softmaxOutputs[softmax.output] = index;
  facts.resize(graph.nodes.size());
  // What a loop carries is known better each time; each fact changes at most a
  // few times, of which the first ones matter.
  constexpr unsigned maxPasses = 4;
  llvm::DenseMap<unsigned, Facts> carried;
  for (auto [argument, source] : graph.backEdges)
    carried.try_emplace(argument);
  for (unsigned pass = 0; pass < maxPasses; ++pass) {
    computeAll(graph, arguments, softmaxOutputs, carried);
    bool changed = false;
    for (auto [argument, source] : graph.backEdges)
      changed |= carried[argument].join(facts[source]);
    if (!changed)
      break;
  }
}

void Dataflow::computeAll(
    const ModelGraph &graph, ArrayRef<ArgumentInfo> arguments,
    const llvm::DenseMap<unsigned, unsigned> &softmaxOutputs,
    const llvm::DenseMap<unsigned, Facts> &carried) {
  Block *entry = &graph.getEntryBlock();
  for (unsigned id = 0, e = graph.nodes.size(); id < e; ++id) {
    facts[id] = compute(graph, id);
    auto known = carried.find(id);
    const Node &node = graph.nodes[id];
    if (known != carried.end()) {
      facts[id].join(known->second);
      // Integers that the next iteration gets are tokens and positions, even
      // if this one chose them by the largest of some numbers.
      if (node.elementType.isIntOrIndex())
        facts[id].isFromNumbers = false;
    }
    if (auto argument = dyn_cast_if_present<BlockArgument>(node.value)) {
      bool isParameter = argument.getOwner() == entry &&
                         argument.getArgNumber() < arguments.size();
      facts[id].origin = isParameter ? arguments[argument.getArgNumber()].origin
                                     : Origin::Data;
      facts[id].isFromNumbers =
          isa<FloatType>(node.elementType) && facts[id].origin == Origin::Data;
    }
    auto softmax = softmaxOutputs.find(id);
    if (softmax != softmaxOutputs.end())
      facts[id].softmaxes.insert(softmax->second);
  }
}

SmallNodeSet Dataflow::getScores(unsigned id) const {
  SmallNodeSet scores;
  if (!facts[id].products.isKnown())
    return {};
  for (unsigned softmax : facts[id].softmaxes.get())
    scores.insert(facts[softmaxes[softmax].input].products);
  for (unsigned product : facts[id].products.get())
    if (!llvm::is_contained(scores.get(), product))
      return {};
  return scores;
}

//===----------------------------------------------------------------------===//
// Arguments without names
//===----------------------------------------------------------------------===//

namespace {
/// How an argument is used, views and casts looked through.
struct Uses {
  bool isTable = false;
  /// Part of it is replaced, or it is put beside other values: a cache.
  bool isJoined = false;
  unsigned products = 0, accumulations = 0, others = 0;
  bool hasBatch = false;
  /// Products sum it along different dimensions: forward and backward.
  bool isSummedTwice = false;
  /// So they do, and all else that is done with it is to return a new value of
  /// it: a training step.
  bool isTrained = false;
};
} // namespace

/// `id` is only ever changed by elementwise steps, up to a result.
static bool isUpdate(const ModelGraph &graph, unsigned id) {
  constexpr unsigned maxSteps = 16;
  SmallVector<unsigned> worklist = {id};
  for (unsigned i = 0; i < worklist.size(); ++i) {
    const Node &node = graph.nodes[worklist[i]];
    if (i == maxSteps || node.kind != NodeKind::Elementwise ||
        (node.users.empty() && !node.isReturned))
      return false;
    llvm::append_range(worklist, node.users);
  }
  return true;
}
static Uses getUses(const ModelGraph &graph, unsigned id) {
  Uses uses;
  bool isUpdated = false;
  ArrayRef<int64_t> reduced;
  for (unsigned user : graph.nodes[id].users) {
    const Node &node = graph.nodes[user];
    uses.isJoined |=
        node.kind == NodeKind::Elementwise && node.code == NodeCode::Join;
    if (node.kind == NodeKind::Gather && node.operands[0].node == id) {
      uses.isTable = true;
    } else if (node.kind == NodeKind::Product) {
      const Product &product = graph.products[node.product];
      ++uses.products;
      bool isLhs = node.operands[0].node == id;
      uses.hasBatch |= isLhs ? product.lhsHasBatch : product.rhsHasBatch;
      ArrayRef<int64_t> dims = isLhs ? product.lhsReduced : product.rhsReduced;
      uses.isSummedTwice |=
          !reduced.empty() && !dims.empty() && dims != reduced;
      reduced = dims;
    } else if (node.isAccumulation && node.operands[0].node != id) {
      ++uses.accumulations;
    } else if (isUpdate(graph, user)) {
      isUpdated = true;
    } else if (!isa_and_nonnull<CallOpInterface>(node.op)) {
      // What an unknown function makes of it says nothing.
      ++uses.others;
    }
  }
  uses.isTable &= !uses.isJoined;
  uses.isTrained = isUpdated && uses.isSummedTwice;
  uses.others += isUpdated && !uses.isTrained;
  return uses;
}

/// A stack of weights, one for each product of a batch, looks like a cache. It
/// is told by a softmax over as many outputs of a layer: the router's.
static void findStacks(const ModelGraph &graph, ArrayRef<Uses> uses,
                       SmallVectorImpl<ArgumentInfo> &infos) {
  Dataflow flow(graph, infos);
  llvm::SmallDenseSet<int64_t> routed;
  for (const SoftmaxIdiom &softmax : flow.getSoftmaxes())
    for (unsigned id : flow[softmax.input].products.get())
      if (llvm::any_of(graph.nodes[id].operands, [&](Node::Edge edge) {
            return flow[edge.node].origin == Origin::Weight;
          }))
        routed.insert(softmax.extent);
  for (const Product &product : graph.products) {
    if (ShapedType::isDynamic(product.shape.batch) ||
        !routed.contains(product.shape.batch))
      continue;
    const Node &node = graph.nodes[product.node];
    for (unsigned i : {0, 1}) {
      auto argument =
          dyn_cast_if_present<BlockArgument>(graph.operand(node, i).value);
      if (!argument || argument.getOwner() != &graph.getEntryBlock() ||
          graph.operand(node, 1 - i).kind == NodeKind::Argument)
        continue;
      const Uses &use = uses[argument.getArgNumber()];
      if (use.hasBatch && use.others + use.accumulations == 0)
        infos[argument.getArgNumber()].origin = Origin::Weight;
    }
  }
}

/// Keys and values that are arguments look like weights. The softmax between
/// the products tells, unless it is that of a loss, which the gradient of the
/// head multiplies with the weight that made its scores.
static void findKeysAndValues(const ModelGraph &graph, ArrayRef<Uses> uses,
                              SmallVectorImpl<ArgumentInfo> &infos) {
  Dataflow flow(graph, infos);
  // The argument that is operand `i` of a product, as it is or a slice of it.
  auto getArgument = [&](const Node &product, unsigned i) -> ArgumentInfo * {
    const Node *node = &graph.operand(product, i);
    if (node->kind == NodeKind::Gather)
      node = &graph.operand(*node, 0);
    auto argument = dyn_cast_if_present<BlockArgument>(node->value);
    bool isKnown = argument && argument.getOwner() == &graph.getEntryBlock() &&
                   !uses[argument.getArgNumber()].isSummedTwice;
    return isKnown ? &infos[argument.getArgNumber()] : nullptr;
  };
  for (const Product &product : graph.products) {
    const Node &context = graph.nodes[product.node];
    for (unsigned i : {0, 1}) {
      ArgumentInfo *values = getArgument(context, 1 - i);
      // Probabilities are summed; a router's scale what is multiplied.
      const Facts &probabilities = flow[context.operands[i].node];
      bool isSummed =
          llvm::any_of(probabilities.softmaxes.get(), [&](unsigned softmax) {
            int64_t extent = flow.getSoftmaxes()[softmax].extent;
            return extent == product.shape.k || ShapedType::isDynamic(extent) ||
                   ShapedType::isDynamic(product.shape.k);
          });
      if (!values || !isSummed)
        continue;
      SmallNodeSet scores = flow.getScores(context.operands[i].node);
      for (unsigned id : scores.get()) {
        values->origin = Origin::Data;
        if (graph.nodes[id].kind != NodeKind::Product)
          continue;
        for (unsigned j : {0, 1})
          if (ArgumentInfo *keys = getArgument(graph.nodes[id], j))
            keys->origin = Origin::Data;
      }
    }
  }
}

static bool isVector(RankedTensorType type) {
  return llvm::count_if(type.getShape(), [](int64_t d) { return d != 1; }) <= 1;
}

SmallVector<ArgumentInfo> mx::guessArguments(const ModelGraph &graph) {
  Block &entry = graph.getEntryBlock();
  SmallVector<ArgumentInfo> infos(entry.getNumArguments());
  SmallVector<Uses> uses;
  llvm::DenseMap<unsigned, unsigned> candidates;
  for (BlockArgument argument : entry.getArguments()) {
    unsigned id = *graph.getNode(argument);
    uses.push_back(getUses(graph, id));
  }
  for (BlockArgument argument : entry.getArguments()) {
    unsigned id = *graph.getNode(argument);
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type || !isa<FloatType>(type.getElementType()))
      continue;
    const Uses &use = uses[argument.getArgNumber()];
    Origin &origin = infos[argument.getArgNumber()].origin;
    bool isDestination =
        use.accumulations > 0 && use.products == 0 && use.others == 0;
    if (use.isTable)
      origin = Origin::Weight;
    else if (isDestination)
      origin = Origin::Literal;
    else if (use.products == 0)
      origin = isVector(type) ? Origin::Weight : Origin::Data;
    else if (use.others + use.accumulations == 0 && !use.hasBatch) {
      origin = Origin::Weight;
      candidates[id] = argument.getArgNumber();
    }
  }

  for (const Product &product : graph.products) {
    const Node &node = graph.nodes[product.node];
    auto lhs = candidates.find(node.operands[0].node);
    auto rhs = candidates.find(node.operands[1].node);
    // What is multiplied with a constant is data.
    auto isConstant = [&](unsigned i) {
      return graph.operand(node, i).kind == NodeKind::Constant;
    };
    if (lhs != candidates.end() && isConstant(1))
      infos[lhs->second].origin = Origin::Data;
    if (rhs != candidates.end() && isConstant(0))
      infos[rhs->second].origin = Origin::Data;
    if (lhs == candidates.end() || rhs == candidates.end())
      continue;
    auto rank = [&](unsigned argument) {
      return cast<RankedTensorType>(entry.getArgument(argument).getType())
          .getRank();
    };
    unsigned l = lhs->second, r = rhs->second;
    bool isLhsData = uses[l].products != uses[r].products
                         ? uses[l].products > uses[r].products
                         : rank(l) >= rank(r);
    infos[isLhsData ? l : r].origin = Origin::Data;
  }
  findKeysAndValues(graph, uses, infos);
  findStacks(graph, uses, infos);
  return infos;
}
