// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Codecs against maps made with NVIDIA's headers; products, transforms and
// stochastic rounding against Transformer Engine's reference. See
// GoldenTest.cpp.

#include "GoldenArrays.h"

#include "llvm/ADT/StringSwitch.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace llvm;
using namespace mx;

#define REQUIRE_GOLDEN()                                                       \
  if (!getGoldenDir())                                                         \
  GTEST_SKIP() << "run by test/Formats/golden.test"

static constexpr StringLiteral codecs[] = {"e2m1", "e2m3", "e3m2",
                                           "e4m3", "e5m2", "e8m0_rp"};

static Element getElement(StringRef codec) {
  return StringSwitch<Element>(codec)
      .Case("e2m1", Element::E2M1)
      .Case("e2m3", Element::E2M3)
      .Case("e3m2", Element::E3M2)
      .Case("e4m3", Element::E4M3)
      .Default(Element::E5M2);
}

static uint8_t encode(StringRef codec, uint32_t bits) {
  float v = fromBits(bits);
  return codec == "e8m0_rp" ? encodeE8M0Up(v)
                            : encodeElement(getElement(codec), v);
}

TEST(Golden, DecodesAllCodes) {
  REQUIRE_GOLDEN();
  for (StringRef codec : {"e2m1", "e2m3", "e3m2", "e4m3", "e5m2", "e8m0"}) {
    NpyArray values = readGolden("codecs", "decode." + codec);
    for (auto [code, bits] : enumerate(values.getValues<uint32_t>())) {
      float expected = fromBits(bits);
      float value = codec == "e8m0" ? decodeE8M0(code)
                                    : decodeElement(getElement(codec), code);
      if (std::isnan(expected))
        EXPECT_TRUE(std::isnan(value));
      else
        EXPECT_EQ(toBits(value), bits) << codec.str() << " " << code;
    }
  }
}

TEST(Golden, EncodesTiesAndNeighbours) {
  REQUIRE_GOLDEN();
  NpyArray inputs = readGolden("codecs", "encode.f32_bits");
  for (StringRef codec : codecs) {
    NpyArray codes = readGolden("codecs", "encode." + codec);
    for (auto [bits, code] :
         zip_equal(inputs.getValues<uint32_t>(), codes.getValues<uint8_t>()))
      ASSERT_EQ(encode(codec, bits), code) << codec.str() << " " << bits;
  }
}

/// The maps cover all 2^32 inputs, as runs of equal codes.
TEST(Golden, EncodesRandomPatterns) {
  REQUIRE_GOLDEN();
#ifdef MX_CUDA_HEADERS
  constexpr unsigned count = 100'000; // CudaHeadersTest.cpp has the others
#else
  constexpr unsigned count = 10'000'000;
#endif
  for (StringRef codec : codecs) {
    NpyArray firstArray = readGolden("codecs", "sweep." + codec + ".first");
    NpyArray codeArray = readGolden("codecs", "sweep." + codec + ".code");
    auto first = firstArray.getValues<uint32_t>();
    auto codes = codeArray.getValues<uint8_t>();
    for (size_t i = 0; i < first.size(); ++i) {
      uint32_t last = i + 1 < first.size() ? first[i + 1] - 1 : ~0u;
      for (uint32_t bits : {first[i], first[i] / 2 + last / 2, last})
        ASSERT_EQ(encode(codec, bits), codes[i]) << codec.str() << " " << bits;
    }
    std::mt19937 generator(7);
    for (unsigned i = 0; i < count; ++i) {
      uint32_t bits = generator();
      size_t run = llvm::upper_bound(first, bits) - first.begin() - 1;
      ASSERT_EQ(encode(codec, bits), codes[run]) << codec.str() << " " << bits;
    }
  }
}

/// One operand of a product: codes and scales are equal to theirs.
static SmallVector<float, 0> checkOperand(StringRef key, StringRef operand,
                                          StringRef format) {
  auto read = [&](StringRef array) {
    return readGolden("gemm", key + "." + operand + array);
  };
  NpyArray x = read(""), scales = read("_scales");
  Quantized q =
      cantFail(quantize(cantFail(Format::parse(format)), {},
                        TensorView(x.getValues<float>(), x.getShape())));
  EXPECT_EQ(countDifferingBytes(toBytes<uint8_t>(q.codes), read("_codes")), 0);
  EXPECT_EQ(
      countDifferingBytes(toBytes<float>(q.tensorScale.stored), read("_amax")),
      0);
  // Theirs has a row of scales for each row, also of square blocks.
  int64_t numCols = q.scaleShape.back();
  for (auto [i, scale] : enumerate(scales.getValues<uint8_t>()))
    EXPECT_EQ(q.scaleCodes[int64_t(i) / numCols / q.format.blockRows * numCols +
                           int64_t(i) % numCols],
              scale);
  SmallVector<float, 0> values(q.codes.size());
  dequantize(q, values);
  return values;
}

