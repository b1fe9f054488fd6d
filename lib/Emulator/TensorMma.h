// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One tcgen05.mma, from its start to its effect (PTX ISA 9.7.16.10).

#ifndef MX_LIB_EMULATOR_TENSORMMA_H
#define MX_LIB_EMULATOR_TENSORMMA_H

#include "InstructionDescriptor.h"
#include "MatrixProduct.h"
#include "Tcgen05.h"

namespace mx::ptx {

/// Columns of a row of A in tensor memory.
inline constexpr unsigned operandColumns = operandBytes / 4;
/// Lanes of a quadrant of tensor memory; a row's scale factors are in all four.
inline constexpr unsigned quadrant = 32;

/// Kinds whose elements of four and six bits take a byte each.
inline bool isWideKind(MmaKind kind) {
  return kind == MmaKind::F8F6F4 || kind == MmaKind::MXF8F6F4;
}

/// An instruction, with all that it needs when it takes effect.
struct TensorMma {
  MmaForm form;
  Block *blocks[2];
  TensorAddress d, a, scaleA, scaleB;
  bool isTensorA = false, accumulates = false;
  /// D counts 2^-scaleInput of its value.
  unsigned scaleInput = 0;
  /// Lanes of each block's D that are not written.
  LaneMask disabled[2];
  SharedOperand sharedA[2], sharedB[2];

  /// Rows of A that a block has; B's columns are divided alike.
  unsigned getRows() const { return form.m / form.ctas; }
  /// cta_group::2 with M = 128: the halves of N lie in different lanes
  /// (layout B).
  bool isSplit() const { return form.ctas == 2 && form.m == 128; }
  unsigned getColumns() const { return isSplit() ? form.n / 2 : form.n; }
  /// The lane of D's element (`row` of the block, n): layouts A, B, D and F.
  unsigned getLane(unsigned row, unsigned n) const {
    if (isSplit())
      return row + (n >= form.n / 2 ? 64 : 0);
    return form.m == 64 ? row / 16 * quadrant + row % 16 + d.lane : row;
  }
  LaneMask getLanes() const;
  unsigned getScaleColumnsA() const {
    return (getRows() + quadrant - 1) / quadrant;
  }
  unsigned getScaleColumnsB() const {
    return (getColumns() + quadrant - 1) / quadrant;
  }

  void run(const MatrixProduct &product, AsyncOperation &self) const;

private:
  bool gatherA(unsigned cta, unsigned half, OperandRows &rows,
               AsyncOperation &self) const;
  bool gatherB(OperandRows &rows) const;
  bool setScales(unsigned cta, OperandRows &rows, TensorAddress place,
                 unsigned id, unsigned half, bool isA,
                 AsyncOperation &self) const;
};

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_TENSORMMA_H
