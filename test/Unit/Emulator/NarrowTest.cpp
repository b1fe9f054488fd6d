// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cvt of FP8, FP6, FP4 and UE8M0 (PTX ISA 9.7.9.21) against the CUDA toolkit's
// headers where they are, and stochastic rounding against the rule in integers.

#include "Execute.h"

#include "llvm/ADT/bit.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

#ifdef MX_CUDA_HEADERS
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp4.h>
#include <cuda_fp6.h>
#include <cuda_fp8.h>
#endif

using namespace mx::ptx::test;

namespace {
#ifdef MX_CUDA_HEADERS
float toFloat(uint64_t bits) { return llvm::bit_cast<float>(uint32_t(bits)); }

/// All exponents, with mantissas around ties of each format.
std::vector<uint64_t> getFloats() {
  std::vector<uint64_t> values;
  for (uint64_t sign : {0u, 0x80000000u})
    for (unsigned exponent = 0; exponent < 256; exponent += 1)
      for (unsigned mantissa :
           {0x000000u, 0x000001u, 0x080000u, 0x100000u, 0x100001u, 0x180000u,
            0x200000u, 0x300000u, 0x3FFFFFu, 0x400000u, 0x500000u, 0x600001u,
            0x700000u, 0x780000u, 0x7FFFFFu})
        values.push_back(sign | exponent << 23 | mantissa);
  return values;
}

struct Codec {
  const char *name;
  unsigned codeBits;
  uint64_t (*encode)(float);
  uint64_t (*encodeHalf)(__half);
  __half (*decode)(uint8_t);
};
__half fromRaw(__half_raw raw) { return __half(raw); }
const Codec codecs[] = {
    {"e4m3", 8,
     [](float v) -> uint64_t {
       return __nv_cvt_float_to_fp8(v, __NV_SATFINITE, __NV_E4M3);
     },
     [](__half v) -> uint64_t {
       return __nv_cvt_halfraw_to_fp8(__half_raw(v), __NV_SATFINITE, __NV_E4M3);
     },
     [](uint8_t c) { return fromRaw(__nv_cvt_fp8_to_halfraw(c, __NV_E4M3)); }},
    {"e5m2", 8,
     [](float v) -> uint64_t {
       return __nv_cvt_float_to_fp8(v, __NV_SATFINITE, __NV_E5M2);
     },
     [](__half v) -> uint64_t {
       return __nv_cvt_halfraw_to_fp8(__half_raw(v), __NV_SATFINITE, __NV_E5M2);
     },
     [](uint8_t c) { return fromRaw(__nv_cvt_fp8_to_halfraw(c, __NV_E5M2)); }},
    {"e2m3", 8,
     [](float v) -> uint64_t {
       return __nv_cvt_float_to_fp6(v, __NV_E2M3, cudaRoundNearest);
     },
     [](__half v) -> uint64_t {
       return __nv_cvt_halfraw_to_fp6(__half_raw(v), __NV_E2M3,
                                      cudaRoundNearest);
     },
     [](uint8_t c) { return fromRaw(__nv_cvt_fp6_to_halfraw(c, __NV_E2M3)); }},
    {"e3m2", 8,
     [](float v) -> uint64_t {
       return __nv_cvt_float_to_fp6(v, __NV_E3M2, cudaRoundNearest);
     },
     [](__half v) -> uint64_t {
       return __nv_cvt_halfraw_to_fp6(__half_raw(v), __NV_E3M2,
                                      cudaRoundNearest);
     },
     [](uint8_t c) { return fromRaw(__nv_cvt_fp6_to_halfraw(c, __NV_E3M2)); }},
    {"e2m1", 4,
     [](float v) -> uint64_t {
       return __nv_cvt_float_to_fp4(v, __NV_E2M1, cudaRoundNearest);
     },
     [](__half v) -> uint64_t {
       return __nv_cvt_halfraw_to_fp4(__half_raw(v), __NV_E2M1,
                                      cudaRoundNearest);
     },
     [](uint8_t c) { return fromRaw(__nv_cvt_fp4_to_halfraw(c, __NV_E2M1)); }},
};
#endif
} // namespace

