// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Softmax and normalisation, in whatever steps a front end spells them.

#ifndef MX_ANALYSIS_IDIOMS_H
#define MX_ANALYSIS_IDIOMS_H

#include "mx/Analysis/ModelGraph.h"

namespace mx {

/// exp(x - m) / sum of it: m the maximum or nothing; the division by the sum, a
/// multiplication by its reciprocal, or exp of x minus the logarithm of it; or
/// a loop that carries the sum (flash attention). A log-softmax, which takes no
/// exp after the logarithm, is none.
struct SoftmaxIdiom {
  /// What exp is taken of, and the normalised result (of a loop: exp itself).
  unsigned input, output;
  /// The first reduction: the maximum if there is one, else the sum.
  unsigned first;
  /// Number of elements that sum to one; kDynamic if not known.
  int64_t extent;
};

/// x or x - mean(x), divided by the root of the mean of its squares (over any
/// dimensions, any epsilon). Without a division by a number of elements it is
/// a unit vector and no normalisation layer.
struct NormIdiom {
  /// The scaled values, before weight and bias.
  unsigned output;
  /// The first of its reductions.
  unsigned first;
};

llvm::SmallVector<SoftmaxIdiom> findSoftmaxes(const ModelGraph &graph);
llvm::SmallVector<NormIdiom> findNorms(const ModelGraph &graph);

/// 1 / (1 + exp(-x)), at its division.
bool isSigmoid(const ModelGraph &graph, const Node &node);

} // namespace mx

#endif // MX_ANALYSIS_IDIOMS_H
