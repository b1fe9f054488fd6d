// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The quantiser against what public libraries give for the same inputs, array
// by array. What differs is listed in a table, with its cause; any other
// number of differing bytes fails. Run by test/Formats/golden.test, which
// unpacks the arrays (test/Formats/Inputs/README.md) and sets MX_GOLDEN_DIR and
// MX_GOLDEN_DEVIATIONS.

#include "GoldenArrays.h"

#include "mx/Formats/Quantize.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include "gtest/gtest.h"

#include <cmath>
#include <map>

using namespace llvm;
using namespace mx;

//===----------------------------------------------------------------------===//
// What each library was asked for, and what we are asked for
//===----------------------------------------------------------------------===//

namespace {
struct PeerRun {
  StringRef peer;
  /// `format.variant` of the library's arrays.
  std::string key;
  std::string format;
  ElementRounding rounding = ElementRounding::NearestEven;
  /// The library was given one row at a time.
  bool rowByRow = false;
  /// The library quantised the transpose after this transform.
  std::optional<Hadamard> transposedTransform;
  /// The library was given bf16 inputs as f32.
  bool widened = false;
};
} // namespace

static std::vector<PeerRun> getRuns() {
  std::vector<PeerRun> runs;
  auto add = [&](StringRef peer, const Twine &key, const Twine &format,
                 StringRef variant) {
    PeerRun run;
    run.peer = peer;
    run.key = key.str();
    run.format = (format + ", variant = " + variant).str();
    runs.push_back(run);
    return &runs.back();
  };

  for (StringRef element :
       {"mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e2m3", "mxfp6_e3m2", "mxfp4"}) {
    for (StringRef rule : {"floor", "ceil", "even", "rceil"})
      add("torchao", element + "." + rule, element + ", rule = " + rule,
          "torchao");
    add("quark", element + ".even_round", element + ", rule = even", "ocp");
  }
  for (StringRef element : {"mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e2m3",
                            "mxfp6_e3m2", "mxfp4", "mxint8"}) {
    std::string format = (element + ", rule = floor").str();
    add("microxcaling", element + ".floor_nearest", format, "microxcaling")
        ->rounding = ElementRounding::NearestAway;
    add("microxcaling", element + ".floor_even", format, "microxcaling");
  }

  add("torchao", "nvfp4.two_level", "nvfp4", "torchao");
  add("torchao", "nvfp4.one_level", "nvfp4, second_level = false", "torchao");
  add("torchao", "fp8_block.act_1x128", "fp8_block_act", "torchao");
  add("torchao", "fp8_block.weight_128x128", "fp8_block_weight", "torchao");
  add("torchao", "fp8_row.e4m3", "fp8_row", "torchao");
  add("torchao", "fp8_tensor.e4m3", "fp8_tensor", "torchao");
  for (StringRef group : {"int4_g32", "int4_g64", "int4_g128"}) {
    add("torchao", group + ".symmetric", group, "torchao");
    add("torchao", group + ".asymmetric", group + ", zero_point = true",
        "torchao");
  }
  add("torchao", "nf4.double_quant", "nf4, double_quant = true", "torchao");

  StringRef peer = "compressed_tensors";
  add(peer, "nvfp4.NVFP4A16", "nvfp4", peer);
  add(peer, "mxfp4.MXFP4A16", "mxfp4, rule = even", peer);
  add(peer, "mxfp8_e4m3.MXFP8A16", "mxfp8, rule = even", peer);
  add(peer, "mxfp6_e2m3.MXFP6A16", "mxfp6_e2m3, rule = even", peer);
  add(peer, "fp8_block.FP8_BLOCK", "fp8_block_weight", peer);
  add(peer, "fp8_tensor.FP8", "fp8_tensor", peer);
  add(peer, "fp8_row.FP8_DYNAMIC", "fp8_row", peer);
  add(peer, "int4_g128.W4A16", "int4_g128", peer);
  add(peer, "int4_g128.W4A16_ASYM", "int4_g128, zero_point = true", peer);

  peer = "modelopt";
  add(peer, "nvfp4.qtensor", "nvfp4", peer);
  add(peer, "mxfp4.qtensor", "mxfp4, rule = rceil", peer);
  add(peer, "mxfp8_e4m3.qtensor", "mxfp8, rule = rceil", peer);
  add(peer, "fp8_tensor.qtensor", "fp8_tensor", peer);
  add(peer, "fp8_block.qtensor_128x128", "fp8_block_weight", peer);
  add(peer, "int4_g128.qtensor", "int4_g128", peer);

  add("bitsandbytes", "nf4.single", "nf4", "bitsandbytes");
  add("bitsandbytes", "nf4.double_quant", "nf4, double_quant = true",
      "bitsandbytes");

  add("jax", "mxfp8_e4m3.scaled_matmul", "mxfp8, rule = rceil", "jax");
  add("jax", "mxfp8_e5m2.scaled_matmul", "mxfp8_e5m2, rule = rceil", "jax");
  add("jax", "nvfp4.scaled_matmul", "nvfp4", "jax")->widened = true;

  StringRef powerOfTwo = ", scale = e8m0, rule = rceil";
  add("deepseek", "fp8_block.act_quant", "fp8_block_act", "deepseek");
  add("deepseek", "fp8_block.act_quant_ue8m0", "fp8_block_act" + powerOfTwo,
      "deepseek");

  peer = "fouroversix";
  add(peer, "nvfp4.static_6", "nvfp4", peer);
  add(peer, "nvfp4.static_6_2d", "nvfp4_2d", peer);
  for (StringRef measure : {"mse", "mae", "abs_max"})
    add(peer, "nvfp4." + measure,
        "nvfp4, scale_max = 256, four_over_six = " + measure, peer);
  add(peer, "nvfp4.mse_2d", "nvfp4_2d, scale_max = 256, four_over_six = mse",
      peer);
  add(peer, "mxfp4.static_6", "mxfp4, rule = rceil", peer);
  add(peer, "mxfp4.static_4", "mxfp4, rule = ceil", peer);

  peer = "transformer_engine";
  add(peer, "nvfp4.1d", "nvfp4", "te");
  add(peer, "nvfp4.2d", "nvfp4_2d", "te");
  add(peer, "nvfp4.row_scaled", "nvfp4", "te")->rowByRow = true;
  for (StringRef measure : {"mae", "mse"})
    for (StringRef scaleMax : {"448", "256"})
      add(peer, "nvfp4.1d_4over6_" + measure + "_" + scaleMax,
          "nvfp4, scale_max = " + scaleMax + ", four_over_six = " + measure,
          "te");
  add(peer, "nvfp4.2d_4over6_mae_256",
      "nvfp4_2d, scale_max = 256, four_over_six = mae", "te");
  add(peer, "nvfp4.2d_4over6_mse_448", "nvfp4_2d, four_over_six = mse", "te");
  add(peer, "nvfp4.rht16_columnwise", "nvfp4", "te")->transposedTransform =
      Hadamard::getTransformerEngine();
  add(peer, "nvfp4.rht16_columnwise_unsigned", "nvfp4", "te")
      ->transposedTransform = Hadamard::getPlain(16);
  for (StringRef element : {"e4m3", "e5m2"})
    for (StringRef tile : {"1x128", "128x128"}) {
      std::string key = ("fp8_block." + element + "_" + tile).str();
      std::string format =
          ("fp8_block_act, element = " + element + ", block = " + tile).str();
      add(peer, key, format, "te");
      add(peer, key + "_pow2", format + powerOfTwo, "te");
    }
  return runs;
}

