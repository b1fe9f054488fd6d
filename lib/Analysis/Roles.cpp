// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RoleFinder.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"

using namespace mlir;
using namespace mx;

RoleFinder::RoleFinder(const ModelGraph &graph,
                       ArrayRef<ArgumentInfo> arguments)
    : graph(graph), arguments(arguments), flow(graph, arguments),
      roles(graph.products.size()), backward(graph.nodes.size()) {
  for (const ArgumentInfo &info : arguments)
    if (info.name != info.storedName)
      tiedUsers[info.storedName] = info.name;
}

//===----------------------------------------------------------------------===//
// Weights and parameters
//===----------------------------------------------------------------------===//

void RoleFinder::findWeights() {
  for (unsigned p = 0; p < roles.size(); ++p) {
    ProductRole &role = roles[p];
    const Node &node = this->node(p);
    const Facts *facts[] = {&flow[node.operands[0].node],
                            &flow[node.operands[1].node]};
    if (facts[0]->isLowPrecision || facts[1]->isLowPrecision ||
        isa<IntegerType>(node.elementType)) {
      role.role = Role::quantized;
      role.reason = "operands are in low precision already";
    }
    for (unsigned i : {0, 1})
      if (facts[i]->origin == Origin::Selected) {
        role.weight = i;
        if (role.role == Role::other) {
          role.role = Role::expert;
          role.reason = "weight chosen by a router × activation";
        }
      }
    if (role.weight)
      continue;
    bool isWeight[] = {isOfParameters(node.operands[0].node),
                       isOfParameters(node.operands[1].node)};
    if (!isWeight[0] && !isWeight[1])
      continue;
    if (isWeight[0] && isWeight[1]) {
      // A layer on constant values (learned queries): its weight is what
      // nothing was computed on, else what stands right.
      bool isPlain = graph.nodes[node.operands[1].node].operands.empty();
      role.weight = isPlain ? 1 : 0;
    } else {
      role.weight = isWeight[0] ? 0 : 1;
    }
    if (facts[1 - *role.weight]->origin == Origin::Literal) {
      role.reason = "parameter × numbers that no input affects";
      continue;
    }
    if (role.role == Role::other) {
      role.role = Role::linear;
      role.reason = "weight × activation";
    }
  }
}

bool RoleFinder::isOfParameters(unsigned id) const {
  const Node &node = graph.nodes[id];
  auto type = node.value ? dyn_cast<RankedTensorType>(node.value.getType())
                         : RankedTensorType();
  bool isSplat = node.kind == NodeKind::Literal && type &&
                 type.getRank() >= 2 && isa<FloatType>(type.getElementType());
  return flow[id].origin == Origin::Weight || isSplat;
}

std::optional<unsigned> RoleFinder::findParameter(unsigned id) const {
  std::optional<unsigned> best;
  auto rank = [&](unsigned n) {
    return cast<ShapedType>(graph.nodes[n].value.getType()).getRank();
  };
  SmallVector<unsigned> worklist = {id};
  for (unsigned i = 0; i < worklist.size() && i < 32; ++i) {
    unsigned next = worklist[i];
    const Node &node = graph.nodes[next];
    if (node.value && isa<ShapedType>(node.value.getType()) &&
        isOfParameters(next) && (!best || rank(next) > rank(*best)))
      best = next;
    if (node.kind == NodeKind::Gather)
      worklist.push_back(node.operands[0].node);
    else
      for (Node::Edge edge : node.operands)
        if (flow[edge.node].origin == Origin::Weight)
          worklist.push_back(edge.node);
  }
  return best;
}

std::string RoleFinder::getParameterName(unsigned id, bool stored) const {
  auto argument = dyn_cast<BlockArgument>(graph.nodes[id].value);
  if (!argument)
    return getModuleName(graph.nodes[id].value.getLoc());
  const ArgumentInfo &info = arguments[argument.getArgNumber()];
  if (info.name.empty())
    return getModuleName(argument.getLoc());
  if (stored)
    return info.storedName;
  auto user = tiedUsers.find(info.name);
  return user == tiedUsers.end() ? info.name : user->second.str();
}

//===----------------------------------------------------------------------===//
// Embeddings and norms
//===----------------------------------------------------------------------===//

