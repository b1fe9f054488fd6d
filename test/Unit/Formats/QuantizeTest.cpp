// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Formats/Quantize.h"
#include "mx/Formats/Stats.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>
#include <random>

using namespace llvm;
using namespace mx;

static const float notANumber = std::numeric_limits<float>::quiet_NaN();

static Format parse(StringRef text) { return cantFail(Format::parse(text)); }

static SmallVector<float, 0> makeNormal(int64_t count, unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> distribution;
  SmallVector<float, 0> x(count);
  for (float &value : x)
    value = distribution(generator);
  return x;
}

static Quantized quantizeTensor(StringRef format, ArrayRef<float> x,
                                ArrayRef<int64_t> shape, int64_t axis = -1) {
  QuantizeOptions options;
  options.axis = axis;
  return cantFail(quantize(parse(format), options, TensorView(x, shape)));
}

static SmallVector<float, 0> dequantizeTensor(const Quantized &q) {
  SmallVector<float, 0> out(q.codes.size());
  dequantize(q, out);
  return out;
}

static const char *const formats[] = {
    "mxfp8_e4m3",
    "mxfp8_e5m2",
    "mxfp6_e2m3",
    "mxfp6_e3m2",
    "mxfp4",
    "mxint8",
    "nvfp4",
    "nvfp4_2d",
    "fp8_block_act",
    "int8_token",
    "fp8_row",
    "fp8_tensor",
    "fp8_block_weight",
    "int4_g32",
    "nf4",
    "ternary",
    "int4_g32, zero_point = true",
    "nvfp4, second_level = false",
    "nvfp4, four_over_six = mse, scale_max = 256",
    "fp8_row, scale = bf16",
    "int4_g64, scale = f16",
    "nf4, double_quant = true",
    "mxfp4, block = 8x4"};

//===----------------------------------------------------------------------===//
// Geometry
//===----------------------------------------------------------------------===//

TEST(Quantize, ScaleShapes) {
  auto shapeOf = [](StringRef format, ArrayRef<int64_t> shape, int64_t axis) {
    SmallVector<float> x(4 * 40 * 33, 1.0f);
    return quantizeTensor(format, x, shape, axis).scaleShape;
  };
  using Shape = SmallVector<int64_t>;
  EXPECT_EQ(shapeOf("mxfp4", {4, 33, 40}, -1), (Shape{4, 33, 2}));
  EXPECT_EQ(shapeOf("mxfp4", {4, 33, 40}, 1), (Shape{4, 2, 40}));
  EXPECT_EQ(shapeOf("mxfp4", {4, 33, 40}, 0), (Shape{1, 33, 40}));
  EXPECT_EQ(shapeOf("nvfp4_2d", {4, 33, 40}, -1), (Shape{4, 3, 3}));
  EXPECT_EQ(shapeOf("nvfp4_2d", {4, 33, 40}, 0), (Shape{1, 33, 3}));
  EXPECT_EQ(shapeOf("fp8_row", {4, 33, 40}, -1), (Shape{4, 33, 1}));
  EXPECT_EQ(shapeOf("fp8_tensor", {4, 33, 40}, -1), (Shape{1, 1, 1}));
  EXPECT_EQ(shapeOf("nf4, variant = bitsandbytes", {4, 33, 40}, -1),
            (Shape{83}));
}

/// Quantising along an axis is quantising the transpose along the last one.
TEST(Quantize, AxesAreTransposes) {
  const int64_t a = 3, b = 37, c = 41;
  SmallVector<float, 0> x = makeNormal(a * b * c);
  for (const char *format : formats) {
    if (parse(format).doubleQuant)
      continue; // groups scales in their order
    // (a, b, c) along b against (a, c, b) along its last dimension.
    SmallVector<float, 0> transposed(x.size());
    for (int64_t i = 0; i < a; ++i)
      for (int64_t j = 0; j < b; ++j)
        for (int64_t k = 0; k < c; ++k)
          transposed[(i * c + k) * b + j] = x[(i * b + j) * c + k];
    Quantized along = quantizeTensor(format, x, {a, b, c}, 1);
    Quantized last = quantizeTensor(format, transposed, {a, c, b}, 2);
    SmallVector<float, 0> alongValues = dequantizeTensor(along);
    SmallVector<float, 0> lastValues = dequantizeTensor(last);
    for (int64_t i = 0; i < a; ++i)
      for (int64_t j = 0; j < b; ++j)
        for (int64_t k = 0; k < c; ++k) {
          ASSERT_EQ(along.codes[(i * b + j) * c + k],
                    last.codes[(i * c + k) * b + j])
              << format;
          ASSERT_EQ(alongValues[(i * b + j) * c + k],
                    lastValues[(i * c + k) * b + j])
              << format;
        }
  }
}

