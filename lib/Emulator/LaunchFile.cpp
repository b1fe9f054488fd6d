// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Emulator/LaunchFile.h"

#include "Rounding.h"

#include "mx/Formats/Codec.h"
#include "mx/Support/Npy.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"
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

namespace {
/// An element type of launch files.
struct DType {
  unsigned size = 0;
  /// As .npy files spell it.
  StringRef npy;
  enum Kind { Unsigned, Signed, Float, F16, BF16, E4M3, E5M2 } kind = Unsigned;
};

struct Buffer {
  std::string name;
  DType type;
  llvm::SmallVector<int64_t> shape;
  int64_t count = 1;
  /// On the device, and in bytes.
  uint64_t address = 0, size = 0;
};

class Launch {
public:
  Launch(const Module &module, StringRef path) : module(module), path(path) {}

  Error run(const LaunchOptions &options, llvm::raw_ostream &os);

private:
  Error fail(const Twine &message) {
    return llvm::createStringError(path + ": " + message);
  }
  Error readBuffers(const json::Object &root);
  Error initialize(Buffer &buffer, const json::Object &init);
  Error readArguments(const json::Object &root, const Function &entry,
                      std::vector<uint8_t> &parameters);
  Error check(const json::Object &root, llvm::raw_ostream &os);
  Error readDim(const json::Object &root, StringRef key, Dim3 &dim);
  Buffer *lookup(StringRef name);

  const Module &module;
  StringRef path;
  Device device;
  std::vector<Buffer> buffers;
};
} // namespace

static std::optional<DType> parseDType(StringRef name) {
  using D = DType;
  return llvm::StringSwitch<std::optional<DType>>(name)
      .Case("u8", D{1, "ui8", D::Unsigned})
      .Case("u16", D{2, "ui16", D::Unsigned})
      .Case("u32", D{4, "ui32", D::Unsigned})
      .Case("u64", D{8, "ui64", D::Unsigned})
      .Case("i8", D{1, "i8", D::Signed})
      .Case("i16", D{2, "i16", D::Signed})
      .Case("i32", D{4, "i32", D::Signed})
      .Case("i64", D{8, "i64", D::Signed})
      .Case("f16", D{2, "f16", D::F16})
      .Case("bf16", D{2, "ui16", D::BF16})
      .Case("f32", D{4, "f32", D::Float})
      .Case("f64", D{8, "f64", D::Float})
      .Case("e4m3", D{1, "ui8", D::E4M3})
      .Case("e5m2", D{1, "ui8", D::E5M2})
      .Default(std::nullopt);
}

static uint64_t encode(const DType &type, double value) {
  switch (type.kind) {
  case DType::Unsigned:
  case DType::Signed:
    return uint64_t(int64_t(value));
  case DType::Float:
    return type.size == 8 ? llvm::bit_cast<uint64_t>(value)
                          : mx::toBits(float(value));
  case DType::F16:
    return mx::encodeF16(float(value));
  case DType::BF16:
    return mx::encodeBF16(float(value));
  case DType::E4M3:
    return mx::encodeElement(mx::Element::E4M3, float(value));
  case DType::E5M2:
    return mx::encodeElement(mx::Element::E5M2, float(value));
  }
  return 0;
}

static double decodeBits(const DType &type, uint64_t bits) {
  switch (type.kind) {
  case DType::Unsigned:
    return double(bits);
  case DType::Signed: {
    unsigned shift = 64 - 8 * type.size;
    return double(int64_t(bits << shift) >> shift);
  }
  case DType::Float:
    return type.size == 8 ? llvm::bit_cast<double>(bits)
                          : double(mx::fromBits(uint32_t(bits)));
  case DType::F16:
    return mx::decodeF16(bits);
  case DType::BF16:
    return mx::decodeBF16(bits);
  case DType::E4M3:
    return mx::decodeElement(mx::Element::E4M3, bits);
  case DType::E5M2:
    return mx::decodeElement(mx::Element::E5M2, bits);
  }
  return 0;
}

Buffer *Launch::lookup(StringRef name) {
  auto it = llvm::find_if(buffers, [&](Buffer &b) { return b.name == name; });
  return it == buffers.end() ? nullptr : &*it;
}

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

/// The generators: a linear congruential sequence of 24-bit numbers k.
Error Launch::initialize(Buffer &buffer, const json::Object &init) {
  std::optional<StringRef> gen = init.getString("gen");
  if (!gen)
    return fail("'" + buffer.name + "': init has no 'gen'");
  if (*gen == "undefined")
    return Error::success();
  const json::Array *list = init.getArray("values");
  if (*gen == "list" && (!list || int64_t(list->size()) != buffer.count))
    return fail("'" + buffer.name + "': 'values' has another length");
  auto number = [&](StringRef key) { return init.getNumber(key).value_or(0); };
  auto integer = [&](StringRef key) {
    return uint64_t(init.getInteger(key).value_or(0));
  };
  double lo = number("lo"), hi = number("hi");
  int64_t span = int64_t(hi) - int64_t(lo) + 1;
  if (*gen == "grid" && span <= 0)
    return fail("'" + buffer.name + "': hi is less than lo");
  std::vector<uint8_t> bytes(buffer.size);
  uint32_t x = integer("seed");
  for (int64_t i = 0; i < buffer.count; ++i) {
    x = 1664525u * x + 1013904223u;
    uint32_t k = x >> 8;
    uint64_t bits;
    if (*gen == "grid")
      bits = encode(buffer.type, (int64_t(lo) + int64_t(k % span)) *
                                     init.getNumber("scale").value_or(1));
    else if (*gen == "uniform")
      bits = encode(buffer.type, float(lo + (hi - lo) * k / 16777216.0));
    else if (*gen == "codes")
      bits = ((k & integer("mask")) << (integer("shift") & 63)) +
             integer("add") +
             (init.getBoolean("sign").value_or(false) ? uint64_t(k >> 23) << 31
                                                      : 0);
    else if (*gen == "zero")
      bits = 0;
    else if (*gen == "const")
      bits = encode(buffer.type, number("value"));
    else if (*gen == "list")
      bits = encode(buffer.type, (*list)[i].getAsNumber().value_or(0));
    else
      return fail("'" + buffer.name + "': unknown generator '" + *gen + "'");
    std::memcpy(&bytes[i * buffer.type.size], &bits, buffer.type.size);
  }
  return device.write(buffer.address, bytes);
}

