// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What mma.sync has to give: fragments from a table (Inputs/fragments.tsv:
// lane, register, places of the elements), sums from integers of any width.

#ifndef MX_TEST_UNIT_EMULATOR_MMAREFERENCE_H
#define MX_TEST_UNIT_EMULATOR_MMAREFERENCE_H

#include "Execute.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstdlib>
#include <map>
#include <random>

namespace mx::ptx::test::mma {

using llvm::APFloat;
using llvm::APInt;
using llvm::RoundingMode;
using llvm::StringRef;

struct Place {
  unsigned row, column;
};
/// fragment[lane][register]: the places of the elements, low bits first.
using Fragment = std::vector<std::vector<std::vector<Place>>>;

inline const Fragment &getFragment(const std::string &name) {
  static const std::map<std::string, Fragment> fragments = [] {
    std::map<std::string, Fragment> result;
    const char *folder = std::getenv("MX_EMULATOR_INPUTS");
    auto file = llvm::MemoryBuffer::getFile(std::string(folder ? folder : "") +
                                            "/fragments.tsv");
    if (!file)
      return result;
    llvm::SmallVector<StringRef> lines;
    (*file)->getBuffer().split(lines, '\n', -1, false);
    for (StringRef line : llvm::drop_begin(lines)) {
      llvm::SmallVector<StringRef> fields, places;
      line.split(fields, '\t');
      unsigned lane, reg;
      if (fields.size() != 4 || fields[1].getAsInteger(10, lane) ||
          fields[2].getAsInteger(10, reg))
        continue;
      Fragment &fragment = result[fields[0].str()];
      fragment.resize(32);
      fragment[lane].resize(std::max<size_t>(fragment[lane].size(), reg + 1));
      fields[3].split(places, ' ', -1, false);
      for (StringRef place : places) {
        auto [row, column] = place.split(',');
        Place p;
        if (!row.getAsInteger(10, p.row) && !column.getAsInteger(10, p.column))
          fragment[lane][reg].push_back(p);
      }
    }
    return result;
  }();
  auto it = fragments.find(name);
  EXPECT_NE(it, fragments.end())
      << name << ": MX_EMULATOR_INPUTS has to name the folder of fragments.tsv";
  static const Fragment none;
  return it == fragments.end() ? none : it->second;
}

using Matrix = std::vector<std::vector<uint64_t>>;
template <typename F>
Matrix makeMatrix(unsigned rows, unsigned columns, F &&element) {
  Matrix matrix(rows, std::vector<uint64_t>(columns));
  for (auto &row : matrix)
    for (uint64_t &value : row)
      value = element();
  return matrix;
}

/// One list of 32 values a register.
inline std::vector<std::vector<uint64_t>>
pack(const Fragment &fragment, const Matrix &matrix, unsigned bits) {
  std::vector<std::vector<uint64_t>> lists(fragment[0].size(),
                                           std::vector<uint64_t>(32));
  for (unsigned lane = 0; lane < 32; ++lane)
    for (size_t reg = 0; reg < lists.size(); ++reg)
      for (auto [i, place] : llvm::enumerate(fragment[lane][reg]))
        lists[reg][lane] |= matrix[place.row][place.column] << (bits * i);
  return lists;
}

/// "{%i4, %i5}"
inline std::string braces(const char *prefix, unsigned first, size_t count) {
  std::string text = "{";
  for (size_t i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::string(prefix) + std::to_string(first + i);
  return text + "}";
}

//===----------------------------------------------------------------------===//
// Exact sums
//===----------------------------------------------------------------------===//

/// Fixed point with so many bits behind the point, wide enough for all types.
constexpr unsigned fraction = 700, width = 1600;

/// Nothing if the value is not finite.
inline std::optional<APInt> toFixed(const APFloat &value) {
  if (!value.isFinite())
    return std::nullopt;
  APFloat wide = value;
  bool ignored;
  wide.convert(APFloat::IEEEdouble(), RoundingMode::NearestTiesToEven,
               &ignored);
  APInt result(width, 0);
  if (wide.isZero())
    return result;
  int exponent;
  APFloat mantissa = frexp(wide, exponent, RoundingMode::NearestTiesToEven);
  mantissa = scalbn(mantissa, 53, RoundingMode::NearestTiesToEven);
  llvm::APSInt integer(width, false);
  bool isExact;
  mantissa.convertToInteger(integer, RoundingMode::TowardZero, &isExact);
  return APInt(integer).shl(fraction + exponent - 53);
}

struct Type {
  const char *name;
  unsigned bits;
  APFloat (*decode)(uint64_t);
};
template <unsigned Bits, const llvm::fltSemantics &(*Semantics)()>
APFloat decodeAs(uint64_t code) {
  return APFloat(Semantics(), APInt(Bits, code).trunc(Bits));
}
inline APFloat decodeTF32(uint64_t code) {
  return decodeAs<32, APFloat::IEEEsingle>(code & ~uint64_t(0x1FFF));
}
inline APFloat decodeE4M3(uint64_t code) {
  return decodeAs<8, APFloat::Float8E4M3FN>(code);
}
inline APFloat decodeE5M2(uint64_t code) {
  return decodeAs<8, APFloat::Float8E5M2>(code);
}
inline APFloat decodeE2M3(uint64_t code) {
  return decodeAs<6, APFloat::Float6E2M3FN>(code & 63);
}
inline APFloat decodeE3M2(uint64_t code) {
  return decodeAs<6, APFloat::Float6E3M2FN>(code & 63);
}
inline APFloat decodeE2M1(uint64_t code) {
  return decodeAs<4, APFloat::Float4E2M1FN>(code & 15);
}
/// FP4 in a byte lies in bits 5 to 2.
inline APFloat decodeE2M1Byte(uint64_t code) { return decodeE2M1(code >> 2); }
const Type f16 = {"f16", 16, decodeAs<16, APFloat::IEEEhalf>};
const Type bf16 = {"bf16", 16, decodeAs<16, APFloat::BFloat>};
const Type tf32 = {"tf32", 32, decodeTF32};
const Type f32 = {"f32", 32, decodeAs<32, APFloat::IEEEsingle>};
const Type narrow[] = {{"e4m3", 8, decodeE4M3},
                       {"e5m2", 8, decodeE5M2},
                       {"e2m3", 8, decodeE2M3},
                       {"e3m2", 8, decodeE3M2},
                       {"e2m1", 8, decodeE2M1Byte}};
const Type e2m1 = {"e2m1", 4, decodeE2M1};

/// a . b + c with one rounding; inf and NaN as in IEEE 754.
inline uint64_t sumExactly(const std::vector<APFloat> &products,
                           const APFloat &c,
                           const llvm::fltSemantics &semantics, uint64_t nan) {
  APInt sum(width, 0);
  double special = 0;
  auto add = [&](const APFloat &value) {
    if (std::optional<APInt> fixed = toFixed(value))
      sum += *fixed;
    else
      special += value.isNaN()        ? double(NAN)
                 : value.isNegative() ? -HUGE_VAL
                                      : HUGE_VAL;
  };
  for (const APFloat &product : products)
    add(product);
  add(c);
  if (special != special)
    return nan;
  APFloat result(semantics);
  if (special != 0) {
    result = APFloat::getInf(semantics, special < 0);
  } else {
    // Rounded to as many bits as the result has at its exponent, in a format
    // with room for any exponent: through the integer's own bits.
    bool isNegative = sum.isNegative();
    APInt magnitude = sum.abs();
    int top = int(magnitude.getActiveBits()) - 1 - int(fraction);
    int precision = APFloat::semanticsPrecision(semantics);
    int least = APFloat::semanticsMinExponent(semantics);
    int drop = std::max(top, least) - (precision - 1) + int(fraction);
    if (magnitude != 0 && drop > 0) {
      APInt half = APInt::getOneBitSet(width, drop - 1);
      APInt rest = magnitude & (half.shl(1) - 1);
      magnitude = magnitude.lshr(drop);
      if (rest.ugt(half) || (rest == half && magnitude[0]))
        ++magnitude;
    } else {
      magnitude = magnitude.lshr(std::max(drop, 0));
    }
    result.convertFromAPInt(magnitude, false, RoundingMode::NearestTiesToEven);
    result = scalbn(result, std::max(drop, 0) - int(fraction),
                    RoundingMode::NearestTiesToEven);
    if (isNegative)
      result.changeSign();
  }
  return result.bitcastToAPInt().getZExtValue();
}

/// The product of up to four values, exact in a double; of scales too.
inline APFloat multiply(std::initializer_list<APFloat> factors) {
  APFloat product(1.0);
  for (APFloat factor : factors) {
    bool ignored;
    factor.convert(APFloat::IEEEdouble(), RoundingMode::NearestTiesToEven,
                   &ignored);
    product.multiply(factor, RoundingMode::NearestTiesToEven);
  }
  return product;
}

inline std::mt19937_64 generator(11);
inline uint64_t randomBits(unsigned bits) {
  return generator() & ((uint64_t(1) << bits) - 1);
}

/// Codes of a type without set padding.
inline uint64_t randomCode(const Type &type) {
  if (type.decode == decodeE2M1Byte)
    return randomBits(4) << 2;
  if (type.decode == decodeE2M3 || type.decode == decodeE3M2)
    return randomBits(6);
  return randomBits(type.bits);
}
/// Finite ones, so that not every sum has a NaN.
inline uint64_t finiteCode(const Type &type) {
  for (;;) {
    uint64_t code = randomCode(type);
    if (type.decode(code).isFinite())
      return code;
  }
}

} // namespace mx::ptx::test::mma

#endif // MX_TEST_UNIT_EMULATOR_MMAREFERENCE_H
