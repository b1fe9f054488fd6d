// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantises a tensor in a .npy file and says what that did to it.

#include "mx/Formats/Quantize.h"
#include "mx/Formats/Stats.h"
#include "mx/Support/Npy.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace mx;

//===----------------------------------------------------------------------===//
// Command line
//===----------------------------------------------------------------------===//

static cl::OptionCategory category("mx-quantize options");

static cl::opt<std::string> inputPath(cl::Positional, cl::Required,
                                      cl::desc("X.npy"), cl::cat(category));
static cl::opt<std::string>
    formatText("format", cl::Required,
               cl::value_desc("name or #mx.format<...>"),
               cl::desc("the block format: nvfp4, mxfp4, mxfp8_e4m3, ..."),
               cl::cat(category));
static cl::opt<std::string> prefix("o", cl::Required, cl::value_desc("PREFIX"),
                                   cl::desc("writes PREFIX.codes.npy, "
                                            "PREFIX.scales.npy, ..."),
                                   cl::cat(category));
static cl::opt<std::string>
    scaleRule("scale-rule", cl::value_desc("floor|ceil|even|rceil"),
              cl::desc("rule of E8M0 scales; default: the library's where "
                       "--variant names one that has one rule, else the "
                       "format's"),
              cl::cat(category));
static cl::opt<std::string>
    variantName("variant", cl::value_desc("name"),
                cl::desc("whose edge rules are followed: ocp (default), "
                         "torchao, te, compressed_tensors, modelopt, jax, "
                         "microxcaling, deepseek, bitsandbytes, fouroversix"),
                cl::cat(category));
static cl::opt<bool> twoD("two-d",
                          cl::desc("square blocks: 16x16 for nvfp4, 128x128 "
                                   "for fp8_block"),
                          cl::cat(category));
static cl::opt<std::string>
    fourOverSix("four-over-six", cl::value_desc("mse|mae|abs_max"),
                cl::desc("also try to map a block's amax to 4, keep the "
                         "smaller error; sets --scale-max to 256 by default"),
                cl::cat(category));
static cl::opt<std::string>
    scaleMax("scale-max", cl::value_desc("448|256"),
             cl::desc("block scale that the tensor's amax maps to"),
             cl::cat(category));
static cl::opt<bool> noSecondLevel("no-second-level",
                                   cl::desc("no scale of the whole tensor"),
                                   cl::cat(category));
static cl::opt<bool> zeroPoint("zero-point",
                               cl::desc("a zero point a block (int4)"),
                               cl::cat(category));
static cl::opt<bool>
    doubleQuant("double-quant",
                cl::desc("quantise the scales to 8 bits too (nf4)"),
                cl::cat(category));
static cl::opt<int64_t>
    axis("axis", cl::init(-1),
         cl::desc("dimension along which blocks run; default: -1, the last"),
         cl::cat(category));
static cl::opt<std::string> transformName(
    "transform", cl::value_desc("rhtN|hN"),
    cl::desc("Hadamard transform of groups of N along the axis, with signs "
             "(rht16: Transformer Engine's; else of --transform-seed) or none "
             "(hN)"),
    cl::cat(category));
static cl::opt<std::string>
    transformSeed("transform-seed", cl::value_desc("N"),
                  cl::desc("seed of the transform's signs"), cl::cat(category));
static cl::list<int> signs("signs", cl::CommaSeparated,
                           cl::value_desc("1,-1,..."),
                           cl::desc("the transform's signs themselves"),
                           cl::cat(category));
static cl::opt<std::string> roundingName(
    "rounding", cl::value_desc("rne|rna|sr"),
    cl::desc("nearest with ties to even or away from zero, or stochastic; "
             "default: rne, and rna for --variant microxcaling"),
    cl::cat(category));
static cl::opt<uint64_t> seed("seed", cl::init(0),
                              cl::desc("seed of stochastic rounding"),
                              cl::cat(category));
