// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TorchSum.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <array>

using namespace llvm;

static constexpr size_t numLanes = 8;
static constexpr size_t numAccumulators = 4;
static constexpr size_t numLevels = 4;

/// What one vector instruction adds up: lanes of neighbouring elements.
using Lanes = std::array<float, numLanes>;

static void add(Lanes &sum, const float *values) {
  for (size_t lane = 0; lane < numLanes; ++lane)
    sum[lane] += values[lane];
}

/// Sums `size` rows of `numAccumulators` vectors. Every 2^power rows, the sums
/// so far move up a level, so that small terms meet small sums.
static std::array<Lanes, numAccumulators> sumRows(const float *values,
                                                  size_t size) {
  constexpr size_t rowLength = numLanes * numAccumulators;
  size_t power = std::max<size_t>(4, size > 1 ? Log2_64_Ceil(size) / 4 : 0);
  size_t step = size_t(1) << power;
  std::array<Lanes, numAccumulators> sums[numLevels] = {};
  auto addRow = [&](size_t row) {
    for (size_t k = 0; k < numAccumulators; ++k)
      add(sums[0][k], values + row * rowLength + k * numLanes);
  };
  size_t row = 0;
  while (row + step <= size) {
    for (size_t end = row + step; row < end; ++row)
      addRow(row);
    for (size_t level = 1; level < numLevels; ++level) {
      for (size_t k = 0; k < numAccumulators; ++k) {
        add(sums[level][k], sums[level - 1][k].data());
        sums[level - 1][k] = {};
      }
      if (row & ((step - 1) << (level * power)))
        break;
    }
  }
  for (; row < size; ++row)
    addRow(row);
  for (size_t level = 1; level < numLevels; ++level)
    for (size_t k = 0; k < numAccumulators; ++k)
      add(sums[0][k], sums[level][k].data());
  return sums[0];
}

float mx::detail::computeTorchSum(ArrayRef<float> values) {
  size_t numVectors = values.size() / numLanes;
  size_t numRows = numVectors / numAccumulators;
  std::array<Lanes, numAccumulators> sums = sumRows(values.data(), numRows);
  for (size_t i = numRows * numAccumulators; i < numVectors; ++i)
    add(sums[0], values.data() + i * numLanes);
  for (size_t k = 1; k < numAccumulators; ++k)
    add(sums[0], sums[k].data());
  float sum = 0;
  for (float value : values.drop_front(numVectors * numLanes))
    sum += value;
  for (float lane : sums[0])
    sum += lane;
  return sum;
}
