// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules, in the order in which they are tried:
//  1. a product of values that are in low precision already is `quantized`;
//  2. a softmax whose argument comes from products of data and whose result is
//     multiplied by data makes those attention: scores, then context;
//  3. a product of data with a weight is `linear`, unless
//     a. data chose the weight among several: `expert`;
//     b. its softmax, selection, or (width one) sigmoid scales or chooses other
//        branches: `router`; what that scales is made by `expert`s;
//     c. it ends in the results and is as wide as a vocabulary: `lm_head`;
//     d. it feeds a cosine: `rotary`;
//  4. any other product is `other`.

#include "mx/Analysis/Roles.h"
#include "GateWalk.h"
#include "mx/Analysis/Views.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mx;

namespace {

class RoleFinder {
public:
  RoleFinder(const ModelGraph &graph, ArrayRef<ArgumentInfo> arguments)
      : graph(graph), arguments(arguments), flow(graph, arguments),
        roles(graph.products.size()) {
    for (const ArgumentInfo &info : arguments)
      if (info.name != info.storedName)
        tiedUsers[info.storedName] = info.name;
  }

  std::vector<RoleEntry> run();
  void visitCalls(CallVisitor visit);

private:
  /// What is decided about one product.
  struct ProductRole {
    Role role = Role::other;
    std::optional<unsigned> weight;
    const char *reason = "product of two values that no rule covers";
  };

  // Rules, in their order.
  void findWeights();
  void findEmbeddings();
  void findAttention();
  void findRotaryTables();
  void findRouters();
  void findHeads();
  bool isTraining() const;

  void markExperts(const Product &router, ArrayRef<Gate> gates);
  void markBatchedExperts(int64_t numExperts);
  bool isVocabulary(const Product &product) const;
  bool isOnNormPerToken(const Product &product) const;

  // Views of a product that has a weight.
  const Node &node(const Product &product) const {
    return graph.nodes[product.node];
  }
  unsigned weightNode(unsigned p) const {
    return node(graph.products[p]).operands[*roles[p].weight].node;
  }
  unsigned dataNode(unsigned p) const {
    return node(graph.products[p]).operands[1 - *roles[p].weight].node;
  }
  /// Number of outputs of the layer, and of the rows that go through it.
  int64_t width(unsigned p) const {
    const ProductShape &shape = graph.products[p].shape;
    return *roles[p].weight == 0 ? shape.m : shape.n;
  }
  int64_t rows(unsigned p) const {
    const ProductShape &shape = graph.products[p].shape;
    int64_t own = *roles[p].weight == 0 ? shape.n : shape.m;
    if (ShapedType::isDynamic(own) || ShapedType::isDynamic(shape.batch))
      return ShapedType::kDynamic;
    return own * shape.batch;
  }
  bool is(unsigned p, Role role) const { return roles[p].role == role; }

  bool isOfParameters(unsigned id) const;
  std::optional<unsigned> findParameter(unsigned id) const;
  std::string getParameterName(unsigned id, bool stored) const;

  // Entries.
  void addProducts(bool training);
  void addSensitiveOps();
  void addForeignOps();
  RoleEntry &addEntry(Operation *op, unsigned result, Role role,
                      StringRef reason);
  void nameByParameter(RoleEntry &entry, std::optional<unsigned> parameter,
                       bool stored = false);

  const ModelGraph &graph;
  ArrayRef<ArgumentInfo> arguments;
  Dataflow flow;
  std::vector<ProductRole> roles;
  /// Stored name of tied parameters to the name of one that is tied to it.
  llvm::StringMap<StringRef> tiedUsers;
  /// Gathers that are embeddings, and the node of the table of each.
  SmallVector<std::pair<unsigned, unsigned>> embeddings;
  /// Outputs of norms, with their weight and bias.
  llvm::DenseSet<unsigned> normOutputs;
  std::vector<RoleEntry> entries;
};

} // namespace

