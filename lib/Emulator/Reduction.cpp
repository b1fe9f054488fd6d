// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What asynchronous reductions do to an element (PTX ISA 9.7.9.25.4.2).

#include "Bulk.h"
#include "Rounding.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>
#include <cstring>

using namespace mx::ptx;
using llvm::StringRef;

template <typename T, T (*F)(T, T)>
static void apply(uint8_t *to, const uint8_t *from) {
  T a, b;
  std::memcpy(&a, to, sizeof(T));
  std::memcpy(&b, from, sizeof(T));
  a = F(a, b);
  std::memcpy(to, &a, sizeof(T));
}

/// f16 and bf16: in double, rounded once to nearest.
template <Type Format, double (*F)(double, double)>
static void applyHalf(uint8_t *to, const uint8_t *from) {
  uint16_t a, b;
  std::memcpy(&a, to, 2);
  std::memcpy(&b, from, 2);
  double x = decodeFloat(Format, a), y = decodeFloat(Format, b);
  a = encodeFloat(Format, F(x, y), Rounding::Nearest);
  std::memcpy(to, &a, 2);
}

template <typename T> static T add(T a, T b) { return a + b; }
template <typename T> static T min(T a, T b) { return std::min(a, b); }
template <typename T> static T max(T a, T b) { return std::max(a, b); }
template <typename T> static T andBits(T a, T b) { return a & b; }
template <typename T> static T orBits(T a, T b) { return a | b; }
template <typename T> static T xorBits(T a, T b) { return a ^ b; }
template <typename T> static T inc(T a, T b) { return a >= b ? 0 : a + 1; }
template <typename T> static T dec(T a, T b) {
  return a == 0 || a > b ? b : a - 1;
}
/// One NaN: the other value.
static double minFloat(double a, double b) { return std::fmin(a, b); }
static double maxFloat(double a, double b) { return std::fmax(a, b); }

using Apply = void (*)(uint8_t *, const uint8_t *);

template <typename T> static Apply getBitwise(StringRef operation) {
  return llvm::StringSwitch<Apply>(operation)
      .Case("and", apply<T, andBits>)
      .Case("or", apply<T, orBits>)
      .Case("xor", apply<T, xorBits>)
      .Default(nullptr);
}
/// Sums wrap: signed ones are added as unsigned.
template <typename T> static Apply getInteger(StringRef operation) {
  using U = std::make_unsigned_t<T>;
  Apply common = llvm::StringSwitch<Apply>(operation)
                     .Case("add", apply<U, add>)
                     .Case("min", apply<T, min>)
                     .Case("max", apply<T, max>)
                     .Default(nullptr);
  if (common || std::is_signed_v<T> || sizeof(T) == 8)
    return common;
  return llvm::StringSwitch<Apply>(operation)
      .Case("inc", apply<U, inc>)
      .Case("dec", apply<U, dec>)
      .Default(nullptr);
}
template <typename T> static Apply getFloat(StringRef operation) {
  return operation == "add" ? apply<T, add> : Apply(nullptr);
}
template <Type Format> static Apply getHalf(StringRef operation) {
  return llvm::StringSwitch<Apply>(operation)
      .Case("add", applyHalf<Format, add>)
      .Case("min", applyHalf<Format, minFloat>)
      .Case("max", applyHalf<Format, maxFloat>)
      .Default(nullptr);
}

static Apply getApply(StringRef operation, Type type) {
  switch (type) {
  case Type::B32:
    return getBitwise<uint32_t>(operation);
  case Type::B64:
    return getBitwise<uint64_t>(operation);
  case Type::U32:
    return getInteger<uint32_t>(operation);
  case Type::S32:
    return getInteger<int32_t>(operation);
  case Type::U64:
    return getInteger<uint64_t>(operation);
  case Type::S64:
    return getInteger<int64_t>(operation);
  case Type::F16:
    return getHalf<Type::F16>(operation);
  case Type::BF16:
    return getHalf<Type::BF16>(operation);
  case Type::F32:
    return getFloat<float>(operation);
  case Type::F64:
    return getFloat<double>(operation);
  default:
    return nullptr;
  }
}

std::optional<Reduction> mx::ptx::getReduction(Warp &warp,
                                               const Decoded &decoded,
                                               unsigned lane, Type type) {
  for (StringRef word : {"add", "min", "max", "inc", "dec", "and", "or", "xor"})
    if (decoded.hasModifier(word))
      if (Apply apply = getApply(word, type))
        return Reduction{getByteWidth(type), apply};
  warp.fault(lane, "there is no such reduction of ." + getName(type));
  return std::nullopt;
}
