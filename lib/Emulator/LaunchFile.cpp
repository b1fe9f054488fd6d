// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Launch.h"

#include "mx/Support/Npy.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstring>

using namespace mx::ptx;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;
namespace json = llvm::json;

Error Launch::readDim(const json::Object &root, StringRef key, Dim3 &dim) {
  const json::Array *array = root.getArray(key);
  if (!array || array->size() != 3)
    return fail("'" + key + "' has to be an array of three numbers");
  unsigned *parts[] = {&dim.x, &dim.y, &dim.z};
  for (unsigned i = 0; i < 3; ++i) {
    std::optional<int64_t> value = (*array)[i].getAsInteger();
    if (!value || *value < 1 || *value > INT32_MAX)
      return fail("'" + key + "' has to be of positive numbers");
    *parts[i] = *value;
  }
  return Error::success();
}

Error Launch::check(const json::Object &root, llvm::raw_ostream &os) {
  const json::Array *checks = root.getArray("checks");
  if (!checks)
    return Error::success();
  StringRef stem = path;
  stem.consume_back(".json");
  for (const json::Value &value : *checks) {
    const json::Object *object = value.getAsObject();
    StringRef name = object ? object->getString("buffer").value_or("") : "";
    Buffer *buffer = lookup(name);
    if (!buffer)
      return fail("checks: there is no buffer '" + name + "'");
    auto expected = mx::NpyArray::open((stem + "." + name + ".npy").str());
    if (!expected)
      return expected.takeError();
    unsigned size = buffer->type.size;
    if (expected->getNumElements() != buffer->count ||
        expected->getData().size() != buffer->size)
      return fail("the expected '" + name + "' has another size");
    bool isExact = object->getBoolean("exact").value_or(false);
    double rtol = object->getNumber("rtol").value_or(0);
    double atol = object->getNumber("atol").value_or(0);
    int64_t last = buffer->shape.empty() ? 1 : buffer->shape.back();
    int64_t columns = object->getInteger("columns").value_or(last);
    llvm::ArrayRef<uint8_t> bytes = device.getBytes(buffer->address);
    for (int64_t i = 0; i < buffer->count; ++i) {
      if (i % last >= columns)
        continue;
      uint64_t got = 0, want = 0;
      std::memcpy(&got, &bytes[i * size], size);
      std::memcpy(&want, expected->getData().data() + i * size, size);
      if (!device.isInitialized(buffer->address + i * size))
        return fail("element " + Twine(i) + " of '" + name +
                    "' was never written");
      double g = decodeNumber(buffer->type, got);
      double w = decodeNumber(buffer->type, want);
      bool isRight = got == want;
      if (!isExact && !isRight)
        isRight = (std::isnan(g) && std::isnan(w)) || g == w ||
                  std::fabs(g - w) <= atol + rtol * std::fabs(w);
      if (!isRight) {
        std::string text;
        llvm::raw_string_ostream(text) << "element " << i << " of '" << name
                                       << "' is " << g << ", expected " << w;
        return fail(text);
      }
    }
    os << "'" << name << "' is as expected\n";
  }
  return Error::success();
}

/// The instructions that were executed most come first.
static void printStatistics(const LaunchStatistics &statistics,
                            llvm::raw_ostream &os) {
  os << statistics.warpInstructions << " warp instructions, "
     << statistics.laneInstructions << " lane instructions\n";
  using Entry = std::pair<StringRef, InstructionCount>;
  std::vector<Entry> entries(statistics.instructions.begin(),
                             statistics.instructions.end());
  llvm::sort(entries, [](const Entry &a, const Entry &b) {
    return std::pair(b.second.warps, a.first) <
           std::pair(a.second.warps, b.first);
  });
  os << "       warps        lanes        bytes instruction\n";
  for (const auto &[name, count] : entries)
    os << llvm::format("%12llu %12llu %12llu ", (unsigned long long)count.warps,
                       (unsigned long long)count.lanes,
                       (unsigned long long)count.bytes)
       << name << "\n";
}

Error Launch::run(const LaunchOptions &options, llvm::raw_ostream &os) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return fail(file.getError().message());
  llvm::Expected<json::Value> parsed = json::parse((*file)->getBuffer());
  if (!parsed)
    return fail(llvm::toString(parsed.takeError()));
  const json::Object *root = parsed->getAsObject();
  if (!root)
    return fail("is not a JSON object");
  StringRef entry = root->getString("entry").value_or("");
  const Function *function = module.lookupEntry(entry);
  if (!function)
    return fail("the module has no entry '" + entry + "'");
  ExecutionOptions execution = options.execution;
  execution.count = options.stats;
  StringRef accumulate = root->getString("accumulate").value_or("exact");
  if (accumulate != "exact" && accumulate != "hardware")
    return fail("'accumulate' has to be \"exact\" or \"hardware\"");
  execution.accumulate = options.accumulate.value_or(
      accumulate == "hardware" ? Accumulate::Hardware : Accumulate::Exact);
  if (Error error = readBuffers(*root))
    return error;
  LaunchConfig config;
  if (Error error = readDim(*root, "grid", config.grid))
    return error;
  if (Error error = readDim(*root, "block", config.block))
    return error;
  const auto &blocks = function->requiredCluster;
  if (blocks[0])
    config.cluster = {blocks[0], blocks[1], blocks[2]};
  if (root->get("cluster"))
    if (Error error = readDim(*root, "cluster", config.cluster))
      return error;
  int64_t dynamic = root->getInteger("dynamic_shared").value_or(0);
  if (dynamic < 0)
    return fail("'dynamic_shared' is negative");
  config.dynamicShared = dynamic;
  std::vector<uint8_t> parameters;
  if (Error error = readArguments(*root, *function, parameters))
    return error;
  config.parameters = parameters;
  LaunchStatistics statistics;
  if (Error error =
          device.launch(module, entry, config, execution, &statistics))
    return error;
  if (options.stats)
    printStatistics(statistics, os);
  if (!options.outDir.empty()) {
    if (std::error_code error =
            llvm::sys::fs::create_directories(options.outDir))
      return llvm::createStringError(options.outDir + ": " + error.message());
    for (const Buffer &buffer : buffers) {
      llvm::SmallString<128> out(options.outDir);
      llvm::sys::path::append(out, buffer.name + ".npy");
      llvm::ArrayRef<uint8_t> bytes = device.getBytes(buffer.address);
      if (Error error = mx::writeNpy(
              out, buffer.type.npy, buffer.shape,
              llvm::ArrayRef(reinterpret_cast<const char *>(bytes.data()),
                             bytes.size())))
        return error;
    }
  }
  return check(*root, os);
}

Error mx::ptx::runLaunch(const Module &module, StringRef launchPath,
                         const LaunchOptions &options, llvm::raw_ostream &os) {
  return Launch(module, launchPath).run(options, os);
}
