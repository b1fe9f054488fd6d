// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules are those of cuTensorMapEncodeTiled (CUDA driver API).

#include "mx/Emulator/TensorMap.h"

#include "TensorFields.h"

#include <cstring>

using namespace mx::ptx;
using llvm::Error;
using llvm::Twine;

unsigned mx::ptx::getTensorElementBits(TensorElement element) {
  using E = TensorElement;
  switch (element) {
  case E::U8:
    return 8;
  case E::U16:
  case E::F16:
  case E::BF16:
    return 16;
  case E::U32:
  case E::S32:
  case E::F32:
  case E::F32Ftz:
  case E::TF32:
  case E::TF32Ftz:
    return 32;
  case E::U64:
  case E::S64:
  case E::F64:
    return 64;
  case E::U4x16Align8:
  case E::U4x16Align16:
    return 4;
  case E::U6x16Align16:
    return 6;
  }
  return 0;
}

uint64_t mx::ptx::applySwizzle(TensorSwizzle swizzle, uint64_t address) {
  // Bits from the second number on are changed by those from the first.
  auto exclusiveOr = [&](unsigned from, unsigned to, unsigned count) {
    uint64_t bits = address >> from & ((1u << count) - 1);
    return address ^ bits << to;
  };
  switch (swizzle) {
  case TensorSwizzle::None:
  case TensorSwizzle::B128Atom32Flip8: // Refused where maps are made.
    return address;
  case TensorSwizzle::B32:
    return exclusiveOr(7, 4, 1);
  case TensorSwizzle::B64:
    return exclusiveOr(7, 4, 2);
  case TensorSwizzle::B128:
    return exclusiveOr(7, 4, 3);
  case TensorSwizzle::B128Atom32:
    return exclusiveOr(7, 5, 2);
  case TensorSwizzle::B128Atom64:
    return exclusiveOr(7, 6, 1);
  }
  return address;
}

unsigned mx::ptx::getSwizzleSpan(TensorSwizzle swizzle) {
  switch (swizzle) {
  case TensorSwizzle::None:
    return 16;
  case TensorSwizzle::B32:
    return 32;
  case TensorSwizzle::B64:
    return 64;
  default:
    return 128;
  }
}

static bool isFloat(TensorElement element) {
  using E = TensorElement;
  return (element >= E::F16 && element <= E::F64) ||
         (element >= E::BF16 && element <= E::TF32Ftz);
}

namespace {
/// The rules, in the order of the driver's arguments.
class Checker {
public:
  explicit Checker(const TensorMapParams &params) : p(params) {}

  std::string run() {
    if (checkEnums() || checkExtents() || checkStrides() || checkBox() ||
        checkSwizzle())
      return text;
    return {};
  }

private:
  bool fail(const Twine &message) {
    text = message.str();
    return true;
  }
  bool failAt(const Twine &what, size_t i, uint64_t value,
              const Twine &message) {
    return fail(what + "[" + Twine(i) + "] is " + Twine(value) + ": " +
                message);
  }
  bool unpacks() const {
    return p.element == TensorElement::U4x16Align16 ||
           p.element == TensorElement::U6x16Align16;
  }
  bool isPacked() const { return p.element >= TensorElement::U4x16Align8; }

  bool checkEnums();
  bool checkExtents();
  bool checkStrides();
  bool checkBox();
  bool checkSwizzle();

  const TensorMapParams &p;
  std::string text;
};
} // namespace

bool Checker::checkEnums() {
  if (p.element > TensorElement::U6x16Align16)
    return fail("there is no element type " + Twine(unsigned(p.element)));
  if (p.interleave > TensorInterleave::B32)
    return fail("there is no interleave " + Twine(unsigned(p.interleave)));
  if (p.swizzle > TensorSwizzle::B128Atom64)
    return fail("there is no such swizzle");
  if (p.fill > TensorFill::NaN)
    return fail("there is no fill mode " + Twine(unsigned(p.fill)));
  if (p.swizzle == TensorSwizzle::B128Atom32Flip8)
    return fail("swizzle 128B_ATOM_32B_FLIP_8B is not implemented");
  if (p.fill == TensorFill::NaN && !isFloat(p.element))
    return fail("a fill with NaN needs a floating-point element type");
  return false;
}

bool Checker::checkExtents() {
  size_t rank = p.dims.size();
  if (rank < 1 || rank > 5)
    return fail("the rank is " + Twine(rank) + ": it has to be 1 to 5");
  if (p.strides.size() + 1 != rank || p.box.size() != rank ||
      p.elementStrides.size() != rank)
    return fail("rank " + Twine(rank) + " needs " + Twine(rank - 1) +
                " strides, " + Twine(rank) + " extents of the box and " +
                Twine(rank) + " element strides");
  bool isInterleaved = p.interleave != TensorInterleave::None;
  if (isInterleaved && rank < 3)
    return fail("an interleaved tensor has a rank of at least 3");
  unsigned alignment =
      unpacks() || p.interleave == TensorInterleave::B32 ? 32 : 16;
  if (p.address % alignment)
    return fail("the global address has to be a multiple of " +
                Twine(alignment));
  for (auto [i, extent] : llvm::enumerate(p.dims))
    if (extent < 1 || extent > uint64_t(1) << 32)
      return failAt("dims", i, extent, "it has to be 1 to 2^32");
  unsigned multiple = unpacks() ? 128 : isPacked() ? 2 : 1;
  if (p.dims[0] % multiple)
    return failAt("dims", 0, p.dims[0],
                  "it has to be a multiple of " + Twine(multiple) +
                      " for this element type");
  return false;
}

