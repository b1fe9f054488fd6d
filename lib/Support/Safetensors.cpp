// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Support/Safetensors.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Process.h"

#include <sys/mman.h>

using namespace llvm;

namespace mx {

namespace {

struct ElementType {
  StringLiteral safetensors;
  StringLiteral mlir;
  unsigned bits;
};

/// Types of the format's specification that MLIR has a spelling for.
constexpr ElementType elementTypes[] = {
    {"F64", "f64", 64},       {"F32", "f32", 32},
    {"F16", "f16", 16},       {"BF16", "bf16", 16},
    {"I64", "i64", 64},       {"I32", "i32", 32},
    {"I16", "i16", 16},       {"I8", "i8", 8},
    {"U64", "ui64", 64},      {"U32", "ui32", 32},
    {"U16", "ui16", 16},      {"U8", "ui8", 8},
    {"BOOL", "i1", 8},        {"F8_E4M3", "f8E4M3FN", 8},
    {"F8_E5M2", "f8E5M2", 8}, {"F8_E8M0", "f8E8M0FNU", 8},
    {"F4", "f4E2M1FN", 4},
};

/// Header of one tensor as the JSON says it.
struct Header {
  std::string dtype;
  std::vector<int64_t> shape;
  std::vector<int64_t> offsets;
};

} // namespace

static bool fromJSON(const json::Value &value, Header &header,
                     json::Path path) {
  json::ObjectMapper mapper(value, path);
  return mapper && mapper.map("dtype", header.dtype) &&
         mapper.map("shape", header.shape) &&
         mapper.map("data_offsets", header.offsets);
}

/// Calls `seen` on each key of the object that `text` (valid JSON) is. The
/// parsed object keeps only the last of two equal keys.
static void forEachKey(StringRef text, function_ref<void(StringRef)> seen) {
  int depth = 0;
  StringRef lastString;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
    case '{':
    case '[':
      ++depth;
      break;
    case '}':
    case ']':
      --depth;
      break;
    case '"': {
      size_t begin = i;
      for (++i; text[i] != '"'; ++i)
        if (text[i] == '\\')
          ++i;
      lastString = text.slice(begin, i + 1);
      break;
    }
    case ':':
      if (depth != 1)
        break;
      // Parsing takes escapes away.
      if (Expected<json::Value> key = json::parse(lastString))
        seen(key->getAsString().value_or(""));
      else
        consumeError(key.takeError());
      break;
    }
  }
}

/// Bytes of a tensor; nothing if the number does not fit or is not whole.
static std::optional<uint64_t> getNumBytes(const ElementType &type,
                                           ArrayRef<int64_t> shape) {
  std::optional<uint64_t> bits = type.bits;
  for (int64_t extent : shape) {
    bits = checkedMulUnsigned<uint64_t>(*bits, extent);
    if (!bits)
      return std::nullopt;
  }
  return *bits % 8 == 0 ? std::optional(*bits / 8) : std::nullopt;
}

