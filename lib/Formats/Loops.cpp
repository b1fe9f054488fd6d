// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Loops.h"

#include "mx/Formats/Random.h"

#include "llvm/Support/Compiler.h"
#include "llvm/Support/ErrorHandling.h"

#include <cmath>

using namespace mx;
using namespace mx::detail;

//===----------------------------------------------------------------------===//
// Versions for several instruction sets
//===----------------------------------------------------------------------===//

// Each loop is an always_inline template that three functions instantiate with
// different target attributes. (A file of its own for each set would also
// compile inline functions of headers for it, and the linker keeps any copy.)
#if defined(__x86_64__)
#define MX_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define MX_AVX2 __attribute__((target("avx2")))

static int getLevel() {
  static const int level = __builtin_cpu_supports("avx512bw") &&
                                   __builtin_cpu_supports("avx512dq") &&
                                   __builtin_cpu_supports("avx512vl")
                               ? 2
                               : (__builtin_cpu_supports("avx2") ? 1 : 0);
  return level;
}

template <typename Loop, typename... Args>
MX_AVX512 static auto runAVX512(Args... args) {
  return Loop::run(args...);
}
template <typename Loop, typename... Args>
MX_AVX2 static auto runAVX2(Args... args) {
  return Loop::run(args...);
}

template <typename Loop, typename... Args> static auto dispatch(Args... args) {
  switch (getLevel()) {
  case 2:
    return runAVX512<Loop>(args...);
  case 1:
    return runAVX2<Loop>(args...);
  default:
    return Loop::run(args...);
  }
}
#else
template <typename Loop, typename... Args> static auto dispatch(Args... args) {
  return Loop::run(args...);
}
#endif

//===----------------------------------------------------------------------===//
// Encoding to nearest even
//===----------------------------------------------------------------------===//

namespace {
/// The code of a scaled element. `scaling` is used for Int4's zero point only.
template <Element E>
LLVM_ATTRIBUTE_ALWAYS_INLINE uint8_t encodeEven(float v,
                                                const ElementScaling &scaling) {
  if constexpr (isMiniFloat(E))
    return encodeMiniFloat<E>(v);
  else if constexpr (E == Element::MXInt8)
    return uint8_t(roundToInteger(v * 64, -127, 127));
  else if constexpr (E == Element::Int8)
    return uint8_t(roundToInteger(v, -127, 127));
  else if constexpr (E == Element::Ternary)
    return uint8_t(roundToInteger(v, -1, 1)) & 3;
  else if constexpr (E == Element::NF4)
    return encodeNF4(v);
  else
    return uint8_t(
               roundToInteger(roundToInteger(v, -64, 64) + scaling.zeroPoint,
                              scaling.lowest, scaling.lowest + 15)) &
           15;
}

template <Element E, ElementScaling::Kind K> struct EncodeEven {
  LLVM_ATTRIBUTE_ALWAYS_INLINE static void
  run(const ElementScaling *scaling, const float *x, size_t n, uint8_t *codes) {
    const ElementScaling s = *scaling;
    for (size_t i = 0; i < n; ++i) {
      float v = K == ElementScaling::Divide ? x[i] / s.first : x[i] * s.first;
      if constexpr (K == ElementScaling::MultiplyTwice)
        v *= s.second;
      codes[i] = encodeEven<E>(v + s.addend, s);
    }
  }
};
} // namespace

/// Calls `fn` with the element as a constant.
template <typename Fn> static auto withElement(Element element, Fn fn) {
  switch (element) {
#define MX_CASE(E)                                                             \
  case Element::E:                                                             \
    return fn(std::integral_constant<Element, Element::E>());
    MX_CASE(E2M1)
    MX_CASE(E2M3)
    MX_CASE(E3M2)
    MX_CASE(E4M3)
    MX_CASE(E5M2)
    MX_CASE(MXInt8)
    MX_CASE(Int8)
    MX_CASE(Int4)
    MX_CASE(NF4)
    MX_CASE(Ternary)
#undef MX_CASE
  }
  llvm_unreachable("unknown element");
}

//===----------------------------------------------------------------------===//
// Other roundings, one element at a time
//===----------------------------------------------------------------------===//

/// |v| as a whole number, by the rounding; |v| is clamped to 2^8 before.
static uint32_t roundMagnitude(const CodeOptions &options, float v,
                               uint32_t random) {
  float magnitude = std::min(std::fabs(v), 256.0f);
  uint32_t whole = uint32_t(magnitude);
  float fraction = magnitude - float(whole);
  if (options.rounding == ElementRounding::NearestAway)
    return whole + (fraction >= 0.5f);
  unsigned bits = options.random.bits;
  uint32_t distance = uint32_t(fraction * float(1u << bits));
  return whole + ((distance + (random >> (32 - bits))) >> bits);
}

/// NF4 with the neighbour chosen by chance.
static uint8_t encodeNF4Stochastic(const CodeOptions &options, float v,
                                   uint32_t random) {
  uint32_t low = 0;
  for (unsigned i = 1; i < 15; ++i)
    low += v >= nf4Values[i];
  unsigned bits = options.random.bits;
  float position = (v - nf4Values[low]) / (nf4Values[low + 1] - nf4Values[low]);
  position = position > 0 ? std::min(position, 1.0f) : 0.0f;
  uint32_t distance = uint32_t(position * float(1u << bits));
  return uint8_t(low + ((distance + (random >> (32 - bits))) >> bits));
}