#ifdef MX_CUDA_HEADERS
TEST(Narrow, FromFloatAsTheHeaders) {
  std::vector<uint64_t> a = getFloats(), b(a.rbegin(), a.rend());
  for (const Codec &c : codecs)
    for (bool isRelu : {false, true}) {
      std::string text = std::string("cvt.rn.satfinite.") +
                         (isRelu ? "relu." : "") + c.name +
                         "x2.f32 %o0, %i0, %i1;";
      SCOPED_TRACE(text);
      Outcome outcome = execute({text, {2 * c.codeBits}, {32, 32}}, {a, b});
      ASSERT_EQ(outcome.error, "");
      auto encode = [&](uint64_t bits) {
        float v = toFloat(bits);
        return c.encode(isRelu && v <= 0 ? 0.0f : v);
      };
      for (size_t i = 0; i < a.size(); ++i)
        ASSERT_EQ(outcome.values[0][i],
                  encode(a[i]) << c.codeBits | encode(b[i]))
            << std::hex << a[i];
    }
}

TEST(Narrow, FromHalvesAsTheHeaders) {
  std::vector<uint64_t> a(65536);
  for (size_t i = 0; i < a.size(); ++i)
    a[i] = i | (i * 40503 & 0xFFFF) << 16;
  for (const Codec &c : codecs) {
    std::string name = c.name;
    Outcome outcome = execute({"cvt.rn.satfinite." + name +
                                   "x2.f16x2 %o0, %i0; cvt.rn.satfinite." +
                                   name + "x2.bf16x2 %o1, %i0;",
                               {2 * c.codeBits, 2 * c.codeBits},
                               {32}},
                              {a});
    ASSERT_EQ(outcome.error, "");
    for (size_t i = 0; i < a.size(); ++i) {
      auto half = [&](uint64_t bits) {
        return c.encodeHalf(__half(__half_raw{uint16_t(bits)}));
      };
      ASSERT_EQ(outcome.values[0][i],
                half(a[i] >> 16) << c.codeBits | half(a[i] & 0xFFFF))
          << name << std::hex << a[i];
      auto brain = [&](uint64_t bits) { return c.encode(toFloat(bits << 16)); };
      ASSERT_EQ(outcome.values[1][i],
                brain(a[i] >> 16) << c.codeBits | brain(a[i] & 0xFFFF));
    }
  }
}

TEST(Narrow, ToHalvesAsTheHeaders) {
  for (const Codec &c : codecs) {
    std::vector<uint64_t> a;
    uint64_t count = 1 << c.codeBits;
    for (uint64_t i = 0; i < count; ++i)
      a.push_back(i << c.codeBits | (count - 1 - i));
    std::string name = c.name;
    Outcome outcome =
        execute({"cvt.rn.f16x2." + name + "x2 %o0, %i0; cvt.rn.relu.f16x2." +
                     name + "x2 %o1, %i0;",
                 {32, 32},
                 {2 * c.codeBits}},
                {a});
    ASSERT_EQ(outcome.error, "");
    // FP6 codes have six bits; the two above are not looked at.
    uint64_t mask = name == "e2m3" || name == "e3m2" ? 63 : count - 1;
    for (size_t i = 0; i < a.size(); ++i) {
      auto decode = [&](uint64_t code, bool isRelu) -> uint64_t {
        __half value = c.decode(code & mask);
        uint16_t bits = __half_raw(value).x;
        bool isNaN = (bits & 0x7FFF) > 0x7C00;
        return isNaN ? 0x7FFF : isRelu && bits >> 15 ? 0 : bits;
      };
      for (bool isRelu : {false, true})
        ASSERT_EQ(outcome.values[isRelu][i],
                  decode(a[i] >> c.codeBits, isRelu) << 16 |
                      decode(a[i] & (count - 1), isRelu))
            << name << std::hex << a[i];
    }
  }
}