static cl::opt<uint64_t> offset("offset", cl::init(0),
                                cl::desc("offset of stochastic rounding"),
                                cl::cat(category));
static cl::opt<unsigned>
    randomBits("random-bits", cl::init(24),
               cl::desc("bits of stochastic rounding, 8 to 24 (default)"),
               cl::cat(category));
static cl::opt<std::string> dtype("dtype", cl::value_desc("bf16"),
                                  cl::desc("what a file of uint16 holds"),
                                  cl::cat(category));
static cl::opt<bool>
    pack("pack", cl::desc("pack codes of fewer than 8 bits into bytes"),
         cl::cat(category));

static constexpr const char *overview =
    "Quantises the tensor of a .npy file (f32, f16 or bf16).\n\n"
    "Writes PREFIX.codes.npy (uint8, one code a byte), PREFIX.scales.npy "
    "(bytes "
    "of E8M0 and E4M3, else f32), PREFIX.dequant.npy, and where the format has "
    "them PREFIX.global.npy, PREFIX.zero_points.npy, and "
    "PREFIX.group_scales.npy "
    "and PREFIX.scale_offset.npy (double quantisation). Prints what was "
    "lost.\n\n"
    "Example: mx-quantize weight.npy --format nvfp4 -o weight.nvfp4\n";

/// An error about an option.
static Error optionError(StringRef option, const Twine &message) {
  return createStringError("--" + option + ": " + message);
}

//===----------------------------------------------------------------------===//
// Options to format and options of the library
//===----------------------------------------------------------------------===//

/// The one rule of libraries that have one.
static StringRef getLibraryRule(StringRef variant) {
  return StringSwitch<StringRef>(variant)
      .Case("microxcaling", "floor")
      .Case("compressed_tensors", "even")
      .Cases({"modelopt", "jax", "fouroversix", "deepseek", "te"}, "rceil")
      .Default("");
}

/// The format of `--format` with the overrides of the other options, by way of
/// its own spelling, so that there is one parser and one set of messages.
static Expected<Format> getFormat() {
  StringRef text = StringRef(formatText).trim();
  if (text.consume_front("#mx.format<") && !text.consume_back(">"))
    return optionError("format", "expected '#mx.format<...>'");
  Expected<Format> base = Format::parse(text);
  if (!base)
    return optionError("format", toString(base.takeError()));
  auto isGiven = [&](StringRef field) {
    return llvm::any_of(llvm::split(text, ','), [&](StringRef part) {
      return part.contains('=') && part.split('=').first.trim() == field;
    });
  };

  struct Override {
    StringRef option, field;
    std::string value;
  };
  SmallVector<Override> overrides;
  if (!scaleRule.empty())
    overrides.push_back({"scale-rule", "rule", scaleRule});
  else if (base->scale == ScaleType::E8M0 && !isGiven("rule"))
    if (StringRef rule = getLibraryRule(variantName); !rule.empty())
      overrides.push_back({"variant", "rule", rule.str()});
  if (!variantName.empty())
    overrides.push_back({"variant", "variant", variantName});
  if (twoD) {
    if (base->blockCols == Format::Whole)
      return optionError("two-d", "'" + text + "' has no square blocks");
    std::string extent = std::to_string(base->blockCols);
    overrides.push_back({"two-d", "block", extent + "x" + extent});
  }
  if (!fourOverSix.empty()) {
    overrides.push_back({"four-over-six", "four_over_six", fourOverSix});
    if (scaleMax.empty() && !isGiven("scale_max"))
      overrides.push_back({"four-over-six", "scale_max", "256"});
  }
  if (!scaleMax.empty())
    overrides.push_back({"scale-max", "scale_max", scaleMax});
  if (noSecondLevel)
    overrides.push_back({"no-second-level", "second_level", "false"});
  if (zeroPoint)
    overrides.push_back({"zero-point", "zero_point", "true"});
  if (doubleQuant)
    overrides.push_back({"double-quant", "double_quant", "true"});

  std::string spelling = text.str();
  for (Override &item : overrides) {
    if (isGiven(item.field))
      return optionError(item.option,
                         "'" + item.field + "' is also given by --format");
    spelling += (", " + item.field + " = " + item.value).str();
  }
  return Format::parse(spelling);
}