/// torchao's table has four digits; the code is the first of the nearest, the
/// distance in the type of the tensor.
static uint8_t encodeNF4TorchAO(float v, FloatType type) {
  uint8_t best = 0;
  float bestDistance = INFINITY;
  for (unsigned i = 0; i < 16; ++i) {
    float value = roundTo(type, std::round(nf4Values[i] * 10000.0f) / 10000.0f);
    float distance = std::fabs(roundTo(type, v - value));
    if (distance < bestDistance) {
      best = uint8_t(i);
      bestDistance = distance;
    }
  }
  return best;
}

template <Element E>
static uint8_t encodeGeneral(const CodeOptions &options,
                             const ElementScaling &s, float v,
                             uint32_t random) {
  if constexpr (E == Element::NF4) {
    if (options.variant == Variant::TorchAO)
      return encodeNF4TorchAO(v, s.result);
    if (options.rounding == ElementRounding::Stochastic)
      return encodeNF4Stochastic(options, v, random);
    return encodeNF4(v);
  }
  if (options.rounding == ElementRounding::NearestEven || std::isnan(v))
    return encodeEven<E>(v, s);
  if constexpr (isMiniFloat(E)) {
    uint32_t bits = toBits(v), abs = bits & 0x7FFFFFFF;
    return finishCode<E>(bits, options.rounding == ElementRounding::NearestAway
                                   ? encodeMagnitudeAway<E>(abs)
                                   : encodeMagnitudeStochastic<E>(
                                         abs, random, options.random.bits));
  } else {
    float unit = E == Element::MXInt8 ? 64 : 1;
    float whole = float(roundMagnitude(options, v * unit, random));
    return encodeEven<E>(std::copysign(whole, v) / unit, s);
  }
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

void mx::detail::encodeRun(const CodeOptions &options, const ElementScaling &s,
                           const float *x, size_t n, uint64_t randomIndex,
                           uint8_t *codes) {
  bool torchaoNF4 =
      options.element == Element::NF4 && options.variant == Variant::TorchAO;
  if (options.rounding == ElementRounding::NearestEven && !s.negateZero &&
      s.result == FloatType::F32 && !torchaoNF4)
    return withElement(options.element, [&](auto element) {
      constexpr Element E = element;
      switch (s.kind) {
      case ElementScaling::Multiply:
        return dispatch<EncodeEven<E, ElementScaling::Multiply>>(&s, x, n,
                                                                 codes);
      case ElementScaling::Divide:
        return dispatch<EncodeEven<E, ElementScaling::Divide>>(&s, x, n, codes);
      case ElementScaling::MultiplyTwice:
        return dispatch<EncodeEven<E, ElementScaling::MultiplyTwice>>(&s, x, n,
                                                                      codes);
      }
      llvm_unreachable("unknown kind");
    });

  const RandomBits &random = options.random;
  withElement(options.element, [&](auto element) {
    for (size_t i = 0; i < n; ++i) {
      uint32_t word = 0;
      if (options.rounding == ElementRounding::Stochastic)
        word = getRandomWord(random.seed, random.offset,
                             randomIndex + i * options.randomStride);
      codes[i] = encodeGeneral<element>(options, s, s.apply(x[i]), word);
    }
  });
}

namespace {
template <bool SkipNaN> struct AbsMax {
  LLVM_ATTRIBUTE_ALWAYS_INLINE static uint32_t run(const float *x, size_t n) {
    // Signed, because SSE2 has no unsigned comparison; the sign bit is clear.
    int32_t result = 0;
    for (size_t i = 0; i < n; ++i) {
      int32_t bits = int32_t(toBits(x[i]) & 0x7FFFFFFF);
      if (SkipNaN)
        bits = bits > 0x7F800000 ? 0 : bits;
      result = std::max(result, bits);
    }
    return uint32_t(result);
  }
};

struct Decode {
  LLVM_ATTRIBUTE_ALWAYS_INLINE static void run(const float *table,
                                               float multiplier,
                                               const uint8_t *codes, size_t n,
                                               float *out) {
    for (size_t i = 0; i < n; ++i)
      out[i] = table[codes[i]] * multiplier;
  }
};

struct WidenBF16 {
  LLVM_ATTRIBUTE_ALWAYS_INLINE static void run(const uint16_t *from, size_t n,
                                               float *to) {
    for (size_t i = 0; i < n; ++i)
      to[i] = decodeBF16(from[i]);
  }
};
} // namespace

uint32_t mx::detail::getAbsMaxBits(const float *x, size_t n, bool skipNaN) {
  return skipNaN ? dispatch<AbsMax<true>>(x, n) : dispatch<AbsMax<false>>(x, n);
}

void mx::detail::decodeRun(const float *table, float multiplier,
                           const uint8_t *codes, size_t n, float *out) {
  dispatch<Decode>(table, multiplier, codes, n, out);
}

void mx::detail::widenRun(FloatType type, const uint16_t *from, size_t n,
                          float *to) {
  if (type == FloatType::BF16)
    return dispatch<WidenBF16>(from, n, to);
  for (size_t i = 0; i < n; ++i)
    to[i] = decodeF16(from[i]);
}