TEST(Narrow, ScalesAsTheHeaders) {
  std::vector<uint64_t> a = getFloats();
  Outcome outcome = execute({"cvt.rz.satfinite.ue8m0x2.f32 %o0, %i0, %i0; "
                             "cvt.rp.satfinite.ue8m0x2.f32 %o1, %i0, %i0; "
                             "cvt.rz.ue8m0x2.f32 %o2, %i0, %i0; "
                             "cvt.rp.ue8m0x2.f32 %o3, %i0, %i0;",
                             {16, 16, 16, 16},
                             {32}},
                            {a});
  ASSERT_EQ(outcome.error, "");
  for (size_t i = 0; i < a.size(); ++i)
    for (unsigned k = 0; k < 4; ++k) {
      uint64_t want = __nv_cvt_float_to_e8m0(
          toFloat(a[i]), k < 2 ? __NV_SATFINITE : __NV_NOSAT,
          k % 2 ? cudaRoundPosInf : cudaRoundZero);
      ASSERT_EQ(outcome.values[k][i], want << 8 | want)
          << k << " " << std::hex << a[i];
    }
}
#endif

TEST(Narrow, ScalesAndBack) {
  std::vector<uint64_t> codes, halves;
  for (uint64_t i = 0; i < 256; ++i)
    codes.push_back(i << 8 | (255 - i));
  Outcome outcome = execute(
      {"cvt.rn.bf16x2.ue8m0x2 %o0, %i0; cvt.rz.satfinite.ue8m0x2.bf16x2 %o1, "
       "%o0;",
       {32, 16},
       {16}},
      {codes});
  ASSERT_EQ(outcome.error, "");
  for (size_t i = 0; i < codes.size(); ++i) {
    auto decode = [](uint64_t code) -> uint64_t {
      // 2^-127 is a subnormal of bf16.
      return code == 255 ? 0x7FFF : code == 0 ? 0x0040 : code << 7;
    };
    ASSERT_EQ(outcome.values[0][i],
              decode(codes[i] >> 8) << 16 | decode(codes[i] & 255));
    ASSERT_EQ(outcome.values[1][i], codes[i]);
  }
}

//===----------------------------------------------------------------------===//
// Stochastic rounding
//===----------------------------------------------------------------------===//

namespace {
/// The measured rule on significands as integers: |x| is clamped to the
/// largest value, R 2^(D - n) is added where D bits are dropped, and the sum is
/// truncated. Returns the magnitude's code.
uint64_t roundWithBits(uint32_t bits, unsigned mantissaBits, int bias,
                       uint64_t maxCode, uint32_t random, unsigned n) {
  uint32_t magnitude = bits & 0x7FFFFFFF;
  int exponent = int(magnitude >> 23) - 127;
  uint64_t significand = (magnitude & 0x7FFFFF) | 0x800000;
  if (magnitude < 0x00800000) {
    exponent = -126;
    significand = magnitude;
  }
  int least = 1 - bias;
  int dropped = int(23 - mantissaBits) + std::max(0, least - exponent);
  if (dropped > 60)
    return 0;
  // Units of 2^-n of a step, as D may be less than n.
  unsigned __int128 scaled = (unsigned __int128)(significand) << n;
  scaled += (unsigned __int128)(random) << dropped;
  uint64_t steps = uint64_t(scaled >> (n + dropped));
  // Steps of the binade, from the code of its first value.
  uint64_t first =
      exponent < least ? 0 : uint64_t(exponent - least) << mantissaBits;
  return std::min(first + steps, maxCode);
}
} // namespace