static Expected<std::optional<Hadamard>> getTransform() {
  StringRef name = transformName;
  if (name.empty()) {
    if (!signs.empty())
      return optionError("signs", "needs --transform");
    return std::nullopt;
  }
  StringRef digits = name;
  bool random = digits.consume_front("rht");
  int64_t size = 0;
  if ((!random && !digits.consume_front("h")) ||
      digits.getAsInteger(10, size) || size < 2 || size > 4096 ||
      !isPowerOf2_64(size))
    return optionError("transform",
                       "expected rhtN or hN, N a power of two of 2 to 4096; "
                       "got '" +
                           name + "'");
  if (!random)
    return Hadamard::getPlain(size);
  if (!signs.empty()) {
    Hadamard transform;
    for (int sign : signs) {
      if (sign != 1 && sign != -1)
        return optionError("signs", "must be 1 or -1; got " + Twine(sign));
      transform.signs.push_back(sign);
    }
    if (transform.size() != size)
      return optionError("signs", "expected " + Twine(size) + ", got " +
                                      Twine(transform.size()));
    return transform;
  }
  if (transformSeed.empty()) {
    if (size == 16)
      return Hadamard::getTransformerEngine();
    return optionError("transform",
                       "'" + name + "' needs --transform-seed or --signs");
  }
  uint64_t seed;
  if (StringRef(transformSeed).getAsInteger(10, seed))
    return optionError("transform-seed",
                       "expected an integer; got '" + transformSeed + "'");
  return Hadamard::getSeeded(size, seed);
}

static Expected<ElementRounding> getRounding() {
  if (roundingName.empty())
    return variantName == "microxcaling" ? ElementRounding::NearestAway
                                         : ElementRounding::NearestEven;
  auto rounding = StringSwitch<std::optional<ElementRounding>>(roundingName)
                      .Case("rne", ElementRounding::NearestEven)
                      .Case("rna", ElementRounding::NearestAway)
                      .Case("sr", ElementRounding::Stochastic)
                      .Default(std::nullopt);
  if (!rounding)
    return optionError("rounding",
                       "expected rne, rna or sr; got '" + roundingName + "'");
  return *rounding;
}