Error Launch::readBuffers(const json::Object &root) {
  const json::Array *array = root.getArray("buffers");
  if (!array)
    return fail("has no 'buffers'");
  for (const json::Value &value : *array) {
    const json::Object *object = value.getAsObject();
    std::optional<StringRef> name, dtype;
    const json::Array *shape = nullptr;
    const json::Object *init = nullptr;
    if (object) {
      name = object->getString("name");
      dtype = object->getString("dtype");
      shape = object->getArray("shape");
      init = object->getObject("init");
    }
    if (!name || !dtype || !shape || !init)
      return fail("a buffer needs name, dtype, shape and init");
    std::optional<DType> type = parseDType(*dtype);
    if (!type)
      return fail("'" + *name + "': unknown dtype '" + *dtype + "'");
    Buffer buffer;
    buffer.name = name->str();
    buffer.type = *type;
    for (const json::Value &extent : *shape) {
      std::optional<int64_t> size = extent.getAsInteger();
      if (!size || *size < 0 || *size > INT32_MAX ||
          llvm::MulOverflow(buffer.count, *size, buffer.count) ||
          buffer.count > INT32_MAX)
        return fail("'" + *name + "': extents have to be numbers up to 2^31");
      buffer.shape.push_back(*size);
    }
    buffer.size = buffer.count * type->size;
    buffer.address =
        device.allocate("buffer '" + buffer.name + "'", buffer.size);
    if (Error error = initialize(buffer, *init))
      return error;
    buffers.push_back(std::move(buffer));
  }
  return Error::success();
}

Error Launch::readArguments(const json::Object &root, const Function &entry,
                            std::vector<uint8_t> &parameters) {
  const json::Array *array = root.getArray("args");
  if (!array)
    return fail("has no 'args'");
  if (root.getBoolean("packed_args").value_or(false))
    return fail("'packed_args' is not implemented");
  const auto &formal = entry.params;
  ParameterLayout layout = getParameterLayout(entry);
  if (array->size() > formal.size())
    return fail("has " + Twine(array->size()) + " args, but the kernel has " +
                Twine(formal.size()) + " parameters");
  for (auto [i, value] : llvm::enumerate(*array)) {
    const json::Object *object = value.getAsObject();
    std::optional<StringRef> kind =
        object ? object->getString("kind") : std::nullopt;
    StringRef name = object ? object->getString("name").value_or("") : "";
    uint64_t bits = 0;
    unsigned size = 8;
    if (kind == "buffer") {
      Buffer *buffer = lookup(name);
      if (!buffer)
        return fail("there is no buffer '" + name + "'");
      bits = buffer->address;
    } else if (kind == "scalar") {
      std::optional<DType> type =
          parseDType(object->getString("dtype").value_or(""));
      const json::Value *number = object->get("value");
      if (!type || !number || !number->getAsNumber())
        return fail("scalar '" + name + "' needs dtype and value");
      size = type->size;
      std::optional<int64_t> integer = number->getAsInteger();
      bool isInteger = type->kind <= DType::Signed;
      bits = integer && isInteger ? uint64_t(*integer)
                                  : encode(*type, *number->getAsNumber());
    } else {
      return fail("args of kind '" + kind.value_or("") +
                  "' are not implemented: buffer and scalar are");
    }
    if (formal[i].size != size)
      return fail("arg '" + name + "' has " + Twine(size) +
                  " bytes, the parameter '" + formal[i].name + "' has " +
                  Twine(formal[i].size));
    parameters.resize(layout.offsets[i] + size);
    std::memcpy(&parameters[layout.offsets[i]], &bits, size);
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
      double g = decodeBits(buffer->type, got);
      double w = decodeBits(buffer->type, want);
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
  if (root->getString("accumulate").value_or("exact") != "exact")
    return fail("only \"accumulate\": \"exact\" is implemented");
  if (Error error = readBuffers(*root))
    return error;
  LaunchConfig config;
  if (Error error = readDim(*root, "grid", config.grid))
    return error;
  if (Error error = readDim(*root, "block", config.block))
    return error;
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
          device.launch(module, entry, config, options.execution, &statistics))
    return error;
  if (options.stats)
    os << statistics.warpInstructions << " warp instructions, "
       << statistics.laneInstructions << " lane instructions\n";
  if (!options.outDir.empty())
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
  return check(*root, os);
}

Error mx::ptx::runLaunch(const Module &module, StringRef launchPath,
                         const LaunchOptions &options, llvm::raw_ostream &os) {
  return Launch(module, launchPath).run(options, os);
}
