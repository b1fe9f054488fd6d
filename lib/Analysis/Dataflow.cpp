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
  bool isMatrix = cast<ShapedType>(node.value.getType()).getRank() >= 2;
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
    for (Node::Edge edge : node.operands) {
      const Facts &of = facts[edge.node];
      if (node.code != NodeCode::Compare && of.origin != Origin::Literal)
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
  Block *entry = &graph.getEntryBlock();
  facts.resize(graph.nodes.size());
  for (unsigned id = 0, e = graph.nodes.size(); id < e; ++id) {
    facts[id] = compute(graph, id);
    const Node &node = graph.nodes[id];
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

//===----------------------------------------------------------------------===//
// Arguments without names
//===----------------------------------------------------------------------===//

namespace {
/// How an argument is used, views and casts looked through.
struct Uses {
  bool isTable = false;
  unsigned products = 0, accumulations = 0, others = 0;
  bool hasBatch = false;
  /// What callees make of it.
  std::optional<Origin> passedAs;
};
} // namespace

static Uses getUses(const ModelGraph &graph, unsigned id) {
  Uses uses;
  for (unsigned user : graph.nodes[id].users) {
    const Node &node = graph.nodes[user];
    if (node.kind == NodeKind::Gather && node.operands[0].node == id) {
      uses.isTable = true;
    } else if (node.kind == NodeKind::Product) {
      const Product &product = graph.products[node.product];
      ++uses.products;
      uses.hasBatch |= node.operands[0].node == id ? product.lhsHasBatch
                                                   : product.rhsHasBatch;
    } else if (node.isAccumulation && node.operands[0].node != id) {
      ++uses.accumulations;
    } else if (!isa_and_nonnull<CallOpInterface>(node.op)) {
      ++uses.others;
    }
  }
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

static bool isVector(RankedTensorType type) {
  return llvm::count_if(type.getShape(), [](int64_t d) { return d != 1; }) <= 1;
}

SmallVector<ArgumentInfo> mx::guessArguments(const ModelGraph &graph,
                                             CalleeOrigin getCalleeOrigin) {
  Block &entry = graph.getEntryBlock();
  SmallVector<ArgumentInfo> infos(entry.getNumArguments());
  SmallVector<Uses> uses;
  llvm::DenseMap<unsigned, unsigned> arguments, candidates;
  for (BlockArgument argument : entry.getArguments()) {
    unsigned id = *graph.getNode(argument);
    arguments[id] = argument.getArgNumber();
    uses.push_back(getUses(graph, id));
  }
  FunctionOpInterface(graph.function).walk([&](CallOpInterface call) {
    for (auto [i, operand] : llvm::enumerate(call.getArgOperands())) {
      std::optional<unsigned> id = graph.getNode(operand);
      auto argument = id ? arguments.find(*id) : arguments.end();
      if (argument == arguments.end())
        continue;
      if (std::optional<Origin> origin = getCalleeOrigin(call, i)) {
        std::optional<Origin> &known = uses[argument->second].passedAs;
        known = std::max(known.value_or(Origin::Literal), *origin);
      }
    }
  });

  for (BlockArgument argument : entry.getArguments()) {
    unsigned id = *graph.getNode(argument);
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type || !isa<FloatType>(type.getElementType()))
      continue;
    const Uses &use = uses[argument.getArgNumber()];
    Origin &origin = infos[argument.getArgNumber()].origin;
    bool isPassedAsData = use.passedAs == Origin::Data;
    bool isDestination = use.accumulations > 0 && use.products == 0 &&
                         use.others == 0 && !use.passedAs;
    if (use.isTable)
      origin = Origin::Weight;
    else if (isDestination)
      origin = Origin::Literal;
    else if (use.products == 0)
      origin = use.passedAs     ? *use.passedAs
               : isVector(type) ? Origin::Weight
                                : Origin::Data;
    else if (use.others + use.accumulations == 0 && !use.hasBatch &&
             !isPassedAsData) {
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
  findStacks(graph, uses, infos);
  return infos;
}
