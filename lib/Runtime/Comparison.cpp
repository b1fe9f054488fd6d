// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Runtime/Comparison.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringSwitch.h"

#include <cmath>
#include <cstring>

using namespace llvm;

namespace mx {

template <typename T> static double decode(const char *data, int64_t i) {
  T value;
  std::memcpy(&value, data + i * sizeof(T), sizeof(T));
  return value;
}

/// Of types of one and two bytes that C++ lacks. `semantics` is a function of
/// APFloat's.
template <typename Code, const fltSemantics &(*semantics)()>
static double decodeFloat(const char *data, int64_t i) {
  Code code;
  std::memcpy(&code, data + i * sizeof(Code), sizeof(Code));
  return APFloat(semantics(), APInt(8 * sizeof(Code), code)).convertToDouble();
}

ElementDecoder getElementDecoder(StringRef dtype) {
  return StringSwitch<ElementDecoder>(dtype)
      .Case("f64", decode<double>)
      .Case("f32", decode<float>)
      .Case("f16", decodeFloat<uint16_t, APFloatBase::IEEEhalf>)
      .Case("bf16", decodeFloat<uint16_t, APFloatBase::BFloat>)
      .Case("f8E4M3FN", decodeFloat<uint8_t, APFloatBase::Float8E4M3FN>)
      .Case("f8E5M2", decodeFloat<uint8_t, APFloatBase::Float8E5M2>)
      .Case("f8E8M0FNU", decodeFloat<uint8_t, APFloatBase::Float8E8M0FNU>)
      .Cases({"i64", "index"}, decode<int64_t>)
      .Case("i32", decode<int32_t>)
      .Case("i16", decode<int16_t>)
      .Case("i8", decode<int8_t>)
      .Case("ui64", decode<uint64_t>)
      .Case("ui32", decode<uint32_t>)
      .Case("ui16", decode<uint16_t>)
      .Cases({"ui8", "i1"}, decode<uint8_t>)
      .Default(nullptr);
}

int64_t HostTensorView::getNumElements() const {
  int64_t n = 1;
  for (int64_t extent : shape)
    n *= extent;
  return n;
}

/// The first position of a largest element among `n` from `begin` on; a NaN is
/// never larger.
static int64_t findLargest(ElementDecoder decode, const char *data,
                           int64_t begin, int64_t n) {
  int64_t largest = 0;
  double value = -HUGE_VAL;
  for (int64_t i = 0; i < n; ++i)
    if (double x = decode(data, begin + i); x > value) {
      value = x;
      largest = i;
    }
  return largest;
}

TensorError compareTensors(const HostTensorView &is,
                           const HostTensorView &expected) {
  int64_t n = is.getNumElements();
  if (n == 0)
    return {};
  ElementDecoder decodeX = getElementDecoder(is.dtype);
  ElementDecoder decodeY = getElementDecoder(expected.dtype);
  TensorError error;
  double difference2 = 0, x2 = 0, y2 = 0, dot = 0;
  for (int64_t i = 0; i < n; ++i) {
    double x = decodeX(is.data, i), y = decodeY(expected.data, i);
    // Equal specials contribute nothing; other ones leave infinity behind.
    if (x == y && std::isinf(x))
      continue;
    if (std::isnan(x) && std::isnan(y))
      continue;
    double difference = std::isfinite(x) && std::isfinite(y) ? x - y : HUGE_VAL;
    error.maxAbs = std::max(error.maxAbs, std::fabs(difference));
    difference2 += difference * difference;
    x2 += x * x;
    y2 += y * y;
    dot += x * y;
  }
  if (difference2 != 0)
    error.relative = std::isfinite(difference2) && y2 != 0
                         ? std::sqrt(difference2 / y2)
                         : HUGE_VAL;
  if (x2 != 0 || y2 != 0)
    error.cosine = x2 != 0 && y2 != 0 ? dot / std::sqrt(x2) / std::sqrt(y2) : 0;

  int64_t columns = is.shape.empty() ? 1 : is.shape.back();
  int64_t rows = n / columns, equal = 0;
  for (int64_t row = 0; row < rows; ++row)
    equal += findLargest(decodeX, is.data, row * columns, columns) ==
             findLargest(decodeY, expected.data, row * columns, columns);
  error.top1 = static_cast<double>(equal) / rows;
  return error;
}

} // namespace mx