bool Checker::checkStrides() {
  unsigned multiple =
      unpacks() || p.interleave == TensorInterleave::B32 ? 32 : 16;
  // What the inner dimensions span.
  uint64_t span = (p.dims[0] * getTensorElementBits(p.element) + 7) / 8;
  for (auto [i, stride] : llvm::enumerate(p.strides)) {
    if (stride % multiple)
      return failAt("strides", i, stride,
                    "it has to be a multiple of " + Twine(multiple));
    if (stride >= uint64_t(1) << 40)
      return failAt("strides", i, stride, "it has to be less than 2^40");
    bool isUsed = p.dims[i + 1] > 1;
    if (isUsed && stride < span && p.interleave == TensorInterleave::None)
      return failAt("strides", i, stride,
                    "the inner dimensions span " + Twine(span) + " bytes");
    if (isUsed)
      span = stride * (p.dims[i + 1] - 1) + span;
  }
  return false;
}

bool Checker::checkBox() {
  for (auto [i, extent] : llvm::enumerate(p.box))
    if (extent < 1 || extent > 256)
      return failAt("box", i, extent, "it has to be 1 to 256");
  for (auto [i, stride] : llvm::enumerate(p.elementStrides))
    if (stride < 1 || stride > 8)
      return failAt("element strides", i, stride, "it has to be 1 to 8");
  if (unpacks())
    return p.box[0] != 128 &&
           failAt("box", 0, p.box[0], "it has to be 128 for this element type");
  uint64_t bits = p.box[0] * getTensorElementBits(p.element);
  if (p.interleave == TensorInterleave::None && bits % 128)
    return failAt("box", 0, p.box[0], "its bytes have to be a multiple of 16");
  return false;
}

bool Checker::checkSwizzle() {
  using S = TensorSwizzle;
  if (p.interleave == TensorInterleave::B32 && p.swizzle != S::B32)
    return fail("interleave 32B needs swizzle 32B");
  if (p.element == TensorElement::U4x16Align16 && p.swizzle != S::None &&
      p.swizzle != S::B128 && p.swizzle != S::B128Atom32)
    return fail("element type 16U4_ALIGN16B needs swizzle none, 128B or "
                "128B_ATOM_32B");
  if (p.element == TensorElement::U6x16Align16 && p.swizzle != S::None &&
      p.swizzle < S::B128)
    return fail("element type 16U6_ALIGN16B needs swizzle none, 128B, "
                "128B_ATOM_32B or 128B_ATOM_64B");
  if (p.interleave != TensorInterleave::None || p.swizzle == S::None)
    return false;
  uint64_t bytes =
      unpacks() ? p.box[0] : p.box[0] * getTensorElementBits(p.element) / 8;
  if (bytes > getSwizzleSpan(p.swizzle))
    return failAt("box", 0, p.box[0],
                  "its " + Twine(bytes) + " bytes exceed the " +
                      Twine(getSwizzleSpan(p.swizzle)) + " of the swizzle");
  return false;
}

static constexpr uint8_t mode128B = 3;

static void setSwizzle(TensorFields &fields, TensorSwizzle swizzle) {
  fields.swizzleMode = std::min(uint8_t(swizzle), mode128B);
  fields.swizzleAtoms = uint8_t(swizzle) - fields.swizzleMode;
}

/// Beyond the last one if the fields fit no swizzle.
static TensorSwizzle getSwizzle(const TensorFields &fields) {
  bool isKnown = fields.swizzleMode <= mode128B && fields.swizzleAtoms <= 3 &&
                 (!fields.swizzleAtoms || fields.swizzleMode == mode128B);
  return TensorSwizzle(isKnown ? fields.swizzleMode + fields.swizzleAtoms
                               : unsigned(TensorSwizzle::B128Atom64) + 1);
}

llvm::Expected<TensorMapBytes>
mx::ptx::encodeTensorMap(const TensorMapParams &params) {
  std::string problem = Checker(params).run();
  if (!problem.empty())
    return llvm::createStringError("tensor map: " + problem);
  TensorFields fields = {};
  fields.address = params.address;
  llvm::copy(params.strides, fields.strides);
  for (auto [i, extent] : llvm::enumerate(params.dims))
    fields.lastIndex[i] = extent - 1;
  llvm::copy(params.box, fields.box);
  llvm::copy(params.elementStrides, fields.elementStrides);
  fields.lastDimension = params.dims.size() - 1;
  fields.element = params.element;
  fields.interleave = params.interleave;
  setSwizzle(fields, params.swizzle);
  fields.fill = params.fill;
  TensorMapBytes bytes;
  std::memcpy(bytes.data(), &fields, sizeof(fields));
  return bytes;
}

llvm::Expected<TensorMapParams>
mx::ptx::decodeTensorMap(llvm::ArrayRef<uint8_t> bytes) {
  if (bytes.size() != sizeof(TensorFields))
    return llvm::createStringError("a tensor map has 128 bytes");
  TensorFields fields;
  std::memcpy(&fields, bytes.data(), sizeof(fields));
  TensorMapParams params;
  params.address = fields.address;
  size_t rank = fields.lastDimension + size_t(1);
  if (rank > 5)
    return llvm::createStringError("tensor map: the rank is " + Twine(rank) +
                                   ": it has to be 1 to 5");
  for (size_t i = 0; i < rank; ++i) {
    params.dims.push_back(uint64_t(fields.lastIndex[i]) + 1);
    if (i)
      params.strides.push_back(fields.strides[i - 1]);
    params.box.push_back(fields.box[i]);
    params.elementStrides.push_back(fields.elementStrides[i]);
  }
  params.element = fields.element;
  params.interleave = fields.interleave;
  params.swizzle = getSwizzle(fields);
  params.fill = fields.fill;
  std::string problem = Checker(params).run();
  if (!problem.empty())
    return llvm::createStringError("tensor map: " + problem);
  return params;
}