TEST(Narrow, StochasticRule) {
  std::vector<uint64_t> a, words;
  std::mt19937 generator(7);
  for (unsigned i = 0; i < 4000; ++i) {
    // Around the range of the formats, and a few far away.
    uint32_t exponent = i % 8 ? 100 + generator() % 50 : generator() % 255;
    a.push_back((generator() & 0x807FFFFF) | exponent << 23);
    words.push_back(i % 16 == 0 ? 0 : i % 16 == 1 ? UINT32_MAX : generator());
  }
  std::vector<uint64_t> b(a.rbegin(), a.rend());
  auto reverse = [](uint32_t value, unsigned bits) {
    uint32_t result = 0;
    for (unsigned i = 0; i < bits; ++i)
      result |= (value >> i & 1) << (bits - 1 - i);
    return result;
  };
  struct {
    const char *name;
    unsigned mantissaBits, codeBits;
    int bias;
    uint64_t maxCode, sign;
  } formats[] = {{"e4m3x4", 3, 8, 7, 0x7E, 0x80},
                 {"e5m2x4", 2, 8, 15, 0x7B, 0x80},
                 {"e2m1x4", 1, 4, 1, 0x7, 0x8}};
  for (const auto &f : formats) {
    Outcome outcome = execute({std::string("cvt.rs.satfinite.") + f.name +
                                   ".f32 %o0, {%i0, %i1, %i1, %i0}, %i2;",
                               {f.codeBits * 4},
                               {32, 32, 32}},
                              {a, b, words});
    ASSERT_EQ(outcome.error, "");
    for (size_t i = 0; i < a.size(); ++i) {
      uint32_t w = words[i], low = w & 0xFFFF, high = w >> 16;
      uint32_t random[4] = {reverse(high, 16), high, reverse(low, 16), low};
      if (f.codeBits == 4) {
        // Bytes b1 and b3 serve a and b, b0 and b2 serve e and f.
        uint32_t b0 = w & 255, b1 = w >> 8 & 255, b2 = w >> 16 & 255,
                 b3 = w >> 24;
        random[0] = reverse(b1, 8) << 8 | reverse(b3, 8);
        random[1] = b3 << 8 | b1;
        random[2] = reverse(b0, 8) << 8 | reverse(b2, 8);
        random[3] = b2 << 8 | b0;
      }
      uint64_t want = 0;
      for (unsigned k = 0; k < 4; ++k) {
        uint32_t source = k == 0 || k == 3 ? a[i] : b[i];
        uint64_t code = roundWithBits(source, f.mantissaBits, f.bias, f.maxCode,
                                      random[k], 16);
        want = want << f.codeBits | code | (source >> 31 ? f.sign : 0);
      }
      ASSERT_EQ(outcome.values[0][i], want)
          << f.name << std::hex << " " << a[i] << " " << b[i] << " " << w;
    }
  }
  Outcome outcome = execute({"cvt.rs.f16x2.f32 %o0, %i0, %i1, %i2; "
                             "cvt.rs.satfinite.bf16x2.f32 %o1, %i0, %i1, %i2;",
                             {32, 32},
                             {32, 32, 32}},
                            {a, b, words});
  ASSERT_EQ(outcome.error, "");
  for (size_t i = 0; i < a.size(); ++i) {
    auto half = [&](uint32_t bits, uint32_t random) {
      return roundWithBits(bits, 10, 15, 0x7C00, random & 0x1FFF, 13) |
             (bits >> 31) << 15;
    };
    auto brain = [&](uint32_t bits, uint32_t random) {
      return roundWithBits(bits, 7, 127, 0x7F7F, random & 0xFFFF, 16) |
             (bits >> 31) << 15;
    };
    ASSERT_EQ(outcome.values[0][i],
              half(a[i], words[i] >> 16) << 16 | half(b[i], words[i]))
        << std::hex << a[i] << " " << b[i] << " " << words[i];
    ASSERT_EQ(outcome.values[1][i],
              brain(a[i], words[i] >> 16) << 16 | brain(b[i], words[i]));
  }
}

/// Without random bits values are truncated; exact ones never change; the mean
/// of many is the value.
TEST(Narrow, StochasticMean) {
  std::vector<uint64_t> a(4096, llvm::bit_cast<uint32_t>(1.3f)), words;
  std::mt19937 generator(3);
  for (size_t i = 0; i < a.size(); ++i)
    words.push_back(generator());
  Outcome outcome = execute({"cvt.rs.satfinite.e2m1x4.f32 %o0, {%i0, %i0, %i0, "
                             "%i0}, %i1;",
                             {16},
                             {32, 32}},
                            {a, words});
  ASSERT_EQ(outcome.error, "");
  for (unsigned k = 0; k < 4; ++k) {
    double sum = 0;
    for (uint64_t value : outcome.values[0]) {
      unsigned code = value >> (4 * k) & 15;
      ASSERT_TRUE(code == 2 || code == 3);
      sum += code == 2 ? 1.0 : 1.5;
    }
    EXPECT_NEAR(sum / a.size(), 1.3, 0.02);
  }
}
