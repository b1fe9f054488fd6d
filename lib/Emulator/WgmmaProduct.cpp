// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "WgmmaProduct.h"

#include <cstring>

using namespace mx::ptx;

/// Thread t = 32 w + lane has, in register i, four bytes of row
/// 16 w + lane / 4 + 8 (i & 1) from byte 4 (lane & 3) + 16 (i >> 1) on.
void WgmmaProduct::gatherRegisters(uint8_t *image) const {
  for (unsigned w = 0; w < Warpgroup::numWarps; ++w)
    for (auto [i, value] : llvm::enumerate(decoded->vector(1))) {
      const uint64_t *lanes = warps[w]->lanes(value);
      for (unsigned lane = 0; lane < warpSize; ++lane) {
        unsigned row = 16 * w + lane / 4 + 8 * (i & 1);
        unsigned byte = 4 * (lane & 3) + 16 * (i >> 1);
        uint32_t bits = lanes[lane];
        std::memcpy(image + row * operandBytes + byte, &bits, 4);
      }
    }
}

/// Thread t has, in its 32-bit value i, row 16 w + lane / 4 + 8 ((i >> 1) & 1)
/// and column 2 (lane & 3) + (i & 1) + 8 (i >> 2); two f16 share a register.
template <typename F> void WgmmaProduct::forEachResult(F f) const {
  bool isHalf = form.d == Type::F16;
  for (unsigned w = 0; w < Warpgroup::numWarps; ++w)
    for (unsigned i = 0; i < form.columns / 2; ++i) {
      uint64_t *lanes = warps[w]->lanes(decoded->vector(0)[isHalf ? i / 2 : i]);
      for (unsigned lane = 0; lane < warpSize; ++lane)
        f(16 * w + lane / 4 + 8 * (i >> 1 & 1),
          2 * (lane & 3) + (i & 1) + 8 * (i >> 2), lanes[lane],
          isHalf ? 16 * (i & 1) : 0);
    }
}

void WgmmaProduct::run(const MatrixProduct &product) {
  static thread_local OperandRows rowsA, rowsB;
  uint8_t image[256 * operandBytes];
  if (form.isRegisterA)
    gatherRegisters(image);
  else
    a.gather(image);
  rowsA.assign(form.a, ElementForm::Dense, image, numRows);
  b.gather(image);
  rowsB.assign(form.b, ElementForm::Dense, image, form.columns);
  if (form.negatesA)
    rowsA.negate();
  if (form.negatesB)
    rowsB.negate();
  uint64_t mask = form.d == Type::F16 ? 0xFFFF : UINT32_MAX;
  std::vector<uint32_t> d(numRows * form.columns);
  if (accumulates)
    forEachResult([&](unsigned m, unsigned n, uint64_t &bits, unsigned shift) {
      d[m * form.columns + n] = bits >> shift & mask;
    });
  product.run(rowsA, rowsB, 0, form.columns, d.data());
  forEachResult([&](unsigned m, unsigned n, uint64_t &bits, unsigned shift) {
    bits = (bits & ~(mask << shift) & UINT32_MAX) |
           uint64_t(d[m * form.columns + n]) << shift;
  });
}
