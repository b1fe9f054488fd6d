// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Dot.h"
#include "ExactSum.h"
#include "Rounding.h"

#include "mx/Formats/Codec.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <array>
#include <cmath>

using namespace mx::ptx;

/// The exponent of zero in the published models, and the least of f32.
static constexpr int zeroExponent = -126;

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static std::optional<mx::Element> getElement(Type type) {
  switch (type) {
  case Type::E4M3:
    return mx::Element::E4M3;
  case Type::E5M2:
    return mx::Element::E5M2;
  case Type::E2M3:
    return mx::Element::E2M3;
  case Type::E3M2:
    return mx::Element::E3M2;
  case Type::E2M1:
    return mx::Element::E2M1;
  default:
    return std::nullopt;
  }
}

uint32_t mx::ptx::getPaddingMask(Type type) {
  return type == Type::E2M1                         ? 0xC3
         : type == Type::E2M3 || type == Type::E3M2 ? 0xC0
                                                    : 0;
}

void DotRow::widen(double value, int minExponent, unsigned place) {
  values[place] = value;
  exponents[place] = zeroExponent;
  if (value == 0)
    return;
  int exponent = getExponent(value);
  if (exponent == 1024) {
    isFinite = false;
    return;
  }
  uint64_t mantissa = llvm::bit_cast<uint64_t>(value) | uint64_t(1) << 52;
  low = std::min(low, exponent - 52 + llvm::countr_zero(mantissa));
  high = std::max(high, exponent + 1);
  exponents[place] = std::max(exponent, minExponent);
}

void DotRow::assign(Type type, llvm::ArrayRef<uint32_t> codes) {
  size = codes.size();
  blocks = 0;
  isFinite = true;
  low = INT16_MAX;
  high = INT16_MIN;
  if (std::optional<mx::Element> element = getElement(type)) {
    llvm::ArrayRef<float> table = mx::getDecodeTable(*element);
    int minExponent = 1 - mx::getMiniFloat(*element).bias;
    for (unsigned k = 0; k < size; ++k)
      widen(table[codes[k] & (table.size() - 1)], minExponent, k);
  } else {
    int minExponent = type == Type::F16 ? -14 : -126;
    for (unsigned k = 0; k < size; ++k)
      widen(decodeFloat(type, codes[k]), minExponent, k);
  }
  // A row of zeros: any bounds hold.
  if (low > high)
    low = high = 0;
}

void DotRow::setScales(Type type, llvm::ArrayRef<uint8_t> codes) {
  blocks = codes.size();
  for (auto [s, code] : llvm::enumerate(codes)) {
    bool isExponent = type == Type::UE8M0;
    scales[s] = isExponent ? mx::decodeE8M0(code)
                           : mx::decodeElement(mx::Element::E4M3, code & 0x7F);
    isFinite &= !std::isnan(scales[s]);
    scaleExponents[s] = scales[s] == 0 ? zeroExponent
                                       : std::max(getExponent(scales[s]),
                                                  isExponent ? -127 : -6);
  }
}

