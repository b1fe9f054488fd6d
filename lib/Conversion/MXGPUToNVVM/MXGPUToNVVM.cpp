// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mx/Conversion/MXGPUToNVVM/Passes.h"

#include "Expand.h"
#include "mx/Target/Capabilities.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/DialectConversion.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mx {
#define GEN_PASS_DEF_CONVERTMXGPUTONVVM
#include "mx/Conversion/MXGPUToNVVM/Passes.h.inc"
} // namespace mx

using namespace mlir;
using namespace mx;
using namespace mx::mxgpu;

/// The row of `cvt.rn.satfinite` from f32 to `type`.
static Instruction getEncodeInstruction(Type type) {
  return TypeSwitch<Type, Instruction>(type)
      .Case<Float4E2M1FNType>([](auto) { return Instruction::cvt_e2m1x2_f32; })
      .Case<Float6E2M3FNType>([](auto) { return Instruction::cvt_e2m3x2_f32; })
      .Case<Float6E3M2FNType>([](auto) { return Instruction::cvt_e3m2x2_f32; })
      .Case<Float8E4M3FNType>([](auto) { return Instruction::cvt_e4m3x2_f32; })
      .Case<Float8E5M2Type>([](auto) { return Instruction::cvt_e5m2x2_f32; });
}

static NVVM::MMATypes getMMAType(Type type) {
  return TypeSwitch<Type, NVVM::MMATypes>(type)
      .Case<Float4E2M1FNType>([](auto) { return NVVM::MMATypes::e2m1; })
      .Case<Float6E2M3FNType>([](auto) { return NVVM::MMATypes::e2m3; })
      .Case<Float6E3M2FNType>([](auto) { return NVVM::MMATypes::e3m2; })
      .Case<Float8E4M3FNType>([](auto) { return NVVM::MMATypes::e4m3; })
      .Case<Float8E5M2Type>([](auto) { return NVVM::MMATypes::e5m2; });
}