//===----------------------------------------------------------------------===//
// Weights and parameters
//===----------------------------------------------------------------------===//

void RoleFinder::findWeights() {
  for (auto [p, product] : llvm::enumerate(graph.products)) {
    ProductRole &role = roles[p];
    const Node &node = this->node(product);
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

/// Computed from parameters only, or a matrix of one number, which elsewhere
/// would be a literal.
bool RoleFinder::isOfParameters(unsigned id) const {
  const Node &node = graph.nodes[id];
  auto type = node.value ? dyn_cast<RankedTensorType>(node.value.getType())
                         : RankedTensorType();
  bool isSplat = node.kind == NodeKind::Literal && type &&
                 type.getRank() >= 2 && isa<FloatType>(type.getElementType());
  return flow[id].origin == Origin::Weight || isSplat;
}

/// The parameter with most dimensions that `id` is computed from, along
/// parameters only.
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

/// The name of a parameter. Of tied ones, `stored` asks for that of the tensor
/// which a checkpoint has (an embedding's), else it is that of a user (a
/// head's) that is not the stored one.
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
// Embeddings
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
    } else if (node.operands.size() == 3) {
      // Spelled in a body: the position in the row is a loop's, the row's is
      // not (that would be a copy).
      const Node &column = graph.operand(node, 2);
      if (column.kind != NodeKind::Index || column.op != node.op ||
          (ids.kind == NodeKind::Index && ids.op == node.op))
        continue;
    } else {
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

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

void RoleFinder::findAttention() {
  auto isOfData = [&](unsigned p) {
    const Node &node = this->node(graph.products[p]);
    return flow[node.operands[0].node].origin == Origin::Data &&
           flow[node.operands[1].node].origin == Origin::Data;
  };
  for (auto [p, product] : llvm::enumerate(graph.products)) {
    if (!is(p, Role::other) || !isOfData(p))
      continue;
    for (Node::Edge edge : node(product).operands)
      for (unsigned s : flow[edge.node].softmaxes.get()) {
        const SoftmaxIdiom &softmax = flow.getSoftmaxes()[s];
        ArrayRef<unsigned> sources = flow[softmax.input].products.get();
        auto productOf = [&](unsigned id) { return graph.nodes[id].product; };
        bool hasScores = llvm::any_of(sources, [&](unsigned id) {
          return graph.nodes[id].kind == NodeKind::Product &&
                 isOfData(productOf(id));
        });
        if (!hasScores)
          continue;
        roles[p].role = Role::attention_context;
        roles[p].reason = "softmax of attention scores × values";
        // Several products may add up to the scores, one of them with a table
        // of relative positions.
        for (unsigned id : sources) {
          if (graph.nodes[id].kind != NodeKind::Product)
            continue;
          ProductRole &role = roles[productOf(id)];
          if (role.role == Role::quantized)
            continue;
          role.role = Role::attention_scores;
          role.weight = std::nullopt;
          role.reason = "queries × keys, through a softmax to the values";
        }
      }
  }
}

//===----------------------------------------------------------------------===//
// Rotary
//===----------------------------------------------------------------------===//

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
// Routers and experts
//===----------------------------------------------------------------------===//

void RoleFinder::findRouters() {
  GateWalk walk(graph, flow);
  for (unsigned p = 0; p < roles.size(); ++p) {
    if (!is(p, Role::linear))
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
      markExperts(graph.products[p], gates);
      markBatchedExperts(width(p));
    }
  }
}

/// The layers that make what a router's gates scale, back to where the router's
/// own input comes from, a norm, a sum of two values (a residual connection) or
/// the start of the function.
void RoleFinder::markExperts(const Product &router, ArrayRef<Gate> gates) {
  unsigned routerInput = dataNode(&router - graph.products.data());
  llvm::DenseSet<unsigned> seen = {routerInput};
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

/// Layers that multiply a stack of as many weights as the router has outputs.
void RoleFinder::markBatchedExperts(int64_t numExperts) {
  for (unsigned p = 0; p < roles.size(); ++p) {
    const Product &product = graph.products[p];
    if (!is(p, Role::linear) || ShapedType::isDynamic(numExperts) ||
        product.shape.batch != numExperts)
      continue;
    if (*roles[p].weight == 0 ? product.lhsHasBatch : product.rhsHasBatch) {
      roles[p].role = Role::expert;
      roles[p].reason = "one weight for each output of a router";
    }
  }
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

/// The layer's weight is an embedding's table, or as wide as one.
bool RoleFinder::isVocabulary(const Product &product) const {
  unsigned p = &product - graph.products.data();
  for (auto [gather, table] : embeddings) {
    auto type = cast<ShapedType>(graph.nodes[table].value.getType());
    bool isOfPositions =
        flow[graph.nodes[gather].operands[1].node].origin != Origin::Data;
    if (!isOfPositions && !type.isDynamicDim(0) &&
        type.getDimSize(0) == width(p))
      return true;
  }
  return false;
}

/// Without an embedding to compare with: the layer widens the output of a norm,
/// row by row as the other layers do, in a function that has attention and does
/// not start from an image.
bool RoleFinder::isOnNormPerToken(const Product &product) const {
  unsigned p = &product - graph.products.data();
  if (!normOutputs.contains(dataNode(p)) ||
      ShapedType::isDynamic(product.shape.k) || width(p) <= product.shape.k)
    return false;
  bool hasAttention = false, hasConvolution = false, hasEqualRows = false;
  for (unsigned other = 0; other < roles.size(); ++other) {
    hasAttention |= is(other, Role::attention_context);
    hasEqualRows |=
        other != p && is(other, Role::linear) && rows(other) == rows(p);
  }
  for (const Node &node : graph.nodes)
    hasConvolution |= node.kind == NodeKind::Convolution;
  return hasAttention && hasEqualRows && !hasConvolution;
}

void RoleFinder::findHeads() {
  GateWalk walk(graph, flow);
  SmallVector<unsigned> heads;
  for (unsigned p = 0; p < roles.size(); ++p) {
    if (!is(p, Role::linear))
      continue;
    std::optional<unsigned> weight = findParameter(weightNode(p));
    bool isTied = weight && llvm::any_of(embeddings, [&](auto embedding) {
                    std::string stored =
                        getParameterName(*weight, /*stored=*/true);
                    return embedding.second == *weight ||
                           (!stored.empty() &&
                            stored == getParameterName(embedding.second, true));
                  });
    if (isTied) {
      roles[p].reason = "multiplies with the table of an embedding";
      heads.push_back(p);
      continue;
    }
    const Product &product = graph.products[p];
    if (!walk.run(product.node, width(p)).endsInResults)
      continue;
    if (isVocabulary(product))
      roles[p].reason = "its results are as wide as an embedding's table";
    else if (isOnNormPerToken(product))
      roles[p].reason = "widens the last norm to the function's results";
    else
      continue;
    heads.push_back(p);
  }
  // Decided together: each sees the others as layers.
  for (unsigned p : heads)
    roles[p].role = Role::lm_head;
}

//===----------------------------------------------------------------------===//
// Training graphs
//===----------------------------------------------------------------------===//

/// A parameter is multiplied along different dimensions: forward and backward.
bool RoleFinder::isTraining() const {
  llvm::DenseMap<unsigned, int64_t> reduced;
  for (unsigned p = 0; p < roles.size(); ++p) {
    if (!roles[p].weight || is(p, Role::quantized) || is(p, Role::expert))
      continue;
    unsigned weight = weightNode(p);
    if (!graph.nodes[weight].value)
      continue;
    Contraction contraction = graph.products[p].contraction;
    OpOperand *operand =
        *roles[p].weight == 0 ? contraction.lhs : contraction.rhs;
    auto [value, map] = lookThroughCopies(
        {operand->get(), contraction.op.getMatchingIndexingMap(operand)});
    if (value != graph.nodes[weight].value)
      continue;
    std::optional<int64_t> dim = map.getResultPosition(
        getAffineDimExpr(contraction.k.front(), map.getContext()));
    if (!dim)
      continue;
    auto [it, isNew] = reduced.try_emplace(weight, *dim);
    if (!isNew && it->second != *dim)
      return true;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

/// Why `op` stays as it is where it stands.
static std::string getBlocker(Operation *op, Operation *function) {
  for (Operation *parent = op->getParentOp(); parent && parent != function;
       parent = parent->getParentOp())
    return ("inside of " + parent->getName().getStringRef() +
            ", which is not lowered yet")
        .str();
  for (Type type : op->getOperandTypes())
    if (isa<BaseMemRefType>(type))
      return "works on buffers; bufferize after this pass";
  return "";
}

RoleEntry &RoleFinder::addEntry(Operation *op, unsigned result, Role role,
                                StringRef reason) {
  RoleEntry entry;
  entry.op = op;
  entry.result = result;
  entry.role = role;
  entry.reason = reason.str();
  entry.name = getModuleName(op->getLoc());
  entry.blocker = getBlocker(op, FunctionOpInterface(graph.function));
  entries.push_back(std::move(entry));
  return entries.back();
}

void RoleFinder::nameByParameter(RoleEntry &entry,
                                 std::optional<unsigned> parameter,
                                 bool stored) {
  if (!parameter)
    return;
  entry.parameter = graph.nodes[*parameter].value;
  if (!entry.name.empty())
    return;
  StringRef name;
  std::string full = getParameterName(*parameter, stored);
  name = full;
  name.consume_back(".weight");
  entry.name = name.str();
}

void RoleFinder::addProducts(bool training) {
  for (auto [p, product] : llvm::enumerate(graph.products)) {
    const ProductRole &role = roles[p];
    RoleEntry &entry =
        addEntry(product.contraction.op, product.contraction.result, role.role,
                 role.reason);
    entry.shape = product.shape;
    entry.weightOperand = role.weight;
    if (role.role != Role::other && role.role != Role::quantized)
      entry.gemm = Gemm::fprop;
    if (role.weight)
      nameByParameter(entry, findParameter(weightNode(p)));
    if (training && entry.blocker.empty()) {
      entry.blocker = "training graph, which is not lowered yet";
      entry.gemm = std::nullopt;
    }
  }
}

void RoleFinder::addSensitiveOps() {
  auto add = [&](unsigned id, Role role, StringRef reason) -> RoleEntry & {
    const Node &node = graph.nodes[id];
    return addEntry(node.op, 0, role, reason);
  };
  for (const SoftmaxIdiom &softmax : flow.getSoftmaxes())
    add(softmax.first, Role::softmax, "softmax");
  for (const NormIdiom &norm : flow.getNorms()) {
    // Layers that share their statistics (parallel branches on one value)
    // differ in the weight that scales the result, which also names them.
    SmallVector<unsigned> scales;
    for (unsigned user : graph.nodes[norm.output].users) {
      const Node &use = graph.nodes[user];
      if (use.kind != NodeKind::Elementwise || use.code != NodeCode::Mul)
        continue;
      for (Node::Edge edge : use.operands)
        if (flow[edge.node].origin == Origin::Weight)
          if (std::optional<unsigned> scale = findParameter(edge.node))
            if (!llvm::is_contained(scales, *scale))
              scales.push_back(*scale);
    }
    for (unsigned i = 0; i < std::max<size_t>(scales.size(), 1); ++i) {
      RoleEntry &entry =
          add(norm.first, Role::norm, "divides by the root of a mean square");
      if (i < scales.size())
        nameByParameter(entry, scales[i]);
    }
  }
  for (auto [gather, table] : embeddings)
    nameByParameter(
        add(gather, Role::embedding, "rows of a parameter chosen by integers"),
        table, /*stored=*/true);
  for (auto [id, node] : llvm::enumerate(graph.nodes)) {
    if (node.kind == NodeKind::Convolution) {
      RoleEntry &entry = add(id, Role::conv, "convolution");
      nameByParameter(entry, findParameter(node.operands.back().node));
      continue;
    }
    if (node.kind != NodeKind::Elementwise)
      continue;
    bool isStatistic =
        node.code == NodeCode::Rsqrt && flow[id].origin == Origin::Weight;
    if (isStatistic && llvm::any_of(node.users, [&](unsigned user) {
          return flow[user].origin == Origin::Data;
        }))
      nameByParameter(add(id, Role::norm, "divides by a stored deviation"),
                      findParameter(id));
    bool isRotation = node.code == NodeCode::Mul && node.operands.size() == 2 &&
                      flow[node.operands[0].node].isCosine !=
                          flow[node.operands[1].node].isCosine &&
                      flow[id].isFromNumbers && !flow[id].isCosine;
    if (isRotation)
      add(id, Role::rotary, "multiplies with a cosine of positions");
  }
}

/// Products and quantised ops of other dialects, which the graph has no steps
/// for.
void RoleFinder::addForeignOps() {
  FunctionOpInterface(graph.function).walk([&](Operation *op) {
    StringRef name = op->getName().getStringRef();
    if (isa<MatmulOp>(op)) {
      addEntry(op, 0, Role::quantized, "in low precision already");
      return;
    }
    if (name.starts_with("tosa.") &&
        (name.contains("matmul") || name.contains("conv"))) {
      bool isConv = name.contains("conv");
      bool isScaled = name.contains("block_scaled");
      RoleEntry &entry = addEntry(op, 0,
                                  isConv     ? Role::conv
                                  : isScaled ? Role::quantized
                                             : Role::other,
                                  "TOSA op");
      entry.blocker =
          "TOSA, which is not lowered yet; run tosa-to-linalg-named "
          "before this pass";
    }
  });
}

std::vector<RoleEntry> RoleFinder::run() {
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

  findWeights();
  findEmbeddings();
  findAttention();
  findRotaryTables();
  findRouters();
  findHeads();
  addProducts(isTraining());
  addSensitiveOps();
  addForeignOps();

  // In the order of the walk; an op may be several things (a fused QKV).
  llvm::DenseMap<Operation *, unsigned> order;
  FunctionOpInterface(graph.function)
      .walk<WalkOrder::PreOrder>(
          [&](Operation *op) { order.try_emplace(op, order.size()); });
  llvm::sort(entries, [&](const RoleEntry &a, const RoleEntry &b) {
    return std::tuple(order.lookup(a.op), a.result, a.role) <
           std::tuple(order.lookup(b.op), b.result, b.role);
  });
  return std::move(entries);
}

void RoleFinder::visitCalls(CallVisitor visit) {
  FunctionOpInterface(graph.function).walk([&](CallOpInterface call) {
    SmallVector<ArgumentInfo> operands;
    for (Value operand : call.getArgOperands()) {
      ArgumentInfo info;
      if (std::optional<unsigned> id = graph.getNode(operand)) {
        auto argument =
            dyn_cast_if_present<BlockArgument>(graph.nodes[*id].value);
        if (argument && argument.getOwner() == &graph.getEntryBlock())
          info = arguments[argument.getArgNumber()];
        info.origin = flow[*id].origin;
      }
      operands.push_back(std::move(info));
    }
    visit(call, operands);
  });
}

std::vector<RoleEntry> mx::findRoles(const ModelGraph &graph,
                                     ArrayRef<ArgumentInfo> arguments,
                                     CallVisitor visitCall) {
  RoleFinder finder(graph, arguments);
  if (visitCall)
    finder.visitCalls(visitCall);
  return finder.run();
}