/// i < 0 ? i + n : i
static bool wrapsNegatives(const ModelGraph &graph, const Node &node) {
  if (node.kind != NodeKind::Elementwise || node.code != NodeCode::Select)
    return false;
  const Node &wrapped = graph.operand(node, 1);
  return wrapped.kind == NodeKind::Elementwise &&
         wrapped.code == NodeCode::Add &&
         llvm::any_of(wrapped.operands, [&](Node::Edge edge) {
           return edge.node == node.operands[2].node;
         });
}

/// A gather of rows of a rank-2 parameter by integers that are not computed
/// from numbers. Rows at places that no input affects, as arrays are indexed
/// (negative places count from the end), are a slice of the parameter.
void RoleFinder::findEmbeddings() {
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    if (node.kind != NodeKind::Gather || node.tableRank != 2 ||
        node.operands.size() < 2)
      continue;
    const Node &table = graph.operand(node, 0);
    const Node &ids = graph.operand(node, 1);
    if (!isOfParameters(node.operands[0].node) || !table.value ||
        !isa<FloatType>(table.elementType) || !ids.elementType.isIntOrIndex() ||
        ids.elementType.isInteger(1) ||
        flow[node.operands[1].node].isFromNumbers)
      continue;
    if (auto gather = dyn_cast<tensor::GatherOp>(node.op)) {
      if (gather.getGatherDims() != ArrayRef<int64_t>{0})
        continue;
    } else if (!isa<tosa::GatherOp>(node.op) && node.operands.size() == 3) {
      // Spelled in a body: the position in the row is a loop's, the row's is
      // not (that would be a copy).
      const Node &column = graph.operand(node, 2);
      if (column.kind != NodeKind::Index || column.op != node.op ||
          (ids.kind == NodeKind::Index && ids.op == node.op))
        continue;
    } else if (!isa<tosa::GatherOp>(node.op)) {
      continue;
    }
    if (flow[node.operands[1].node].origin != Origin::Data &&
        wrapsNegatives(graph, ids))
      continue;
    // Rows that only ever scale other values are a table of factors.
    bool onlyScales =
        !node.users.empty() && llvm::all_of(node.users, [&](unsigned user) {
          const Node &use = graph.nodes[user];
          return use.kind == NodeKind::Elementwise &&
                 use.code == NodeCode::Mul &&
                 llvm::all_of(use.operands, [&](Node::Edge edge) {
                   return flow[edge.node].origin >= Origin::Data;
                 });
        });
    if (!onlyScales)
      embeddings.emplace_back(id, node.operands[0].node);
  }
}

void RoleFinder::findNormOutputs() {
  for (const NormIdiom &norm : flow.getNorms())
    normOutputs.insert(norm.output);
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    // Weight and bias of a norm.
    if (node.kind != NodeKind::Elementwise ||
        (node.code != NodeCode::Mul && node.code != NodeCode::Add))
      continue;
    bool ofNorm = false, ofOthers = false;
    for (Node::Edge edge : node.operands) {
      if (normOutputs.contains(edge.node))
        ofNorm = true;
      else if (flow[edge.node].origin > Origin::Weight)
        ofOthers = true;
    }
    if (ofNorm && !ofOthers)
      normOutputs.insert(id);
  }
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

bool RoleFinder::isOfData(unsigned p) const {
  return llvm::all_of(node(p).operands, [&](Node::Edge edge) {
    return flow[edge.node].origin == Origin::Data;
  });
}

static bool intersects(const SmallNodeSet &a, const SmallNodeSet &b) {
  return llvm::any_of(
      a.get(), [&](unsigned id) { return llvm::is_contained(b.get(), id); });
}

/// The product that `id` is computed from by elementwise steps, if it is one
/// and no softmax came after it.
std::optional<unsigned> RoleFinder::getOnlyProduct(unsigned id) const {
  ArrayRef<unsigned> products = flow[id].products.get();
  if (products.size() != 1 || !flow[id].softmaxes.get().empty() ||
      graph.nodes[products[0]].kind != NodeKind::Product)
    return std::nullopt;
  return graph.nodes[products[0]].product;
}

