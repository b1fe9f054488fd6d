// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tests of wgmma and tcgen05 share: elements with known values, where
// TMA and the canonical layouts put them, and running a kernel.

#ifndef MX_TEST_UNIT_EMULATOR_MATRIXKERNEL_H
#define MX_TEST_UNIT_EMULATOR_MATRIXKERNEL_H

#include "mx/Emulator/Device.h"

#include <random>
#include <string>
#include <vector>

namespace mx::ptx::test {

/// Codes of a type and their values, small enough that all sums are exact.
struct Element {
  uint32_t code;
  double value;
};
const std::vector<Element> &getElements(const std::string &type);

/// Bits that an element has in memory; 4, 6, 8, 16 or 32.
unsigned getBits(const std::string &type);

/// A matrix of `rows` along M or N and `depth` along K.
struct Matrix {
  Matrix(const std::string &type, unsigned rows, unsigned depth,
         std::mt19937 &random);
  const Element &at(unsigned row, unsigned k) const {
    return elements[row * depth + k];
  }

  std::string type;
  unsigned rows, depth;
  std::vector<Element> elements;
};

/// How it lies in shared memory.
struct Layout {
  /// Bytes of a row of the swizzle pattern; 16: none.
  unsigned swizzle = 16;
  bool isMNMajor = false;
  /// Elements of four and six bits take 16 of 16 bytes, as kinds f8f6f4 and
  /// mxf8f6f4 want.
  bool isPadded = false;
};

/// Writes rows [first, first + count) to `image` from `start` on, a multiple of
/// 1024, and returns the descriptor (without the address of shared memory).
uint64_t place(const Matrix &matrix, unsigned first, unsigned count,
               const Layout &layout, bool isWgmma, std::vector<uint8_t> &image,
               unsigned start);

/// The 32 bytes of a row as they lie in registers or tensor memory: dense, or
/// an element a byte.
std::vector<uint8_t> packRow(const Matrix &matrix, unsigned row, bool isBytes);

/// PTX that copies `bytes` from global address `x` to shared address `s` with
/// 128 threads, `t` being the thread's number, and makes them known to the
/// async proxy. Uses p, i, o and v0 to v4.
std::string copyToShared(unsigned bytes);

/// Runs entry "k" of a module whose parameters are the buffers, 128 threads a
/// block; returns the error, empty if there is none. Buffers come back changed.
std::string run(const std::string &ptx, unsigned blocks, unsigned sharedBytes,
                std::vector<std::vector<uint32_t> *> buffers,
                const ExecutionOptions &options = {});

} // namespace mx::ptx::test

#endif // MX_TEST_UNIT_EMULATOR_MATRIXKERNEL_H
