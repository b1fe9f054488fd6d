// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libFuzzer's entry: any bytes as a PTX module, whose kernels are launched for
// a bounded number of instructions. Mutants are made of lines and tokens, since
// few changes of bytes get past a parser.

#include "mx/Emulator/Device.h"
#include "mx/Emulator/TensorMap.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <cstring>
#include <random>

using namespace mx::ptx;
using llvm::StringRef;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

/// LLVM's allocators poison what they hand out, but the packaged libraries are
/// not instrumented; and what libLLVM keeps for ever is no leak.
extern "C" const char *__asan_default_options() {
  return "allow_user_poisoning=0:detect_leaks=0";
}

/// An error is `fuzz.ptx:line:column: error: ...` on the first line, or says
/// what is wrong with the launch.
static void check(llvm::Error error, bool isLocated) {
  std::string text = toString(std::move(error));
  auto [file, rest] = StringRef(text).split(':');
  size_t line = 0, column = 0;
  bool hasPlace = file == "fuzz.ptx" && !rest.consumeInteger(10, line) &&
                  rest.consume_front(":") && !rest.consumeInteger(10, column) &&
                  rest.starts_with(": error: ");
  if (text.empty() || (isLocated && (!hasPlace || !line || !column)))
    llvm::report_fatal_error("not a located error: " + llvm::Twine(text));
}

/// A tensor of 64 rows of 64 bytes, in boxes of 16 rows of 32.
static TensorMapBytes makeTensorMap(uint64_t address) {
  TensorMapParams params;
  params.address = address;
  params.dims = {64, 64};
  params.strides = {64};
  params.box = {32, 16};
  params.elementStrides = {1, 1};
  params.swizzle = TensorSwizzle::B32;
  return llvm::cantFail(encodeTensorMap(params));
}

/// Pointers to buffers, small numbers, tensor maps: by the parameter's size.
static std::vector<uint8_t> makeParameters(const Function &entry,
                                           Device &device) {
  std::vector<uint8_t> data(1 << 16);
  for (size_t i = 0; i < data.size(); ++i)
    data[i] = i * 37;
  auto allocate = [&] {
    uint64_t address = device.allocate("buffer", data.size());
    llvm::cantFail(device.write(address, data));
    return address;
  };
  ParameterLayout layout = getParameterLayout(entry);
  std::vector<uint8_t> bytes(layout.size);
  for (auto [param, offset] : llvm::zip_equal(entry.params, layout.offsets)) {
    uint8_t *place = bytes.data() + offset;
    uint64_t number = param.size == sizeof(number) ? allocate() : 16;
    if (param.size <= sizeof(number))
      std::memcpy(place, &number, param.size);
    if (param.size != sizeof(TensorMapBytes))
      continue;
    TensorMapBytes map = makeTensorMap(allocate());
    std::copy(map.begin(), map.end(), place);
  }
  return bytes;
}

/// The launch is the one that the kernel asks for, where that is small.
static void launch(const Module &module, const Function &entry,
                   const ExecutionOptions &options) {
  constexpr uint64_t mostParameters = 1 << 16;
  if (entry.params.size() > 32 ||
      getParameterLayout(entry).size > mostParameters)
    return;
  Device device;
  std::vector<uint8_t> parameters = makeParameters(entry, device);
  LaunchConfig config;
  config.block.x = 128;
  const auto &threads =
      entry.requiredThreads[0] ? entry.requiredThreads : entry.maxThreads;
  if (threads[0] && uint64_t(threads[0]) * threads[1] * threads[2] <= 256)
    config.block = {threads[0], threads[1], threads[2]};
  const auto &blocks = entry.requiredCluster;
  if (blocks[0] && uint64_t(blocks[0]) * blocks[1] * blocks[2] <= 4)
    config.cluster = config.grid = {blocks[0], blocks[1], blocks[2]};
  config.dynamicShared = 32768;
  config.parameters = parameters;
  if (llvm::Error error = device.launch(module, entry.name, config, options))
    check(std::move(error), /*isLocated=*/false);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  StringRef text(reinterpret_cast<const char *>(data), size);
  llvm::Expected<Module> module = parseModule(text, "fuzz.ptx");
  if (!module) {
    check(module.takeError(), /*isLocated=*/true);
    return 0;
  }
  ExecutionOptions options;
  options.maxInstructions = 2000;
  // Any of the options, but the same each time.
  options.seed = size;
  options.completion = size & 1 ? Completion::Random : Completion::Latest;
  options.checks = size & 2 ? Checks() : Checks::none();
  options.accumulate = size & 4 ? Accumulate::Hardware : Accumulate::Exact;
  options.approx = Approx(size / 8 % 4);
  unsigned launches = 0;
  for (const Function &function : module->functions)
    if (function.isEntry && !function.isDeclaration && ++launches <= 2)
      launch(*module, function, options);
  return 0;
}