//===----------------------------------------------------------------------===//
// Our arrays, in the form of theirs
//===----------------------------------------------------------------------===//

/// Rows of square blocks' scales, once for each row of the tensor (padded to
/// whole blocks).
template <typename T>
static SmallVector<T, 0> repeatRows(ArrayRef<T> scales, int64_t numCols,
                                    int64_t count) {
  SmallVector<T, 0> repeated;
  for (; !scales.empty(); scales = scales.drop_front(numCols))
    for (int64_t i = 0; i < count; ++i)
      repeated.append(scales.begin(), scales.begin() + numCols);
  return repeated;
}

/// The scales as the library's array has them: bytes, or numbers where it
/// stores numbers or exponents.
static Bytes getScales(const Quantized &q, StringRef array,
                       const NpyArray &theirs) {
  SmallVector<uint8_t, 0> codes = q.scaleCodes;
  // NVFP4's square blocks are given for each row.
  if (q.format.scale == ScaleType::E4M3 && q.format.blockRows == 16)
    codes = repeatRows<uint8_t>(codes, q.scaleShape.back(), 16);
  if (q.scaleCodes.empty())
    return toBytes<float>(q.scales);
  if (theirs.getDType() != "f32")
    return toBytes<uint8_t>(codes);
  SmallVector<float, 0> values;
  for (uint8_t code : codes)
    values.push_back(array == "shared_exp"
                         ? (code == 0xFF ? NAN : float(code) - 127)
                         : decodeScale(q.format.scale, code));
  return toBytes<float>(values);
}

