// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a wgmma.mma_async does when it takes effect (PTX ISA 9.7.15.5).

#ifndef MX_LIB_EMULATOR_WGMMAPRODUCT_H
#define MX_LIB_EMULATOR_WGMMAPRODUCT_H

#include "MatrixProduct.h"
#include "Warp.h"
#include "Warpgroup.h"

namespace mx::ptx {

/// What a wgmma.mma_async is, from its modifiers and operands.
struct WgmmaForm {
  Type d, a, b;
  unsigned columns = 0;
  bool isRegisterA = false;
  bool negatesA = false, negatesB = false;
  bool isMNMajorA = false, isMNMajorB = false;
};

/// All that the product needs when it takes effect.
struct WgmmaProduct {
  static constexpr unsigned numRows = 64;

  Warp *warps[Warpgroup::numWarps];
  const Decoded *decoded;
  WgmmaForm form;
  bool accumulates;
  SharedOperand a, b;

  void run(const MatrixProduct &product);

private:
  void gatherRegisters(uint8_t *image) const;
  /// Calls f(m, n, lanes of the register, warp, lane, shift) for D.
  template <typename F> void forEachResult(F f) const;
};

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_WGMMAPRODUCT_H
