// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is known about each value of a function from where it comes: the one
// dataflow that the rules about roles rest on.

#ifndef MX_ANALYSIS_DATAFLOW_H
#define MX_ANALYSIS_DATAFLOW_H

#include "mx/Analysis/Idioms.h"

namespace mx {

/// Where a value comes from. Ordered: what is computed from several origins
/// has the largest of them.
enum class Origin {
  /// The same in every model of this shape: numbers, positions, extents.
  Literal,
  /// Computed from parameters (and literals) only.
  Weight,
  /// Parameters, of which data chose some (an expert's weights).
  Selected,
  /// Depends on an input of the function; results of products.
  Data,
};

/// What the caller knows of a function's argument.
struct ArgumentInfo {
  Origin origin = Origin::Data;
  /// Name of the parameter in the source model, if known; and the name of the
  /// tensor that stores it, where that is another's (tied weights).
  std::string name, storedName;
};

/// A set of at most `limit` nodes; larger ones are unknown.
class SmallNodeSet {
public:
  static constexpr unsigned limit = 8;
  void insert(unsigned node);
  void insert(const SmallNodeSet &other);
  llvm::ArrayRef<unsigned> get() const { return nodes; }
  bool isKnown() const { return known; }
  bool isNone() const { return known && nodes.empty(); }

private:
  llvm::SmallVector<unsigned, 2> nodes;
  bool known = true;
};

struct Facts {
  Origin origin = Origin::Literal;
  /// Some step on the way had an element type of at most 8 bits, or turned
  /// integer weights into numbers: the value is already quantised.
  bool isLowPrecision = false;
  /// Depends on an input through floating-point values (as the choice of a
  /// router does, and token ids do not).
  bool isFromNumbers = false;
  /// A cosine, or numbers times it.
  bool isCosine = false;
  /// The products that it is an elementwise, reduced or rearranged result of.
  SmallNodeSet products;
  /// Softmaxes (indices) between those products and this value.
  SmallNodeSet softmaxes;

  /// The facts of a value that is this or `other`; true if that is news.
  bool join(const Facts &other);
};

/// The facts of each node of a graph, in one pass over it and a few more if it
/// has loops.
class Dataflow {
public:
  Dataflow(const ModelGraph &graph, llvm::ArrayRef<ArgumentInfo> arguments);

  const Facts &operator[](unsigned node) const { return facts[node]; }
  llvm::ArrayRef<SoftmaxIdiom> getSoftmaxes() const { return softmaxes; }
  llvm::ArrayRef<NormIdiom> getNorms() const { return norms; }
  /// The products that a softmax is taken of, if the node has its probabilities
  /// (masked, scaled, mixed with others) and nothing else; empty otherwise.
  SmallNodeSet getScores(unsigned node) const;

private:
  Facts compute(const ModelGraph &graph, unsigned id) const;
  void computeAll(const ModelGraph &graph,
                  llvm::ArrayRef<ArgumentInfo> arguments,
                  const llvm::DenseMap<unsigned, unsigned> &softmaxOutputs,
                  const llvm::DenseMap<unsigned, Facts> &carried);

  std::vector<Facts> facts;
  llvm::SmallVector<SoftmaxIdiom> softmaxes;
  llvm::SmallVector<NormIdiom> norms;
};

/// Guesses the origins of arguments that nobody has named: integers and
/// whatever does not look like a parameter are data; what is only ever the
/// initial value of sums is a destination, and no input. A float argument is a
/// parameter if it is the table of a gather by integers, a vector that no
/// product takes, or the operand of a product, through views and casts only,
/// without batch dimensions of its own, whose other operand is computed (and,
/// in a training step, of the elementwise steps that return its new value).
/// Where both operands of a product are arguments, the one is data that has
/// more uses, else more dimensions, else stands left.
llvm::SmallVector<ArgumentInfo> guessArguments(const ModelGraph &graph);

} // namespace mx

#endif // MX_ANALYSIS_DATAFLOW_H
