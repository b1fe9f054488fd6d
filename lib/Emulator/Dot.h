// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of tensor cores: D = sum of a[k] b[k] (times block scales) + C
// for one element of D. Rows of A and columns of B are decoded once and then
// used for many sums.

#ifndef MX_LIB_EMULATOR_DOT_H
#define MX_LIB_EMULATOR_DOT_H

#include "mx/Emulator/Types.h"

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <optional>

namespace mx::ptx {

/// A row of A, or a column of B, along K.
class DotRow {
public:
  static constexpr unsigned maxSize = 64, maxBlocks = 4;

  /// Decodes `codes`, an element each in the low bits. E2M1 is the bare four
  /// bits; of tf32 the low 13 bits are ignored (truncated).
  void assign(Type type, llvm::ArrayRef<uint32_t> codes);
  /// The scale of each of as many equal blocks of the row (UE8M0, or UE4M3,
  /// whose sign bit is ignored; NaN makes the block NaN). To be called after
  /// `assign`, which leaves the row without scales.
  void setScales(Type type, llvm::ArrayRef<uint8_t> codes);
  /// Changes the signs of all elements.
  void negate();

private:
  friend class DotUnit;

  void widen(double value, int minExponent, unsigned place);

  unsigned size = 0, blocks = 0;
  bool isFinite = true;
  /// Values that are not zero are multiples of 2^low and less than 2^high.
  int low = 0, high = 0;
  double values[maxSize];
  /// Of the values, not below the type's least; -126 for zero.
  int16_t exponents[maxSize];
  double scales[maxBlocks];
  int16_t scaleExponents[maxBlocks];
};

/// The bits of an E2M1, E2M3 or E3M2 element's byte (kind::f8f6f4 and
/// kind::mxf8f6f4, PTX ISA 9.7.14.5) that lie outside the element; what they do
/// is not documented, so they have to be zero. 0 for other types.
uint32_t getPaddingMask(Type type);
/// The element in such a byte: E2M1 lies in bits 5 to 2.
inline uint32_t unpadElement(Type type, uint32_t byte) {
  return type == Type::E2M1 ? byte >> 2 : byte;
}

enum class TensorUnit : uint8_t { MmaSync, Wgmma, Tcgen05 };

/// Sums as a generation's tensor cores form them, from MMA-Sim (arXiv
/// 2511.10909): the terms (products and C) are truncated toward zero at 2^(e -
/// fractionBits), with e the greatest exponent among them, and their exact sum
/// is rounded.
struct SumModel {
  enum Kind : uint8_t {
    /// Groups of products one after another, low k first, each with the sum so
    /// far as its C.
    Fused,
    /// Terms are exact sums of 16 products times both scales (mxf4, mxf4nvf4).
    Scaled,
    /// FP8 mma.sync where ptxas expands it: two fused sums of f16, over k mod 4
    /// in {0, 1} and then {2, 3}, and an addition of C.
    Halves
  };
  Kind kind = Fused;
  /// Products that are summed at once.
  uint8_t group = 64;
  uint8_t fractionBits = 25;
  /// Mantissa bits of an f32 result, which is rounded toward zero. f16 results
  /// are rounded to nearest even.
  uint8_t mantissaBits = 23;
};

/// The model for elements of `type` with so many block scales a row (0: none)
/// on `target` ("sm_90a"); none is published for some.
std::optional<SumModel> getSumModel(llvm::StringRef target, TensorUnit unit,
                                    Type type, unsigned scales);

/// Forms sums in the way that a launch asks for.
class DotUnit {
public:
  /// `result` is the type of C and D, f32 or f16. Without a model sums are
  /// exact with one rounding to nearest even.
  DotUnit(Type result, std::optional<SumModel> model)
      : result(result), model(model) {}

  /// The bits of a . b + c; rows have the same size and number of scales.
  uint32_t operator()(const DotRow &a, const DotRow &b, uint32_t c) const;

private:
  uint32_t sumExactly(const DotRow &a, const DotRow &b, double c) const;
  uint32_t sumSpecial(const DotRow &a, const DotRow &b, double c) const;
  template <bool AsHalf>
  double addFused(const DotRow &a, const DotRow &b, double c,
                  llvm::ArrayRef<uint8_t> places) const;
  double addScaled(const DotRow &a, const DotRow &b, double c) const;
  double roundSum(double value) const;
  uint32_t encode(double value) const;

  Type result;
  std::optional<SumModel> model;
};

/// The same of integers (kind i8): wraps modulo 2^32, or saturates.
int32_t dotInteger(llvm::ArrayRef<int32_t> a, llvm::ArrayRef<int32_t> b,
                   int32_t c, bool saturate);

} // namespace mx::ptx

#endif // MX_LIB_EMULATOR_DOT_H
