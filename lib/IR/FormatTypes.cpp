// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/IR/FormatTypes.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mx;

Type mx::getElementType(MLIRContext *context, Element element) {
  switch (element) {
  case Element::E2M1:
    return Float4E2M1FNType::get(context);
  case Element::E2M3:
    return Float6E2M3FNType::get(context);
  case Element::E3M2:
    return Float6E3M2FNType::get(context);
  case Element::E4M3:
    return Float8E4M3FNType::get(context);
  case Element::E5M2:
    return Float8E5M2Type::get(context);
  case Element::MXInt8:
  case Element::Int8:
  case Element::Int4:
  case Element::NF4:
  case Element::Ternary:
    return IntegerType::get(context, getBitWidth(element));
  }
  llvm_unreachable("unknown element");
}

unsigned mx::getCodesPerByte(Element element) {
  return 8 / getBitWidth(element);
}

bool mx::isPackedType(Type type, Element element) {
  return type.isSignlessInteger(8) && getBitWidth(element) < 8;
}

bool mx::isHighPrecisionType(Type type) {
  return isa<Float32Type, Float16Type, BFloat16Type>(type);
}

Type mx::getScaleType(MLIRContext *context, ScaleType scale) {
  switch (scale) {
  case ScaleType::E8M0:
    return Float8E8M0FNUType::get(context);
  case ScaleType::E4M3:
    return Float8E4M3FNType::get(context);
  case ScaleType::F32:
    return Float32Type::get(context);
  case ScaleType::F16:
    return Float16Type::get(context);
  case ScaleType::BF16:
    return BFloat16Type::get(context);
  }
  llvm_unreachable("unknown scale type");
}

SmallVector<int64_t> mx::getScaleShape(const Format &format,
                                       ArrayRef<int64_t> shape, int64_t axis) {
  SmallVector<int64_t> scales;
  for (auto [extent, block] :
       llvm::zip_equal(shape, getBlockShape(format, shape.size(), axis))) {
    if (block == Format::Whole)
      scales.push_back(1);
    else if (ShapedType::isDynamic(extent))
      scales.push_back(ShapedType::kDynamic);
    else
      scales.push_back(llvm::divideCeil(extent, block));
  }
  return scales;
}

QuantizedOperand::QuantizedOperand(ValueRange values, const Format &format)
    : QuantizedOperand(values) {
  unsigned next = 1;
  auto take = [&] { return next < values.size() ? values[next++] : Value(); };
  scales = take();
  if (format.zeroPoint)
    zeroPoints = take();
  if (format.secondLevel)
    amax = take();
}