void DotRow::negate() {
  for (unsigned k = 0; k < size; ++k)
    values[k] = -values[k];
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

std::optional<SumModel> mx::ptx::getSumModel(llvm::StringRef target,
                                             TensorUnit unit, Type type,
                                             unsigned scales) {
  unsigned sm = 0;
  target.consume_front("sm_");
  target.take_while(llvm::isDigit).getAsInteger(10, sm);
  bool isWide = getBitWidth(type) > 8;
  bool isAmpere = sm >= 80 && sm < 89, isAda = sm == 89, isHopper = sm == 90;
  bool isBlackwell = sm == 100 || sm == 103, isRTX = sm == 120 || sm == 121;
  if ((isAmpere || isAda) && isWide)
    return SumModel{SumModel::Fused, uint8_t(type == Type::TF32 ? 4 : 8), 24,
                    23};
  if (isAda)
    return SumModel{SumModel::Fused, 16, 13, 13};
  if (!isHopper && !isBlackwell && !isRTX)
    return std::nullopt;
  if (isWide)
    return SumModel{};
  if (scales > 1)
    return SumModel{SumModel::Scaled, 16, 35, 23};
  if (scales == 1)
    return SumModel{};
  if (unit == TensorUnit::MmaSync && !isRTX)
    return SumModel{SumModel::Halves, 16, 25, 23};
  if (isHopper)
    return SumModel{SumModel::Fused, 32, 13, 13};
  return SumModel{};
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// The sum of products [begin, end). Their number is a multiple of four.
static double sumProducts(const double *a, const double *b, unsigned begin,
                          unsigned end) {
  double part[4] = {};
  for (unsigned k = begin; k < end; k += 4)
    for (unsigned i = 0; i < 4; ++i)
      part[i] += a[k + i] * b[k + i];
  return (part[0] + part[1]) + (part[2] + part[3]);
}

/// Mantissas of two UE4M3 scales; those of UE8M0 have none.
static constexpr int scaleBits = 8;

/// Products are multiples of 2^(a.low + b.low) and less than 2^(a.high +
/// b.high), and so is every partial sum of 64 of them but for six more bits.
/// While these bounds are 53 bits apart doubles hold each of them exactly, in
/// any order; scaleBits leave room for the product with two scales. That is
/// always so for E4M3 (2 * (9 + 9) + 6), FP6 and FP4; rows of E5M2, f16, bf16
/// and tf32 have it unless they hold very large and very small values.
uint32_t DotUnit::sumExactly(const DotRow &a, const DotRow &b, double c) const {
  bool fits = a.high - a.low + b.high - b.low + 6 + scaleBits <= 53;
  if (fits && a.blocks <= 1) {
    double sum = sumProducts(a.values, b.values, 0, a.size);
    if (a.blocks)
      sum *= a.scales[0] * b.scales[0];
    return encode(addOdd(sum, c));
  }
  ExactSum sum;
  sum.add(c);
  unsigned blocks = std::max(a.blocks, 1u), width = a.size / blocks;
  for (unsigned s = 0; s < blocks; ++s) {
    double scale = a.blocks ? a.scales[s] * b.scales[s] : 1;
    if (fits)
      sum.add(scale *
              sumProducts(a.values, b.values, s * width, (s + 1) * width));
    else
      for (unsigned k = s * width; k < (s + 1) * width; ++k)
        sum.add(scale * a.values[k] * b.values[k]);
  }
  return encode(sum.get());
}

/// With an inf or a NaN in it: inf * 0 and inf - inf are NaN.
uint32_t DotUnit::sumSpecial(const DotRow &a, const DotRow &b, double c) const {
  unsigned width = a.size / std::max(a.blocks, 1u);
  for (unsigned k = 0; k < a.size; ++k) {
    double product = a.values[k] * b.values[k];
    if (a.blocks)
      product *= a.scales[k / width] * b.scales[k / width];
    // Finite terms do not matter, and must not overflow.
    if (!std::isfinite(product))
      c += product;
  }
  return encode(c);
}

double DotUnit::roundSum(double value) const {
  if (result == Type::F16)
    return decodeFloat(Type::F16,
                       encodeFloat(Type::F16, value, Rounding::Nearest));
  if (value == 0)
    return value;
  // Toward zero: the low bits go, more of them below the least normal value.
  int exponent = getExponent(value);
  if (exponent >= 128)
    return std::copysign(HUGE_VAL, value);
  unsigned drop =
      std::min(52 - model->mantissaBits + std::max(-126 - exponent, 0), 53);
  uint64_t bits = llvm::bit_cast<uint64_t>(value);
  return drop > 52 ? 0 : llvm::bit_cast<double>(bits >> drop << drop);
}

/// `AsHalf`: elements are converted to f16 first, whose normal numbers go
/// further down than those of E4M3.
template <bool AsHalf>
double DotUnit::addFused(const DotRow &a, const DotRow &b, double c,
                         llvm::ArrayRef<uint8_t> places) const {
  auto getElementExponent = [](const DotRow &row, unsigned k) -> int {
    return AsHalf && row.values[k] != 0
               ? std::max(getExponent(row.values[k]), -14)
               : row.exponents[k];
  };
  int shift = a.blocks ? a.scaleExponents[0] + b.scaleExponents[0] : 0;
  int least = result == Type::F16 ? -14 : -126;
  int exponent = c == 0 ? zeroExponent : std::max(getExponent(c), least);
  for (uint8_t k : places)
    exponent = std::max(exponent, getElementExponent(a, k) +
                                      getElementExponent(b, k) + shift);
  // A term is less than four units of its exponent, so the sum fits 64 bits.
  double unit = getPower(model->fractionBits - exponent);
  double scale = a.blocks ? a.scales[0] * b.scales[0] * unit : unit;
  int64_t sum = int64_t(c * unit);
  for (uint8_t k : places)
    sum += int64_t(a.values[k] * b.values[k] * scale);
  return roundSum(double(sum) * getPower(exponent - model->fractionBits));
}

double DotUnit::addScaled(const DotRow &a, const DotRow &b, double c) const {
  int exponent = c == 0 ? zeroExponent : std::max(getExponent(c), -126);
  for (unsigned s = 0; s < a.blocks; ++s)
    exponent = std::max(exponent, a.scaleExponents[s] + b.scaleExponents[s]);
  double unit = getPower(model->fractionBits - exponent);
  int64_t sum = int64_t(c * unit);
  unsigned width = a.size / a.blocks;
  for (unsigned k = 0; k < a.size; k += model->group)
    sum += int64_t(sumProducts(a.values, b.values, k, k + model->group) *
                   (a.scales[k / width] * b.scales[k / width]) * unit);
  return roundSum(double(sum) * getPower(exponent - model->fractionBits));
}

uint32_t DotUnit::encode(double value) const {
  if (result == Type::F16)
    return encodeFloat(Type::F16, value, Rounding::Nearest);
  return std::isnan(value) ? nanF32 : toBits(float(value));
}

/// 0, 1, 2, ...; and the places that are 0 or 1, and 2 or 3, modulo 4.
static constexpr auto makePlaces = [](auto &&place) {
  std::array<uint8_t, DotRow::maxSize> places = {};
  for (unsigned i = 0; i < DotRow::maxSize; ++i)
    places[i] = place(i);
  return places;
};

uint32_t DotUnit::operator()(const DotRow &a, const DotRow &b,
                             uint32_t bits) const {
  double c = decodeFloat(result, bits);
  if (!a.isFinite || !b.isFinite || !std::isfinite(c))
    return sumSpecial(a, b, c);
  if (!model)
    return sumExactly(a, b, c);
  if (model->kind == SumModel::Scaled)
    return encode(addScaled(a, b, c));
  static constexpr auto inOrder = makePlaces([](unsigned i) { return i; });
  static constexpr auto halves =
      makePlaces([](unsigned i) { return 4 * (i / 2 % 16) + i % 2; });
  static constexpr auto others =
      makePlaces([](unsigned i) { return 4 * (i / 2 % 16) + i % 2 + 2; });
  if (model->kind == SumModel::Halves) {
    unsigned half = a.size / 2;
    double sum =
        addFused<true>(a, b, 0, llvm::ArrayRef(halves).take_front(half));
    sum = addFused<true>(a, b, sum, llvm::ArrayRef(others).take_front(half));
    return encode(addOdd(sum, c));
  }
  for (unsigned k = 0; k < a.size; k += model->group) {
    unsigned count = std::min<unsigned>(model->group, a.size - k);
    c = addFused<false>(a, b, c, llvm::ArrayRef(inOrder).slice(k, count));
    if (!std::isfinite(c))
      break;
  }
  return encode(c);
}

int32_t mx::ptx::dotInteger(llvm::ArrayRef<int32_t> a,
                            llvm::ArrayRef<int32_t> b, int32_t c,
                            bool saturate) {
  // Products of bytes are less than 2^16 in magnitude.
  int64_t sum = c;
  for (unsigned k = 0; k < a.size(); ++k)
    sum += a[k] * b[k];
  if (saturate)
    sum = std::min<int64_t>(std::max<int64_t>(sum, INT32_MIN), INT32_MAX);
  return int32_t(sum);
}
