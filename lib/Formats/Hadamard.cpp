// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Formats/Hadamard.h"

#include "mx/Formats/Random.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

#include <cassert>
#include <cmath>

using namespace llvm;
using namespace mx;

Hadamard Hadamard::getPlain(int64_t size) {
  return {SmallVector<int8_t>(size, 1)};
}

Hadamard Hadamard::getTransformerEngine() {
  return {{1, 1, 1, -1, 1, -1, -1, -1, -1, -1, -1, 1, -1, 1, -1, -1}};
}

Hadamard Hadamard::getSeeded(int64_t size, uint64_t seed) {
  Hadamard transform;
  for (int64_t i = 0; i < size; ++i) {
    uint32_t word = getRandomBlock(seed, /*offset=*/0, i / 128)[i / 32 % 4];
    transform.signs.push_back(word >> (i % 32) & 1 ? -1 : 1);
  }
  return transform;
}

void Hadamard::apply(MutableArrayRef<float> row) const {
  size_t n = signs.size();
  assert(isPowerOf2_64(n) && row.size() % n == 0 && "groups do not fit");
  float scale = float(1 / std::sqrt(double(n)));
  SmallVector<float> sum(n);
  for (; !row.empty(); row = row.drop_front(n)) {
    llvm::fill(sum, 0.0f);
    // The order of additions is the definition's; butterflies round otherwise.
    for (size_t i = 0; i < n; ++i) {
      float x = row[i] * signs[i];
      for (size_t j = 0; j < n; ++j)
        // H_ij is -1 where i and j share an odd number of bits.
        sum[j] += llvm::popcount(i & j) & 1 ? -x : x;
    }
    for (size_t j = 0; j < n; ++j)
      row[j] = sum[j] * scale;
  }
}