static SmallVector<Value> getElements(ImplicitLocOpBuilder &b, Value vector) {
  SmallVector<Value> elements;
  int64_t count = cast<VectorType>(vector.getType()).getNumElements();
  for (int64_t i = 0; i < count; ++i)
    elements.push_back(b.createOrFold<vector::ExtractOp>(vector, i));
  return elements;
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

/// Four `cvt` and the move that puts their bytes together, in one piece of PTX:
/// ptxas then merges the bytes within the conversions, which it does not do
/// with the intrinsic's i16 results.
static Value encodeE2M1(ImplicitLocOpBuilder &b, ValueRange values) {
  std::string text = "{\n.reg .b8 b<4>;\n";
  std::string constraints = "=r";
  for (unsigned i = 0; i < 4; ++i) {
    text += ("cvt.rn.satfinite.e2m1x2.f32 b" + Twine(i) + ", $" +
             Twine(2 * i + 2) + ", $" + Twine(2 * i + 1) + ";\n")
                .str();
    constraints += ",f,f";
  }
  text += "mov.b32 $0, {b0, b1, b2, b3};\n}";
  return LLVM::InlineAsmOp::create(
             b, b.getI32Type(), values, text, constraints,
             /*has_side_effects=*/false, /*is_align_stack=*/false,
             LLVM::TailCallKind::None, /*asm_dialect=*/nullptr,
             /*operand_attrs=*/nullptr)
      .getResult(0);
}

static Value encode(ImplicitLocOpBuilder &b, EncodeOp op) {
  SmallVector<Value> values = getElements(b, op.getValue());
  if (isa<Float4E2M1FNType>(op.getElementType()))
    return encodeE2M1(b, values);
  SmallVector<Value> halves;
  for (unsigned i = 0; i < values.size(); i += 2) {
    Type i16 = b.getI16Type();
    if (op.getElementType().getIntOrFloatBitWidth() == 6)
      halves.push_back(NVVM::ConvertF32x2ToF6x2Op::create(
          b, i16, values[i + 1], values[i], b.getBoolAttr(false),
          op.getElementTypeAttr()));
    else
      halves.push_back(NVVM::ConvertF32x2ToF8x2Op::create(
          b, i16, values[i + 1], values[i], NVVM::FPRoundingMode::RN,
          NVVM::SaturationMode::SATFINITE, /*relu=*/false,
          op.getElementType()));
  }
  Value pair = vector::FromElementsOp::create(
      b, VectorType::get({2}, b.getI16Type()), halves);
  Value word =
      vector::BitCastOp::create(b, VectorType::get({1}, b.getI32Type()), pair);
  return vector::ExtractOp::create(b, word, ArrayRef<int64_t>{0});
}

static Value encodeScale(ImplicitLocOpBuilder &b, EncodeScaleOp op) {
  Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
  Value pair = NVVM::ConvertF32x2ToF8x2Op::create(
      b, b.getI16Type(), zero, op.getValue(), NVVM::FPRoundingMode::RP,
      NVVM::SaturationMode::SATFINITE, /*relu=*/false,
      Float8E8M0FNUType::get(b.getContext()));
  return arith::ExtUIOp::create(b, b.getI32Type(), pair);
}

static Value multiply(ImplicitLocOpBuilder &b, MmaBlockScaleOp op) {
  auto id = [&](uint32_t value) -> Value {
    return arith::ConstantOp::create(b, b.getI16IntegerAttr(value));
  };
  NVVM::BlockScaleFormat format = isa<Float8E4M3FNType>(op.getScaleType())
                                      ? NVVM::BlockScaleFormat::UE4M3
                                      : NVVM::BlockScaleFormat::UE8M0;
  int64_t size = op.getScaleVectorSize();
  NVVM::ScaleVecSize vecSize = size == 1   ? NVVM::ScaleVecSize::X1
                               : size == 2 ? NVVM::ScaleVecSize::X2
                                           : NVVM::ScaleVecSize::X4;
  NVVM::MMABlockScaleKind kind =
      *NVVM::symbolizeMMABlockScaleKind(stringifyEnum(op.getKind()));
  Type f32 = b.getF32Type();
  auto type =
      LLVM::LLVMStructType::getLiteral(b.getContext(), {f32, f32, f32, f32});
  Value d = NVVM::MmaBlockScaleOp::create(
      b, type, getElements(b, op.getA()), getElements(b, op.getB()),
      getElements(b, op.getC()), op.getScaleA(), id(op.getByteIdA()),
      id(op.getThreadIdA()), op.getScaleB(), id(op.getByteIdB()),
      id(op.getThreadIdB()), ArrayRef<int64_t>{16, 8, op.getK()},
      std::array{getMMAType(op.getAType()), getMMAType(op.getBType())}, vecSize,
      format, kind);
  SmallVector<Value> elements;
  for (int64_t i = 0; i < 4; ++i)
    elements.push_back(LLVM::ExtractValueOp::create(b, d, i));
  return vector::FromElementsOp::create(b, op.getType(), elements);
}

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

namespace {

struct ConvertMXGPUToNVVM
    : mx::impl::ConvertMXGPUToNVVMBase<ConvertMXGPUToNVVM> {
  using ConvertMXGPUToNVVMBase::ConvertMXGPUToNVVMBase;

  void runOnOperation() override {
    const Chip *target = lookupChip(chip);
    if (!target) {
      getOperation()->emitError("unknown chip '")
          << chip << "'; known are "
          << getChipNames([](const Chip &) { return true; });
      return signalPassFailure();
    }
    // Types stay as they are, so a walk does what patterns would.
    WalkResult result = getOperation()->walk([&](Operation *op) {
      if (!isa_and_nonnull<MXGPUDialect>(op->getDialect()))
        return WalkResult::advance();
      return convert(op, *target);
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  WalkResult convert(Operation *op, const Chip &target) {
    ImplicitLocOpBuilder b(op->getLoc(), op);
    Value result;
    bool expanded = false;
    auto choose = [&](auto typed, Instruction instruction, auto emit) {
      expanded = !target.has(instruction);
      result = expanded ? expand(b, typed) : emit(b, typed);
    };
    if (auto mma = dyn_cast<MmaBlockScaleOp>(op)) {
      const Capability &row = getCapability(getInstruction(mma));
      if (!target.has(getInstruction(mma)))
        return op->emitOpError("needs ")
               << row.name << ", which " << target.name
               << " does not have; it is on "
               << getChipNames([&](const Chip &c) { return row.isOn(c); });
      result = multiply(b, mma);
    } else if (auto typed = dyn_cast<EncodeOp>(op)) {
      choose(typed, getEncodeInstruction(typed.getElementType()), encode);
    } else if (auto typed = dyn_cast<EncodeScaleOp>(op)) {
      choose(typed, Instruction::cvt_ue8m0x2_f32, encodeScale);
    } else {
      // To bf16 there is no instruction (PTX 9.1 has one for E8M0 only, which
      // is no shorter).
      expanded = true;
      if (auto typed = dyn_cast<DecodeOp>(op))
        result = expand(b, typed);
      else
        result = expand(b, cast<DecodeScaleOp>(op));
    }
    ++(expanded ? numExpanded : numInstructions);
    op->replaceAllUsesWith(ValueRange(result));
    op->erase();
    return WalkResult::skip();
  }

  static Instruction getInstruction(MmaBlockScaleOp op) {
    switch (op.getKind()) {
    case BlockScaleKind::mxf8f6f4:
      return Instruction::mma_mxf8f6f4;
    case BlockScaleKind::mxf4:
      return Instruction::mma_mxf4;
    case BlockScaleKind::mxf4nvf4:
      return op.getScaleVectorSize() == 4 ? Instruction::mma_mxf4nvf4_4x
                                          : Instruction::mma_mxf4nvf4_2x;
    }
    llvm_unreachable("unknown kind");
  }
};

} // namespace
