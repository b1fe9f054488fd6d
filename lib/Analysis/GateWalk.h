// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the result of one product goes, as long as nothing else is mixed in:
// how a router's scores and a head's logits are told from other layers.

#ifndef MX_LIB_ANALYSIS_GATEWALK_H
#define MX_LIB_ANALYSIS_GATEWALK_H

#include "mx/Analysis/Dataflow.h"

#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseSet.h"

#include <optional>

namespace mx {

/// The product's values scale or choose something else.
struct Gate {
  /// What is scaled; none if weights or rows are chosen by position.
  std::optional<unsigned> branch;
  /// On the way: a softmax over all outputs of the product, or a choice of the
  /// largest (argmax, sort); a sigmoid.
  bool isSelection = false, isSigmoid = false;
};

struct GateUses {
  llvm::SmallVector<Gate, 2> gates;
  /// All that is computed from the product ends in the function's results, and
  /// is mixed with parameters, numbers and integers only (before a backward
  /// pass, also with inputs: targets and masks).
  bool endsInResults = false;
};

class GateWalk {
public:
  /// Nodes of a `backward` pass are not looked at; what is only used by them
  /// counts as a result.
  GateWalk(const ModelGraph &graph, const Dataflow &flow,
           const llvm::BitVector &backward);

  /// Follows the users of `product`, whose layer has `width` outputs.
  GateUses run(unsigned product, int64_t width) const;

private:
  const ModelGraph &graph;
  const Dataflow &flow;
  const llvm::BitVector &backward;
  llvm::DenseMap<unsigned, unsigned> softmaxOutputs;
  /// Integers that an iteration of a loop hands to the next.
  llvm::DenseSet<unsigned> tokens;
};

} // namespace mx

#endif // MX_LIB_ANALYSIS_GATEWALK_H
