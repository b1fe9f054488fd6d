// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MatrixProduct.h"
#include "Warp.h"

#include "llvm/Support/Endian.h"

using namespace mx::ptx;

static bool isInteger(Type type) {
  return type == Type::S8 || type == Type::U8;
}

/// Bits of an element where it has no padding.
static unsigned getElementBits(Type type) {
  switch (type) {
  case Type::E2M1:
    return 4;
  case Type::E2M3:
  case Type::E3M2:
    return 6;
  case Type::TF32:
    return 32;
  default:
    return getBitWidth(type);
  }
}

ElementForm mx::ptx::getSharedForm(Type type, bool isWide) {
  return isWide && getElementBits(type) < 8 ? ElementForm::Padded
                                            : ElementForm::Dense;
}

unsigned mx::ptx::getPayload(Type type, ElementForm form) {
  return form == ElementForm::Padded ? 16 * getElementBits(type) / 8
                                     : chunkBytes;
}

/// The elements of 16 bytes; their number.
static unsigned unpack(Type type, ElementForm form, const uint8_t *bytes,
                       uint32_t *codes) {
  unsigned bits = getElementBits(type);
  if (form == ElementForm::Bytes || bits == 8) {
    for (unsigned i = 0; i < chunkBytes; ++i)
      codes[i] = bits == 8 ? bytes[i] : unpadElement(type, bytes[i]);
    return chunkBytes;
  }
  unsigned count = form == ElementForm::Padded ? 16 : 8 * chunkBytes / bits;
  for (unsigned i = 0; i < count; ++i) {
    unsigned first = i * bits;
    if (bits == 32)
      codes[i] = llvm::support::endian::read32le(bytes + 4 * i);
    else
      // An element of 16 bits fills two bytes; others reach into the next at
      // most, which is there.
      codes[i] = (bytes[first / 8] |
                  (first % 8 + bits > 8 ? bytes[first / 8 + 1] << 8 : 0)) >>
                     first % 8 &
                 ((1u << bits) - 1);
  }
  return count;
}

bool OperandRows::assign(Type type, ElementForm form, const uint8_t *image,
                         unsigned count) {
  this->count = count;
  integers.clear();
  if (isInteger(type)) {
    for (unsigned i = 0; i < count * operandBytes; ++i)
      integers.push_back(type == Type::S8 ? int8_t(image[i]) : image[i]);
    return true;
  }
  if (form == ElementForm::Bytes)
    for (unsigned i = 0; i < count * operandBytes; ++i)
      if (image[i] & getPaddingMask(type))
        return false;
  rows.resize(count);
  uint32_t codes[DotRow::maxSize];
  for (unsigned r = 0; r < count; ++r, image += operandBytes) {
    unsigned size = unpack(type, form, image, codes);
    size += unpack(type, form, image + chunkBytes, codes + size);
    rows[r].assign(type, llvm::ArrayRef(codes, size));
  }
  return true;
}

void OperandRows::negate() {
  for (DotRow &row : rows)
    row.negate();
}

MatrixProduct::MatrixProduct(const Machine &machine, TensorUnit unit,
                             Type result, Type element, unsigned scales,
                             bool saturates)
    : result(result), saturates(saturates) {
  if (result == Type::S32 || machine.options.accumulate == Accumulate::Exact)
    return;
  model = getSumModel(machine.program.module->target, unit, element, scales);
  isModelMissing = !model;
}

std::optional<DotUnit> mx::ptx::makeMmaUnit(Warp &warp, Type result,
                                            Type element, unsigned scales) {
  if (warp.machine.options.accumulate == Accumulate::Exact)
    return DotUnit(result, std::nullopt);
  std::optional<SumModel> model =
      getSumModel(warp.machine.program.module->target, TensorUnit::MmaSync,
                  element, scales);
  if (model)
    return DotUnit(result, model);
  warp.fault(0, "no model of this target's tensor cores is published: use "
                "exact accumulation");
  return std::nullopt;
}

void MatrixProduct::run(const OperandRows &a, const OperandRows &b,
                        unsigned first, unsigned count, uint32_t *d) const {
  if (result == Type::S32) {
    auto getRow = [](const OperandRows &operand, unsigned r) {
      return llvm::ArrayRef(operand.integers)
          .slice(r * operandBytes, operandBytes);
    };
    for (unsigned m = 0; m < a.getCount(); ++m)
      for (unsigned n = first; n < first + count; ++n, ++d)
        *d = dotInteger(getRow(a, m), getRow(b, n), int32_t(*d), saturates);
    return;
  }
  DotUnit unit(result, model);
  for (unsigned m = 0; m < a.getCount(); ++m)
    for (unsigned n = first; n < first + count; ++n, ++d)
      *d = unit(a.rows[m], b.rows[n], *d);
}
