// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order in which layers give up bits, from what each loses by it.

#ifndef MX_REPORT_PRECISIONPATH_H
#define MX_REPORT_PRECISIONPATH_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>
#include <vector>

namespace mx {

/// What one candidate format makes of a layer.
struct PrecisionOption {
  unsigned candidate = 0;
  /// Of all weights of the layer.
  double bits = 0;
  /// Any measure that may be added up over layers and is 0 for a layer that
  /// stays as it is.
  double loss = 0;
};

struct LayerOptions {
  /// Of all weights of the layer as they are.
  double bits = 0;
  llvm::SmallVector<PrecisionOption, 4> options;
};

/// A sequence of plans, from one that keeps all layers to the one of fewest
/// bits: each changes one layer of the plan before it.
///
/// The steps of a layer are the lower convex hull of its options in the plane
/// of bits and loss; those of all layers are taken in the order of the loss for
/// each bit that they save. No plan of as many bits as one of these has a
/// smaller sum of losses: the greedy solution of the multiple-choice knapsack
/// problem (Sinha and Zoltners, 1979), exact at its steps.
class PrecisionPath {
public:
  explicit PrecisionPath(llvm::ArrayRef<LayerOptions> layers);

  /// At least 1.
  size_t getNumPlans() const { return bits.size(); }
  /// Of all layers under plan `i`.
  double getBits(size_t i) const { return bits[i]; }
  double getLoss(size_t i) const { return losses[i]; }
  /// The candidate of each layer under plan `i`; none for one that is kept.
  llvm::SmallVector<std::optional<unsigned>> getPlan(size_t i) const;

private:
  struct Step {
    unsigned layer;
    PrecisionOption to;
    double savedBits;
    double addedLoss;
    /// Loss for each bit that is saved; no less than that of the step before it
    /// in the same layer, however they are rounded.
    double slope;
  };
  void addSteps(unsigned index, const LayerOptions &layer);

  size_t numLayers;
  std::vector<Step> steps;
  /// By plan.
  std::vector<double> bits, losses;
};

} // namespace mx

#endif // MX_REPORT_PRECISIONPATH_H
