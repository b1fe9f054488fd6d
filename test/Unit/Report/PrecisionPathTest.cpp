// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Report/PrecisionPath.h"

#include "gtest/gtest.h"

#include <random>

using namespace mx;

namespace {

/// The smallest loss of any plan of at most `bits`, by trying all.
double findLeastLoss(llvm::ArrayRef<LayerOptions> layers, double bits) {
  if (layers.empty())
    return bits >= 0 ? 0 : HUGE_VAL;
  const LayerOptions &layer = layers.front();
  double least = findLeastLoss(layers.drop_front(), bits - layer.bits);
  for (const PrecisionOption &option : layer.options)
    least = std::min(least, option.loss + findLeastLoss(layers.drop_front(),
                                                        bits - option.bits));
  return least;
}

TEST(PrecisionPath, KeepsAllWithoutOptions) {
  PrecisionPath path({LayerOptions{64, {}}, LayerOptions{32, {}}});
  EXPECT_EQ(path.getNumPlans(), 1u);
  EXPECT_EQ(path.getBits(0), 96);
  EXPECT_EQ(path.getLoss(0), 0);
  for (auto candidate : path.getPlan(0))
    EXPECT_FALSE(candidate);
}

/// What costs bits, and what saves fewer for more loss, is never chosen.
TEST(PrecisionPath, LeavesOutWhatIsDominated) {
  LayerOptions layer{32, {}};
  layer.options = {{0, 8, 1}, {1, 10, 5}, {2, 40, 0}, {3, 4, 9}};
  PrecisionPath path(layer);
  ASSERT_EQ(path.getNumPlans(), 3u);
  EXPECT_EQ(path.getPlan(1)[0], 0u);
  EXPECT_EQ(path.getPlan(2)[0], 3u);
  EXPECT_EQ(path.getBits(2), 4);
  EXPECT_EQ(path.getLoss(2), 9);
}

/// No plan of as many bits is better than one of the path.
TEST(PrecisionPath, IsOptimalAtItsSteps) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> bits(1, 40), loss(1, 100);
  for (int repetition = 0; repetition < 50; ++repetition) {
    std::vector<LayerOptions> layers(5);
    for (LayerOptions &layer : layers) {
      layer.bits = 32;
      for (unsigned i = 0; i < 3; ++i)
        layer.options.push_back(
            {i, double(bits(random)), double(loss(random))});
    }
    PrecisionPath path(layers);
    for (size_t i = 0; i < path.getNumPlans(); ++i) {
      double allBits = 0, allLoss = 0;
      for (auto [layer, candidate] : llvm::zip(layers, path.getPlan(i))) {
        allBits += candidate ? layer.options[*candidate].bits : layer.bits;
        allLoss += candidate ? layer.options[*candidate].loss : 0;
      }
      EXPECT_EQ(path.getBits(i), allBits);
      EXPECT_NEAR(path.getLoss(i), allLoss, 1e-9);
      EXPECT_NEAR(findLeastLoss(layers, allBits), allLoss, 1e-9);
    }
  }
}

} // namespace
