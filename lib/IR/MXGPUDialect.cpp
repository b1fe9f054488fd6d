// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The verifiers follow the numbers of dialects/mxgpu/README.md.

#include "mx/IR/MXGPU.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mx;
using namespace mx::mxgpu;

#include "mx/IR/mxgpu/MXGPUDialect.cpp.inc"
#include "mx/IR/mxgpu/MXGPUEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "mx/IR/mxgpu/MXGPUAttrs.cpp.inc"
#define GET_OP_CLASSES
#include "mx/IR/mxgpu/MXGPUOps.cpp.inc"

void MXGPUDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "mx/IR/mxgpu/MXGPUAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "mx/IR/mxgpu/MXGPUOps.cpp.inc"
      >();
}

unsigned mxgpu::getContainerBits(Type type) {
  if (isa<Float4E2M1FNType>(type))
    return 4;
  if (isa<Float6E2M3FNType, Float6E3M2FNType, Float8E4M3FNType, Float8E5M2Type>(
          type))
    return 8;
  if (type.isInteger(2) || type.isInteger(4) || type.isInteger(8))
    return type.getIntOrFloatBitWidth();
  return 0;
}

//===----------------------------------------------------------------------===//
// MmaBlockScaleOp
//===----------------------------------------------------------------------===//

int64_t MmaBlockScaleOp::getScaleVectorSize() {
  if (getKind() == BlockScaleKind::mxf8f6f4)
    return 1;
  return isa<Float8E4M3FNType>(getScaleType()) ? 4 : 2;
}

LogicalResult MmaBlockScaleOp::verify() {
  // C1
  for (Type type : {getAType(), getBType()}) {
    bool fits = getKind() == BlockScaleKind::mxf8f6f4
                    ? isa<FloatType>(type) && getContainerBits(type)
                    : isa<Float4E2M1FNType>(type);
    if (!fits)
      return emitOpError("kind ") << stringifyEnum(getKind())
                                  << " does not take elements of type " << type;
  }
  // C2
  bool e4m3 = isa<Float8E4M3FNType>(getScaleType());
  if (!isa<Float8E8M0FNUType>(getScaleType()) &&
      !(e4m3 && getKind() == BlockScaleKind::mxf4nvf4))
    return emitOpError("kind ")
           << stringifyEnum(getKind()) << " does not take scales of type "
           << getScaleType();
  // C3
  int64_t size = getScaleVectorSize();
  for (uint32_t id : {getByteIdA(), getByteIdB()})
    if (id >= 4 || id % size != 0)
      return emitOpError("byte id ")
             << int32_t(id) << " does not name " << size
             << " bytes of a scale register; must be a multiple of " << size
             << " below 4";
  // C4
  if (getThreadIdA() > 1)
    return emitOpError("thread id of scale_a must be 0 or 1, got ")
           << int32_t(getThreadIdA());
  if (getThreadIdB() > 3)
    return emitOpError("thread id of scale_b must be 0 to 3, got ")
           << int32_t(getThreadIdB());
  return success();
}

//===----------------------------------------------------------------------===//
// EncodeOp, DecodeOp
//===----------------------------------------------------------------------===//

LogicalResult EncodeOp::verify() {
  // C5
  unsigned bits = getContainerBits(getElementType());
  if (!bits || !isa<FloatType>(getElementType()))
    return emitOpError("cannot encode to ")
           << getElementType() << "; must be a float type of 4, 6 or 8 bits";
  // C6
  int64_t count = cast<VectorType>(getValue().getType()).getNumElements();
  if (count != 32 / bits)
    return emitOpError("32 bits hold ")
           << 32 / bits << " codes of " << getElementType() << ", got " << count
           << " values";
  return success();
}

LogicalResult DecodeOp::verify() {
  // C5
  unsigned bits = getContainerBits(getElementType());
  if (!bits)
    return emitOpError("cannot decode ")
           << getElementType()
           << "; must be i2, i4, i8, or a float type of 4, 6 or 8 bits";
  // C6
  int64_t count = cast<VectorType>(getType()).getNumElements();
  if (count != 32 / bits)
    return emitOpError("32 bits hold ")
           << 32 / bits << " codes of " << getElementType() << ", got " << count
           << " values";
  return success();
}