/// Along the first of three dimensions, the last is the rows and the middle one
/// a batch.
TEST(Quantize, OuterAxis) {
  const int64_t a = 40, b = 3, c = 20;
  SmallVector<float, 0> x = makeNormal(a * b * c);
  for (const char *format : {"mxfp4", "mxfp4, block = 8x4", "fp8_row"}) {
    Quantized all = quantizeTensor(format, x, {a, b, c}, 0);
    for (int64_t j = 0; j < b; ++j) {
      SmallVector<float, 0> slice(a * c);
      for (int64_t i = 0; i < a; ++i)
        for (int64_t k = 0; k < c; ++k)
          slice[i * c + k] = x[(i * b + j) * c + k];
      Quantized one = quantizeTensor(format, slice, {a, c}, 0);
      for (int64_t i = 0; i < a; ++i)
        for (int64_t k = 0; k < c; ++k)
          ASSERT_EQ(all.codes[(i * b + j) * c + k], one.codes[i * c + k])
              << format;
    }
  }
}

TEST(Quantize, RaggedBlocksArePaddedWithZeros) {
  SmallVector<float, 0> x = makeNormal(5 * 50), padded(16 * 64, 0);
  for (int64_t i = 0; i < 5; ++i)
    std::copy_n(x.begin() + i * 50, 50, padded.begin() + i * 64);
  for (StringRef format : {"mxfp4", "nvfp4", "nvfp4_2d", "int4_g32", "nf4"}) {
    Quantized q = quantizeTensor(format, x, {5, 50});
    Quantized p = quantizeTensor(format, padded, {16, 64});
    for (int64_t i = 0; i < 5; ++i)
      for (int64_t j = 0; j < 50; ++j)
        ASSERT_EQ(q.codes[i * 50 + j], p.codes[i * 64 + j]) << format.str();
  }
}

TEST(Quantize, EmptyTensors) {
  for (const char *format : formats)
    for (const SmallVector<int64_t> &shape :
         {SmallVector<int64_t>{0, 32}, SmallVector<int64_t>{3, 0},
          SmallVector<int64_t>{0}}) {
      Quantized q = quantizeTensor(format, {}, shape);
      EXPECT_TRUE(q.codes.empty());
      EXPECT_TRUE(dequantizeTensor(q).empty());
    }
}