TEST(Golden, Products) {
  REQUIRE_GOLDEN();
  for (StringRef key : {"m8n16k64.1d", "m5n24k96.1d", "m1n8k32.1d",
                        "m16n32k256.1d", "m8n16k64.w2d", "m16n32k256.w2d"}) {
    SmallVector<float, 0> a = checkOperand(key, "a", "nvfp4, variant = te");
    SmallVector<float, 0> b = checkOperand(
        key, "b",
        key.ends_with("2d") ? "nvfp4_2d, variant = te" : "nvfp4, variant = te");
    NpyArray product = readGolden("gemm", key + ".y_f64");
    int64_t m = product.getShape()[0], n = product.getShape()[1];
    int64_t k = a.size() / m;
    auto expected = product.getValues<double>();
    double largest = 0;
    for (double value : expected)
      largest = std::max(largest, std::fabs(value));
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t l = 0; l < k; ++l)
          sum += double(a[i * k + l]) * double(b[j * k + l]);
        // The values of each operand are products rounded to f32.
        EXPECT_NEAR(sum, expected[i * n + j], 1e-6 * largest) << key.str();
      }
  }
}

TEST(Golden, Transform) {
  REQUIRE_GOLDEN();
  Hadamard transform = Hadamard::getTransformerEngine();
  for (StringRef key : {"rht.3x16", "rht.8x64", "rht.5x96"}) {
    NpyArray x = readGolden("gemm", key + ".x");
    EXPECT_EQ(
        countDifferingBytes(
            toBytes<float>(transformTensor(
                &transform, TensorView(x.getValues<float>(), x.getShape()), 1)),
            readGolden("gemm", key + ".y_f32")),
        0);
    SmallVector<uint16_t, 0> bf16;
    for (float value : x.getValues<float>())
      bf16.push_back(encodeBF16(value));
    EXPECT_EQ(
        countDifferingBytes(
            toBytes<float>(transformTensor(
                &transform,
                TensorView(FloatType::BF16, bf16.data(), x.getShape()), 1)),
            readGolden("gemm", key + ".y_bf16")),
        0);
  }
}

TEST(Golden, StochasticRounding) {
  REQUIRE_GOLDEN();
  NpyArray xArray = readGolden("gemm", "sr.x");
  NpyArray downArray = readGolden("gemm", "sr.code_down");
  NpyArray upArray = readGolden("gemm", "sr.code_up");
  NpyArray probabilityArray = readGolden("gemm", "sr.probability_up");
  auto x = xArray.getValues<float>();
  auto down = downArray.getValues<uint8_t>(), up = upArray.getValues<uint8_t>();
  auto probability = probabilityArray.getValues<double>();
  constexpr int64_t count = 4000;
  int64_t width = x.size();
  SmallVector<float, 0> rows;
  for (int64_t i = 0; i < count; ++i)
    rows.append(x.begin(), x.end());

  // The largest value is 6, so the scale is one.
  Format format = cantFail(Format::parse("mxfp4, rule = floor, block = 1x?"));
  for (unsigned bits : {8u, 24u}) {
    QuantizeOptions options;
    options.rounding = ElementRounding::Stochastic;
    options.randomBits = bits;
    options.seed = 11;
    Quantized q =
        cantFail(quantize(format, options, TensorView(rows, {count, width})));
    for (int64_t j = 0; j < width; ++j) {
      int64_t numUp = 0;
      for (int64_t i = 0; i < count; ++i) {
        uint8_t code = q.codes[i * width + j];
        ASSERT_TRUE(code == down[j] || code == up[j]) << x[j];
        numUp += code == up[j];
      }
      if (up[j] == down[j])
        continue;
      double p = probability[j];
      EXPECT_NEAR(double(numUp) / count, p,
                  5 * std::sqrt(p * (1 - p) / count) + 1e-9)
          << x[j] << " " << bits;
    }
  }
}
