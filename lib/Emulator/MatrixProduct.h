// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A whole D = A B + C of wgmma and tcgen05.mma: operands decoded once, then all
// sums.

#ifndef MX_LIB_EMULATOR_MATRIXPRODUCT_H
#define MX_LIB_EMULATOR_MATRIXPRODUCT_H

#include "Descriptor.h"
#include "Dot.h"

namespace mx::ptx {

class Warp;

/// How elements lie in the bytes along K.
enum class ElementForm : uint8_t {
  /// One after the other, low bits first.
  Dense,
  /// 16 elements of four or six bits, then padding up to 16 bytes: what kind
  /// f8f6f4 and mxf8f6f4 read from shared memory.
  Padded,
  /// An element a byte, in the place that mma gives it (`unpadElement`): what
  /// these kinds read from tensor memory.
  Bytes
};

/// Rows of A, or columns of B.
class OperandRows {
public:
  /// Decodes `count` rows of 32 bytes; false if bits outside of an element are
  /// not zero.
  bool assign(Type type, ElementForm form, const uint8_t *image,
              unsigned count);
  void negate();
  unsigned getCount() const { return count; }

  /// Floating types.
  std::vector<DotRow> rows;
  /// s8 and u8, 32 a row.
  std::vector<int32_t> integers;

private:
  unsigned count = 0;
};

/// The form in shared memory of kinds f8f6f4 and mxf8f6f4 (`isWide`), or of all
/// others.
ElementForm getSharedForm(Type type, bool isWide);
/// Bytes of each 16 that hold elements.
unsigned getPayload(Type type, ElementForm form);

/// Forms sums as the launch asks for: exactly, or by the model of the module's
/// target.
class MatrixProduct {
public:
  /// `result`: f32, f16 or s32. `scales`: block scales a row.
  MatrixProduct(const Machine &machine, TensorUnit unit, Type result,
                Type element, unsigned scales, bool saturates);
  /// Hardware sums were asked for, and no model is published.
  bool isUnknown() const { return isModelMissing; }
  /// `d`, a row for each of A's: C before, D after. Of B the `count` columns
  /// from `first` on.
  void run(const OperandRows &a, const OperandRows &b, unsigned first,
           unsigned count, uint32_t *d) const;

private:
  Type result;
  std::optional<SumModel> model;
  bool isModelMissing = false, saturates;
};

/// What forms the sums of mma.sync and wmma; nothing after a fault because
/// hardware sums were asked for and no model is published.
std::optional<DotUnit> makeMmaUnit(Warp &warp, Type result, Type element,
                                   unsigned scales);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_MATRIXPRODUCT_H
