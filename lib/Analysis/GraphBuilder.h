// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds a ModelGraph: ModelGraph.cpp the ops of a block, RegionGraph.cpp
// loops, branches and calls, LinalgGraph.cpp what one linalg op computes,
// TosaGraph.cpp what a TOSA op does.

#ifndef MX_LIB_ANALYSIS_GRAPHBUILDER_H
#define MX_LIB_ANALYSIS_GRAPHBUILDER_H

#include "mx/Analysis/ModelGraph.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"

namespace mx {

/// What is yielded for the init of a reduction: the code, and the value of the
/// body that is reduced (null: several, or not recognised).
struct Reduction {
  NodeCode code = NodeCode::Other;
  mlir::Value input;
};

/// One walk over a function, each op once.
class GraphBuilder {
public:
  GraphBuilder(ModelGraph &graph, CalleeResolver resolveCallee)
      : graph(graph), resolveCallee(resolveCallee) {}

  void buildFunction();

private:
  using Ref = ModelGraph::Ref;

  Ref getRef(mlir::Value value);
  void setRef(mlir::Value value, Ref ref) {
    graph.refs[value] = std::move(ref);
  }
  unsigned addNode(NodeKind kind, NodeCode code, mlir::Operation *op,
                   mlir::Type type, llvm::ArrayRef<Node::Edge> operands = {});
  /// A step whose result and operands live in one space of `rank` dimensions.
  Ref addStep(NodeKind kind, NodeCode code, mlir::Operation *op,
              mlir::Type type, llvm::ArrayRef<Ref> operands, unsigned rank);

  void buildBlock(mlir::Block &block);
  void addArgument(mlir::BlockArgument argument);
  void buildOp(mlir::Operation *op);
  void buildOpaque(mlir::Operation *op);
  void buildConstant(mlir::Value value, mlir::Attribute data);
  void buildReshape(mlir::Value from, mlir::Value to,
                    llvm::ArrayRef<mlir::ReassociationIndices> reassociation);
  /// The result of `op` as a step whose operands are whole values.
  unsigned buildValueStep(mlir::Operation *op, NodeKind kind, NodeCode code,
                          mlir::ValueRange operands);
  /// The result of `op` is elements of `source`.
  void buildView(mlir::Operation *op, mlir::Value source);
  void buildTranspose(mlir::Value from, mlir::Value to,
                      llvm::ArrayRef<int32_t> permutation);
  void buildTosa(mlir::Operation *op);
  void buildTosaReshape(mlir::Value from, mlir::Value to);

  // Loops, branches and calls.
  void buildRegions(mlir::RegionBranchOpInterface op);
  /// Looks into the callee; false if it does not.
  bool buildCall(mlir::CallOpInterface call);

  /// An arith or math op on scalars or whole tensors, outside of a linalg body;
  /// false if it is something else.
  bool buildScalarStep(mlir::Operation *op);

  // The body of one linalg op; values of the body in the space of its loops.
  using BodyRefs = llvm::DenseMap<mlir::Value, Ref>;
  void buildLinalg(mlir::linalg::LinalgOp op);
  /// An operand as the body sees it.
  Ref readOperand(mlir::linalg::LinalgOp op, mlir::OpOperand &operand);
  /// `value` as loops that read it by `map` see it.
  Ref readValue(mlir::Value value, mlir::AffineMap map);
  Ref getBodyRef(mlir::linalg::LinalgOp op, mlir::Value value,
                 const BodyRefs &known);
  Ref buildStep(mlir::linalg::LinalgOp op, mlir::Operation *step,
                const BodyRefs &known);
  /// Builds the steps that `wanted` values depend on, and no others: the one
  /// which combines with an accumulator, and assertions, are not part of the
  /// graph.
  void buildBody(mlir::linalg::LinalgOp op, llvm::ArrayRef<mlir::Value> wanted,
                 BodyRefs &known);
  /// `known` has the factors that the op computes.
  Ref buildProduct(const Contraction &contraction, const BodyRefs &known);
  Ref buildReduction(mlir::linalg::LinalgOp op, unsigned result,
                     const Reduction &reduction, const BodyRefs &known);

  ModelGraph &graph;
  CalleeResolver resolveCallee;
  /// Functions that are being looked into, the outermost first.
  llvm::SmallVector<mlir::Operation *> callStack;
};

/// Rank of a shaped type; 0 of scalars and unranked types.
unsigned getRank(mlir::Type type);
/// The dimensions of a value that is a node's own: each walks itself.
llvm::SmallVector<std::optional<int64_t>, 4> getOwnDims(unsigned rank);
/// Dimensions of an extent other than one.
llvm::SmallBitVector getNonUnitDims(mlir::Type type);

/// True if `op` is a conversion that keeps the number what it is, or nearly.
bool isLookedThrough(mlir::Operation *op);
/// What an arith or math op does to each element.
NodeCode getCode(mlir::Operation *op);

} // namespace mx

#endif // MX_LIB_ANALYSIS_GRAPHBUILDER_H
