// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "InstructionDescriptor.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

using namespace mx::ptx;
using llvm::Twine;

namespace {
class DescriptorReader {
public:
  DescriptorReader(uint32_t bits, std::string &problem)
      : bits(bits), problem(problem) {}

  unsigned get(unsigned low, unsigned high) const {
    return bits >> low & ((2u << (high - low)) - 1);
  }
  bool fail(const Twine &text) {
    problem =
        ("instruction descriptor 0x" + llvm::utohexstr(bits) + ": " + text)
            .str();
    return false;
  }
  bool readTypes(MmaForm &form);
  bool readScales(MmaForm &form);
  bool checkZero(const MmaForm &form);
  bool readShape(MmaForm &form);

private:
  std::optional<Type> getElement(MmaKind kind, unsigned code) const;

  uint32_t bits;
  std::string &problem;
};
} // namespace

std::optional<Type> DescriptorReader::getElement(MmaKind kind,
                                                 unsigned code) const {
  static constexpr Type narrow[] = {Type::E4M3, Type::E5M2, Type::None,
                                    Type::E2M3, Type::E3M2, Type::E2M1};
  Type type = Type::None;
  switch (kind) {
  case MmaKind::F16:
    type = code == 0 ? Type::F16 : code == 1 ? Type::BF16 : Type::None;
    break;
  case MmaKind::TF32:
    type = code == 2 ? Type::TF32 : Type::None;
    break;
  case MmaKind::I8:
    type = code == 0 ? Type::U8 : code == 1 ? Type::S8 : Type::None;
    break;
  case MmaKind::F8F6F4:
  case MmaKind::MXF8F6F4:
    type = code < std::size(narrow) ? narrow[code] : Type::None;
    break;
  case MmaKind::MXF4:
  case MmaKind::MXF4NVF4:
    type = code == 1 ? Type::E2M1 : Type::None;
    break;
  }
  if (type == Type::None)
    return std::nullopt;
  return type;
}

bool DescriptorReader::readTypes(MmaForm &form) {
  std::optional<Type> a = getElement(form.kind, get(7, 9)),
                      b = getElement(form.kind, get(10, 12));
  if (!a || !b)
    return fail("types " + Twine(get(7, 9)) + " of A and " +
                Twine(get(10, 12)) + " of B do not belong to the kind");
  form.a = *a;
  form.b = *b;
  form.negatesA = get(13, 13);
  form.negatesB = get(14, 14);
  form.isMNMajorA = get(15, 15);
  form.isMNMajorB = get(16, 16);
  bool isInteger = form.kind == MmaKind::I8;
  if (isInteger && (form.negatesA || form.negatesB))
    return fail("integers are not negated (bits 13, 14)");
  auto mayTranspose = [](Type type) {
    return getBitWidth(type) > 8 || type == Type::E4M3 || type == Type::E5M2 ||
           type == Type::S8 || type == Type::U8;
  };
  if ((form.isMNMajorA && !mayTranspose(form.a)) ||
      (form.isMNMajorB && !mayTranspose(form.b)))
    return fail("types of four and six bits are K-major (bits 15, 16)");
  if (isBlockScaled(form.kind))
    return true;
  unsigned d = get(4, 5);
  bool isHalf = d == 0 && (form.kind == MmaKind::F8F6F4 ||
                           (form.a == Type::F16 && form.b == Type::F16));
  if (isInteger ? d != 2 : d != 1 && !isHalf)
    return fail("type " + Twine(d) +
                " of D does not belong to these of A and "
                "B");
  form.d = isInteger ? Type::S32 : isHalf ? Type::F16 : Type::F32;
  form.saturates = get(3, 3);
  if (form.saturates && !isInteger)
    return fail("only integers are saturated (bit 3)");
  return true;
}

bool DescriptorReader::readScales(MmaForm &form) {
  form.scaleIdB = get(4, 5);
  form.scaleIdA = get(29, 30);
  form.scaleType = get(23, 23) ? Type::UE8M0 : Type::UE4M3;
  // mxf4nvf4 has 16 elements a scale, of either type, or 32 with UE8M0.
  if (form.scaleType == Type::UE4M3 &&
      (form.kind != MmaKind::MXF4NVF4 || form.scales != 4))
    return fail("scale type UE4M3 (bit 23) belongs to kind::mxf4nvf4 with "
                "scale_vec::4X");
  for (unsigned id : {form.scaleIdA, form.scaleIdB})
    if (id % form.scales || id + form.scales > 4)
      return fail("scale id " + Twine(id) + " does not fit " +
                  Twine(form.scales) + " scales a row");
  return true;
}

bool DescriptorReader::checkZero(const MmaForm &form) {
  if (get(0, 2))
    return fail("sparse matrices (bits 0 to 2) are not implemented");
  bool isScaled = isBlockScaled(form.kind);
  if (form.kind >= MmaKind::MXF4 && get(31, 31))
    return fail("K = 96 (bit 31) is not implemented; K = 64 is");
  if (!isScaled && get(30, 31))
    return fail("a shift of B (bits 30, 31) belongs to tcgen05.mma.ws, which "
                "is not implemented");
  uint32_t reserved = get(6, 6) | (isScaled ? get(3, 3) | get(24, 26)
                                            : get(23, 23) | get(29, 29));
  if (form.kind == MmaKind::MXF8F6F4)
    reserved |= get(31, 31);
  return reserved ? fail("reserved bits are not zero") : true;
}

bool DescriptorReader::readShape(MmaForm &form) {
  form.n = get(17, 22) << 3;
  form.m = isBlockScaled(form.kind) ? get(27, 28) << 7 : get(24, 28) << 4;
  bool isPair = form.ctas == 2;
  bool isLegal =
      isPair ? form.m == 128 || form.m == 256
             : form.m == 128 || (form.m == 64 && !isBlockScaled(form.kind));
  if (!isLegal)
    return fail("M = " + Twine(form.m) + " does not belong to cta_group::" +
                Twine(form.ctas) + " of this kind");
  unsigned step = 8;
  if (form.kind == MmaKind::I8)
    step = isPair ? 32 : form.n <= 32 ? 8 : 16;
  else if (isPair || (form.m == 128 && !isBlockScaled(form.kind)))
    step = 16;
  if (form.n == 0 || form.n > 256 || form.n % step)
    return fail("N = " + Twine(form.n) + " has to be a multiple of " +
                Twine(step) + " up to 256");
  if (form.isMNMajorB && getBitWidth(form.b) == 8 && form.n % (16 * form.ctas))
    return fail("N = " + Twine(form.n) +
                " of an MN-major B of bytes has to be "
                "a multiple of " +
                Twine(16 * form.ctas));
  return true;
}

std::optional<MmaForm>
mx::ptx::decodeInstructionDescriptor(uint32_t bits, MmaKind kind, unsigned ctas,
                                     unsigned scales, std::string &problem) {
  DescriptorReader reader(bits, problem);
  MmaForm form;
  form.kind = kind;
  form.ctas = ctas;
  form.scales = scales;
  if (!reader.checkZero(form) || !reader.readTypes(form) ||
      (scales && !reader.readScales(form)) || !reader.readShape(form))
    return std::nullopt;
  return form;
}
