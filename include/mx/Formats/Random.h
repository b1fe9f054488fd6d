// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random bits as a pure function of (seed, offset, index): Philox4x32-10 of
// Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3"
// (SC 2011), the generator of cuRAND and PyTorch.

#ifndef MX_FORMATS_RANDOM_H
#define MX_FORMATS_RANDOM_H

#include <array>
#include <cstdint>

namespace mx {

/// One block of Philox4x32-10: four random words.
constexpr std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter,
                                             std::array<uint32_t, 2> key) {
  for (unsigned round = 0; round < 10; ++round) {
    uint64_t product0 = uint64_t(0xD2511F53) * counter[0];
    uint64_t product1 = uint64_t(0xCD9E8D57) * counter[2];
    counter = {
        uint32_t(product1 >> 32) ^ counter[1] ^ key[0], uint32_t(product1),
        uint32_t(product0 >> 32) ^ counter[3] ^ key[1], uint32_t(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

/// The block that holds the words of elements 4 * block to 4 * block + 3: the
/// counter is (block, offset), the key is the seed, each low word first.
constexpr std::array<uint32_t, 4> getRandomBlock(uint64_t seed, uint64_t offset,
                                                 uint64_t block) {
  return philox4x32({uint32_t(block), uint32_t(block >> 32), uint32_t(offset),
                     uint32_t(offset >> 32)},
                    {uint32_t(seed), uint32_t(seed >> 32)});
}

/// The random word of element `index`.
constexpr uint32_t getRandomWord(uint64_t seed, uint64_t offset,
                                 uint64_t index) {
  return getRandomBlock(seed, offset, index / 4)[index % 4];
}

} // namespace mx

#endif // MX_FORMATS_RANDOM_H
