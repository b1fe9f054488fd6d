// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The codecs against NVIDIA's own headers, which run on the host. Built where
// CMake finds them.

#include "mx/Formats/Codec.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp4.h>
#include <cuda_fp6.h>
#include <cuda_fp8.h>

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace llvm;
using namespace mx;

namespace {
struct HeaderCodec {
  Element element;
  uint8_t (*encode)(float);
  float (*decode)(uint8_t);
};
} // namespace

static const HeaderCodec codecs[] = {
    {Element::E2M1,
     [](float v) -> uint8_t {
       return __nv_cvt_float_to_fp4(v, __NV_E2M1, cudaRoundNearest);
     },
     [](uint8_t c) {
       return __half2float(__half(__nv_cvt_fp4_to_halfraw(c, __NV_E2M1)));
     }},
    {Element::E2M3,
     [](float v) -> uint8_t {
       return __nv_cvt_float_to_fp6(v, __NV_E2M3, cudaRoundNearest);
     },
     [](uint8_t c) {
       return __half2float(__half(__nv_cvt_fp6_to_halfraw(c, __NV_E2M3)));
     }},
    {Element::E3M2,
     [](float v) -> uint8_t {
       return __nv_cvt_float_to_fp6(v, __NV_E3M2, cudaRoundNearest);
     },
     [](uint8_t c) {
       return __half2float(__half(__nv_cvt_fp6_to_halfraw(c, __NV_E3M2)));
     }},
    {Element::E4M3,
     [](float v) -> uint8_t {
       return __nv_cvt_float_to_fp8(v, __NV_SATFINITE, __NV_E4M3);
     },
     [](uint8_t c) {
       return __half2float(__half(__nv_cvt_fp8_to_halfraw(c, __NV_E4M3)));
     }},
    {Element::E5M2,
     [](float v) -> uint8_t {
       return __nv_cvt_float_to_fp8(v, __NV_SATFINITE, __NV_E5M2);
     },
     [](uint8_t c) {
       return __half2float(__half(__nv_cvt_fp8_to_halfraw(c, __NV_E5M2)));
     }},
};

TEST(CudaHeaders, AllCodes) {
  for (const HeaderCodec &codec : codecs)
    for (auto [code, value] : enumerate(getDecodeTable(codec.element))) {
      float expected = codec.decode(code);
      if (std::isnan(expected))
        EXPECT_TRUE(std::isnan(value));
      else
        EXPECT_EQ(toBits(value), toBits(expected));
    }
  for (unsigned code = 0; code < 256; ++code) {
    float expected =
        __bfloat162float(__nv_bfloat16(__nv_cvt_e8m0_to_bf16raw(code)));
    if (std::isnan(expected))
      EXPECT_TRUE(std::isnan(decodeE8M0(code)));
    else
      EXPECT_EQ(decodeE8M0(code), expected);
  }
}

/// Compares all encoders on one input.
static void compare(uint32_t bits) {
  float v = fromBits(bits);
  for (const HeaderCodec &codec : codecs)
    ASSERT_EQ(encodeElement(codec.element, v), codec.encode(v))
        << stringify(codec.element).str() << " of " << v;
  ASSERT_EQ(encodeE8M0Up(v),
            __nv_cvt_float_to_e8m0(v, __NV_SATFINITE, cudaRoundPosInf))
      << v;
}

TEST(CudaHeaders, TiesAndNeighbours) {
  // Every f16 value and what lies beside it: contains all values and halfway
  // points of the narrow types.
  for (uint32_t bits = 0; bits < 65536; ++bits)
    for (int distance = -2; distance <= 2; ++distance)
      compare(toBits(decodeF16(bits)) + distance);
  for (uint32_t exponent = 0; exponent < 512; ++exponent)
    for (uint32_t mantissa :
         {0u, 1u, 0x3FFFFFu, 0x400000u, 0x400001u, 0x7FFFFFu})
      compare(exponent << 23 | mantissa);
}

TEST(CudaHeaders, TenMillionRandomPatterns) {
  std::mt19937 generator(1);
  for (unsigned i = 0; i < 10'000'000 && !HasFatalFailure(); ++i)
    compare(generator());
}
