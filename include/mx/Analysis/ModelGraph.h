// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A function as a graph of what is computed, independent of how a front end
// spells it: views, casts and copies are looked through, and the body of each
// linalg op is taken apart into elementwise steps, reductions and products.
// The rules about roles (Roles.h) are written on this graph.

#ifndef MX_ANALYSIS_MODELGRAPH_H
#define MX_ANALYSIS_MODELGRAPH_H

#include "mx/Analysis/Contraction.h"
#include "mx/IR/ProductShape.h"

#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallBitVector.h"

#include <optional>
#include <vector>

namespace mx {

/// What a node computes from its operands.
enum class NodeKind {
  /// An argument of the function.
  Argument,
  /// A tensor constant that holds data (no splat), with or without a blob.
  Constant,
  /// A scalar, a splat, uninitialised memory, an extent.
  Literal,
  /// The position along a dimension.
  Index,
  /// A scalar step, applied to each element; `code` says which.
  Elementwise,
  /// A reduction by `code` over `reducedExtent` elements.
  Reduce,
  /// A contraction of operand 0 with operand 1.
  Product,
  /// A convolution.
  Convolution,
  /// Softmax as one op.
  Softmax,
  /// Elements of operand 0 at positions given by the other operands.
  Gather,
  /// Anything else: calls of unknown functions, sorts, unregistered ops.
  Opaque,
};

/// Steps that the rules distinguish; all others are `Other`.
enum class NodeCode {
  Other,
  Add,
  Sub,
  Mul,
  Div,
  Neg,
  Square,
  Exp,
  Log,
  Sqrt,
  Rsqrt,
  Tanh,
  Sigmoid,
  Cos,
  Sin,
  Max,
  Min,
  ArgMax,
  Compare,
  Select,
  IntToFloat,
  /// One of several values, or all of them side by side: concatenations,
  /// results of branches, what a loop carries.
  Join,
};

struct Node {
  struct Edge {
    unsigned node;
    /// The operand is the same along a dimension (of an extent other than one)
    /// in which the result of this step has extent: it is broadcast.
    bool isBroadcast = false;
  };

  NodeKind kind;
  NodeCode code = NodeCode::Other;
  /// The op that computes it; null for an argument.
  mlir::Operation *op = nullptr;
  /// The SSA value of an argument or constant.
  mlir::Value value;
  /// Type of one element.
  mlir::Type elementType;
  /// Index into ModelGraph::products, for a product.
  unsigned product = 0;
  /// Number of elements that are reduced to one; kDynamic if not known.
  int64_t reducedExtent = 1;
  /// Number of dimensions of what is gathered from.
  unsigned tableRank = 0;
  llvm::SmallVector<Edge, 2> operands;
  /// Nodes that have this one as an operand, in their order, once an edge.
  llvm::SmallVector<unsigned, 2> users;
  /// A function returns it, or an op without results (a store) takes it.
  bool isReturned = false;
  /// Adds a reduction or product (operand 0) to its initial value (operand 1).
  bool isAccumulation = false;
};

struct Product {
  Contraction contraction;
  unsigned node;
  /// A batch dimension along which one operand is broadcast counts to the
  /// other's own.
  ProductShape shape;
  /// Operand differs along a batch dimension of an extent other than one.
  bool lhsHasBatch = false, rhsHasBatch = false;
  /// Dimensions of the value of each operand's node along which it sums; those
  /// that are not known are left out.
  llvm::SmallVector<int64_t, 2> lhsReduced, rhsReduced;
};

/// The function whose body a call stands for; null if that is not known here.
using CalleeResolver =
    llvm::function_ref<mlir::FunctionOpInterface(mlir::CallOpInterface)>;

class ModelGraph {
public:
  /// Builds the graph of a function with a body in one walk. Calls that
  /// `resolveCallee` knows are looked into, unless they are recursive or a
  /// hundred nested calls of calls would make the graph huge.
  ModelGraph(mlir::FunctionOpInterface function, CalleeResolver resolveCallee);

  mlir::Block &getEntryBlock() const {
    return mlir::FunctionOpInterface(function).getFunctionBody().front();
  }

  mlir::FunctionOpInterface function;
  /// In an order in which operands come before their users.
  std::vector<Node> nodes;
  std::vector<Product> products;
  /// What a loop carries, and the value that the next iteration gets of it.
  std::vector<std::pair<unsigned, unsigned>> backEdges;
  /// The functions that were looked into.
  llvm::DenseSet<mlir::Operation *> inlined;

  /// The node of a value of the function's body; none for values inside of ops
  /// that are isolated from it.
  std::optional<unsigned> getNode(mlir::Value value) const {
    auto it = refs.find(value);
    return it == refs.end() ? std::nullopt : std::optional(it->second.node);
  }

  const Node &operand(const Node &node, unsigned i) const {
    return nodes[node.operands[i].node];
  }

private:
  friend class GraphBuilder;
  /// A value: its node, and in which dimensions of an extent other than one it
  /// may differ.
  struct Ref {
    unsigned node;
    llvm::SmallBitVector varies;
    /// The dimension of the node's own value that each dimension walks; none
    /// where that is several or not known. Empty: all unknown.
    llvm::SmallVector<std::optional<int64_t>, 4> dims = {};

    std::optional<int64_t> getDim(unsigned i) const {
      return i < dims.size() ? dims[i] : std::nullopt;
    }
  };
  llvm::DenseMap<mlir::Value, Ref> refs;
};

} // namespace mx

#endif // MX_ANALYSIS_MODELGRAPH_H
