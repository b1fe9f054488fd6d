// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules about roles. In the order in which they are tried:
//  1. a product of values that are in low precision already is `quantized`;
//  2. a product of data with a weight is `linear`; `expert`, if data chose the
//     weight among several (Roles.cpp);
//  3. a weight that is summed along another dimension than before, where there
//     are gradients of weights too, starts the backward pass: that is `dgrad`,
//     a layer's data times what came of it `wgrad`, and either has the role of
//     its forward product (Gradients.cpp);
//  4. a softmax whose argument comes from products of data and whose result is
//     multiplied by data makes those attention: scores, then context; so are
//     matrices that mix heads between them; products of the backward pass with
//     what those multiply are their `dgrad`;
//  5. a product that only feeds cosines is `rotary`;
//  6. a layer whose softmax, selection, or (width one) sigmoid scales or
//     chooses other branches is a `router`; what that scales is made by
//     `expert`s;
//  7. a layer that ends in the results and is as wide as a vocabulary is the
//     `lm_head` (Gates.cpp);
//  8. any other product is `other`.

#ifndef MX_LIB_ANALYSIS_ROLEFINDER_H
#define MX_LIB_ANALYSIS_ROLEFINDER_H

#include "GateWalk.h"
#include "mx/Analysis/Roles.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"

namespace mx {

/// Decides about all products of one function; then makes its entries.
class RoleFinder {
public:
  RoleFinder(const ModelGraph &graph, llvm::ArrayRef<ArgumentInfo> arguments);

  std::vector<RoleEntry> run();

private:
  /// What is decided about one product.
  struct ProductRole {
    Role role = Role::other;
    std::optional<unsigned> weight;
    /// Of a gradient: which one, and the product that it is the gradient of.
    std::optional<Gemm> gemm;
    std::optional<unsigned> forward;
    const char *reason = "product of two values that no rule covers";
    /// Why it must not be rewritten; null if it may.
    const char *blocker = nullptr;
  };
  /// What tells a head from other layers that end in the results.
  struct HeadEvidence {
    llvm::DenseSet<unsigned> tables;
    llvm::StringMap<char> tableNames;
    llvm::DenseSet<int64_t> vocabularies;
    /// Layers by the number of rows that go through them.
    llvm::DenseMap<int64_t, unsigned> rows;
    bool hasAttention = false, hasConvolution = false;
  };

  // Roles.cpp
  void findNormOutputs();
  void findWeights();
  void findEmbeddings();
  void findAttention();
  std::optional<unsigned> getOnlyProduct(unsigned id) const;
  bool mixesHeads(unsigned p, const SmallNodeSet &scores,
                  bool again = false) const;
  void findRotaryTables();

  // Gradients.cpp
  void findBackwardPass();
  void markBackward(llvm::ArrayRef<unsigned> products);
  llvm::SmallVector<unsigned> findWeightGradients();
  void findAttentionGradients();
  void nameGradients();

  // Gates.cpp
  void findRouters();
  void markExperts(unsigned router, llvm::ArrayRef<Gate> gates);
  void findHeads();
  HeadEvidence getHeadEvidence() const;
  const char *getHeadReason(unsigned p, const HeadEvidence &evidence,
                            const GateWalk &walk) const;

  // RoleEntries.cpp
  void addProducts();
  void addSensitiveOps();
  void addNorms();
  void addForeignOps();
  RoleEntry &addEntry(mlir::Operation *op, unsigned result, Role role,
                      llvm::StringRef reason);
  void nameByParameter(RoleEntry &entry, std::optional<unsigned> parameter,
                       bool stored = false);

  /// Computed from parameters only, or a matrix of one number, which elsewhere
  /// would be a literal.
  bool isOfParameters(unsigned id) const;
  /// Both operands depend on an input.
  bool isOfData(unsigned p) const;
  /// The parameter with most dimensions that `id` is computed from, along
  /// parameters only.
  std::optional<unsigned> findParameter(unsigned id) const;
  /// The name of a parameter. Of tied ones, `stored` asks for that of the
  /// tensor which a checkpoint has (an embedding's), else it is that of a user
  /// (a head's) that is not the stored one.
  std::string getParameterName(unsigned id, bool stored) const;

  bool isBackward(unsigned p) const { return backward[graph.products[p].node]; }
  bool is(unsigned p, Role role) const { return roles[p].role == role; }
  const Node &node(unsigned p) const {
    return graph.nodes[graph.products[p].node];
  }
  // Of a product that has a weight: the nodes of its operands, the number of
  // outputs of the layer, and of the rows that go through it.
  unsigned weightNode(unsigned p) const {
    return node(p).operands[*roles[p].weight].node;
  }
  unsigned dataNode(unsigned p) const {
    return node(p).operands[1 - *roles[p].weight].node;
  }
  int64_t width(unsigned p) const {
    const ProductShape &shape = graph.products[p].shape;
    return *roles[p].weight == 0 ? shape.m : shape.n;
  }
  int64_t rows(unsigned p) const;

  const ModelGraph &graph;
  llvm::ArrayRef<ArgumentInfo> arguments;
  Dataflow flow;
  std::vector<ProductRole> roles;
  /// Nodes of the backward pass.
  llvm::BitVector backward;
  /// Stored name of tied parameters to the name of one that is tied to it.
  llvm::StringMap<llvm::StringRef> tiedUsers;
  /// Gathers that are embeddings, and the node of the table of each.
  llvm::SmallVector<std::pair<unsigned, unsigned>> embeddings;
  /// Outputs of norms, with their weight and bias.
  llvm::DenseSet<unsigned> normOutputs;
  std::vector<RoleEntry> entries;
};

} // namespace mx

#endif // MX_LIB_ANALYSIS_ROLEFINDER_H
