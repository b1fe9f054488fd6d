// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffers of a launch: their types and initial contents.

#include "Launch.h"
#include "Rounding.h"

#include "mx/Formats/Codec.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mx::ptx;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;
namespace json = llvm::json;

std::optional<DType> mx::ptx::parseDType(StringRef name) {
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

uint64_t mx::ptx::encodeNumber(const DType &type, double value) {
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

double mx::ptx::decodeNumber(const DType &type, uint64_t bits) {
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
      bits = encodeNumber(buffer.type, (int64_t(lo) + int64_t(k % span)) *
                                           init.getNumber("scale").value_or(1));
    else if (*gen == "uniform") {
      // Rounded to f32 on the way to what is narrower.
      double value = lo + (hi - lo) * (k / 16777216.0);
      bits = encodeNumber(buffer.type,
                          buffer.type.size == 8 ? value : float(value));
    } else if (*gen == "codes")
      bits = ((k & integer("mask")) << (integer("shift") & 63)) +
             integer("add") +
             (init.getBoolean("sign").value_or(false) ? uint64_t(k >> 23) << 31
                                                      : 0);
    else if (*gen == "zero")
      bits = 0;
    else if (*gen == "const")
      bits = encodeNumber(buffer.type, number("value"));
    else if (*gen == "list")
      bits = encodeNumber(buffer.type, (*list)[i].getAsNumber().value_or(0));
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