static Expected<FloatType> getType(const NpyArray &array) {
  if (!dtype.empty() && dtype != "bf16")
    return optionError("dtype", "expected bf16; got '" + dtype + "'");
  StringRef type = array.getDType();
  if (type == "f32" && dtype.empty())
    return FloatType::F32;
  if (type == "f16" && dtype.empty())
    return FloatType::F16;
  if (type == "bf16" || (type == "ui16" && !dtype.empty()))
    return FloatType::BF16;
  std::string message = ("elements are " + type + "; ").str();
  if (type == "ui16")
    message += "bf16 needs --dtype bf16";
  else if (dtype.empty())
    message += "f32, f16 and bf16 are quantised";
  else
    message += "--dtype bf16 is for bf16 and ui16";
  return createFileError(inputPath, createStringError(message));
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

static Error writeCodes(const Quantized &q) {
  std::string path = prefix + ".codes.npy";
  if (!pack)
    return writeNpy<uint8_t>(path, "ui8", q.shape, q.codes);
  // Rows of packed codes start at a byte.
  SmallVector<int64_t> shape(q.shape);
  int64_t rowLength = shape.back();
  shape.back() = divideCeil(rowLength * getBitWidth(q.format.element), 8);
  return writeNpy<uint8_t>(path, "ui8", shape,
                           packCodes(q.format.element, q.codes, rowLength));
}

static Error writeOutputs(const Quantized &q, ArrayRef<float> dequantized) {
  if (Error error = writeCodes(q))
    return error;
  std::string scales = prefix + ".scales.npy";
  if (Error error =
          q.scales.empty()
              ? writeNpy<uint8_t>(scales, "ui8", q.scaleShape, q.scaleCodes)
              : writeNpy<float>(scales, "f32", q.scaleShape, q.scales))
    return error;
  if (q.format.secondLevel)
    if (Error error = writeNpy<float>(prefix + ".global.npy", "f32", {1},
                                      ArrayRef<float>(q.tensorScale.stored)))
      return error;
  if (q.format.zeroPoint)
    if (Error error = writeNpy<int8_t>(prefix + ".zero_points.npy", "i8",
                                       q.scaleShape, q.zeroPoints))
      return error;
  if (q.format.doubleQuant) {
    if (Error error =
            writeNpy<float>(prefix + ".group_scales.npy", "f32",
                            {int64_t(q.groupScales.size())}, q.groupScales))
      return error;
    if (Error error = writeNpy<float>(prefix + ".scale_offset.npy", "f32", {1},
                                      ArrayRef<float>(q.scaleOffset)))
      return error;
  }
  return writeNpy<float>(prefix + ".dequant.npy", "f32", q.shape, dequantized);
}

static void printStats(const Quantized &q, const QuantizationStats &stats) {
  auto percent = [](int64_t part, int64_t whole) {
    return format("%.4g%%", whole ? 100.0 * double(part) / double(whole) : 0.0);
  };
  outs() << "format: #mx.format<" << q.format.str() << ">\n"
         << "elements: " << q.codes.size() << " ("
         << llvm::join(llvm::map_range(
                           q.shape, [](int64_t n) { return Twine(n).str(); }),
                       "x")
         << ")\n"
         << "SNR: " << format("%.2f", stats.getSNR()) << " dB\n"
         << "underflow: " << stats.numUnderflow << " ("
         << percent(stats.numUnderflow, stats.numNonZero) << " of nonzero)\n"
         << "saturation: " << stats.numSaturated << " ("
         << percent(stats.numSaturated, stats.numFinite) << ")\n"
         << "unused codes: " << stats.getNumUnusedCodes() << " of "
         << stats.histogram.size() << "\n";
  if (stats.numNonFinite)
    outs() << "inf or NaN: " << stats.numNonFinite << "\n";
}

static Error run() {
  Expected<Format> format = getFormat();
  if (!format)
    return format.takeError();
  QuantizeOptions options;
  options.axis = axis;
  options.seed = seed;
  options.offset = offset;
  options.randomBits = randomBits;
  if (Error error = getRounding().moveInto(options.rounding))
    return error;
  if (Error error = getTransform().moveInto(options.transform))
    return error;
  Expected<NpyArray> array = NpyArray::open(inputPath);
  if (!array)
    return array.takeError();
  Expected<FloatType> type = getType(*array);
  if (!type)
    return type.takeError();

  TensorView tensor(*type, array->getData().data(), array->getShape());
  Expected<Quantized> q = quantize(*format, options, tensor);
  if (!q)
    return createFileError(inputPath, q.takeError());
  SmallVector<float, 0> dequantized;
  dequantized.resize_for_overwrite(q->codes.size());
  dequantize(*q, dequantized);
  if (Error error = writeOutputs(*q, dequantized))
    return error;
  SmallVector<float, 0> original = transformTensor(
      options.transform ? &*options.transform : nullptr, tensor, q->axis);
  printStats(*q, computeStats(original, *q, dequantized));
  return Error::success();
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter(
      [](raw_ostream &os) { os << "mx-quantize (mx) 0.1.0\n"; });
  cl::ParseCommandLineOptions(argc, argv, overview);
  if (Error error = run()) {
    logAllUnhandledErrors(std::move(error),
                          WithColor::error(errs(), "mx-quantize"));
    return 1;
  }
  return 0;
}
