// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The format: numpy's lib/format documentation. The header is written by many
// programs, so it is parsed as the Python literal that it is.

#include "mx/Support/Npy.h"

#include "mx/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace llvm;
using namespace mx;

static_assert(sys::IsLittleEndianHost, "elements are used as they are stored");

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

namespace {
struct TypeInfo {
  /// As MLIR spells it.
  StringLiteral name;
  /// As numpy spells it, without the byte order.
  StringLiteral descr;
  unsigned bytes;
};
} // namespace

static constexpr TypeInfo types[] = {
    {"f32", "f4", 4},  {"f64", "f8", 8},  {"f16", "f2", 2},  {"bf16", "V2", 2},
    {"i64", "i8", 8},  {"i32", "i4", 4},  {"i16", "i2", 2},  {"i8", "i1", 1},
    {"ui64", "u8", 8}, {"ui32", "u4", 4}, {"ui16", "u2", 2}, {"ui8", "u1", 1},
    {"i1", "b1", 1}};

//===----------------------------------------------------------------------===//
// The header
//===----------------------------------------------------------------------===//

namespace {
struct Header {
  StringRef descr;
  bool fortranOrder = false;
  SmallVector<int64_t> shape;
};

/// A reader of the one kind of dict that stands there. Each method consumes
/// what it names and returns false where something else stands.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}

  bool parse(Header &header) {
    unsigned seen = 0;
    if (!consume("{"))
      return false;
    while (!consume("}")) {
      StringRef key;
      if (!parseString(key) || !consume(":"))
        return false;
      if (key == "descr" && parseString(header.descr))
        seen |= 1;
      else if (key == "fortran_order" && parseBool(header.fortranOrder))
        seen |= 2;
      else if (key == "shape" && parseShape(header.shape))
        seen |= 4;
      else
        return false;
      if (!consume(",") && !rest.ltrim().starts_with("}"))
        return false;
    }
    return seen == 7 && rest.trim().empty();
  }

private:
  bool consume(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }

  bool parseString(StringRef &value) {
    rest = rest.ltrim();
    if (!rest.starts_with("'") && !rest.starts_with("\""))
      return false;
    size_t end = rest.find(rest.front(), 1);
    if (end == StringRef::npos)
      return false;
    value = rest.slice(1, end);
    rest = rest.drop_front(end + 1);
    return true;
  }

  bool parseBool(bool &value) {
    value = consume("True");
    return value || consume("False");
  }

  bool parseShape(SmallVectorImpl<int64_t> &shape) {
    shape.clear();
    if (!consume("("))
      return false;
    while (!consume(")")) {
      int64_t extent;
      rest = rest.ltrim();
      if (rest.consumeInteger(10, extent) || extent < 0)
        return false;
      shape.push_back(extent);
      if (!consume(",") && !rest.ltrim().starts_with(")"))
        return false;
    }
    return true;
  }

  StringRef rest;
};
} // namespace

/// Elements in row-major order from column-major ones.
static void copyFromFortranOrder(const char *from, char *to,
                                 ArrayRef<int64_t> shape, unsigned bytes) {
  int64_t count = 1;
  SmallVector<int64_t> strides;
  for (int64_t extent : shape) {
    strides.push_back(count * bytes);
    count *= extent;
  }
  SmallVector<int64_t> index(shape.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(to + i * bytes, from, bytes);
    // The next index, innermost first; `from` follows it.
    for (size_t d = shape.size(); d-- > 0;) {
      from += strides[d];
      if (++index[d] < shape[d])
        break;
      from -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
}

Expected<NpyArray> NpyArray::open(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFile(path, /*IsText=*/false,
                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createFileError(path, buffer.getError());
  return parse(std::move(*buffer));
}

Expected<NpyArray> NpyArray::parse(std::unique_ptr<MemoryBuffer> buffer) {
  auto fail = [&](const Twine &message) {
    return createFileError(buffer->getBufferIdentifier(),
                           createStringError(message));
  };
  StringRef content = buffer->getBuffer();
  if (!content.consume_front("\x93NUMPY") || content.size() < 2)
    return fail("not a .npy file");
  unsigned major = content[0];
  content = content.drop_front(2);
  if (major < 1 || major > 3)
    return fail(".npy version " + Twine(major) + " is not known; 1 to 3 are");
  size_t lengthBytes = major == 1 ? 2 : 4;
  if (content.size() < lengthBytes)
    return fail("the .npy header is truncated");
  size_t length = major == 1 ? support::endian::read16le(content.data())
                             : support::endian::read32le(content.data());
  content = content.drop_front(lengthBytes);
  if (content.size() < length)
    return fail("the .npy header is truncated");

  Header header;
  if (!HeaderParser(content.take_front(length)).parse(header))
    return fail("the .npy header is malformed: expected a dict with descr (a "
                "type's name), fortran_order and shape");
  content = content.drop_front(length);
  if (header.descr.starts_with(">"))
    return fail("big-endian elements ('" + header.descr + "') cannot be read");
  StringRef descr = header.descr.ltrim("<|=");
  const TypeInfo *type = llvm::find_if(
      types, [&](const TypeInfo &info) { return info.descr == descr; });
  if (type == std::end(types))
    return fail("elements of type '" + header.descr + "' cannot be read");

  int64_t size = llvm::is_contained(header.shape, 0) ? 0 : type->bytes;
  for (int64_t extent : header.shape)
    if (size && MulOverflow(size, extent, size))
      return fail("the shape overflows");
  if (static_cast<int64_t>(content.size()) != size)
    return fail("shape and type need " + Twine(size) + " bytes of elements, " +
                Twine(content.size()) + " are there");

  NpyArray array;
  array.dtype = type->name;
  array.numElements = size / type->bytes;
  array.shape = std::move(header.shape);
  bool transpose = header.fortranOrder && array.shape.size() > 1;
  if (transpose || reinterpret_cast<uintptr_t>(content.data()) % type->bytes) {
    auto copy = WritableMemoryBuffer::getNewUninitMemBuffer(
        size, buffer->getBufferIdentifier());
    if (!copy)
      return fail("not enough memory");
    if (transpose && size)
      copyFromFortranOrder(content.data(), copy->getBufferStart(), array.shape,
                           type->bytes);
    else
      llvm::copy(content, copy->getBufferStart());
    content = StringRef(copy->getBufferStart(), size);
    buffer = std::move(copy);
  }
  array.data = ArrayRef<char>(content.data(), content.size());
  array.buffer = std::move(buffer);
  return array;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

Error mx::writeNpy(StringRef path, StringRef dtype, ArrayRef<int64_t> shape,
                   ArrayRef<char> data) {
  const TypeInfo *type = llvm::find_if(
      types, [&](const TypeInfo &info) { return info.name == dtype; });
  assert(type != std::end(types) && "not a type that .npy has");

  std::string header = "{'descr': '";
  header += type->bytes == 1 ? '|' : '<';
  header += type->descr.str() + "', 'fortran_order': False, 'shape': (";
  for (int64_t extent : shape)
    header += std::to_string(extent) + ",";
  header += "), }";
  // Elements start at a multiple of 64 bytes; the last header byte is '\n'.
  constexpr size_t prefix = 10;
  header.append(alignTo(prefix + header.size() + 1, 64) - prefix -
                    header.size() - 1,
                ' ');
  header += '\n';
  return writeOutputFile(path, [&](raw_ostream &os) -> Error {
    char length[2];
    support::endian::write16le(length, header.size());
    os << StringRef("\x93NUMPY\x01\x00", 8) << StringRef(length, 2) << header;
    os.write(data.data(), data.size());
    return Error::success();
  });
}