//===----------------------------------------------------------------------===//
// Mutants
//===----------------------------------------------------------------------===//

static constexpr StringRef words[] = {".b8",
                                      ".b16",
                                      ".b32",
                                      ".b64",
                                      ".b128",
                                      ".pred",
                                      ".u32",
                                      ".s64",
                                      ".f16x2",
                                      ".bf16",
                                      ".f32",
                                      ".f64",
                                      ".v2",
                                      ".v4",
                                      ".v8",
                                      ".shared",
                                      ".global",
                                      ".local",
                                      ".const",
                                      ".param",
                                      ".sync",
                                      ".aligned",
                                      ".relaxed",
                                      ".acquire",
                                      ".gpu",
                                      ".cluster",
                                      ".rn",
                                      ".sat",
                                      ".ftz",
                                      ".reg",
                                      ".align",
                                      "{",
                                      "}",
                                      "(",
                                      ")",
                                      "[",
                                      "]",
                                      ";",
                                      ",",
                                      "@",
                                      "!",
                                      "|",
                                      "_",
                                      "<4>",
                                      "-",
                                      "bra",
                                      "ret",
                                      "call",
                                      "bar.sync",
                                      "alloca",
                                      "%tid.x",
                                      "%laneid",
                                      "%clock64",
                                      "0",
                                      "1",
                                      "31",
                                      "32",
                                      "255",
                                      "65536",
                                      "4294967295",
                                      "-1",
                                      "0x7fffffffffffffff",
                                      "18446744073709551615",
                                      "0f7f800000",
                                      "0d7ff8000000000000"};

/// Words with their sigils and dots, and what is between them.
static std::vector<StringRef> getTokens(StringRef line) {
  std::vector<StringRef> tokens;
  auto isWord = [](char c) {
    return llvm::isAlnum(c) || StringRef("_$%:").contains(c);
  };
  while (!line.empty()) {
    StringRef rest = line.drop_front().drop_while(isWord);
    if (!isWord(line[0]) && line[0] != '.')
      rest = line.drop_front();
    tokens.push_back(line.drop_back(rest.size()));
    line = rest;
  }
  return tokens;
}

/// Changes one or several lines or tokens of `text`, some of them to those of
/// `other`.
static std::string mutate(StringRef text, StringRef other, unsigned seed) {
  std::minstd_rand random(seed);
  auto below = [&](size_t bound) { return bound ? random() % bound : 0; };
  llvm::SmallVector<StringRef> lines, others;
  text.split(lines, '\n');
  other.split(others, '\n');
  std::vector<std::string> result(lines.begin(), lines.end());
  for (unsigned i = 1 << below(3); i != 0; --i) {
    size_t at = below(result.size()), from = below(result.size());
    auto place = result.begin() + at;
    switch (below(8)) {
    case 0:
      if (result.size() > 1)
        result.erase(place);
      break;
    case 1:
      result.insert(place, std::string(result[from]));
      break;
    case 2:
      std::swap(result[at], result[from]);
      break;
    case 3:
      result.insert(place, others[below(others.size())].str());
      break;
    default: {
      std::string line = result[at];
      std::vector<StringRef> tokens = getTokens(line);
      if (tokens.empty())
        break;
      std::vector<StringRef> source = getTokens(
          below(2) ? StringRef(result[from]) : others[below(others.size())]);
      StringRef &token = tokens[below(tokens.size())];
      token = below(5) == 0                     ? StringRef()
              : source.empty() || below(3) == 0 ? words[below(std::size(words))]
                                                : source[below(source.size())];
      result[at] = llvm::join(tokens, "");
    }
    }
  }
  return llvm::join(result, "\n");
}

static size_t store(StringRef text, uint8_t *data, size_t maxSize) {
  size_t size = std::min(text.size(), maxSize);
  std::memcpy(data, text.data(), size);
  return size;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  if (seed % 8 == 0)
    return LLVMFuzzerMutate(data, size, maxSize);
  StringRef text(reinterpret_cast<const char *>(data), size);
  return store(mutate(text, text, seed), data, maxSize);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *first,
                                            size_t firstSize,
                                            const uint8_t *second,
                                            size_t secondSize, uint8_t *out,
                                            size_t maxSize, unsigned seed) {
  return store(mutate({reinterpret_cast<const char *>(first), firstSize},
                      {reinterpret_cast<const char *>(second), secondSize},
                      seed),
               out, maxSize);
}