Expected<Safetensors> Safetensors::open(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer = MemoryBuffer::getFile(
      path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createFileError(path, buffer.getError());
  return parse(std::move(*buffer));
}

Expected<Safetensors> Safetensors::parse(std::unique_ptr<MemoryBuffer> buffer) {
  Safetensors file;
  file.buffer = std::move(buffer);
  if (Error error = file.parseHeader())
    return createFileError(file.getPath(), std::move(error));
  return file;
}

Error Safetensors::parseHeader() {
  StringRef bytes = buffer->getBuffer();
  constexpr size_t lengthSize = 8;
  if (bytes.size() < lengthSize)
    return createStringError("not a safetensors file: shorter than 8 bytes");
  uint64_t length = support::endian::read64le(bytes.data());
  if (length > bytes.size() - lengthSize)
    return createStringError(formatv(
        "truncated, or not a safetensors file: a header of {0} bytes in a file "
        "of {1}",
        length, bytes.size()));
  StringRef text = bytes.substr(lengthSize, length);
  StringRef data = bytes.substr(lengthSize + length);

  Expected<json::Value> header = json::parse(text);
  if (!header)
    return createStringError("header: " + toString(header.takeError()));
  const json::Object *tensors = header->getAsObject();
  if (!tensors)
    return createStringError("header: expected a JSON object");

  StringSet<> keys;
  std::string duplicate;
  forEachKey(text, [&](StringRef key) {
    if (!keys.insert(key).second)
      duplicate = key;
  });
  if (!duplicate.empty())
    return createStringError(
        formatv("tensor \"{0}\" occurs twice in the header", duplicate));

  for (const auto &[key, value] : *tensors) {
    if (key == "__metadata__")
      continue;
    auto fail = [name = key.str()](const Twine &message) {
      return createStringError("tensor \"" + Twine(name) + "\": " + message);
    };
    Header tensor;
    json::Path::Root root("header");
    if (!fromJSON(value, tensor, root))
      return fail(toString(root.getError()));
    const ElementType *type = find_if(elementTypes, [&](const ElementType &t) {
      return t.safetensors == tensor.dtype;
    });
    if (type == std::end(elementTypes))
      return fail("unknown dtype " + tensor.dtype);
    if (any_of(tensor.shape, [](int64_t extent) { return extent < 0; }))
      return fail("an extent is negative");
    if (tensor.offsets.size() != 2 || tensor.offsets[0] < 0 ||
        tensor.offsets[1] < tensor.offsets[0])
      return fail("data_offsets are not a begin and an end");
    uint64_t begin = tensor.offsets[0], end = tensor.offsets[1];
    if (end > data.size())
      return fail(formatv("ends at byte {0} of {1} bytes of data; the file is "
                          "truncated",
                          end, data.size())
                      .str());
    std::optional<uint64_t> size = getNumBytes(*type, tensor.shape);
    if (size != end - begin)
      return fail(formatv("{0} bytes of data, but shape and dtype say {1}",
                          end - begin,
                          size ? std::to_string(*size) : "another number")
                      .str());
    auto slot = index.try_emplace(key, 0).first;
    entries.push_back({slot->getKey(), type->mlir,
                       SmallVector<int64_t>(ArrayRef(tensor.shape)),
                       ArrayRef(data.data() + begin, end - begin)});
  }

  // In the order of bytes, each has to begin where the last one ended.
  sort(entries, [](const SafetensorsEntry &a, const SafetensorsEntry &b) {
    return std::make_pair(a.data.begin(), a.data.end()) <
           std::make_pair(b.data.begin(), b.data.end());
  });
  const char *position = data.begin();
  for (auto [i, entry] : enumerate(entries)) {
    index[entry.name] = i;
    if (entry.data.begin() != position)
      return createStringError(formatv(
          "tensor \"{0}\": begins at byte {1} of the data, where the one "
          "before it ends at {2}",
          entry.name, entry.data.begin() - data.begin(),
          position - data.begin()));
    position = entry.data.end();
  }
  if (position != data.end())
    return createStringError(
        formatv("{0} bytes after the last tensor", data.end() - position));
  return Error::success();
}

const SafetensorsEntry *Safetensors::lookup(StringRef name) const {
  auto it = index.find(name);
  return it == index.end() ? nullptr : &entries[it->second];
}

void Safetensors::releasePages(const SafetensorsEntry &entry) const {
  // Of memory that is not a mapping of the file the contents would be lost.
  if (buffer->getBufferKind() != MemoryBuffer::MemoryBuffer_MMap)
    return;
  // Whole pages only: the first and the last may hold a neighbour's bytes.
  uint64_t page = sys::Process::getPageSizeEstimate();
  uint64_t begin =
      alignTo(reinterpret_cast<uintptr_t>(entry.data.begin()), page);
  uint64_t end = alignDown(reinterpret_cast<uintptr_t>(entry.data.end()), page);
  if (begin < end)
    ::madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
}

} // namespace mx