/// Int4 codes as signed or unsigned numbers.
static Bytes getIntegers(const Quantized &q) {
  SmallVector<float> table = getDecodeTable(q.format);
  SmallVector<int8_t, 0> values;
  for (uint8_t code : q.codes)
    values.push_back(int8_t(table[code]));
  return toBytes<int8_t>(values);
}

/// Int4 codes as checkpoints pack them: plus 8; ModelOpt's high nibble first,
/// which is how NF4 is packed.
static Bytes getPacked(const Quantized &q) {
  SmallVector<uint8_t, 0> codes;
  for (uint8_t code : q.codes)
    codes.push_back(code ^ 8);
  bool highFirst = q.format.variant == Variant::ModelOpt;
  return toBytes<uint8_t>(packCodes(highFirst ? Element::NF4 : Element::Int4,
                                    codes, q.shape.back()));
}

static Bytes getArray(const Quantized &q, StringRef array,
                      const NpyArray &theirs) {
  if (array == "codes")
    return toBytes<uint8_t>(q.codes);
  if (array == "ints")
    return getIntegers(q);
  if (array == "packed")
    return getPacked(q);
  if (array == "scales" || array == "scale_values" || array == "shared_exp")
    return getScales(q, array, theirs);
  if (array == "global" || array == "global_amax")
    return toBytes<float>(q.tensorScale.stored);
  if (array == "scale_absmax" || array == "scale_factor")
    return toBytes<float>(q.groupScales);
  if (array == "scale_offset" || array == "scale_mean")
    return toBytes<float>(q.scaleOffset);
  if (array == "zero_points") {
    SmallVector<int8_t, 0> zeroPoints = q.zeroPoints;
    zeroPoints.resize(theirs.getNumElements()); // symmetric: zeros
    return toBytes<int8_t>(zeroPoints);
  }
  if (array == "values" || array == "deq") {
    SmallVector<float, 0> values(q.codes.size());
    if (array == "deq")
      dequantize(q, values);
    else
      for (auto [value, code] : zip_equal(values, q.codes))
        value = decodeElement(q.format.element, code);
    return toBytes<float>(values);
  }
  ADD_FAILURE() << "unknown array " << array.str();
  return {};
}

static Quantized quantizeTensor(const PeerRun &run, TensorView tensor) {
  QuantizeOptions options;
  options.rounding = run.rounding;
  options.transform = run.transposedTransform;
  return cantFail(
      quantize(cantFail(Format::parse(run.format)), options, tensor));
}

