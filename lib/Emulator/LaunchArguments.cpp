// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arguments of a launch, as the bytes of the kernel's parameters.

#include "Launch.h"

#include "mx/Emulator/TensorMap.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mx::ptx;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;
namespace json = llvm::json;

static std::optional<TensorElement> parseTensorElement(StringRef name) {
  using E = TensorElement;
  return llvm::StringSwitch<std::optional<E>>(name)
      .Case("u8", E::U8)
      .Case("u16", E::U16)
      .Case("u32", E::U32)
      .Cases({"s32", "i32"}, E::S32)
      .Case("u64", E::U64)
      .Cases({"s64", "i64"}, E::S64)
      .Case("f16", E::F16)
      .Case("f32", E::F32)
      .Case("f64", E::F64)
      .Case("bf16", E::BF16)
      .Case("f32_ftz", E::F32Ftz)
      .Case("tf32", E::TF32)
      .Case("tf32_ftz", E::TF32Ftz)
      .Case("u4x16_align8b", E::U4x16Align8)
      .Case("u4x16_align16b", E::U4x16Align16)
      .Case("u6x16_align16b", E::U6x16Align16)
      .Default(std::nullopt);
}

static std::optional<TensorSwizzle> parseTensorSwizzle(StringRef name) {
  using S = TensorSwizzle;
  return llvm::StringSwitch<std::optional<S>>(name)
      .CaseLower("none", S::None)
      .CaseLower("32B", S::B32)
      .CaseLower("64B", S::B64)
      .CaseLower("128B", S::B128)
      .CaseLower("128B_ATOM_32B", S::B128Atom32)
      .CaseLower("128B_ATOM_32B_FLIP_8B", S::B128Atom32Flip8)
      .CaseLower("128B_ATOM_64B", S::B128Atom64)
      .Default(std::nullopt);
}

static std::optional<TensorInterleave> parseTensorInterleave(StringRef name) {
  using I = TensorInterleave;
  return llvm::StringSwitch<std::optional<I>>(name)
      .CaseLower("none", I::None)
      .CaseLower("16B", I::B16)
      .CaseLower("32B", I::B32)
      .Default(std::nullopt);
}

static std::optional<TensorFill> parseTensorFill(StringRef name) {
  return llvm::StringSwitch<std::optional<TensorFill>>(name)
      .Case("zero", TensorFill::Zero)
      .Case("nan", TensorFill::NaN)
      .Default(std::nullopt);
}

/// A list of numbers that are not negative; true if there is none, or another.
template <typename List>
static bool readList(const json::Object &object, StringRef key, List &list) {
  const json::Array *array = object.getArray(key);
  if (!array)
    return true;
  for (const json::Value &value : *array) {
    std::optional<int64_t> number = value.getAsInteger();
    if (!number || *number < 0 ||
        !llvm::isUIntN(8 * sizeof(typename List::value_type), *number))
      return true;
    list.push_back(*number);
  }
  return false;
}

Error Launch::readTensorMap(const json::Object &object, Argument &argument) {
  auto failAt = [&](const Twine &text) {
    return fail("tensor map '" + argument.name + "' " + text);
  };
  StringRef name = object.getString("buffer").value_or("");
  Buffer *buffer = lookup(name);
  if (!buffer)
    return failAt("is of no buffer: there is none named '" + name + "'");
  TensorMapParams params;
  params.address = buffer->address;
  for (bool isWrong :
       {readList(object, "dims", params.dims),
        readList(object, "strides_bytes", params.strides),
        readList(object, "box", params.box),
        readList(object, "element_strides", params.elementStrides)})
    if (isWrong)
      return failAt("needs dims, strides_bytes, box and element_strides, lists "
                    "of numbers");
  auto word = [&](StringRef key, StringRef fallback) {
    return object.getString(key).value_or(fallback);
  };
  auto element = parseTensorElement(word("element", ""));
  auto swizzle = parseTensorSwizzle(word("swizzle", "none"));
  auto interleave = parseTensorInterleave(word("interleave", "none"));
  auto fill = parseTensorFill(word("oob_fill", "zero"));
  if (!element || !swizzle || !interleave || !fill)
    return failAt("has an unknown element, swizzle, interleave or oob_fill");
  params.element = *element;
  params.swizzle = *swizzle;
  params.interleave = *interleave;
  params.fill = *fill;
  auto bytes = encodeTensorMap(params);
  if (!bytes)
    return fail("'" + argument.name +
                "': " + llvm::toString(bytes.takeError()));
  argument.bytes.assign(bytes->begin(), bytes->end());
  argument.alignment = 64;
  return Error::success();
}

Error Launch::readArgument(const json::Object &object, Argument &argument) {
  StringRef kind = object.getString("kind").value_or("");
  argument.name = object.getString("name").value_or("");
  if (kind == "tensormap")
    return readTensorMap(object, argument);
  if (kind == "buffer") {
    Buffer *buffer = lookup(argument.name);
    if (!buffer)
      return fail("there is no buffer '" + argument.name + "'");
    argument.set(buffer->address, 8);
    return Error::success();
  }
  if (kind != "scalar")
    return fail("args of kind '" + kind +
                "' are not known: buffer, scalar and tensormap are");
  std::optional<DType> type =
      parseDType(object.getString("dtype").value_or(""));
  const json::Value *number = object.get("value");
  if (!type || !number || !number->getAsNumber())
    return fail("scalar '" + argument.name + "' needs dtype and value");
  std::optional<int64_t> integer = number->getAsInteger();
  bool isInteger = type->kind <= DType::Signed;
  argument.set(integer && isInteger
                   ? uint64_t(*integer)
                   : encodeNumber(*type, *number->getAsNumber()),
               type->size);
  return Error::success();
}

/// Each argument is a parameter; or all are the fields of a struct, in one.
Error Launch::readArguments(const json::Object &root, const Function &entry,
                            std::vector<uint8_t> &parameters) {
  const json::Array *array = root.getArray("args");
  if (!array)
    return fail("has no 'args'");
  bool isPacked = root.getBoolean("packed_args").value_or(false);
  const auto &formal = entry.params;
  ParameterLayout layout = getParameterLayout(entry);
  if (isPacked && formal.size() != 1)
    return fail("'packed_args' needs a kernel with one parameter");
  if (!isPacked && array->size() > formal.size())
    return fail("has " + Twine(array->size()) + " args, but the kernel has " +
                Twine(formal.size()) + " parameters");
  for (auto [i, value] : llvm::enumerate(*array)) {
    const json::Object *object = value.getAsObject();
    if (!object)
      return fail("args have to be objects");
    Argument argument;
    if (Error error = readArgument(*object, argument))
      return error;
    size_t size = argument.bytes.size();
    if (!isPacked && formal[i].size != size)
      return fail("arg '" + argument.name + "' has " + Twine(size) +
                  " bytes, the parameter '" + formal[i].name + "' has " +
                  Twine(formal[i].size));
    uint64_t offset = isPacked
                          ? llvm::alignTo(parameters.size(), argument.alignment)
                          : layout.offsets[i];
    parameters.resize(offset + size);
    llvm::copy(argument.bytes, parameters.begin() + offset);
  }
  if (isPacked && parameters.size() > layout.size)
    return fail("args have " + Twine(parameters.size()) +
                " bytes, the parameter has " + Twine(layout.size));
  return Error::success();
}
