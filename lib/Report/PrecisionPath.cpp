// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Report/PrecisionPath.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <tuple>

using namespace llvm;
using namespace mx;

/// The hull, from the point (bits, 0) on: of what saves bits, always what loses
/// least for each; the one that saves most, if several do.
void PrecisionPath::addSteps(unsigned index, const LayerOptions &layer) {
  PrecisionOption from;
  from.bits = layer.bits;
  double slope = -HUGE_VAL;
  while (true) {
    std::optional<Step> best;
    for (const PrecisionOption &to : layer.options) {
      Step step{index, to, from.bits - to.bits, to.loss - from.loss, slope};
      if (step.savedBits <= 0)
        continue;
      step.slope = std::max(slope, step.addedLoss / step.savedBits);
      if (!best || step.slope < best->slope ||
          (step.slope == best->slope && step.savedBits > best->savedBits))
        best = step;
    }
    if (!best)
      return;
    steps.push_back(*best);
    slope = best->slope;
    from = best->to;
  }
}

PrecisionPath::PrecisionPath(ArrayRef<LayerOptions> layers)
    : numLayers(layers.size()) {
  double allBits = 0;
  for (auto [i, layer] : enumerate(layers)) {
    allBits += layer.bits;
    addSteps(i, layer);
  }
  // Slopes do not fall along a hull, so that a layer's steps stay in order.
  sort(steps, [](const Step &a, const Step &b) {
    return std::tuple(a.slope, a.layer, b.to.bits) <
           std::tuple(b.slope, b.layer, a.to.bits);
  });
  bits.push_back(allBits);
  losses.push_back(0);
  for (const Step &step : steps) {
    bits.push_back(bits.back() - step.savedBits);
    losses.push_back(losses.back() + step.addedLoss);
  }
}

SmallVector<std::optional<unsigned>> PrecisionPath::getPlan(size_t i) const {
  SmallVector<std::optional<unsigned>> plan(numLayers);
  for (const Step &step : ArrayRef(steps).take_front(i))
    plan[step.layer] = step.to.candidate;
  return plan;
}