/// Layer `p` sums what products `scores` of data make along their batch,
/// perhaps after another layer that does.
bool RoleFinder::mixesHeads(unsigned p, const SmallNodeSet &scores,
                            bool again) const {
  int64_t k = graph.products[p].shape.k;
  return !scores.get().empty() && llvm::all_of(scores.get(), [&](unsigned id) {
    if (graph.nodes[id].kind != NodeKind::Product)
      return false;
    unsigned source = graph.nodes[id].product;
    if (roles[source].weight)
      return !again && mixesHeads(source, flow[dataNode(source)].products,
                                  /*again=*/true);
    int64_t heads = graph.products[source].shape.batch;
    return isOfData(source) && (ShapedType::isDynamic(k) ||
                                ShapedType::isDynamic(heads) || heads % k == 0);
  });
}

void RoleFinder::findAttention() {
  for (unsigned p = 0; p < roles.size(); ++p) {
    if (!is(p, Role::other) || !isOfData(p) || isBackward(p))
      continue;
    // Several products may add up to the scores. Those of data are scores; one
    // with a parameter is, if it multiplies the same queries (with a table of
    // relative positions), or mixes the heads of scores or probabilities.
    SmallVector<unsigned> sources, mixers;
    SmallNodeSet queries;
    auto addSource = [&](unsigned source) {
      sources.push_back(source);
      if (isOfData(source))
        for (Node::Edge edge : node(source).operands)
          queries.insert(flow[edge.node].products);
    };
    for (Node::Edge operand : node(p).operands) {
      SmallNodeSet scores = flow.getScores(operand.node);
      if (std::optional<unsigned> mixer = getOnlyProduct(operand.node);
          mixer && roles[*mixer].weight) {
        scores = flow.getScores(dataNode(*mixer));
        if (mixesHeads(*mixer, scores))
          mixers.push_back(*mixer);
        else
          scores = {};
      }
      for (unsigned id : scores.get()) {
        if (graph.nodes[id].kind != NodeKind::Product)
          continue;
        unsigned source = graph.nodes[id].product;
        addSource(source);
        if (!roles[source].weight ||
            !mixesHeads(source, flow[dataNode(source)].products))
          continue;
        mixers.push_back(source);
        for (unsigned mixed : flow[dataNode(source)].products.get())
          addSource(graph.nodes[mixed].product);
      }
    }
    if (llvm::none_of(sources, [&](unsigned q) { return isOfData(q); }))
      continue;
    for (unsigned mixer : mixers) {
      roles[mixer].role = Role::attention_scores;
      roles[mixer].weight = std::nullopt;
      roles[mixer].reason = "mixes the heads of attention";
    }
    roles[p].role = Role::attention_context;
    roles[p].reason = "softmax of attention scores × values";
    for (unsigned source : sources) {
      ProductRole &role = roles[source];
      bool isScores =
          isOfData(source) ||
          (role.weight && intersects(flow[dataNode(source)].products, queries));
      if (!isScores || role.role == Role::quantized)
        continue;
      role.role = Role::attention_scores;
      role.weight = std::nullopt;
      role.reason = "queries × keys, through a softmax to the values";
    }
  }
}

/// A product that only makes the angles of a rotation.
void RoleFinder::findRotaryTables() {
  for (const Node &node : graph.nodes) {
    if (node.kind != NodeKind::Elementwise || node.code != NodeCode::Cos)
      continue;
    for (unsigned id : flow[node.operands[0].node].products.get()) {
      if (graph.nodes[id].kind != NodeKind::Product)
        continue;
      ProductRole &role = roles[graph.nodes[id].product];
      role.role = Role::rotary;
      role.weight = std::nullopt;
      role.reason = "angles of a rotary embedding";
    }
  }
}

//===----------------------------------------------------------------------===//
// All rules
//===----------------------------------------------------------------------===//

std::vector<RoleEntry> RoleFinder::run() {
  findNormOutputs();
  findWeights();
  findBackwardPass();
  findEmbeddings();
  findAttention();
  findAttentionGradients();
  findRotaryTables();
  findRouters();
  findHeads();
  nameGradients();
  addProducts();
  addSensitiveOps();
  addForeignOps();
  return std::move(entries);
}

std::vector<RoleEntry> mx::findRoles(const ModelGraph &graph,
                                     ArrayRef<ArgumentInfo> arguments) {
  return RoleFinder(graph, arguments).run();
}