TEST(Quantize, RefusesWhatDoesNotFit) {
  SmallVector<float> x(48, 1.0f);
  auto errorOf = [&](QuantizeOptions options, ArrayRef<int64_t> shape,
                     Format format = parse("mxfp4")) {
    Expected<Quantized> q = quantize(format, options, TensorView(x, shape));
    return q ? "no error" : toString(q.takeError());
  };
  QuantizeOptions options;
  EXPECT_EQ(errorOf(options, {}),
            "a tensor of rank 0 has no axis to quantise along");
  options.axis = 2;
  EXPECT_EQ(errorOf(options, {48}), "axis 2 is outside a tensor of rank 1");
  options.axis = -2;
  EXPECT_EQ(errorOf(options, {48}), "axis -2 is outside a tensor of rank 1");
  options = {};
  options.randomBits = 7;
  EXPECT_EQ(errorOf(options, {48}),
            "stochastic rounding takes 8 to 24 random bits, got 7");
  options = {};
  options.transform = Hadamard::getPlain(32);
  EXPECT_EQ(errorOf(options, {48}), "extent 48 of axis 0 is not a multiple of "
                                    "the transform's size 32");
  int64_t huge = int64_t(1) << 62;
  EXPECT_EQ(errorOf({}, {huge, huge, 0}, parse("fp8_row")),
            "an empty tensor of more than 16777216 blocks");
  Format format;
  format.rule = ScaleRule::Amax;
  EXPECT_EQ(errorOf({}, {48}, format),
            "'rule' of an e8m0 scale must be floor, ceil, even or rceil, not "
            "amax");
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Every element is within half a step of its grid at the top of its block.
TEST(Quantize, ErrorsAreBounded) {
  SmallVector<float, 0> x = makeNormal(64 * 128);
  for (const char *text : formats) {
    Format format = parse(text);
    if (format.element == Element::Ternary)
      continue;
    Quantized q = quantizeTensor(text, x, {64, 128});
    SmallVector<float, 0> y = dequantizeTensor(q);
    QuantizationStats stats = computeStats(x, q, y);
    // Step at the largest value of a 4-bit element is a third of it.
    double bound = getBitWidth(format.element) == 4 ? 0.35 : 0.15;
    for (auto [original, value] : zip_equal(x, y))
      ASSERT_LE(std::fabs(value - original), bound * 4.5) << text;
    EXPECT_GT(stats.getSNR(), getBitWidth(format.element) == 4 ? 15 : 24)
        << text;
  }
}

TEST(Quantize, QuantisesItsOwnValuesExactly) {
  SmallVector<float, 0> x = makeNormal(16 * 64);
  for (StringRef format : {"mxfp8_e4m3", "mxfp4", "mxfp6_e3m2", "mxint8",
                           "int8_token", "fp8_row"}) {
    // A largest element that is a power of two maps to itself.
    SmallVector<float, 0> y =
        dequantizeTensor(quantizeTensor(format, x, {16, 64}));
    SmallVector<float, 0> z =
        dequantizeTensor(quantizeTensor(format, y, {16, 64}));
    double error = 0, norm = 0;
    for (auto [a, b] : zip_equal(y, z)) {
      error += std::fabs(a - b);
      norm += std::fabs(a);
    }
    EXPECT_LE(error, 1e-2 * norm) << format.str();
  }
}

TEST(Quantize, ZerosStayZeros) {
  SmallVector<float> x(64, 0.0f);
  x[3] = x[40] = -0.0f;
  for (const char *format : formats) {
    Quantized q = quantizeTensor(format, x, {2, 32});
    for (float value : dequantizeTensor(q))
      EXPECT_EQ(value, 0.0f) << format;
    if (isMiniFloat(q.format.element)) {
      EXPECT_EQ(q.codes[3], 1 << (getBitWidth(q.format.element) - 1));
      EXPECT_EQ(q.codes[4], 0);
    }
  }
}

TEST(Quantize, NaNSpoilsItsBlockOnly) {
  SmallVector<float, 0> x = makeNormal(4 * 64);
  x[70] = notANumber;
  for (const char *text : formats) {
    Format format = parse(text);
    if (format.blockCols == Format::Whole || format.blockRows != 1 ||
        format.blockCols > 32 || format.doubleQuant)
      continue;
    SmallVector<float, 0> y =
        dequantizeTensor(quantizeTensor(text, x, {4, 64}));
    int64_t begin = 70 / format.blockCols * format.blockCols;
    for (auto [i, value] : enumerate(y))
      EXPECT_EQ(std::isnan(value),
                int64_t(i) >= begin && int64_t(i) < begin + format.blockCols)
          << text << " " << i;
  }
}

TEST(Quantize, InfSaturates) {
  SmallVector<float, 0> x = makeNormal(32);
  x[5] = INFINITY;
  x[9] = -INFINITY;
  for (const char *text : formats) {
    Quantized q = quantizeTensor(text, x, {1, 32});
    SmallVector<float, 0> y = dequantizeTensor(q);
    for (float value : y)
      EXPECT_FALSE(std::isnan(value)) << text;
    if (q.format.element == Element::Ternary || q.format.doubleQuant)
      continue;
    EXPECT_GT(y[5], 1.0f) << text;
    EXPECT_LT(y[9], -1.0f) << text;
  }
}

TEST(Quantize, TinyAndHugeValuesGiveFiniteScales) {
  for (float magnitude : {1e-45f, 1e-39f, 1e-37f, 1e37f, 3.4e38f}) {
    SmallVector<float, 0> x(32, magnitude);
    x[1] = -magnitude / 2;
    x[2] = 0;
    for (const char *text : formats) {
      // Scales that cannot be this large, and three values only.
      Format format = parse(text);
      bool isNarrow = format.scale == ScaleType::F16 ||
                      format.element == Element::Ternary ||
                      (format.scale == ScaleType::E4M3 && !format.secondLevel);
      SmallVector<float, 0> y =
          dequantizeTensor(quantizeTensor(text, x, {1, 32}));
      EXPECT_EQ(y[2], 0.0f) << text << " " << magnitude;
      for (auto [original, value] : zip_equal(x, y)) {
        EXPECT_FALSE(std::isnan(value)) << text << " " << magnitude;
        if (!isNarrow && magnitude > 1e-30f && magnitude < 1e38f)
          EXPECT_NEAR(value / magnitude, original / magnitude, 0.35)
              << text << " " << magnitude;
      }
    }
  }
}

TEST(Quantize, StaticAmax) {
  SmallVector<float, 0> x = makeNormal(64);
  QuantizeOptions options;
  options.amax = computeAmax(TensorView(x, {64}), /*propagateNaN=*/false);
  Format format = parse("nvfp4");
  int64_t shape[] = {4, 16};
  TensorView tensor(x, shape);
  Quantized live = cantFail(quantize(format, {}, tensor));
  Quantized calibrated = cantFail(quantize(format, options, tensor));
  EXPECT_EQ(live.codes, calibrated.codes);
  EXPECT_EQ(live.scaleCodes, calibrated.scaleCodes);
  EXPECT_EQ(live.tensorScale.stored, *options.amax);
  options.amax = *options.amax * 2;
  calibrated = cantFail(quantize(format, options, tensor));
  EXPECT_NE(live.scaleCodes, calibrated.scaleCodes);
}

TEST(Quantize, SixteenBitInputsAreTheirValues) {
  SmallVector<float, 0> x = makeNormal(8 * 64), bf16Values, f16Values;
  SmallVector<uint16_t, 0> bf16, f16;
  for (float value : x) {
    bf16.push_back(encodeBF16(value));
    f16.push_back(encodeF16(value));
    bf16Values.push_back(decodeBF16(bf16.back()));
    f16Values.push_back(decodeF16(f16.back()));
  }
  for (const char *format : formats)
    for (int64_t axis : {0, 1}) {
      QuantizeOptions options;
      options.axis = axis;
      auto codes = [&](TensorView tensor) {
        return cantFail(quantize(parse(format), options, tensor)).codes;
      };
      int64_t shape[] = {8, 64};
      EXPECT_EQ(codes(TensorView(FloatType::BF16, bf16.data(), shape)),
                codes(TensorView(bf16Values, shape)));
      EXPECT_EQ(codes(TensorView(FloatType::F16, f16.data(), shape)),
                codes(TensorView(f16Values, shape)));
    }
}

TEST(Quantize, SquareBlocksShareCodesWithTheTranspose) {
  SmallVector<float, 0> x = makeNormal(32 * 48);
  Quantized rows = quantizeTensor("nvfp4_2d", x, {32, 48}, 1);
  Quantized cols = quantizeTensor("nvfp4_2d", x, {32, 48}, 0);
  EXPECT_EQ(rows.codes, cols.codes);
  EXPECT_EQ(rows.scaleCodes, cols.scaleCodes);
}

TEST(Quantize, FourOverSixTakesTheSmallerError) {
  // 4, 3 and 2 are values of E2M1 at scale 1, so amax maps to 4 without error.
  SmallVector<float> x(16, 0.0f);
  x[0] = 4;
  x[1] = 3;
  x[2] = -2;
  x[3] = 1.5;
  for (const char *measure : {"mse", "mae", "abs_max"}) {
    Quantized q = quantizeTensor(
        std::string("nvfp4, scale_max = 256, four_over_six = ") + measure, x,
        {1, 16});
    EXPECT_EQ(q.codes[0], 6) << measure;
    EXPECT_EQ(dequantizeTensor(q)[2], -2.0f) << measure;
  }
  EXPECT_EQ(quantizeTensor("nvfp4", x, {1, 16}).codes[0], 7);
}

//===----------------------------------------------------------------------===//
// Transforms, packing, statistics
//===----------------------------------------------------------------------===//

TEST(Hadamard, IsOrthogonal) {
  for (int64_t size : {2, 16, 64}) {
    Hadamard transform = Hadamard::getSeeded(size, 5);
    SmallVector<float, 0> x = makeNormal(2 * size), y(x);
    transform.apply(y);
    for (int64_t group = 0; group < 2; ++group) {
      double before = 0, after = 0;
      for (int64_t i = group * size; i < (group + 1) * size; ++i) {
        before += double(x[i]) * x[i];
        after += double(y[i]) * y[i];
      }
      EXPECT_NEAR(before, after, 1e-5 * before);
    }
    EXPECT_NE(x, y);
  }
}

TEST(Hadamard, SignsCancelInProducts) {
  SmallVector<float, 0> x = makeNormal(32, 1), y = makeNormal(32, 2);
  auto dot = [&] {
    double sum = 0;
    for (auto [a, b] : zip_equal(x, y))
      sum += double(a) * b;
    return sum;
  };
  double before = dot();
  Hadamard::getTransformerEngine().apply(x);
  Hadamard::getTransformerEngine().apply(y);
  EXPECT_NEAR(before, dot(), 1e-5);
}

TEST(Hadamard, SeededSignsDiffer) {
  EXPECT_NE(Hadamard::getSeeded(128, 1).signs,
            Hadamard::getSeeded(128, 2).signs);
  EXPECT_EQ(Hadamard::getSeeded(64, 1).signs,
            ArrayRef(Hadamard::getSeeded(128, 1).signs).take_front(64));
}

TEST(Quantize, TransformComesFirst) {
  SmallVector<float, 0> x = makeNormal(4 * 32);
  QuantizeOptions options;
  options.transform = Hadamard::getTransformerEngine();
  int64_t shape[] = {4, 32};
  TensorView tensor(x, shape);
  Quantized q = cantFail(quantize(parse("nvfp4"), options, tensor));
  SmallVector<float, 0> transformed =
      transformTensor(&*options.transform, tensor, 1);
  EXPECT_EQ(q.codes, quantizeTensor("nvfp4", transformed, {4, 32}).codes);
}

TEST(Pack, LowBitsFirst) {
  using Bytes = SmallVector<uint8_t, 0>;
  EXPECT_EQ(packCodes(Element::E2M1, {1, 2, 3, 4}, 4), (Bytes{0x21, 0x43}));
  EXPECT_EQ(packCodes(Element::NF4, {1, 2, 3, 4}, 4), (Bytes{0x12, 0x34}));
  EXPECT_EQ(packCodes(Element::E2M1, {1, 2, 3, 4, 5, 6}, 3),
            (Bytes{0x21, 0x03, 0x54, 0x06}));
  EXPECT_EQ(packCodes(Element::NF4, {1, 2, 3}, 3), (Bytes{0x12, 0x30}));
  EXPECT_EQ(packCodes(Element::Ternary, {1, 3, 0, 1, 3}, 5),
            (Bytes{0x4D, 0x03}));
  EXPECT_EQ(packCodes(Element::E2M3, {0x3F, 0, 0x3F, 0}, 4),
            (Bytes{0x3F, 0xF0, 0x03}));
  EXPECT_EQ(packCodes(Element::E4M3, {7, 8}, 2), (Bytes{7, 8}));
}

TEST(Stats, CountsWhatWasLost) {
  SmallVector<float> x(32, 0.0f);
  x[0] = 6;
  x[1] = 0.1f;
  x[2] = 7;
  x[3] = notANumber;
  Quantized q = quantizeTensor("mxfp4, block = 1x1, rule = floor", x, {1, 32});
  SmallVector<float, 0> y = dequantizeTensor(q);
  QuantizationStats stats = computeStats(x, q, y);
  EXPECT_EQ(stats.numFinite, 31);
  EXPECT_EQ(stats.numNonFinite, 1);
  EXPECT_EQ(stats.numNonZero, 3);
  EXPECT_EQ(stats.numUnderflow, 0);
  EXPECT_EQ(stats.numSaturated, 2); // 7 becomes 6, 6.4 / 64 becomes 6 / 64
  EXPECT_EQ(stats.histogram[0], 28);

  q = quantizeTensor("mxfp4, rule = floor", ArrayRef(x).take_front(3), {1, 3});
  stats = computeStats(ArrayRef(x).take_front(3), q, dequantizeTensor(q));
  EXPECT_EQ(stats.numUnderflow, 1);
  EXPECT_EQ(stats.numSaturated, 1);
  EXPECT_EQ(stats.getNumUnusedCodes(), 14);
  EXPECT_NEAR(stats.getSNR(), 10 * std::log10((36 + 49 + 0.01) / 1.01), 1e-5);
}
