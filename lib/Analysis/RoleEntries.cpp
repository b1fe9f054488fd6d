// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the rules found, as entries of the plan.

#include "RoleFinder.h"

#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"

using namespace mlir;
using namespace mx;

/// Why `op` stays as it is where it stands.
static std::string getBlocker(Operation *op) {
  // Regions that run as often as their op says; others may be anything.
  Operation *parent = op->getParentOp();
  while (isa<RegionBranchOpInterface>(parent))
    parent = parent->getParentOp();
  if (!isa<FunctionOpInterface>(parent))
    return ("inside of " + parent->getName().getStringRef() +
            ", which is not looked into")
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
  entry.blocker = getBlocker(op);
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
  std::string full = getParameterName(*parameter, stored);
  StringRef name = full;
  name.consume_back(".weight");
  entry.name = name.str();
}

void RoleFinder::addProducts() {
  for (auto [p, product] : llvm::enumerate(graph.products)) {
    const ProductRole &role = roles[p];
    RoleEntry &entry =
        addEntry(product.contraction.op, product.contraction.result, role.role,
                 role.reason);
    entry.shape = product.shape;
    entry.weightOperand = role.weight;
    if (role.gemm)
      entry.gemm = role.gemm;
    else if (role.role != Role::other && role.role != Role::quantized &&
             !role.blocker)
      entry.gemm = Gemm::fprop;
    if (role.weight) {
      nameByParameter(entry, findParameter(weightNode(p)));
    } else if (role.forward && roles[*role.forward].weight) {
      nameByParameter(entry, findParameter(weightNode(*role.forward)));
      entry.parameter = nullptr;
    }
    if (role.blocker)
      entry.blocker = role.blocker;
  }
}

/// Layers that share their statistics (parallel branches on one value) differ
/// in the weight that scales the result, which also names them.
void RoleFinder::addNorms() {
  for (const NormIdiom &norm : flow.getNorms()) {
    if (backward[norm.first])
      continue;
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
      RoleEntry &entry = addEntry(graph.nodes[norm.first].op, 0, Role::norm,
                                  "divides by the root of a mean square");
      if (i < scales.size())
        nameByParameter(entry, scales[i]);
    }
  }
}

void RoleFinder::addSensitiveOps() {
  auto add = [&](unsigned id, Role role, StringRef reason) -> RoleEntry & {
    const Node &node = graph.nodes[id];
    return addEntry(node.op, 0, role, reason);
  };
  for (const SoftmaxIdiom &softmax : flow.getSoftmaxes())
    if (!backward[softmax.output])
      add(softmax.first, Role::softmax, "softmax");
  addNorms();
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

/// Quantised ops, which the graph has no steps for.
void RoleFinder::addForeignOps() {
  auto add = [&](Operation *op) {
    if (isa<MatmulOp, tosa::MatmulTBlockScaledOp>(op))
      addEntry(op, 0, Role::quantized, "in low precision already");
  };
  FunctionOpInterface(graph.function)->walk(add);
  for (Operation *function : graph.inlined)
    function->walk(add);
}