/// All rows quantised one by one, put together.
static Bytes getArrayOfRows(const PeerRun &run, const GoldenInput &input,
                            StringRef array, const NpyArray &theirs) {
  Bytes all;
  int64_t shape[] = {1, input.shape[1]};
  for (int64_t row = 0; row < input.shape[0]; ++row)
    all.append(getArray(quantizeTensor(run, input.getView(row, shape)), array,
                        theirs));
  return all;
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

/// A line of the table.
struct Deviation {
  int64_t numBytes = 0;
  std::string cause;
};
using Deviations = std::map<std::string, Deviation>;

/// Why a byte may differ: what a library does and we do not copy.
static constexpr StringLiteral causes[] = {
    "logarithm",     // in f32 or bf16
    "wrap",          // a byte that wraps
    "nan",           // codes of NaN and inf
    "zero",          // codes of what is 0 / 0
    "e2m1-width",    // E2M1's mantissa width used for another element
    "bf16-quotient", // quotients taken in bf16
    "ties",          // other than to even
};

static Deviations readDeviations(StringRef path) {
  Deviations deviations;
  auto buffer = cantFail(errorOrToExpected(MemoryBuffer::getFile(path)));
  SmallVector<StringRef> lines, fields;
  buffer->getBuffer().split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (StringRef line : lines) {
    if (line.starts_with("#"))
      continue;
    fields.clear();
    line.split(fields, '\t');
    int64_t numBytes;
    if (fields.size() != 4 || fields[2].getAsInteger(10, numBytes)) {
      ADD_FAILURE() << "not a line of the table: " << line.str();
      continue;
    }
    for (StringRef cause : llvm::split(fields[3], ", "))
      EXPECT_TRUE(is_contained(causes, cause)) << line.str();
    auto [it, inserted] = deviations.insert(
        {(fields[0] + "\t" + fields[1]).str(), {numBytes, fields[3].str()}});
    EXPECT_TRUE(inserted) << "given twice: " << line.str();
  }
  return deviations;
}

TEST(Golden, Libraries) {
  if (!getGoldenDir())
    GTEST_SKIP() << "run by test/Formats/golden.test";
  Deviations expected = readDeviations(std::getenv("MX_GOLDEN_DEVIATIONS"));
  std::map<std::string, GoldenInput> inputs;
  unsigned numArrays = 0;
  for (const PeerRun &run : getRuns()) {
    unsigned before = numArrays;
    forEachGoldenArray(
        run.peer, run.key,
        [&](StringRef name, StringRef array, const NpyArray &theirs) {
          // The library's table; an output of microxcaling that is not code
          // times scale; Quark's scales stop at 2^127 for the largest values.
          if (array == "scale_code" ||
              (array == "deq" && run.peer == "microxcaling") ||
              (run.peer == "quark" &&
               (name.contains("huge") || name.contains("inf"))))
            return;
          ++numArrays;
          auto it = inputs.find(name.str());
          if (it == inputs.end())
            it = inputs.try_emplace(name.str(), readGoldenInput(name)).first;
          GoldenInput input = it->second;
          if (run.widened)
            input.widen();
          if (run.transposedTransform)
            input.transpose();
          Bytes ours;
          if (array == "transformed")
            ours = toBytes<float>(transformTensor(&*run.transposedTransform,
                                                  input.getView(), /*axis=*/1));
          else if (run.rowByRow)
            ours = getArrayOfRows(run, input, array, theirs);
          else
            ours =
                getArray(quantizeTensor(run, input.getView()), array, theirs);

          // Exponents that E8M0 cannot hold are NaN here, inf in microxcaling.
          int64_t numBytes =
              countDifferingBytes(ours, theirs, array == "shared_exp");
          std::string key =
              (run.peer + "." + run.key + "." + name + "\t" + array).str();
          auto deviation = expected.find(key);
          int64_t allowed =
              deviation == expected.end() ? 0 : deviation->second.numBytes;
          EXPECT_EQ(numBytes, allowed) << key;
          if (deviation != expected.end())
            expected.erase(deviation);
        });
    EXPECT_GT(numArrays, before) << "no arrays of " << run.key;
  }
  for (auto &[key, deviation] : expected)
    ADD_FAILURE() << "in the table, but there is no such array: " << key;
  EXPECT_GT(numArrays, 2500u);
}
